// Runs, jobs and attempts as the core holds them in memory: plain values that schedule, ingest and judge work on.
//
// A RunRecord owns its jobs, a JobRecord its attempts; addresses are stable. The protos inside lack what a record holds
// beside them (Job.attempts, Attempt.results), so that writing one of them to the store is a plain copy.
#ifndef MUSTER_COORDINATOR_SCHEDULE_RUN_RECORD_H_
#define MUSTER_COORDINATOR_SCHEDULE_RUN_RECORD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "muster/v1/control_service.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

// Verdict, as a number so that unknown ones count too, to how many cases.
using VerdictTally = std::map<int, uint32_t>;

struct JobRecord;

struct AttemptRecord {
  JobRecord* job = nullptr;
  v1::Attempt attempt;  // Without `results`.
  std::vector<v1::CaseResult> results;
  std::vector<v1::RunningCase> running;  // Started and not ended.
  bool named_by_agent = false;           // An AgentState or an event of it has come.
  uint64_t run_sent_in = 0;              // The session that RUN was last sent in.
  bool changed = false;                  // Must be written.
  bool ack_due = false;

  uint64_t epoch() const { return attempt.ref().epoch(); }
  // Whether its JobFinished is stored (or it never went to an agent): a lost lease alone ends nothing.
  bool closed() const { return attempt.fate() != v1::FATE_UNSPECIFIED && attempt.fate() != v1::FATE_LEASE_LOST; }
  v1::CaseResult* FindResult(std::string_view case_name);
};

struct RunRecord;

struct JobRecord {
  RunRecord* run = nullptr;
  v1::Job job;                         // Without `attempts`.
  std::deque<AttemptRecord> attempts;  // Newest last.
  uint64_t order = 0;                  // Of creation, over all jobs: decides between equals.
  // The queue's time limit while queued, the lease's end while leased; on the monotonic clock. INT64_MAX: none.
  int64_t deadline_mono_ms = INT64_MAX;
  VerdictTally tally;  // Of the attempt that counts.
  bool changed = false;

  bool waiting() const { return job.state() == v1::JOB_STATE_QUEUED; }
  bool leased() const { return job.state() == v1::JOB_STATE_LEASED || job.state() == v1::JOB_STATE_RUNNING; }
  bool finished() const { return job.state() == v1::JOB_STATE_FINISHED; }
  AttemptRecord* newest() { return attempts.empty() ? nullptr : &attempts.back(); }
  AttemptRecord& AddAttempt(uint64_t epoch, int64_t now_unix_ms);
  const v1::ExpectedCase* FindExpected(std::string_view case_name) const;
};

struct RunRecord {
  v1::Run run;
  std::vector<std::unique_ptr<JobRecord>> jobs;
  VerdictTally tally;
  int64_t finished_mono_ms = 0;
  bool changed = false;

  bool active() const { return run.state() == v1::RUN_STATE_ACTIVE; }
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SCHEDULE_RUN_RECORD_H_
