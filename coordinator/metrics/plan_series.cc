#include "coordinator/metrics/plan_series.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/prometheus_text.h"
#include "coordinator/core/core.h"

namespace muster::coordinator {
namespace {

std::string VerdictLabel(int verdict) {
  const std::string& name = v1::Verdict_Name(static_cast<v1::Verdict>(verdict));
  return base::PrometheusLabels({{"verdict", name.empty() ? absl::StrCat("VERDICT_", verdict) : name}});
}

}  // namespace

void PlanSeries::RunEnded(const v1::Run& run) {
  if (run.state() != v1::RUN_STATE_FINISHED || run.plan().name().empty()) return;
  Last last{.run_id = run.id(),
            .colour = run.colour(),
            .finished_unix_ms = run.finished_unix_ms(),
            .duration_ms = std::max<int64_t>(run.finished_unix_ms() - run.created_unix_ms(), 0)};
  for (const v1::VerdictCount& count : run.verdicts()) last.verdicts[count.verdict()] = count.count();
  base::MutexLock lock(mutex_);
  std::pair<std::string, bool> key(run.plan().name(), HasSimulatedGpus(run));
  const auto known = plans_.find(key);
  if (known == plans_.end()) {
    if (plans_.size() < kMaxPlans) plans_.emplace(std::move(key), std::move(last));
  } else if (run.id() >= known->second.run_id) {  // Ids sort by time.
    known->second = std::move(last);
  }
}

void PlanSeries::Write(std::string& out) const {
  using base::MetricType;
  std::string colour_text, duration_text, cases_text;
  base::PrometheusFamily time(out, "muster_plan_last_run_timestamp_seconds", MetricType::kGauge,
                              "When the plan's last finished run ended.");
  base::PrometheusFamily colour(colour_text, "muster_plan_last_run_colour", MetricType::kGauge,
                                "1 for the colour in which it ended.");
  base::PrometheusFamily duration(duration_text, "muster_plan_last_run_duration_seconds", MetricType::kGauge,
                                  "How long it took.");
  base::PrometheusFamily cases(cases_text, "muster_plan_last_run_cases", MetricType::kGauge, "Its cases, by verdict.");
  base::MutexLock lock(mutex_);
  for (const auto& [key, last] : plans_) {
    std::string plan = base::PrometheusLabels({{"plan", key.first}});
    if (key.second) base::AppendPrometheusLabel(plan, "simulated", "true");
    time.Add(plan, static_cast<double>(last.finished_unix_ms) / 1e3);
    if (last.colour != v1::RUN_COLOUR_UNSPECIFIED) {
      colour.Add(plan, base::PrometheusLabels({{"colour", v1::RunColour_Name(last.colour)}}), 1);
    }
    duration.Add(plan, static_cast<double>(last.duration_ms) / 1e3);
    for (const auto& [verdict, count] : last.verdicts) cases.Add(plan, VerdictLabel(verdict), count);
  }
  out.append(colour_text).append(duration_text).append(cases_text);
}

}  // namespace muster::coordinator
