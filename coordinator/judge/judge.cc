#include "coordinator/judge/judge.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace muster::coordinator {
namespace {

struct StandIn {
  v1::Verdict outcome;
  std::string reason;
};

StandIn StandInFor(const JobRecord& job, const v1::Attempt& attempt) {
  const std::string& detail = attempt.detail();
  const auto because = [&](const char* what) {
    return detail.empty() ? std::string(what) : absl::StrCat(what, ": ", detail);
  };
  switch (attempt.fate()) {
    case v1::FATE_CANCELLED:
      return {v1::CANCELLED, because("the job was cancelled")};
    case v1::FATE_REFUSED:
      return {v1::ERROR, because("the agent refused the job")};
    case v1::FATE_QUARANTINED:
      return {v1::SKIPPED, detail};
    case v1::FATE_WITHHELD:
      return {v1::MISSED, detail};
    case v1::FATE_QUEUE_TIMED_OUT:
      return {v1::MISSED, because("the job was not started in time")};
    case v1::FATE_LEASE_LOST:
      if (job.job.cancel_requested()) return {v1::CANCELLED, because("the job was cancelled")};
      return {v1::MISSED, because("the machine was lost during the job")};
    case v1::FATE_NOT_STARTED:
      return {v1::MISSED, because("the program could not be started")};
    case v1::FATE_JOB_TIMED_OUT:
      return {v1::MISSED, because("the job's time limit came before the case")};
    case v1::FATE_AGENT_RESTARTED:
      return {v1::MISSED, because("the agent or its machine was restarted during the job")};
    default:
      return {v1::MISSED, because("the program ended without a result for the case")};
  }
}

}  // namespace

void MendOutcome(v1::CaseResult& result) {
  const v1::Verdict outcome = result.outcome();
  const bool for_agents = (outcome >= v1::PASSED && outcome <= v1::CANCELLED) || outcome == v1::VACUOUS;
  // Numbers that this program does not know are kept; they are never green.
  if (for_agents || !v1::Verdict_IsValid(outcome)) return;
  result.add_findings(
      absl::StrCat("the agent gave the outcome ", v1::Verdict_Name(outcome), ", which is not for agents to give"));
  result.set_outcome(v1::ERROR);
}

void Judge::Decide(const JobRecord& job, v1::CaseResult& result) const {
  const v1::ExpectedCase* expected = job.FindExpected(result.case_name());
  if (expected != nullptr && expected->needs_gpu_work()) result.set_needs_gpu_work(true);
  // NaN is no work.
  if (result.outcome() == v1::PASSED && result.needs_gpu_work() && !(result.work() > 0)) {
    result.set_outcome(v1::VACUOUS);
    if (result.reason().empty()) result.set_reason("it says PASSED, but reports no work on the GPU");
  }
  // Its own word is not enough where the devices' counters say otherwise.
  if (result.outcome() == v1::PASSED && result.needs_gpu_work() && result.gpu_activity() == v1::GPU_ACTIVITY_NONE) {
    result.set_outcome(v1::VACUOUS);
    result.set_reason("it says PASSED and reports work, but the GPU's own counters showed none during the case");
  }
  result.set_verdict(expectations_ ? expectations_(job.job, result) : result.outcome());
}

std::vector<v1::CaseResult> Judge::Missing(const JobRecord& job, const AttemptRecord& attempt) const {
  std::vector<v1::CaseResult> missing;
  const StandIn stand_in = StandInFor(job, attempt.attempt);
  std::unordered_set<std::string_view> reported;
  for (const v1::CaseResult& result : attempt.results) reported.insert(result.case_name());
  for (const v1::ExpectedCase& expected : job.job.expected()) {
    if (reported.contains(expected.name())) continue;
    v1::CaseResult& result = missing.emplace_back();
    result.set_case_name(expected.name());
    result.set_outcome(stand_in.outcome);
    result.set_reason(stand_in.reason);
    Decide(job, result);
  }
  return missing;
}

bool MayReplace(const v1::CaseResult& known, const v1::CaseResult& reported) {
  if (known.outcome() == v1::MISSED || known.outcome() == v1::CANCELLED) return true;
  const bool known_fine = known.outcome() == v1::PASSED || known.outcome() == v1::SKIPPED;
  return known_fine && reported.outcome() != v1::PASSED && reported.outcome() != v1::SKIPPED;
}

v1::RunColour ColourOf(const VerdictTally& tally) {
  bool any = false;
  bool amber = false;
  for (const auto& [verdict, count] : tally) {
    if (count == 0) continue;
    any = true;
    if (verdict == v1::FIXED || verdict == v1::FLAKY) {
      amber = true;
    } else if (verdict != v1::PASSED && verdict != v1::SKIPPED && verdict != v1::KNOWN_ISSUE) {
      return v1::RED;
    }
  }
  if (!any) return v1::RED;
  return amber ? v1::AMBER : v1::GREEN;
}

}  // namespace muster::coordinator
