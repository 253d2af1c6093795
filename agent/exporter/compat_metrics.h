// Metrics by the names of another exporter, so that dashboards made for it go on: a table of rows for each one.
//
// A row is only there where the agent reads the very same thing; a device that does not give it has no sample. What is
// left out, and why: docs/operations.md.
#ifndef MUSTER_AGENT_EXPORTER_COMPAT_METRICS_H_
#define MUSTER_AGENT_EXPORTER_COMPAT_METRICS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/exporter/metrics_text.h"
#include "agent/monitor/monitor_snapshot.h"
#include "base/prometheus_text.h"

namespace muster::agent {

// kDcgm: NVIDIA's dcgm-exporter. kXpum: Intel's xpumanager 1.
enum class Compat { kDcgm, kXpum };

// "dcgm", "xpum"; nothing for others.
std::optional<Compat> ParseCompat(std::string_view name);

// Appends what that exporter would say of the machine's devices of its vendor.
void AppendCompatMetrics(std::string& out, Compat compat, const MonitorSnapshot& snapshot, const AgentFacts& facts);

// One family, or one of several rows in a row that are a family together.
struct CompatMetric {
  std::string_view name;
  base::MetricType type = base::MetricType::kGauge;
  std::string_view help;
  // The reading; the first of these labels' values that the device has. "" in place of the values of all labels.
  v1::TelemetryField field = v1::TELEMETRY_FIELD_UNSPECIFIED;
  std::vector<std::vector<std::string>> labels;
  double factor = 1;
  std::string_view more_labels;  // As text: `location="gpu"`.
  // The value is a share of this one.
  v1::TelemetryField divisor = v1::TELEMETRY_FIELD_UNSPECIFIED;
};

struct CompatDevice {
  std::string labels;
  const DeviceSnapshot* snapshot = nullptr;
  const v1::DeviceSample* sample = nullptr;  // Null: none of now.
};

void AppendCompatTable(std::string& out, const std::vector<CompatMetric>& table,
                       const std::vector<CompatDevice>& devices);

void AppendDcgmMetrics(std::string& out, const MonitorSnapshot& snapshot, const AgentFacts& facts);
void AppendXpumMetrics(std::string& out, const MonitorSnapshot& snapshot, const AgentFacts& facts);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_COMPAT_METRICS_H_
