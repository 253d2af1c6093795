#include "coordinator/report/run_report.h"

#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace muster::coordinator {
namespace {

using MeasurementsByAttempt = std::map<std::pair<std::string, uint32_t>, const v1::JobMeasurements*>;

v1::CaseResult WithoutResult(const v1::ExpectedCase& expected, bool job_ended) {
  v1::CaseResult result;
  result.set_case_name(expected.name());
  if (job_ended) {
    result.set_verdict(v1::MISSED);
    result.set_reason("it was expected and never reported");
  }
  return result;
}

void FillCases(ReportedJob& reported) {
  std::map<std::string, const v1::CaseResult*> results;
  if (reported.attempt != nullptr) {
    for (const v1::CaseResult& result : reported.attempt->results()) results[result.case_name()] = &result;
  }
  const bool ended = reported.job->state() == v1::JOB_STATE_FINISHED;
  std::set<std::string> taken;
  for (const v1::ExpectedCase& expected : reported.job->expected()) {
    const auto found = results.find(expected.name());
    reported.cases.push_back({found != results.end() ? *found->second : WithoutResult(expected, ended), {}});
    taken.insert(expected.name());
  }
  if (reported.attempt == nullptr) return;
  for (const v1::CaseResult& result : reported.attempt->results()) {
    if (taken.insert(result.case_name()).second) reported.cases.push_back({result, {}});
  }
}

void FillMeasurements(ReportedJob& reported, const MeasurementsByAttempt& measurements) {
  if (reported.attempt == nullptr) return;
  const auto found = measurements.find({reported.job->id(), reported.attempt->ref().attempt()});
  if (found == measurements.end()) return;
  std::map<std::string, ReportedCase*> cases;
  for (ReportedCase& one : reported.cases) cases[one.result.case_name()] = &one;
  for (const v1::Measurement& measurement : found->second->measurements()) {
    const auto of_case = cases.find(measurement.case_name());
    (of_case != cases.end() ? of_case->second->measurements : reported.measurements).push_back(&measurement);
  }
}

void FillDevices(ReportedJob& reported, const RunReport& report) {
  const v1::Job& job = *reported.job;
  reported.title = absl::StrCat(job.spec().suite(), "@", job.machine());
  if (job.spec().device_ids_size() == 1) absl::StrAppend(&reported.title, "/", job.spec().device_ids(0));
  const auto machine = report.machines.find(job.machine());
  if (machine == report.machines.end()) return;
  reported.machine = &machine->second;
  for (const std::string& id : job.spec().device_ids()) {
    for (const v1::Device& device : machine->second.devices()) {
      if (device.id() == id) reported.devices.push_back(&device);
    }
  }
}

}  // namespace

Outcome OutcomeOf(v1::Verdict verdict) {
  switch (verdict) {
    case v1::PASSED:
    case v1::FIXED:
    case v1::FLAKY:
      return Outcome::kPassed;
    case v1::SKIPPED:
    case v1::KNOWN_ISSUE:
      return Outcome::kSkipped;
    case v1::FAILED:
    case v1::VACUOUS:
      return Outcome::kFailed;
    default:
      return Outcome::kError;
  }
}

std::vector<ReportedJob> ReportedJobs(const RunReport& report) {
  MeasurementsByAttempt measurements;
  for (const v1::JobMeasurements& one : report.measurements) measurements[{one.job_id(), one.attempt()}] = &one;
  std::vector<ReportedJob> jobs;
  jobs.reserve(report.stored.jobs.size());
  for (const v1::Job& job : report.stored.jobs) {
    ReportedJob& reported = jobs.emplace_back();
    reported.job = &job;
    if (!job.attempts().empty()) reported.attempt = &*job.attempts().rbegin();
    FillDevices(reported, report);
    FillCases(reported);
    FillMeasurements(reported, measurements);
  }
  return jobs;
}

std::string FateName(v1::Fate fate) {
  if (!v1::Fate_IsValid(fate)) return absl::StrCat("FATE_", static_cast<int>(fate));
  return std::string(absl::StripPrefix(v1::Fate_Name(fate), "FATE_"));
}

std::string VerdictName(v1::Verdict verdict) {
  return v1::Verdict_IsValid(verdict) ? v1::Verdict_Name(verdict) : absl::StrCat("VERDICT_", static_cast<int>(verdict));
}

std::string Rfc3339(int64_t unix_ms) {
  if (unix_ms == 0) return "";
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

std::string ValueText(const v1::Measurement& measurement) {
  if (measurement.has_text()) return measurement.text();
  if (measurement.has_boolean()) return measurement.boolean() ? "true" : "false";
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.15g", measurement.number());
  if (strtod(buffer, nullptr) != measurement.number()) snprintf(buffer, sizeof buffer, "%.17g", measurement.number());
  return buffer;
}

}  // namespace muster::coordinator
