// Work that is verified while it goes on, in short slices: what loads a device in power.* and stress.*.
#ifndef MUSTER_SUITES_BENCHMARK_STRESS_LOAD_H_
#define MUSTER_SUITES_BENCHMARK_STRESS_LOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/sdk/sensor_series.h"

namespace muster::benchmark {

using StressClock = sdk::SensorRecorder::Clock;

// A slice that has ended, its results verified.
struct StressSlice {
  StressClock::time_point begin;
  StressClock::time_point end;
  double operations = 0;
  uint64_t wrong = 0;
  std::vector<std::string> errors;  // Which, where, expected, found.
};

// A wrong result that the load makes by itself: in its slice of that number, on that unit, or in that row of a product.
struct StressFault {
  uint32_t slice = 0;
  uint32_t unit = 0;
};

class StressLoad {
 public:
  virtual ~StressLoad() = default;
  // "bf16 products by cuBLASLt 13.1.0".
  virtual std::string Name() const = 0;
  // Works in slices of about so long. `go_on` is asked before each, with the one that ended (none before the first);
  // the slice begins when it answers. Ends after a slice with a wrong result.
  virtual void Work(double slice_seconds, uint64_t seed, const std::optional<StressFault>& fault,
                    const std::function<bool(const StressSlice* ended)>& go_on) = 0;
};

// Matrix products where the device's library has matrix units for them, for these alone draw what a large GPU may;
// else pulses without pauses (pulse_train.h). `device` outlives it.
std::unique_ptr<StressLoad> OpenStressLoad(physical::ComputeDevice& device);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_STRESS_LOAD_H_
