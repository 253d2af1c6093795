#include "coordinator/metrics/device_series.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace muster::coordinator {
namespace {

void AppendSample(std::string& out, std::string_view name, std::string_view labels, std::string_view more,
                  const std::string& value) {
  out.append(name).append("{").append(labels).append(more).append("} ").append(value).append("\n");
}

std::string FormatValue(double value) {
  if (value != value) return "NaN";
  if (value - value != 0) return value > 0 ? "+Inf" : "-Inf";
  // All digits that a double needs to come back as itself; short for short numbers.
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.15g", value);
  if (strtod(buffer, nullptr) != value) snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

std::string VerdictName(v1::Verdict verdict) {
  const std::string& name = v1::Verdict_Name(verdict);
  return name.empty() ? absl::StrCat("VERDICT_", static_cast<int>(verdict)) : name;
}

}  // namespace

std::string EscapeLabel(std::string_view value) {
  std::string escaped;
  escaped.reserve(value.size());
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

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
  added.labels = absl::StrCat("machine=\"", EscapeLabel(machine), "\",device=\"", EscapeLabel(device), "\",suite=\"",
                              EscapeLabel(suite), "\",case=\"", EscapeLabel(name), "\"",
                              notes.simulated.contains(device) ? ",simulated=\"true\"" : "");
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
  std::string key =
      absl::StrCat(",name=\"", EscapeLabel(measurement.name()), "\",unit=\"", EscapeLabel(measurement.unit()), "\"");
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
  std::string verdicts =
      "# HELP muster_case_last_verdict The verdict that the case last got on the device: 1 for that verdict.\n"
      "# TYPE muster_case_last_verdict gauge\n";
  std::string times =
      "# HELP muster_case_last_result_timestamp_seconds When that case last ended on the device.\n"
      "# TYPE muster_case_last_result_timestamp_seconds gauge\n";
  std::string values =
      "# HELP muster_measurement The last value of a measurement on the device, in its own unit.\n"
      "# TYPE muster_measurement gauge\n";
  std::string last;
  for (bool first = true;; first = false) {
    base::MutexLock lock(mutex_);
    const auto machine = first ? machines_.begin() : machines_.upper_bound(last);
    if (machine == machines_.end()) break;
    last = machine->first;
    for (const auto& [key, notes] : machine->second.cases) {
      if (notes.verdict != v1::VERDICT_UNSPECIFIED) {
        AppendSample(verdicts, "muster_case_last_verdict", notes.labels,
                     absl::StrCat(",verdict=\"", VerdictName(notes.verdict), "\""), "1");
        AppendSample(
            times, "muster_case_last_result_timestamp_seconds", notes.labels, "",
            absl::StrCat(notes.time_unix_ms / 1000, ".", absl::Dec(notes.time_unix_ms % 1000, absl::kZeroPad3)));
      }
      for (const auto& [labels, value] : notes.values) {
        AppendSample(values, "muster_measurement", notes.labels, labels, FormatValue(value));
      }
    }
  }
  out.append(verdicts).append(times).append(values);
}

uint64_t DeviceSeries::refused() const {
  base::MutexLock lock(mutex_);
  return refused_;
}

}  // namespace muster::coordinator
