// sysman: frequency domains, with the reasons why a clock is held down.
#include <level_zero/zes_ddi.h>

#include <algorithm>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

struct Domain {
  std::string_view word;  // Of CLOCK's label.
  zes_freq_domain_t type;
};
constexpr Domain kDomains[] = {
    {"graphics", ZES_FREQ_DOMAIN_GPU},
    {"memory", ZES_FREQ_DOMAIN_MEMORY},
    {"media", static_cast<zes_freq_domain_t>(2)},  // ZES_FREQ_DOMAIN_MEDIA, of a later version.
};

struct Reason {
  std::string_view word;  // Of THROTTLED's label.
  zes_freq_throttle_reason_flags_t flag;
};
constexpr Reason kReasons[] = {
    {"power", ZES_FREQ_THROTTLE_REASON_FLAG_AVE_PWR_CAP},
    {"current", ZES_FREQ_THROTTLE_REASON_FLAG_CURRENT_LIMIT},
    {"thermal", ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT},
    {"hw_thermal", ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT},
    {"hw_power_brake", ZES_FREQ_THROTTLE_REASON_FLAG_PSU_ALERT},
    {"setting", ZES_FREQ_THROTTLE_REASON_FLAG_SW_RANGE},
    {"hw_slowdown", ZES_FREQ_THROTTLE_REASON_FLAG_HW_RANGE},
    {"other", ZES_FREQ_THROTTLE_REASON_FLAG_HW_RANGE},
};

constexpr double kMinimumMegahertz = 300;

double Megahertz(double hertz) { return hertz < 0 ? -1 : hertz / 1e6; }

ze_result_t zesFrequencyGetProperties(zes_freq_handle_t handle, zes_freq_properties_t* properties) {
  const Component* domain = ToComponent(handle, Part::kFrequency);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Domain* entry = FindWord(kDomains, domain->label);
  if (entry == nullptr) return ZE_RESULT_ERROR_UNKNOWN;
  properties->type = entry->type;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->canControl = false;
  properties->isThrottleEventSupported = false;
  properties->max = Megahertz(call.ReadOr(v1::CLOCK_MAX, {domain->label}, -1));
  properties->min = properties->max > kMinimumMegahertz ? kMinimumMegahertz : properties->max;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFrequencyGetRange(zes_freq_handle_t handle, zes_freq_range_t* range) {
  const Component* domain = ToComponent(handle, Part::kFrequency);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (range == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double hertz = 0;
  const ze_result_t result = call.Read(v1::CLOCK_MAX, {domain->label}, hertz);
  if (result != ZE_RESULT_SUCCESS) return result;
  *range = {std::min(kMinimumMegahertz, Megahertz(hertz)), Megahertz(hertz)};
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFrequencyGetState(zes_freq_handle_t handle, zes_freq_state_t* state) {
  const Component* domain = ToComponent(handle, Part::kFrequency);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double hertz = 0;
  const ze_result_t result = call.Read(v1::CLOCK, {domain->label}, hertz);
  if (result != ZE_RESULT_SUCCESS) return result;
  const double maximum = Megahertz(call.ReadOr(v1::CLOCK_MAX, {domain->label}, -1));
  state->currentVoltage = -1;
  state->request = maximum;
  state->tdp = maximum;
  state->efficient = -1;
  state->actual = Megahertz(hertz);
  state->throttleReasons = 0;
  if (domain->label != "graphics") return ZE_RESULT_SUCCESS;
  for (const Reason& reason : kReasons) {
    if (call.ReadOr(v1::THROTTLED, {std::string(reason.word)}, 0) > 0) state->throttleReasons |= reason.flag;
  }
  return ZE_RESULT_SUCCESS;
}

// All reasons together.
ze_result_t zesFrequencyGetThrottleTime(zes_freq_handle_t handle, zes_freq_throttle_time_t* time) {
  const Component* domain = ToComponent(handle, Part::kFrequency);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (time == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const auto reasons = call.LabelsOf(v1::THROTTLE_SECONDS);
  if (reasons.empty() || domain->label != "graphics") return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  double total = 0;
  for (const auto& labels : reasons) {
    double seconds = 0;
    const ze_result_t result = call.Read(v1::THROTTLE_SECONDS, labels, seconds);
    if (result != ZE_RESULT_SUCCESS) return result;
    total += seconds;
  }
  time->throttleTime = Whole(total * 1e6);
  time->timestamp = call.microseconds();
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumFrequencyDomains(zes_device_handle_t device, uint32_t* count, zes_freq_handle_t* domains) {
  return EnumerateComponents(device, Part::kFrequency, __func__, count, domains);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetFrequencyProcAddrTable(ze_api_version_t version, zes_frequency_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesFrequencyGetProperties;
  table->pfnGetRange = ze::zesFrequencyGetRange;
  table->pfnGetState = ze::zesFrequencyGetState;
  table->pfnGetThrottleTime = ze::zesFrequencyGetThrottleTime;
  return ZE_RESULT_SUCCESS;
}
