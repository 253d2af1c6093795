#include "agent/exporter/compat_metrics.h"

#include <algorithm>
#include <cmath>

namespace muster::agent {
namespace {

std::optional<double> ValueOf(const v1::DeviceSample& sample, v1::TelemetryField field,
                              const std::vector<std::string>& labels) {
  for (const v1::Reading& reading : sample.readings()) {
    if (reading.field() == field && reading.has_value() &&
        std::equal(labels.begin(), labels.end(), reading.labels().begin(), reading.labels().end())) {
      return reading.value();
    }
  }
  return std::nullopt;
}

// 0.07 in percent is 7, not 7.000000000000001.
double Scaled(double value, double factor) {
  const double scaled = value * factor;
  return factor == 1 || std::abs(scaled) >= 1e6 ? scaled : std::round(scaled * 1e9) / 1e9;
}

std::optional<double> ValueOf(const v1::DeviceSample& sample, const CompatMetric& metric) {
  std::optional<double> value;
  for (const std::vector<std::string>& labels : metric.labels) {
    if (!value.has_value()) value = ValueOf(sample, metric.field, labels);
  }
  if (!value.has_value()) return std::nullopt;
  if (metric.divisor == v1::TELEMETRY_FIELD_UNSPECIFIED) return Scaled(*value, metric.factor);
  const std::optional<double> whole = ValueOf(sample, metric.divisor, {});
  if (!whole.has_value() || *whole <= 0) return std::nullopt;
  return *value / *whole;
}

}  // namespace

std::optional<Compat> ParseCompat(std::string_view name) {
  if (name == "dcgm") return Compat::kDcgm;
  if (name == "xpum") return Compat::kXpum;
  return std::nullopt;
}

void AppendCompatMetrics(std::string& out, Compat compat, const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  switch (compat) {
    case Compat::kDcgm:
      return AppendDcgmMetrics(out, snapshot, facts);
    case Compat::kXpum:
      return AppendXpumMetrics(out, snapshot, facts);
  }
}

void AppendCompatTable(std::string& out, const std::vector<CompatMetric>& table,
                       const std::vector<CompatDevice>& devices) {
  std::optional<base::PrometheusFamily> family;
  std::string_view name;
  for (const CompatMetric& metric : table) {
    if (metric.name != name) family.emplace(out, metric.name, metric.type, metric.help);
    name = metric.name;
    for (const CompatDevice& device : devices) {
      if (device.sample == nullptr) continue;
      const std::optional<double> value = ValueOf(*device.sample, metric);
      if (value.has_value()) family->Add(device.labels, metric.more_labels, *value);
    }
  }
}

}  // namespace muster::agent
