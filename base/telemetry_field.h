// The telemetry fields: name, unit, labels, metric. One row each; agent, coordinator and command line all read it here.
#ifndef MUSTER_BASE_TELEMETRY_FIELD_H_
#define MUSTER_BASE_TELEMETRY_FIELD_H_

#include <string>
#include <string_view>
#include <vector>

#include "muster/v1/telemetry.pb.h"

namespace muster::base {

struct TelemetryFieldInfo {
  v1::TelemetryField field = v1::TELEMETRY_FIELD_UNSPECIFIED;
  // "temperature": for people, and in muster_gpu_reading_absent{field="…"}.
  std::string_view name;
  // UCUM: "Cel", "W", "J", "Hz", "s", "By", "By/s", "1" (ratios, truths, counts).
  std::string_view unit;
  // Name of the Prometheus family; of a counter it ends in "_total".
  std::string_view metric;
  bool counter = false;
  // Names of the labels whose values Reading.labels gives, in this order.
  std::vector<std::string_view> labels;
  // For "# HELP".
  std::string_view help;
};

// In the order of the enum, each field once.
const std::vector<TelemetryFieldInfo>& TelemetryFields();
// Null for a number that this build does not know.
const TelemetryFieldInfo* FindTelemetryField(v1::TelemetryField field);

// "temperature{location=core}".
std::string DescribeReading(v1::TelemetryField field, const std::vector<std::string>& labels);

// "unsupported", "not_permitted", "failing".
std::string_view AbsenceName(v1::Absence absence);

}  // namespace muster::base

#endif  // MUSTER_BASE_TELEMETRY_FIELD_H_
