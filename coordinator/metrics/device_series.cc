#include "coordinator/metrics/device_series.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/prometheus_text.h"
#include "coordinator/fleet/device_name.h"

namespace muster::coordinator {
namespace {

std::string VerdictLabel(v1::Verdict verdict) {
  const std::string& name = v1::Verdict_Name(verdict);
  const std::string shown = name.empty() ? absl::StrCat("VERDICT_", static_cast<int>(verdict)) : name;
  return base::PrometheusLabels({{"verdict", shown}});
}

}  // namespace

std::string DeviceSeries::LabelsOf(const std::string& machine, const MachineNotes& notes, const Key& key) {
  const auto& [device, suite, name] = key;
  std::string labels =
      base::PrometheusLabels({{"machine", machine}, {"device", device}, {"suite", suite}, {"case", name}});
  const auto known = notes.devices.find(device);
  if (known != notes.devices.end() && !known->second.empty()) absl::StrAppend(&labels, ",", known->second);
  return labels;
}

void DeviceSeries::SetMachine(const v1::Machine& machine) {
  std::map<std::string, std::string> devices;
  int gpu = 0;
  for (const v1::Device* device : InPciOrder(machine)) {
    std::string& labels = devices[device->id()];
    labels = base::PrometheusLabels({{"gpu", absl::StrCat(gpu++)}, {"model", device->model()}});
    if (!device->simulated()) continue;
    base::AppendPrometheusLabel(labels, "simulated", "true");
    devices[""] = base::PrometheusLabels({{"simulated", "true"}});
  }
  base::MutexLock lock(mutex_);
  const auto found = machines_.find(machine.name());
  if (devices.empty() && found == machines_.end()) return;
  MachineNotes& notes = found == machines_.end() ? machines_[machine.name()] : found->second;
  if (notes.devices == devices) return;
  notes.devices = std::move(devices);
  for (auto& [key, one] : notes.cases) one.labels = LabelsOf(machine.name(), notes, key);
}

DeviceSeries::Case* DeviceSeries::FindCase(const std::string& machine, const std::string& device,
                                           const std::string& suite, const std::string& name) {
  MachineNotes& notes = machines_[machine];
  Key key(device, suite, name);
  const auto found = notes.cases.find(key);
  if (found != notes.cases.end()) return &found->second;
  if (notes.cases.size() >= kMaxCasesPerMachine) {
    ++refused_;
    return nullptr;
  }
  Case& added = notes.cases[key];
  added.labels = LabelsOf(machine, notes, key);
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
  std::map<v1::Verdict, std::string> labels_of;
  std::string times_text, values_text;
  times_text.reserve(last_times_bytes_);
  values_text.reserve(last_values_bytes_);
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
        const auto [label, made] = labels_of.try_emplace(notes.verdict);
        if (made) label->second = VerdictLabel(notes.verdict);
        verdicts.Add(notes.labels, label->second, 1);
        times.Add(notes.labels, static_cast<double>(notes.time_unix_ms) / 1e3);
      }
      for (const auto& [labels, value] : notes.values) values.Add(notes.labels, labels, value);
    }
  }
  last_times_bytes_ = times_text.size();
  last_values_bytes_ = values_text.size();
  out.append(times_text).append(values_text);
}

uint64_t DeviceSeries::refused() const {
  base::MutexLock lock(mutex_);
  return refused_;
}

}  // namespace muster::coordinator
