#include "suites/driver/error_counters.h"

#include <algorithm>
#include <vector>

#include "suites/driver/requirement.h"
#include "suites/sdk/measurement.h"

namespace muster::driver {
namespace {

// Of the hardware; the other categories count resets and errors of programs and drivers.
constexpr zes_ras_error_cat_t kHardware[] = {ZES_RAS_ERROR_CAT_CACHE_ERRORS, ZES_RAS_ERROR_CAT_COMPUTE_ERRORS,
                                             ZES_RAS_ERROR_CAT_NON_COMPUTE_ERRORS};

// Nothing where only one of the two readings was to be had.
void Measure(const std::string& name, const std::optional<uint64_t>& before, const std::optional<uint64_t>& after,
             bool expect_none) {
  if (!before || !after) return;
  const double grown = static_cast<double>(*after) - static_cast<double>(*before);
  auto measurement = sdk::Measure(name, grown, "1");
  if (expect_none) measurement.ExpectEqual(0);
}

}  // namespace

ErrorCounters::ErrorCounters(const v1::Device& device) : device_(device), before_(Read(device)) {}

ErrorCounters::Counts ErrorCounters::Read(const v1::Device& device) {
  RequireDriver(device);
  return device.vendor() == v1::VENDOR_INTEL ? ReadIntel(device) : ReadNvidia(device);
}

ErrorCounters::Counts ErrorCounters::ReadNvidia(const v1::Device& device) {
  const NvmlDevice found = RequireNvml(device);
  Counts counts;
  if (const auto ecc = found.nvml.EccState(found.handle); ecc.ok()) {
    counts.corrected = ecc->volatile_corrected;
    counts.uncorrected = ecc->volatile_uncorrected;
  }
  if (const auto rows = found.nvml.Remapped(found.handle); rows.ok())
    counts.rows_remapped = uint64_t{rows->corrected} + rows->uncorrected;
  return counts;
}

ErrorCounters::Counts ErrorCounters::ReadIntel(const v1::Device& device) {
  const sdk::LevelZeroDeviceHandles found = RequireLevelZero(device);
  const sdk::LevelZero& ze = found.level_zero;
  Counts counts;
  uint32_t count = 0;
  const auto enumerate = MUSTER_ZE(ze, zesDeviceEnumRasErrorSets);
  if (found.handles.sysman == nullptr || enumerate(found.handles.sysman, &count, nullptr) != ZE_RESULT_SUCCESS)
    return counts;
  std::vector<zes_ras_handle_t> sets(std::min(count, 16u));
  count = static_cast<uint32_t>(sets.size());
  if (count == 0 || enumerate(found.handles.sysman, &count, sets.data()) != ZE_RESULT_SUCCESS) return counts;
  for (const zes_ras_handle_t set : sets) {
    zes_ras_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_RAS_PROPERTIES;
    zes_ras_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_RAS_STATE;
    if (MUSTER_ZE(ze, zesRasGetProperties)(set, &properties) != ZE_RESULT_SUCCESS) continue;
    if (MUSTER_ZE(ze, zesRasGetState)(set, false, &state) != ZE_RESULT_SUCCESS) continue;
    auto& errors = properties.type == ZES_RAS_ERROR_TYPE_CORRECTABLE ? counts.corrected : counts.uncorrected;
    errors = errors.value_or(0);
    for (const zes_ras_error_cat_t category : kHardware) *errors += state.category[category];
  }
  return counts;
}

void ErrorCounters::ReportChange(const std::string& case_name) const {
  const Counts now = Read(device_);
  Measure(case_name + ".ecc_corrected", before_.corrected, now.corrected, false);
  Measure(case_name + ".ecc_uncorrected", before_.uncorrected, now.uncorrected, true);
  Measure(case_name + ".rows_remapped", before_.rows_remapped, now.rows_remapped, true);
}

}  // namespace muster::driver
