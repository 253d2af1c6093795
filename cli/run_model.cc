#include "cli/run_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/palette.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// "r-01…/12" as a key that sorts by number.
std::string NumberOf(const std::string& job_id) {
  const size_t slash = job_id.rfind('/');
  const std::string number = slash == std::string::npos ? job_id : job_id.substr(slash + 1);
  return number.size() >= 8 ? number : std::string(8 - number.size(), '0') + number;
}

std::string FateWords(v1::Fate fate) {
  std::string name = v1::Fate_Name(fate);
  if (absl::StartsWith(name, "FATE_")) name.erase(0, 5);
  std::replace(name.begin(), name.end(), '_', ' ');
  return absl::AsciiStrToLower(name);
}

bool IsFailureOfMachinery(v1::Fate fate) {
  switch (fate) {
    case v1::FATE_UNSPECIFIED:
    case v1::FATE_COMPLETED:
    case v1::FATE_NOT_RUNNABLE:
    case v1::FATE_QUARANTINED:
    case v1::FATE_WITHHELD:
    case v1::FATE_CANCELLED:
      return false;
    default:
      return true;
  }
}

}  // namespace

const v1::Attempt* CountingAttempt(const v1::Job& job) {
  for (auto it = job.attempts().rbegin(); it != job.attempts().rend(); ++it) {
    if (!it->superseded()) return &*it;
  }
  return job.attempts().empty() ? nullptr : &*job.attempts().rbegin();
}

v1::Verdict VerdictOf(const v1::CaseResult& result) {
  return result.verdict() == v1::VERDICT_UNSPECIFIED ? result.outcome() : result.verdict();
}

std::vector<v1::CaseResult> CountingResults(const v1::Job& job) {
  std::vector<v1::CaseResult> results;
  if (const v1::Attempt* attempt = CountingAttempt(job); attempt != nullptr) {
    results.assign(attempt->results().begin(), attempt->results().end());
  } else if (!job.not_runnable_reason().empty()) {
    for (const v1::ExpectedCase& expected : job.expected()) {
      v1::CaseResult& result = results.emplace_back();
      result.set_case_name(expected.name());
      result.set_verdict(v1::SKIPPED);
      result.set_reason(job.not_runnable_reason());
    }
  }
  return results;
}

RunModel::Changes RunModel::Apply(const v1::RunUpdate& update, int64_t now_unix_ms) {
  Changes changes;
  if (update.has_run()) run_ = update.run();
  std::map<std::string, JobKey> keys;
  for (const v1::Job& job : update.jobs()) {
    keys[job.id()] = {Sanitize(job.machine(), 253), NumberOf(job.id())};
    ApplyJob(job, changes);
  }
  for (const v1::RunningCase& running : update.running()) {
    const auto key = keys.find(running.job_id());
    if (key == keys.end()) continue;
    JobView& view = jobs_[key->second];
    view.running_case = Sanitize(running.case_name(), 128);
    // Clocks of machines differ: only what began before the watch is taken from the other clock.
    view.running_since_unix_ms = started_ ? now_unix_ms : std::min(now_unix_ms, running.started_unix_ms());
  }
  started_ = true;
  return changes;
}

void RunModel::ApplyJob(const v1::Job& job, Changes& changes) {
  JobView& view = jobs_[{Sanitize(job.machine(), 253), NumberOf(job.id())}];
  Count(view, false);
  std::vector<std::string> devices(job.spec().device_ids().begin(), job.spec().device_ids().end());
  const std::vector<v1::CaseResult> results = CountingResults(job);
  view = JobView{.machine = Sanitize(job.machine(), 253),
                 .device = names_.Join(devices),
                 .device_ids = std::move(devices),
                 .suite = Sanitize(job.spec().suite(), 64),
                 .state = job.state(),
                 .attempt = static_cast<uint32_t>(job.attempts_size()),
                 .cases_total = std::max<size_t>(job.expected_size(), results.size()),
                 .cases_ended = results.size()};
  for (const v1::CaseResult& result : results) {
    ++view.verdicts[VerdictOf(result)];
    if (!IsGood(VerdictOf(result))) ++view.cases_bad;
  }
  Count(view, true);
  Report(job, view, changes);
}

void RunModel::Report(const v1::Job& job, const JobView& view, Changes& changes) {
  const v1::Attempt* counting = CountingAttempt(job);
  const uint32_t attempt = counting == nullptr ? 0 : counting->ref().attempt();
  for (const v1::CaseResult& result : CountingResults(job)) {
    if (!reported_.insert({job.id(), attempt, result.case_name()}).second) continue;
    CaseEnd end{.machine = view.machine,
                .device = view.device,
                .suite = view.suite,
                .case_name = Sanitize(result.case_name(), 128),
                .verdict = VerdictOf(result),
                .reason = Sanitize(result.reason()),
                .duration_ms = result.duration_ms()};
    if (!IsGood(end.verdict)) {
      failures_.push_back(end);
      if (failures_.size() > kKeptFailures) failures_.pop_front();
    }
    changes.cases.push_back(std::move(end));
  }
  for (const v1::Attempt& ended : job.attempts()) {
    if (!IsFailureOfMachinery(ended.fate()) || !reported_.insert({job.id(), ended.ref().attempt(), ""}).second)
      continue;
    changes.attempts.push_back(
        {absl::StrCat(view.machine, view.device.empty() ? "" : "  ", view.device, "  ", view.suite, ": attempt ",
                      ended.ref().attempt(), " ended: ", FateWords(ended.fate()), ended.detail().empty() ? "" : ": ",
                      Sanitize(ended.detail()))});
  }
}

void RunModel::Count(const JobView& view, bool add) {
  const auto move = [add](size_t& total, size_t by) { total = add ? total + by : total - by; };
  move(cases_total_, view.cases_total);
  move(cases_ended_, view.cases_ended);
  for (const auto& [verdict, count] : view.verdicts) move(verdicts_[verdict], count);
  switch (view.state) {
    case v1::JOB_STATE_QUEUED:
      return move(job_counts_.queued, 1);
    case v1::JOB_STATE_LEASED:
    case v1::JOB_STATE_RUNNING:
      return move(job_counts_.running, 1);
    case v1::JOB_STATE_FINISHED:
      return move(job_counts_.finished, 1);
    default:
      return;
  }
}

void RunModel::SetDeviceNames(DeviceNames names) {
  names_ = std::move(names);
  for (auto& [key, view] : jobs_) view.device = names_.Join(view.device_ids);
}

}  // namespace muster::cli
