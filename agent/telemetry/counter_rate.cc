#include "agent/telemetry/counter_rate.h"

namespace muster::agent {
namespace {

// From the last quarter of 32 bits to the first: more like a wrap than like a reset.
bool Wrapped(uint64_t before, uint64_t now) {
  return before <= UINT32_MAX && before >= 3 * (uint64_t{1} << 30) && now < (uint64_t{1} << 30);
}

}  // namespace

std::optional<double> CounterRate::Update(uint64_t counter, uint64_t timestamp) {
  if (started_ && timestamp == timestamp_ && counter == counter_) {
    if (++repeats_ > kMaxRepeats) rate_.reset();
    return rate_;
  }
  rate_.reset();
  repeats_ = 0;
  if (started_ && timestamp > timestamp_ && (counter >= counter_ || Wrapped(counter_, counter))) {
    const uint64_t wrap = counter < counter_ ? uint64_t{1} << 32 : 0;
    rate_ = static_cast<double>(counter + wrap - counter_) / static_cast<double>(timestamp - timestamp_);
  }
  started_ = true;
  counter_ = counter;
  timestamp_ = timestamp;
  return rate_;
}

}  // namespace muster::agent
