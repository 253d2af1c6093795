// A Store in memory, for tests and simulation: what was committed survives its users, what was not is gone.
//
// It can fail and refuse: FailNext() lets the next commits fail with a status, and keep nothing. A restarted
// coordinator uses the same object. Not for several threads.
#ifndef MUSTER_COORDINATOR_STORE_MEMORY_STORE_FAKE_H_
#define MUSTER_COORDINATOR_STORE_MEMORY_STORE_FAKE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

class MemoryStoreFake final : public Store {
 public:
  // The next `count` commits fail.
  void FailNext(int count, absl::Status status) {
    failures_left_ = count;
    failure_ = std::move(status);
  }
  int commits() const { return commits_; }
  const std::vector<LogRow>& logs() const { return logs_; }
  const std::vector<ArtifactRow>& artifacts() const { return artifacts_; }

  absl::Status Commit(const WriteBatch& batch) override {
    if (failures_left_ > 0) {
      --failures_left_;
      return failure_;
    }
    ++commits_;
    for (const MachineRecord& record : batch.machines) machines_[record.machine.name()] = record;
    for (const TokenRecord& record : batch.tokens) tokens_[record.id] = record;
    for (const QuarantineRow& row : batch.quarantines) {
      const auto key = std::make_pair(row.quarantine.machine(), row.quarantine.device_id());
      quarantines_.erase(key);
      if (!row.released) quarantines_[key] = row.quarantine;
    }
    for (const v1::Run& run : batch.runs) runs_[run.id()] = run;
    for (const v1::Job& job : batch.jobs) jobs_[job.id()] = job;
    for (const v1::Attempt& a : batch.attempts) attempts_[{a.ref().job_id(), a.ref().attempt()}] = a;
    for (const CaseRow& row : batch.cases) cases_[{row.job_id, row.attempt, row.result.case_name()}] = row.result;
    for (const MeasurementRow& row : batch.measurements) {
      measurements_[{row.job_id, row.attempt, row.sequence}] = row.measurement;
    }
    logs_.insert(logs_.end(), batch.logs.begin(), batch.logs.end());
    artifacts_.insert(artifacts_.end(), batch.artifacts.begin(), batch.artifacts.end());
    if (batch.last_epoch != 0) last_epoch_ = batch.last_epoch;
    return absl::OkStatus();
  }

  absl::StatusOr<Snapshot> Load() override {
    Snapshot snapshot;
    for (const auto& [name, record] : machines_) snapshot.machines.push_back(record);
    for (const auto& [id, record] : tokens_) snapshot.tokens.push_back(record);
    for (const auto& [key, quarantine] : quarantines_) snapshot.quarantines.push_back(quarantine);
    for (const auto& [id, run] : runs_) {
      if (run.state() != v1::RUN_STATE_ACTIVE) continue;
      snapshot.active_runs.push_back(run);
      for (v1::Job& job : JobsOf(id)) snapshot.jobs.push_back(std::move(job));
    }
    snapshot.last_epoch = last_epoch_;
    return snapshot;
  }

  absl::StatusOr<std::vector<v1::Run>> ListRuns(uint32_t limit, std::string_view before_run_id,
                                                std::string_view plan_name) override {
    std::vector<v1::Run> runs;
    for (auto it = runs_.rbegin(); it != runs_.rend() && runs.size() < limit; ++it) {
      if (!before_run_id.empty() && it->first >= before_run_id) continue;
      if (!plan_name.empty() && it->second.plan().name() != plan_name) continue;
      runs.push_back(it->second);
    }
    return runs;
  }

  absl::StatusOr<std::vector<v1::Run>> LastRuns(uint32_t limit) override {
    std::vector<v1::Run> runs;
    std::set<std::string> plans;
    for (auto it = runs_.rbegin(); it != runs_.rend() && runs.size() < limit; ++it) {
      if (it->second.state() != v1::RUN_STATE_FINISHED) continue;
      if (plans.insert(it->second.plan().name()).second) runs.push_back(it->second);
    }
    return runs;
  }

  absl::StatusOr<StoredRun> ReadRun(std::string_view run_id) override {
    const auto it = runs_.find(std::string(run_id));
    if (it == runs_.end()) return absl::NotFoundError(absl::StrCat("there is no run ", std::string(run_id)));
    return StoredRun{.run = it->second, .jobs = JobsOf(it->first)};
  }

  absl::StatusOr<std::vector<std::string>> FindRuns(std::string_view prefix, uint32_t limit) override {
    std::vector<std::string> ids;
    for (auto it = runs_.rbegin(); it != runs_.rend() && ids.size() < limit; ++it) {
      if (it->first.starts_with(prefix)) ids.push_back(it->first);
    }
    return ids;
  }

  absl::StatusOr<v1::Job> ReadJob(std::string_view job_id) override {
    const auto it = jobs_.find(std::string(job_id));
    if (it == jobs_.end()) return absl::NotFoundError(absl::StrCat("there is no job ", std::string(job_id)));
    return WithAttempts(it->second);
  }

  absl::StatusOr<std::vector<v1::JobMeasurements>> ReadMeasurements(std::string_view run_id) override {
    std::vector<v1::JobMeasurements> all;
    for (const v1::Job& job : JobsOf(std::string(run_id))) {
      for (auto it = measurements_.lower_bound({job.id(), 0, 0});
           it != measurements_.end() && std::get<0>(it->first) == job.id(); ++it) {
        if (all.empty() || all.back().job_id() != job.id() || all.back().attempt() != std::get<1>(it->first)) {
          all.emplace_back().set_job_id(job.id());
          all.back().set_attempt(std::get<1>(it->first));
        }
        *all.back().add_measurements() = it->second;
      }
    }
    return all;
  }

 private:
  v1::Job WithAttempts(v1::Job job) const {
    for (auto it = attempts_.lower_bound({job.id(), 0}); it != attempts_.end() && it->first.first == job.id(); ++it) {
      v1::Attempt& attempt = *job.add_attempts();
      attempt = it->second;
      for (auto c = cases_.lower_bound({job.id(), it->first.second, ""});
           c != cases_.end() && std::get<0>(c->first) == job.id() && std::get<1>(c->first) == it->first.second; ++c) {
        *attempt.add_results() = c->second;
      }
    }
    return job;
  }
  // In the order of their numbers.
  std::vector<v1::Job> JobsOf(const std::string& run_id) const {
    std::vector<v1::Job> jobs;
    for (auto it = jobs_.lower_bound(run_id + "/"); it != jobs_.end() && it->second.run_id() == run_id; ++it) {
      jobs.push_back(WithAttempts(it->second));
    }
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const v1::Job& a, const v1::Job& b) { return a.id().size() < b.id().size(); });
    return jobs;
  }

  std::map<std::string, MachineRecord> machines_;
  std::map<std::string, TokenRecord> tokens_;
  std::map<std::pair<std::string, std::string>, v1::Quarantine> quarantines_;  // By machine, device.
  std::map<std::string, v1::Run> runs_;
  std::map<std::string, v1::Job> jobs_;
  std::map<std::pair<std::string, uint32_t>, v1::Attempt> attempts_;
  std::map<std::tuple<std::string, uint32_t, std::string>, v1::CaseResult> cases_;
  std::map<std::tuple<std::string, uint32_t, uint64_t>, v1::Measurement> measurements_;
  std::vector<LogRow> logs_;
  std::vector<ArtifactRow> artifacts_;
  uint64_t last_epoch_ = 0;

  int failures_left_ = 0;
  absl::Status failure_;
  int commits_ = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_MEMORY_STORE_FAKE_H_
