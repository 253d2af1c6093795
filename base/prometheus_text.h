// Prometheus' text format, version 0.0.4, written straight into a string: agent and coordinator keep their numbers
// elsewhere and a scrape writes them out. No time stamps: Prometheus takes the time of the scrape.
#ifndef MUSTER_BASE_PROMETHEUS_TEXT_H_
#define MUSTER_BASE_PROMETHEUS_TEXT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace muster::base {

enum class MetricType { kCounter, kGauge };

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// Appends `name="value"` to `labels`, after a comma where there are labels already. What the format cannot hold is
// escaped; a byte that is no UTF-8 becomes U+FFFD, since Prometheus refuses a whole page for one.
void AppendPrometheusLabel(std::string& labels, std::string_view name, std::string_view value);
std::string PrometheusLabels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

// The shortest digits that come back as the same number; "NaN", "+Inf", "-Inf".
void AppendPrometheusNumber(std::string& out, double value);

// One family. "# HELP" and "# TYPE" are written once, before its first sample; a family without samples leaves nothing.
// Samples of a family stand together: two families that are filled in turns need a string each.
class PrometheusFamily {
 public:
  // All outlive the object.
  PrometheusFamily(std::string& out, std::string_view name, MetricType type, std::string_view help)
      : out_(out), name_(name), help_(help), type_(type) {}
  PrometheusFamily(const PrometheusFamily&) = delete;
  PrometheusFamily& operator=(const PrometheusFamily&) = delete;

  // `labels` and `more` as the functions above make them, each may be empty.
  void Add(std::string_view labels, std::string_view more, double value);
  void Add(std::string_view labels, double value) { Add(labels, {}, value); }

 private:
  void WriteHeader();

  std::string& out_;
  const std::string_view name_;
  const std::string_view help_;
  const MetricType type_;
  bool begun_ = false;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_PROMETHEUS_TEXT_H_
