// sysman: sets of RAS error counters, one for each kind of RAS_ERRORS. zesRasGetState has the categories of API 1.4;
// zesRasGetStateExp, of later versions, has those of memory, scale and fabric as well. Where there is no category of
// their own Intel's driver counts errors of the memory (and we those of the others) as non-compute.
#include <level_zero/zes_ddi.h>

#include <utility>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

struct Category {
  std::string_view word;  // Of RAS_ERRORS' second label.
  uint32_t number;        // In zes_ras_error_cat_t as in its later, longer successor.
};
constexpr Category kCategories[] = {
    {"reset", 0}, {"programming", 1}, {"driver", 2}, {"compute", 3},   {"non_compute", 4},
    {"cache", 5}, {"memory", 7},      {"scale", 8},  {"l3_fabric", 9},
};

// zes_ras_state_exp_t.
struct RasStateExp {
  uint32_t category;
  uint64_t counter;
};
// zes_ras_exp_dditable_t's first entry, of 1.0 and not in 1.4's headers; the others are of later versions.
struct RasExpTable {
  ze_result_t(ZE_APICALL* get_state)(zes_ras_handle_t, uint32_t*, RasStateExp*);
};

ze_result_t zesRasGetProperties(zes_ras_handle_t handle, zes_ras_properties_t* properties) {
  const Component* set = ToComponent(handle, Part::kRas);
  const Call call(set, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->type = set->label == "corrected" ? ZES_RAS_ERROR_TYPE_CORRECTABLE : ZES_RAS_ERROR_TYPE_UNCORRECTABLE;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  return ZE_RESULT_SUCCESS;
}

// The counters that the device has; a fault of one is a fault of the call.
ze_result_t ReadCounters(const Component& set, const Call& call, std::vector<RasStateExp>& counters) {
  for (const Category& category : kCategories) {
    double errors = 0;
    const ze_result_t result = call.Read(v1::RAS_ERRORS, {set.label, std::string(category.word)}, errors);
    if (result == ZE_RESULT_SUCCESS) counters.push_back({category.number, Whole(errors)});
    if (result != ZE_RESULT_SUCCESS && result != ZE_RESULT_ERROR_UNSUPPORTED_FEATURE) return result;
  }
  return counters.empty() ? ZE_RESULT_ERROR_UNSUPPORTED_FEATURE : ZE_RESULT_SUCCESS;
}

// `clear` is for the superuser, whom the agent is not.
ze_result_t zesRasGetState(zes_ras_handle_t handle, ze_bool_t clear, zes_ras_state_t* state) {
  const Component* set = ToComponent(handle, Part::kRas);
  const Call call(set, __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (clear) return ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS;
  std::vector<RasStateExp> counters;
  const ze_result_t result = ReadCounters(*set, call, counters);
  if (result != ZE_RESULT_SUCCESS) return result;
  for (uint64_t& counter : state->category) counter = 0;
  for (const RasStateExp& entry : counters) {
    uint32_t category = ZES_RAS_ERROR_CAT_NON_COMPUTE_ERRORS;
    if (entry.category < std::size(state->category)) category = entry.category;
    state->category[category] += entry.counter;
  }
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesRasGetStateExp(zes_ras_handle_t handle, uint32_t* count, RasStateExp* states) {
  const Component* set = ToComponent(handle, Part::kRas);
  const Call call(set, __func__);
  if (call.failed()) return call.result();
  std::vector<RasStateExp> counters;
  const ze_result_t result = ReadCounters(*set, call, counters);
  if (result != ZE_RESULT_SUCCESS) return result;
  return ListItems(counters.size(), count, states, [&](uint32_t i, RasStateExp& out) { out = counters[i]; });
}

}  // namespace

ze_result_t zesDeviceEnumRasErrorSets(zes_device_handle_t device, uint32_t* count, zes_ras_handle_t* sets) {
  return EnumerateComponents(device, Part::kRas, __func__, count, sets);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetRasProcAddrTable(ze_api_version_t version, zes_ras_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesRasGetProperties;
  table->pfnGetState = ze::zesRasGetState;
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zesGetRasExpProcAddrTable(ze_api_version_t version, ze::RasExpTable* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result == ZE_RESULT_SUCCESS) table->get_state = ze::zesRasGetStateExp;
  return result;
}
