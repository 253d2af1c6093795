// NVIDIA's sensors.
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "suites/sdk/nvml.h"
#include "suites/sdk/sensors.h"

namespace muster::sdk {
namespace {

constexpr double kMilli = 1e-3;
constexpr double kMega = 1e6;

class NvmlSensors final : public Sensors {
 public:
  NvmlSensors(const Nvml& nvml, Nvml::Handle device) : nvml_(nvml), device_(device) {}

  // From Hopper on the older call gives the mean of a second.
  absl::StatusOr<double> PowerWatts() override {
    auto milliwatts = nvml_.InstantPowerMilliwatts(device_);
    if (!milliwatts.ok()) milliwatts = nvml_.PowerMilliwatts(device_);
    return Scaled(milliwatts, kMilli);
  }
  absl::StatusOr<Energy> EnergyCounter() override {
    ASSIGN_OR_RETURN(const uint64_t millijoules, nvml_.EnergyMillijoules(device_));
    return Energy{.joules = kMilli * static_cast<double>(millijoules)};
  }
  absl::StatusOr<double> PowerLimitWatts() override {
    return Scaled(nvml_.EnforcedPowerLimitMilliwatts(device_), kMilli);
  }
  absl::StatusOr<double> CoreCelsius() override { return Scaled(nvml_.TemperatureCelsius(device_), 1); }
  absl::StatusOr<double> MemoryCelsius() override { return Scaled(nvml_.MemoryTemperatureCelsius(device_), 1); }
  absl::StatusOr<double> CoreClockHertz() override { return Scaled(nvml_.CoreClockMhz(device_), kMega); }
  absl::StatusOr<double> MaxCoreClockHertz() override { return Scaled(nvml_.MaxCoreClockMhz(device_), kMega); }
  absl::StatusOr<double> MemoryClockHertz() override { return Scaled(nvml_.MemoryClockMhz(device_), kMega); }
  absl::StatusOr<double> BusyShare() override { return Scaled(nvml_.BusyPercent(device_), 0.01); }
  absl::StatusOr<uint64_t> ClockReasonBits() override { return nvml_.ClockEvents(device_); }

  // nvmlClocksEventReason… of nvml.h.
  const std::vector<ClockReason>& ClockReasons() const override {
    static const auto& reasons = *new std::vector<ClockReason>{
        {0x1, "idle", false},
        {0x2, "application clocks setting", false},
        {0x4, "software power cap", false},
        {0x8, "hardware slowdown", true},
        {0x10, "sync boost", false},
        {0x20, "software thermal slowdown", true},
        {0x40, "hardware thermal slowdown", true},
        {0x80, "hardware power brake", true},
        {0x100, "display clock setting", false},
    };
    return reasons;
  }

 private:
  static absl::StatusOr<double> Scaled(const absl::StatusOr<uint32_t>& value, double unit) {
    if (!value.ok()) return value.status();
    return unit * *value;
  }

  const Nvml& nvml_;
  const Nvml::Handle device_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Sensors>> OpenNvmlSensors(const v1::Device& device) {
  ASSIGN_OR_RETURN(const Nvml* const nvml, Nvml::Shared());
  ASSIGN_OR_RETURN(const Nvml::Handle handle, nvml->DeviceByUuid(device.uuid()));
  return std::make_unique<NvmlSensors>(*nvml, handle);
}

}  // namespace muster::sdk
