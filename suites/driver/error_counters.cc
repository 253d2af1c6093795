#include "suites/driver/error_counters.h"

#include "suites/driver/device_records.h"
#include "suites/driver/requirement.h"
#include "suites/sdk/measurement.h"

namespace muster::driver {
namespace {

// Nothing where only one of the two readings was to be had.
void Measure(const std::string& name, const std::optional<double>& before, const std::optional<double>& after,
             bool expect_none) {
  if (!before || !after) return;
  const double grown = *after - *before;
  auto measurement = sdk::Measure(name, grown, "1");
  if (expect_none) measurement.ExpectEqual(0);
}

}  // namespace

ErrorCounters::ErrorCounters(const v1::Device& device) : device_(device), before_(Read(device)) {}

ErrorCounters::Counts ErrorCounters::Read(const v1::Device& device) {
  Counts counts;
  if (const auto errors = DeviceRecords::Open(device)->MemoryErrors(); errors.ok()) {
    counts.corrected = errors->corrected;
    counts.uncorrected = errors->uncorrected;
  }
  if (device.vendor() != v1::VENDOR_NVIDIA) return counts;
  const NvmlDevice found = RequireNvml(device);
  if (const auto rows = found.nvml.Remapped(found.handle); rows.ok())
    counts.rows_remapped = double{1} * rows->corrected + rows->uncorrected;
  return counts;
}

void ErrorCounters::ReportChange(const std::string& case_name) const {
  const Counts now = Read(device_);
  Measure(case_name + ".ecc_corrected", before_.corrected, now.corrected, false);
  Measure(case_name + ".ecc_uncorrected", before_.uncorrected, now.uncorrected, true);
  Measure(case_name + ".rows_remapped", before_.rows_remapped, now.rows_remapped, true);
}

}  // namespace muster::driver
