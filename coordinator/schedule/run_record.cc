#include "coordinator/schedule/run_record.h"

namespace muster::coordinator {

v1::CaseResult* AttemptRecord::FindResult(std::string_view case_name) {
  for (v1::CaseResult& result : results) {
    if (result.case_name() == case_name) return &result;
  }
  return nullptr;
}

AttemptRecord& JobRecord::AddAttempt(uint64_t epoch, int64_t now_unix_ms) {
  AttemptRecord& record = attempts.emplace_back();
  record.job = this;
  v1::JobRef& ref = *record.attempt.mutable_ref();
  ref.set_job_id(job.id());
  ref.set_attempt(static_cast<uint32_t>(attempts.size()));
  ref.set_epoch(epoch);
  record.attempt.set_granted_unix_ms(now_unix_ms);
  return record;
}

const v1::ExpectedCase* JobRecord::FindExpected(std::string_view case_name) const {
  for (const v1::ExpectedCase& expected : job.expected()) {
    if (expected.name() == case_name) return &expected;
  }
  return nullptr;
}

}  // namespace muster::coordinator
