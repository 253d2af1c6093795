// The simulation's dice: all that happens in it follows from one seed.
#ifndef MUSTER_TESTS_SIMULATION_RANDOM_H_
#define MUSTER_TESTS_SIMULATION_RANDOM_H_

#include <cstdint>

namespace muster::simulation {

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low + 1));
  }
  bool OneIn(uint64_t n) { return Next() % n == 0; }

 private:
  uint64_t state_;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_RANDOM_H_
