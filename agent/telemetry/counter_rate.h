// The rate of a counter that comes with a time stamp: watts of microjoules, a share of busy microseconds.
#ifndef MUSTER_AGENT_TELEMETRY_COUNTER_RATE_H_
#define MUSTER_AGENT_TELEMETRY_COUNTER_RATE_H_

#include <cstdint>
#include <optional>

namespace muster::agent {

class CounterRate {
 public:
  // How far the counter went for each unit of the time stamp since the reading before. Nothing at the first reading,
  // after a reset (a counter or clock that went back), and when the source has given the same reading for more than
  // kMaxRepeats turns; a few such turns repeat the last rate. A 32-bit counter may wrap.
  std::optional<double> Update(uint64_t counter, uint64_t timestamp);

 private:
  static constexpr int kMaxRepeats = 5;

  bool started_ = false;
  uint64_t counter_ = 0;
  uint64_t timestamp_ = 0;
  int repeats_ = 0;
  std::optional<double> rate_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_COUNTER_RATE_H_
