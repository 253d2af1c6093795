// What a device's own counters say of its memory: errors corrected and not, rows put out of use. Read before a test and
// after it. Both vendors', by device_records.h.
#ifndef MUSTER_SUITES_DRIVER_ERROR_COUNTERS_H_
#define MUSTER_SUITES_DRIVER_ERROR_COUNTERS_H_

#include <optional>
#include <string>

#include "muster/v1/fleet.pb.h"

namespace muster::driver {

class ErrorCounters {
 public:
  // Reads them. Throws as RequireDriver does.
  explicit ErrorCounters(const v1::Device& device);

  // Measures `case_name`.ecc_corrected, .ecc_uncorrected and .rows_remapped since then; all but the first must be 0.
  // Counters that the device does not have say nothing.
  void ReportChange(const std::string& case_name) const;

 private:
  struct Counts {
    std::optional<double> corrected;
    std::optional<double> uncorrected;
    std::optional<double> rows_remapped;
  };
  static Counts Read(const v1::Device& device);

  const v1::Device device_;
  const Counts before_;
};

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_ERROR_COUNTERS_H_
