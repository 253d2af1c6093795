// sysman: power domains. Energy counts; limits are of the card as a whole.
#include <level_zero/zes_ddi.h>

#include <algorithm>
#include <limits>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

struct Domain {
  std::string_view word;  // Of ENERGY's label.
  zes_power_domain_t domain;
};
constexpr Domain kDomains[] = {
    {"card", ZES_POWER_DOMAIN_CARD},
    {"gpu", ZES_POWER_DOMAIN_PACKAGE},
    {"memory", static_cast<zes_power_domain_t>(4)},  // ZES_POWER_DOMAIN_MEMORY, of a later version.
};
constexpr int32_t kSustainedIntervalMs = 28;

// -1: not known.
int32_t Milliwatts(double watts) {
  if (watts < 0) return -1;
  return static_cast<int32_t>(std::min<double>(watts * 1000, std::numeric_limits<int32_t>::max()));
}

bool HasLimits(const Component& domain) { return domain.label == "card" || domain.index == 0; }

zes_power_limit_ext_desc_t SustainedLimit(double watts) {
  zes_power_limit_ext_desc_t limit = {};
  limit.stype = ZES_STRUCTURE_TYPE_POWER_LIMIT_EXT_DESC;
  limit.level = ZES_POWER_LEVEL_SUSTAINED;
  limit.source = ZES_POWER_SOURCE_ANY;
  limit.limitUnit = ZES_LIMIT_UNIT_POWER;
  limit.enabledStateLocked = true;
  limit.enabled = true;
  limit.intervalValueLocked = true;
  limit.interval = kSustainedIntervalMs;
  limit.limitValueLocked = true;
  limit.limit = Milliwatts(watts);
  return limit;
}

// Of a structure that a caller chained behind the properties.
void FillExtendedProperties(const Component& domain, const Call& call, void* next) {
  for (auto* link = static_cast<zes_base_properties_t*>(next); link != nullptr;
       link = static_cast<zes_base_properties_t*>(link->pNext)) {
    if (link->stype != ZES_STRUCTURE_TYPE_POWER_EXT_PROPERTIES) continue;
    auto* extended = reinterpret_cast<zes_power_ext_properties_t*>(link);
    const Domain* entry = FindWord(kDomains, domain.label);
    extended->domain = entry == nullptr ? ZES_POWER_DOMAIN_UNKNOWN : entry->domain;
    if (extended->defaultLimit == nullptr) continue;
    *extended->defaultLimit = SustainedLimit(call.ReadOr(v1::POWER_LIMIT, {"default"}, -1));
  }
}

ze_result_t zesPowerGetProperties(zes_pwr_handle_t handle, zes_power_properties_t* properties) {
  const Component* domain = ToComponent(handle, Part::kPower);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const auto limit = [&](const char* kind) {
    return HasLimits(*domain) ? Milliwatts(call.ReadOr(v1::POWER_LIMIT, {kind}, -1)) : -1;
  };
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->canControl = false;
  properties->isEnergyThresholdSupported = false;
  properties->defaultLimit = limit("default");
  properties->minLimit = limit("minimum");
  properties->maxLimit = limit("maximum");
  FillExtendedProperties(*domain, call, properties->pNext);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesPowerGetEnergyCounter(zes_pwr_handle_t handle, zes_power_energy_counter_t* energy) {
  const Component* domain = ToComponent(handle, Part::kPower);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (energy == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double joules = 0;
  const ze_result_t result = call.Read(v1::ENERGY, {domain->label}, joules);
  if (result != ZE_RESULT_SUCCESS) return result;
  energy->energy = Whole(joules * 1e6);
  energy->timestamp = call.microseconds();
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesPowerGetLimits(zes_pwr_handle_t handle, zes_power_sustained_limit_t* sustained,
                              zes_power_burst_limit_t* burst, zes_power_peak_limit_t* peak) {
  const Component* domain = ToComponent(handle, Part::kPower);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (!HasLimits(*domain)) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  double watts = 0;
  const ze_result_t result = call.Read(v1::POWER_LIMIT, {"enforced"}, watts);
  if (result != ZE_RESULT_SUCCESS) return result;
  if (sustained != nullptr) *sustained = {true, Milliwatts(watts), kSustainedIntervalMs};
  if (burst != nullptr) *burst = {false, -1};
  if (peak != nullptr) *peak = {-1, -1};
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesPowerGetLimitsExt(zes_pwr_handle_t handle, uint32_t* count, zes_power_limit_ext_desc_t* limits) {
  const Component* domain = ToComponent(handle, Part::kPower);
  const Call call(domain, __func__);
  if (call.failed()) return call.result();
  if (!HasLimits(*domain)) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  double watts = 0;
  const ze_result_t result = call.Read(v1::POWER_LIMIT, {"enforced"}, watts);
  if (result != ZE_RESULT_SUCCESS) return result;
  return ListItems(1, count, limits, [&](uint32_t, zes_power_limit_ext_desc_t& out) {
    const void* next = out.pNext;
    out = SustainedLimit(watts);
    out.pNext = next;
  });
}

}  // namespace

ze_result_t zesDeviceEnumPowerDomains(zes_device_handle_t device, uint32_t* count, zes_pwr_handle_t* domains) {
  return EnumerateComponents(device, Part::kPower, __func__, count, domains);
}

ze_result_t zesDeviceGetCardPowerDomain(zes_device_handle_t handle, zes_pwr_handle_t* out) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  for (const auto& domain : ToDevice(handle)->components[static_cast<size_t>(Part::kPower)]) {
    if (domain->label != "card") continue;
    *out = reinterpret_cast<zes_pwr_handle_t>(domain.get());
    return ZE_RESULT_SUCCESS;
  }
  return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetPowerProcAddrTable(ze_api_version_t version, zes_power_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesPowerGetProperties;
  table->pfnGetEnergyCounter = ze::zesPowerGetEnergyCounter;
  table->pfnGetLimits = ze::zesPowerGetLimits;
  table->pfnGetLimitsExt = ze::zesPowerGetLimitsExt;
  return ZE_RESULT_SUCCESS;
}
