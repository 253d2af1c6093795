#include "suites/benchmark/stress_injection.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/sdk/outcome.h"

namespace muster::benchmark {
namespace {

constexpr double kHeldClock = 0.9;

class FaultySensors final : public sdk::Sensors {
 public:
  FaultySensors(std::unique_ptr<sdk::Sensors> sensors, const StressInjection& injection)
      : sensors_(std::move(sensors)), injection_(injection) {}

  absl::StatusOr<double> PowerWatts() override { return Lower(sensors_->PowerWatts(), PowerShare()); }
  absl::StatusOr<Energy> EnergyCounter() override {
    auto energy = sensors_->EnergyCounter();
    if (energy.ok()) energy->joules *= PowerShare();
    return energy;
  }
  absl::StatusOr<double> PowerLimitWatts() override { return sensors_->PowerLimitWatts(); }
  absl::StatusOr<double> CoreCelsius() override { return sensors_->CoreCelsius(); }
  absl::StatusOr<double> MemoryCelsius() override { return sensors_->MemoryCelsius(); }
  absl::StatusOr<double> CoreClockHertz() override {
    return Lower(sensors_->CoreClockHertz(), injection_.kind == StressInjection::kLowPower ? kHeldClock : 1);
  }
  absl::StatusOr<double> MaxCoreClockHertz() override { return sensors_->MaxCoreClockHertz(); }
  absl::StatusOr<double> MemoryClockHertz() override { return sensors_->MemoryClockHertz(); }
  absl::StatusOr<double> BusyShare() override { return sensors_->BusyShare(); }
  absl::StatusOr<uint64_t> ClockReasonBits() override {
    auto bits = sensors_->ClockReasonBits();
    if (!bits.ok() || injection_.kind != StressInjection::kThrottle) return bits;
    for (const sdk::ClockReason& reason : ClockReasons()) {
      if (reason.fault) return *bits | reason.bit;
    }
    return bits;
  }
  const std::vector<sdk::ClockReason>& ClockReasons() const override { return sensors_->ClockReasons(); }

 private:
  double PowerShare() const { return injection_.kind == StressInjection::kLowPower ? 1 - injection_.share : 1; }
  static absl::StatusOr<double> Lower(absl::StatusOr<double> reading, double share) {
    if (reading.ok()) *reading *= share;
    return reading;
  }

  const std::unique_ptr<sdk::Sensors> sensors_;
  const StressInjection injection_;
};

}  // namespace

StressInjection ParseStressInjection(const std::string& text) {
  StressInjection injection;
  if (text.empty()) return injection;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  std::vector<uint32_t> numbers;
  for (size_t i = 1; i < parts.size(); ++i) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(parts[i], &number)) break;
    numbers.push_back(number);
  }
  if (parts[0] == "wrong" && numbers.size() == 3 && parts.size() == 4) {
    return {.kind = StressInjection::kWrong, .pulse = numbers[0], .unit = numbers[1], .device = numbers[2]};
  }
  if ((parts[0] == "slow" || parts[0] == "lowpower") && numbers.size() == 2 && parts.size() == 3 && numbers[0] < 100) {
    return {.kind = parts[0] == "slow" ? StressInjection::kSlow : StressInjection::kLowPower,
            .share = numbers[0] / 100.0,
            .device = numbers[1]};
  }
  if (parts[0] == "throttle" && numbers.size() == 1 && parts.size() == 2) {
    return {.kind = StressInjection::kThrottle, .device = numbers[0]};
  }
  throw sdk::ToolError(
      absl::StrCat("inject_stress: expected wrong:PULSE:UNIT:DEVICE, slow:PERCENT:DEVICE, lowpower:PERCENT:DEVICE or "
                   "throttle:DEVICE, ",
                   "found '", text, "'"));
}

std::unique_ptr<sdk::Sensors> WithFault(std::unique_ptr<sdk::Sensors> sensors, const StressInjection& injection,
                                        uint32_t device) {
  if (!injection.Concerns(StressInjection::kLowPower, device) &&
      !injection.Concerns(StressInjection::kThrottle, device))
    return sensors;
  return std::make_unique<FaultySensors>(std::move(sensors), injection);
}

}  // namespace muster::benchmark
