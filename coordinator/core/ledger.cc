#include "coordinator/core/ledger.h"

#include <algorithm>
#include <utility>

namespace muster::coordinator {
namespace {

template <typename Record>
void MarkOnce(Record& record, std::vector<Record*>& changed) {
  if (record.changed) return;
  record.changed = true;
  changed.push_back(&record);
}

// Writes the tally into the run, and the colour into a finished one.
void Summarise(const VerdictTally& tally, v1::Run& run) {
  run.clear_verdicts();
  for (const auto& [verdict, count] : tally) {
    if (count == 0) continue;
    v1::VerdictCount& entry = *run.add_verdicts();
    entry.set_verdict(static_cast<v1::Verdict>(verdict));
    entry.set_count(count);
  }
  if (run.state() == v1::RUN_STATE_FINISHED) run.set_colour(ColourOf(tally));
}

}  // namespace

RunRecord& Ledger::AddRun(v1::Run run) {
  auto record = std::make_unique<RunRecord>();
  record->run = std::move(run);
  if (record->active()) ++active_runs_;
  RunRecord& added = *runs_.emplace(record->run.id(), std::move(record)).first->second;
  Changed(added);
  return added;
}

JobRecord& Ledger::Insert(RunRecord& run, v1::Job job) {
  JobRecord& record = *run.jobs.emplace_back(std::make_unique<JobRecord>());
  record.run = &run;
  record.job = std::move(job);
  record.order = next_order_++;
  jobs_.emplace(record.job.id(), &record);
  ++state_counts_[record.job.state()];
  return record;
}

JobRecord& Ledger::AddJob(RunRecord& run, v1::Job job) {
  JobRecord& record = Insert(run, std::move(job));
  Changed(record);
  return record;
}

RunRecord& Ledger::AddStored(StoredRun stored, base::Time now) {
  auto owned = std::make_unique<RunRecord>();
  RunRecord& run = *owned;
  run.run = std::move(stored.run);
  runs_.emplace(run.run.id(), std::move(owned));
  for (v1::Job& job : stored.jobs) {
    google::protobuf::RepeatedPtrField<v1::Attempt> attempts;
    attempts.Swap(job.mutable_attempts());
    JobRecord& record = Insert(run, std::move(job));
    for (v1::Attempt& attempt : attempts) {
      AttemptRecord& kept = record.attempts.emplace_back();
      kept.job = &record;
      kept.results.assign(std::make_move_iterator(attempt.mutable_results()->begin()),
                          std::make_move_iterator(attempt.mutable_results()->end()));
      attempt.clear_results();
      kept.attempt = std::move(attempt);
    }
    Retally(record);
  }
  if (run.active()) {
    ++active_runs_;
  } else {
    run.finished_mono_ms = now.mono_ms;
    finished_jobs_ += run.jobs.size();
    finished_.push_back(&run);
  }
  return run;
}

RunRecord* Ledger::FindRun(std::string_view id) const {
  const auto it = runs_.find(std::string(id));
  return it == runs_.end() ? nullptr : it->second.get();
}

JobRecord* Ledger::FindJob(const std::string& id) const {
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : it->second;
}

AttemptRecord* Ledger::FindAttempt(const v1::JobRef& ref) const {
  JobRecord* job = FindJob(ref.job_id());
  if (job == nullptr || ref.epoch() == 0 || ref.attempt() == 0 || ref.attempt() > job->attempts.size()) return nullptr;
  AttemptRecord& attempt = job->attempts[ref.attempt() - 1];
  return attempt.epoch() == ref.epoch() ? &attempt : nullptr;
}

void Ledger::Changed(RunRecord& run) { MarkOnce(run, changed_runs_); }
void Ledger::Changed(JobRecord& job) { MarkOnce(job, changed_jobs_); }
void Ledger::Changed(AttemptRecord& attempt) { MarkOnce(attempt, changed_attempts_); }

void Ledger::SetState(JobRecord& job, v1::JobState state) {
  if (job.job.state() == state) return;
  --state_counts_[job.job.state()];
  ++state_counts_[state];
  job.job.set_state(state);
  Changed(job);
  Changed(*job.run);
}

AttemptRecord& Ledger::AddAttempt(JobRecord& job, uint64_t epoch, base::Time now) {
  for (AttemptRecord& older : job.attempts) {
    if (older.attempt.superseded()) continue;
    older.attempt.set_superseded(true);
    Changed(older);
  }
  AttemptRecord& attempt = job.AddAttempt(epoch, now.unix_ms);
  Changed(attempt);
  Retally(job);
  return attempt;
}

void Ledger::Report(AttemptRecord& attempt, v1::CaseResult result) {
  MendOutcome(result);
  v1::CaseResult* known = attempt.FindResult(result.case_name());
  if (known == nullptr || MayReplace(*known, result)) {
    Put(attempt, std::move(result));
    return;
  }
  v1::CaseResult kept = *known;
  kept.add_findings("the case was reported more than once: the worse result stays");
  Put(attempt, std::move(kept));
}

void Ledger::Put(AttemptRecord& attempt, v1::CaseResult result) {
  JobRecord& job = *attempt.job;
  const bool counts = &attempt == job.newest();
  judge_.Decide(job, result);
  batch_.cases.push_back({job.job.id(), attempt.attempt.ref().attempt(), result});
  v1::CaseResult* slot = attempt.FindResult(result.case_name());
  if (slot == nullptr) {
    slot = &attempt.results.emplace_back();
  } else if (counts) {
    Count(job, slot->verdict(), -1);
  }
  *slot = std::move(result);
  if (counts) Count(job, slot->verdict(), 1);
  Changed(*job.run);
  if (on_result_) on_result_(job, *slot);
}

void Ledger::Finish(JobRecord& job, base::Time now) {
  AttemptRecord& newest = *job.newest();
  newest.running.clear();
  for (v1::CaseResult& result : judge_.Missing(job, newest)) Put(newest, std::move(result));
  SetState(job, v1::JOB_STATE_FINISHED);
  RunRecord& run = *job.run;
  run.run.set_jobs_finished(run.run.jobs_finished() + 1);
  if (run.run.jobs_finished() == run.run.jobs_total()) FinishRun(run, now);
}

void Ledger::FinishRun(RunRecord& run, base::Time now) {
  run.run.set_state(v1::RUN_STATE_FINISHED);
  run.run.set_finished_unix_ms(now.unix_ms);
  run.finished_mono_ms = now.mono_ms;
  finished_jobs_ += run.jobs.size();
  finished_.push_back(&run);
  --active_runs_;
  Changed(run);
}

void Ledger::Count(JobRecord& job, v1::Verdict verdict, int by) {
  job.tally[verdict] += by;
  job.run->tally[verdict] += by;
}

void Ledger::Retally(JobRecord& job) {
  for (const auto& [verdict, count] : job.tally) job.run->tally[verdict] -= count;
  job.tally.clear();
  const AttemptRecord* newest = job.newest();
  if (newest == nullptr) return;
  for (const v1::CaseResult& result : newest->results) Count(job, result.verdict(), 1);
}

WriteBatch Ledger::TakeBatch(std::vector<std::string>& changed_runs) {
  for (RunRecord* run : changed_runs_) {
    run->changed = false;
    Summarise(run->tally, run->run);
    batch_.runs.push_back(run->run);
    changed_runs.push_back(run->run.id());
  }
  for (JobRecord* job : changed_jobs_) {
    job->changed = false;
    batch_.jobs.push_back(job->job);
  }
  for (AttemptRecord* attempt : changed_attempts_) {
    attempt->changed = false;
    batch_.attempts.push_back(attempt->attempt);
  }
  changed_runs_.clear();
  changed_jobs_.clear();
  changed_attempts_.clear();
  return std::exchange(batch_, WriteBatch());
}

void Ledger::Evict(base::Time now) {
  size_t gone = 0;
  for (RunRecord* run : finished_) {
    const int64_t age_ms = now.mono_ms - run->finished_mono_ms;
    if (age_ms < kKeepFinishedMs || (age_ms < kForgetFinishedMs && finished_jobs_ <= kMaxFinishedJobs)) break;
    if (run->changed) break;
    finished_jobs_ -= run->jobs.size();
    for (const auto& job : run->jobs) {
      --state_counts_[v1::JOB_STATE_FINISHED];
      jobs_.erase(job->job.id());
    }
    runs_.erase(run->run.id());
    ++gone;
  }
  finished_.erase(finished_.begin(), finished_.begin() + gone);
}

v1::Run Ledger::RunOf(const RunRecord& run) const {
  v1::Run copy = run.run;
  Summarise(run.tally, copy);
  return copy;
}

StoredRun Ledger::View(const RunRecord& run) const {
  StoredRun view;
  view.run = RunOf(run);
  view.jobs.reserve(run.jobs.size());
  for (const auto& record : run.jobs) {
    v1::Job& job = view.jobs.emplace_back(record->job);
    for (const AttemptRecord& attempt : record->attempts) {
      v1::Attempt& copy = *job.add_attempts();
      copy = attempt.attempt;
      for (const v1::CaseResult& result : attempt.results) *copy.add_results() = result;
    }
  }
  return view;
}

}  // namespace muster::coordinator
