// How long to wait before the next try: twice as long each time, up to a limit, with full jitter so that a thousand
// agents do not come back at once after a coordinator's restart.
#ifndef MUSTER_AGENT_LINK_BACK_OFF_H_
#define MUSTER_AGENT_LINK_BACK_OFF_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace muster::agent {

class BackOff {
 public:
  static constexpr int64_t kFirstMs = 100;
  static constexpr int64_t kLimitMs = 30'000;

  // `random` gives 64 random bits.
  explicit BackOff(std::function<uint64_t()> random) : random_(std::move(random)) {}

  // Between 0 and the present ceiling; the ceiling doubles.
  int64_t NextDelayMs() {
    const int64_t delay_ms = static_cast<int64_t>(random_() % static_cast<uint64_t>(ceiling_ms_ + 1));
    ceiling_ms_ = std::min(2 * ceiling_ms_, kLimitMs);
    return delay_ms;
  }
  void Reset() { ceiling_ms_ = kFirstMs; }

 private:
  const std::function<uint64_t()> random_;
  int64_t ceiling_ms_ = kFirstMs;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_BACK_OFF_H_
