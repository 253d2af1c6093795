#include "suites/benchmark/stress_load.h"

#include <algorithm>

#include "suites/physical/pulse_train.h"

namespace muster::benchmark {
namespace {

constexpr uint32_t kGroupSize = 512;
constexpr double kMostSliceSeconds = 0.25;

class KernelLoad final : public StressLoad {
 public:
  explicit KernelLoad(physical::ComputeDevice& device) : train_(device, kGroupSize) {}

  std::string Name() const override { return "fp32, integers and tiles by a kernel"; }

  void Work(double slice_seconds, uint64_t seed, const std::optional<StressFault>& fault,
            const std::function<bool(const StressSlice*)>& go_on) override {
    StressSlice slice;
    const double seconds = std::clamp(slice_seconds, 1e-3, kMostSliceSeconds);
    for (uint32_t number = 0; go_on(number == 0 ? nullptr : &slice) && slice.wrong == 0; ++number) {
      slice = {.begin = StressClock::now()};
      physical::PulseOptions options = {
          .hertz = 1 / seconds, .duty = 1, .pulses = 1, .first_pulse = number, .seed = seed + (uint64_t{number} << 32)};
      if (fault) options.injection = physical::PulseInjection{.pulse = fault->slice, .unit = fault->unit};
      const physical::PulseReport report = train_.Run(options);
      slice.end = StressClock::now();
      slice.operations = report.operations;
      slice.wrong = report.wrong;
      for (const physical::PulseError& error : report.errors) slice.errors.push_back(error.Describe());
    }
  }

 private:
  physical::PulseTrain train_;
};

}  // namespace

std::unique_ptr<StressLoad> OpenStressLoad(physical::ComputeDevice& device) {
  return std::make_unique<KernelLoad>(device);
}

}  // namespace muster::benchmark
