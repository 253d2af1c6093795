#include "coordinator/metrics/device_series.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/prometheus_text.h"

namespace muster::coordinator {
namespace {

std::string VerdictName(v1::Verdict verdict) {
  const std::string& name = v1::Verdict_Name(verdict);
  return name.empty() ? absl::StrCat("VERDICT_", static_cast<int>(verdict)) : name;
}

}  // namespace

void DeviceSeries::SetSimulated(const std::string& machine, absl::flat_hash_set<std::string> device_ids) {
  base::MutexLock lock(mutex_);
  const auto found = machines_.find(machine);
  if (device_ids.empty() && found == machines_.end()) return;
  MachineNotes& notes = found == machines_.end() ? machines_[machine] : found->second;
  if (notes.simulated == device_ids) return;
  notes.simulated = std::move(device_ids);
  notes.cases.clear();  // Their labels say the old thing.
}

DeviceSeries::Case* DeviceSeries::FindCase(const std::string& machine, const std::string& device,
                                           const std::string& suite, const std::string& name) {
  MachineNotes& notes = machines_[machine];
  auto key = std::make_tuple(device, suite, name);
  const auto found = notes.cases.find(key);
  if (found != notes.cases.end()) return &found->second;
  if (notes.cases.size() >= kMaxCasesPerMachine) {
    ++refused_;
    return nullptr;
  }
  Case& added = notes.cases[std::move(key)];
  added.labels = base::PrometheusLabels({{"machine", machine}, {"device", device}, {"suite", suite}, {"case", name}});
  if (notes.simulated.contains(device)) base::AppendPrometheusLabel(added.labels, "simulated", "true");
  return &added;
}

void DeviceSeries::Result(const std::string& machine, const std::string& device, const std::string& suite,
                          const v1::CaseResult& result, int64_t now_unix_ms) {
  base::MutexLock lock(mutex_);
  Case* notes = FindCase(machine, device, suite, result.case_name());
  if (notes == nullptr) return;
  notes->verdict = result.verdict() != v1::VERDICT_UNSPECIFIED ? result.verdict() : result.outcome();
  notes->time_unix_ms = result.started_unix_ms() > 0 ? result.started_unix_ms() + result.duration_ms() : now_unix_ms;
}

void DeviceSeries::Measured(const std::string& machine, const std::string& device, const std::string& suite,
                            const v1::Measurement& measurement) {
  if (measurement.value_case() == v1::Measurement::kText ||
      measurement.value_case() == v1::Measurement::VALUE_NOT_SET) {
    return;
  }
  const double value = measurement.has_number() ? measurement.number() : measurement.boolean() ? 1 : 0;
  std::string key = base::PrometheusLabels({{"name", measurement.name()}, {"unit", measurement.unit()}});
  base::MutexLock lock(mutex_);
  Case* notes = FindCase(machine, device, suite, measurement.case_name());
  if (notes == nullptr) return;
  const auto found = notes->values.find(key);
  if (found != notes->values.end()) {
    found->second = value;
  } else if (notes->values.size() < kMaxMeasurementsPerCase) {
    notes->values.emplace(std::move(key), value);
  } else {
    ++refused_;
  }
}

void DeviceSeries::Write(std::string& out) const {
  using base::MetricType;
  std::string times_text;
  std::string values_text;
  base::PrometheusFamily verdicts(out, "muster_case_last_verdict", MetricType::kGauge,
                                  "The verdict that the case last got on the device: 1 for that verdict.");
  base::PrometheusFamily times(times_text, "muster_case_last_result_timestamp_seconds", MetricType::kGauge,
                               "When that case last ended on the device.");
  base::PrometheusFamily values(values_text, "muster_measurement", MetricType::kGauge,
                                "The last value of a measurement on the device, in its own unit.");
  std::string last;
  for (bool first = true;; first = false) {
    base::MutexLock lock(mutex_);
    const auto machine = first ? machines_.begin() : machines_.upper_bound(last);
    if (machine == machines_.end()) break;
    last = machine->first;
    for (const auto& [key, notes] : machine->second.cases) {
      if (notes.verdict != v1::VERDICT_UNSPECIFIED) {
        verdicts.Add(notes.labels, base::PrometheusLabels({{"verdict", VerdictName(notes.verdict)}}), 1);
        times.Add(notes.labels, static_cast<double>(notes.time_unix_ms) / 1e3);
      }
      for (const auto& [labels, value] : notes.values) values.Add(notes.labels, labels, value);
    }
  }
  out.append(times_text).append(values_text);
}

uint64_t DeviceSeries::refused() const {
  base::MutexLock lock(mutex_);
  return refused_;
}

}  // namespace muster::coordinator
