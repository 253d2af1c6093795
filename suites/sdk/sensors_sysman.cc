// Intel's sensors, by Level Zero's sysman. Checked against the simulated driver (tests/hardware_sim); unchecked on
// Intel's silicon.
//
// A card of several tiles: the card's own power and the hottest of its sensors, and the first clock domain, for a
// device's clocks go together.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/sensors.h"

namespace muster::sdk {
namespace {

// Newer than the oldest headers.
constexpr uint32_t kThrottledByHeat = 1u << 8;
constexpr uint32_t kThrottledByPower = 1u << 9;
constexpr uint32_t kMaxHandles = 64;
constexpr double kMicro = 1e-6;
constexpr double kMega = 1e6;

absl::Status StatusOf(ze_result_t result, const char* call) {
  const std::string text = ZeError(call, result);
  switch (result) {
    case ZE_RESULT_SUCCESS:
      return absl::OkStatus();
    case ZE_RESULT_ERROR_UNSUPPORTED_FEATURE:
    case ZE_RESULT_ERROR_UNSUPPORTED_VERSION:
    case ZE_RESULT_ERROR_UNINITIALIZED:  // The loader's word, with several drivers, for a function that is not there.
      return absl::UnimplementedError(text);
    case ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS:
      return absl::PermissionDeniedError(text);
    case ZE_RESULT_ERROR_DEVICE_LOST:
      return absl::UnavailableError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status None(const char* what) { return absl::UnimplementedError(absl::StrCat("sysman lists no ", what)); }

class SysmanSensors final : public Sensors {
 public:
  SysmanSensors(const LevelZero& library, zes_device_handle_t device) : library_(library), device_(device) {
    FindPower();
    FindClocks();
    FindTemperatures();
    engines_ = List<zes_engine_handle_t>(MUSTER_ZE(library_, zesDeviceEnumEngineGroups));
  }

  absl::StatusOr<double> PowerWatts() override { return None("power in watts, energy alone"); }
  absl::StatusOr<Energy> EnergyCounter() override {
    if (power_ == nullptr) return None("power domain");
    zes_power_energy_counter_t counter = {};
    RETURN_IF_ERROR(
        StatusOf(MUSTER_ZE(library_, zesPowerGetEnergyCounter)(power_, &counter), "zesPowerGetEnergyCounter"));
    return Energy{.joules = kMicro * static_cast<double>(counter.energy),
                  .seconds = kMicro * static_cast<double>(counter.timestamp)};
  }
  absl::StatusOr<double> PowerLimitWatts() override {
    if (power_ == nullptr) return None("power domain");
    zes_power_sustained_limit_t sustained = {};
    RETURN_IF_ERROR(
        StatusOf(MUSTER_ZE(library_, zesPowerGetLimits)(power_, &sustained, nullptr, nullptr), "zesPowerGetLimits"));
    if (!sustained.enabled || sustained.power <= 0)
      return absl::UnimplementedError("no sustained power limit is in force");
    return sustained.power / 1e3;
  }

  absl::StatusOr<double> CoreCelsius() override { return Hottest(core_sensors_); }
  absl::StatusOr<double> MemoryCelsius() override { return Hottest(memory_sensors_); }

  absl::StatusOr<double> CoreClockHertz() override {
    ASSIGN_OR_RETURN(const zes_freq_state_t state, ClockState(core_clock_));
    return Hertz(state.actual);
  }
  absl::StatusOr<double> MaxCoreClockHertz() override {
    if (core_clock_ == nullptr) return None("clock of the cores");
    return Hertz(max_core_mhz_);
  }
  absl::StatusOr<double> MemoryClockHertz() override {
    ASSIGN_OR_RETURN(const zes_freq_state_t state, ClockState(memory_clock_));
    return Hertz(state.actual);
  }
  absl::StatusOr<uint64_t> ClockReasonBits() override {
    ASSIGN_OR_RETURN(const zes_freq_state_t state, ClockState(core_clock_));
    return state.throttleReasons;
  }

  // Of the busiest engine group, since the reading before.
  absl::StatusOr<double> BusyShare() override {
    if (engines_.empty()) return None("engine");
    std::vector<zes_engine_stats_t> now(engines_.size());
    for (size_t i = 0; i < engines_.size(); ++i) {
      RETURN_IF_ERROR(
          StatusOf(MUSTER_ZE(library_, zesEngineGetActivity)(engines_[i], &now[i]), "zesEngineGetActivity"));
    }
    double busiest = 0;
    for (size_t i = 0; i < engines_before_.size(); ++i) {
      const auto span = static_cast<double>(now[i].timestamp - engines_before_[i].timestamp);
      const auto active = static_cast<double>(now[i].activeTime - engines_before_[i].activeTime);
      if (span > 0) busiest = std::max(busiest, std::min(active / span, 1.0));
    }
    const bool first = engines_before_.empty();
    engines_before_ = std::move(now);
    if (first) return absl::UnavailableError("an engine's activity needs two readings");
    return busiest;
  }

  // zes_freq_throttle_reason_flag_t.
  const std::vector<ClockReason>& ClockReasons() const override {
    static const auto& reasons = *new std::vector<ClockReason>{
        {ZES_FREQ_THROTTLE_REASON_FLAG_AVE_PWR_CAP, "average power cap", false},
        {ZES_FREQ_THROTTLE_REASON_FLAG_BURST_PWR_CAP, "burst power cap", false},
        {ZES_FREQ_THROTTLE_REASON_FLAG_CURRENT_LIMIT, "current limit", false},
        {ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT, "thermal limit", true},
        {ZES_FREQ_THROTTLE_REASON_FLAG_PSU_ALERT, "power supply alert", true},
        {ZES_FREQ_THROTTLE_REASON_FLAG_SW_RANGE, "software range", false},
        {ZES_FREQ_THROTTLE_REASON_FLAG_HW_RANGE, "hardware range", false},
        {kThrottledByHeat, "thermal", true},
        {kThrottledByPower, "power", false},
    };
    return reasons;
  }

 private:
  // Empty where there is none, or the driver does not say.
  template <typename Handle, typename Function>
  std::vector<Handle> List(Function function) {
    uint32_t count = 0;
    if (function == nullptr || function(device_, &count, nullptr) != ZE_RESULT_SUCCESS) return {};
    count = std::min(count, kMaxHandles);
    std::vector<Handle> handles(count);
    if (count > 0 && function(device_, &count, handles.data()) != ZE_RESULT_SUCCESS) return {};
    handles.resize(std::min<size_t>(count, handles.size()));
    return handles;
  }

  // The card's, else the first that is no tile's.
  void FindPower() {
    for (const zes_pwr_handle_t handle : List<zes_pwr_handle_t>(MUSTER_ZE(library_, zesDeviceEnumPowerDomains))) {
      zes_power_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_POWER_PROPERTIES;
      if (MUSTER_ZE(library_, zesPowerGetProperties)(handle, &properties) != ZE_RESULT_SUCCESS) continue;
      if (!properties.onSubdevice && power_ == nullptr) power_ = handle;
    }
  }

  void FindClocks() {
    for (const zes_freq_handle_t handle : List<zes_freq_handle_t>(MUSTER_ZE(library_, zesDeviceEnumFrequencyDomains))) {
      zes_freq_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_FREQ_PROPERTIES;
      if (MUSTER_ZE(library_, zesFrequencyGetProperties)(handle, &properties) != ZE_RESULT_SUCCESS) continue;
      if (properties.type == ZES_FREQ_DOMAIN_GPU && core_clock_ == nullptr) {
        core_clock_ = handle;
        max_core_mhz_ = properties.max;
      }
      if (properties.type == ZES_FREQ_DOMAIN_MEMORY && memory_clock_ == nullptr) memory_clock_ = handle;
    }
  }

  void FindTemperatures() {
    const auto handles = List<zes_temp_handle_t>(MUSTER_ZE(library_, zesDeviceEnumTemperatureSensors));
    std::vector<zes_temp_handle_t> anywhere;
    for (const zes_temp_handle_t handle : handles) {
      zes_temp_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_TEMP_PROPERTIES;
      if (MUSTER_ZE(library_, zesTemperatureGetProperties)(handle, &properties) != ZE_RESULT_SUCCESS) continue;
      if (properties.type == ZES_TEMP_SENSORS_GPU) core_sensors_.push_back(handle);
      if (properties.type == ZES_TEMP_SENSORS_MEMORY) memory_sensors_.push_back(handle);
      if (properties.type == ZES_TEMP_SENSORS_GLOBAL) anywhere.push_back(handle);
    }
    if (core_sensors_.empty()) core_sensors_ = std::move(anywhere);
  }

  absl::StatusOr<double> Hottest(const std::vector<zes_temp_handle_t>& sensors) {
    if (sensors.empty()) return None("temperature sensor here");
    double hottest = 0;
    for (size_t i = 0; i < sensors.size(); ++i) {
      double celsius = 0;
      RETURN_IF_ERROR(
          StatusOf(MUSTER_ZE(library_, zesTemperatureGetState)(sensors[i], &celsius), "zesTemperatureGetState"));
      hottest = i == 0 ? celsius : std::max(hottest, celsius);
    }
    return hottest;
  }

  absl::StatusOr<zes_freq_state_t> ClockState(zes_freq_handle_t domain) {
    if (domain == nullptr) return None("such clock");
    zes_freq_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_FREQ_STATE;
    RETURN_IF_ERROR(StatusOf(MUSTER_ZE(library_, zesFrequencyGetState)(domain, &state), "zesFrequencyGetState"));
    return state;
  }

  // A negative frequency is "not known".
  static absl::StatusOr<double> Hertz(double mhz) {
    if (mhz < 0) return absl::UnimplementedError("the driver does not know this clock");
    return mhz * kMega;
  }

  const LevelZero& library_;
  const zes_device_handle_t device_;
  zes_pwr_handle_t power_ = nullptr;
  zes_freq_handle_t core_clock_ = nullptr;
  zes_freq_handle_t memory_clock_ = nullptr;
  double max_core_mhz_ = -1;
  std::vector<zes_temp_handle_t> core_sensors_;
  std::vector<zes_temp_handle_t> memory_sensors_;
  std::vector<zes_engine_handle_t> engines_;
  std::vector<zes_engine_stats_t> engines_before_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Sensors>> OpenSysmanSensors(const v1::Device& device) {
  ASSIGN_OR_RETURN(const LevelZero* const library, LevelZero::Shared());
  ASSIGN_OR_RETURN(const LevelZero::DeviceHandles handles, library->Find(device));
  if (handles.sysman == nullptr) return absl::UnimplementedError("this Level Zero driver gives no sensors (sysman)");
  return std::make_unique<SysmanSensors>(*library, handles.sysman);
}

}  // namespace muster::sdk
