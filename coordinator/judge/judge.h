// What a case's outcome counts as: the part of a verdict that only the coordinator can know.
//
// The executor says what it saw. The judge adds VACUOUS (a PASSED that shows no work where work is declared), MISSED
// and its kin (an expected case without a result), and what was expected of it; and it colours the run. Pure functions.
#ifndef MUSTER_COORDINATOR_JUDGE_JUDGE_H_
#define MUSTER_COORDINATOR_JUDGE_JUDGE_H_

#include <functional>
#include <string>
#include <vector>

#include "coordinator/schedule/run_record.h"

namespace muster::coordinator {

// What is expected of a case, over what was seen of it (`result.outcome`): KNOWN_ISSUE, FIXED, FLAKY, or the outcome
// itself.
using Expectations = std::function<v1::Verdict(const v1::Job& job, const v1::CaseResult& result)>;

class Judge {
 public:
  // Null: every outcome counts as it is.
  explicit Judge(Expectations expectations = nullptr) : expectations_(std::move(expectations)) {}

  // Sets `result.outcome` to VACUOUS where that is so, and `result.verdict`.
  void Decide(const JobRecord& job, v1::CaseResult& result) const;

  // The results of the expected cases that `attempt` leaves without one, given how it ended.
  std::vector<v1::CaseResult> Missing(const JobRecord& job, const AttemptRecord& attempt) const;

 private:
  Expectations expectations_;
};

// Makes an outcome that is not an agent's to give (none, MISSED, KNOWN_ISSUE, …) an ERROR, with a finding.
void MendOutcome(v1::CaseResult& result);

// Whether a reported result may take the place of `known`: the judge's own stand-ins give way, otherwise the worse one
// stays.
bool MayReplace(const v1::CaseResult& known, const v1::CaseResult& reported);

v1::RunColour ColourOf(const VerdictTally& tally);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_JUDGE_JUDGE_H_
