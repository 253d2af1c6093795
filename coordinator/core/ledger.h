// The core's book of runs, jobs, attempts and results, and of what in it changed and must be written.
//
// Everything of an active run is here; a finished run stays a while and is then left to the store. All changes go
// through this class, so that nothing that changed is left out of the batch and every count is right. Plain memory;
// owned by Core.
#ifndef MUSTER_COORDINATOR_CORE_LEDGER_H_
#define MUSTER_COORDINATOR_CORE_LEDGER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/event_loop.h"
#include "coordinator/judge/judge.h"
#include "coordinator/schedule/run_record.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

class Ledger {
 public:
  // How long a finished run stays at least, and how many finished jobs stay at most once that time is over.
  static constexpr int64_t kKeepFinishedMs = 60'000;
  static constexpr int64_t kForgetFinishedMs = 3'600'000;
  static constexpr uint64_t kMaxFinishedJobs = 20'000;

  // Called with every result that is put into an attempt, the coordinator's own among them.
  using OnResult = std::function<void(const JobRecord& job, const v1::CaseResult& result)>;

  Ledger(Judge judge, OnResult on_result) : judge_(std::move(judge)), on_result_(std::move(on_result)) {}

  // New ones, to be written.
  RunRecord& AddRun(v1::Run run);
  JobRecord& AddJob(RunRecord& run, v1::Job job);
  // As the store has it; nothing of it is written. The jobs come in the order of their numbers.
  RunRecord& AddStored(StoredRun stored, base::Time now);

  RunRecord* FindRun(std::string_view id) const;
  JobRecord* FindJob(const std::string& id) const;
  // Null unless job, attempt and epoch are those of a granted attempt.
  AttemptRecord* FindAttempt(const v1::JobRef& ref) const;

  void Changed(RunRecord& run);
  void Changed(JobRecord& job);
  void Changed(AttemptRecord& attempt);
  void SetState(JobRecord& job, v1::JobState state);
  // A new newest attempt, marking the older ones superseded. Epoch 0: never granted to an agent.
  AttemptRecord& AddAttempt(JobRecord& job, uint64_t epoch, base::Time now);
  // Judges and keeps a result that an agent reported. A worse one of the same case stays.
  void Report(AttemptRecord& attempt, v1::CaseResult result);
  // Gives every expected case of the newest attempt a result, and ends the job, and the run with its last job.
  void Finish(JobRecord& job, base::Time now);
  // Keeps a result as it is, apart from the verdict.
  void Put(AttemptRecord& attempt, v1::CaseResult result);

  WriteBatch& batch() { return batch_; }
  // What changed since the last time; `changed_runs` gets the ids of the changed runs.
  WriteBatch TakeBatch(std::vector<std::string>& changed_runs);
  // Leaves finished runs to the store. To be called when nothing is changed or to be said.
  void Evict(base::Time now);

  // As it stands, with all its jobs; and without them.
  StoredRun View(const RunRecord& run) const;
  v1::Run RunOf(const RunRecord& run) const;
  uint64_t active_runs() const { return active_runs_; }
  uint64_t jobs_in(v1::JobState state) const { return state_counts_[state]; }

 private:
  JobRecord& Insert(RunRecord& run, v1::Job job);
  void Retally(JobRecord& job);
  void Count(JobRecord& job, v1::Verdict verdict, int by);
  void FinishRun(RunRecord& run, base::Time now);

  const Judge judge_;
  const OnResult on_result_;
  absl::flat_hash_map<std::string, std::unique_ptr<RunRecord>> runs_;
  absl::flat_hash_map<std::string, JobRecord*> jobs_;
  uint64_t next_order_ = 1;

  std::vector<RunRecord*> finished_;  // By the time of finishing.
  uint64_t finished_jobs_ = 0;
  uint64_t active_runs_ = 0;
  uint64_t state_counts_[v1::JobState_ARRAYSIZE] = {};

  WriteBatch batch_;
  std::vector<RunRecord*> changed_runs_;
  std::vector<JobRecord*> changed_jobs_;
  std::vector<AttemptRecord*> changed_attempts_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_LEDGER_H_
