// The faults that power.* and stress.* make by themselves, to see that they are found: the parameter inject_stress.
#ifndef MUSTER_SUITES_BENCHMARK_STRESS_INJECTION_H_
#define MUSTER_SUITES_BENCHMARK_STRESS_INJECTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "suites/sdk/sensors.h"

namespace muster::benchmark {

struct StressInjection {
  enum Kind {
    kNone,
    kWrong,  // "wrong:PULSE:UNIT:DEVICE": a wrong result in that pulse (or round of products), on that unit (or row).
    kSlow,   // "slow:PERCENT:DEVICE": the rate falls by so much until the end.
    kLowPower,  // "lowpower:PERCENT:DEVICE": power reads so much too low, and the clocks 10 % under their highest.
    kThrottle,  // "throttle:DEVICE": a fault holds the clocks.
  };
  Kind kind = kNone;
  uint32_t pulse = 0;
  uint32_t unit = 0;
  double share = 0;     // Of the percentage.
  uint32_t device = 0;  // Which of the leased.

  bool Concerns(Kind of, uint32_t of_device) const { return kind == of && device == of_device; }
};

// Throws ToolError for other words; empty: none.
StressInjection ParseStressInjection(const std::string& text);

// The sensors as the fault shows them; the same ones where it does not concern them.
std::unique_ptr<sdk::Sensors> WithFault(std::unique_ptr<sdk::Sensors> sensors, const StressInjection& injection,
                                        uint32_t device);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_STRESS_INJECTION_H_
