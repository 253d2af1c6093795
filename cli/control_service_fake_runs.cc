// How the runs of the fake coordinator go on: the part that agents, ingest and judge have in a real one.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/control_service_fake.h"
#include "cli/palette.h"

namespace muster::cli {
namespace {

constexpr int64_t kStartUnixMs = 1'800'000'000'000;

void CountVerdict(v1::Run& run, v1::Verdict verdict) {
  for (v1::VerdictCount& count : *run.mutable_verdicts()) {
    if (count.verdict() == verdict) return count.set_count(count.count() + 1);
  }
  v1::VerdictCount& count = *run.add_verdicts();
  count.set_verdict(verdict);
  count.set_count(1);
}

v1::RunColour ColourOf(const v1::Run& run) {
  v1::RunColour colour = v1::GREEN;
  for (const v1::VerdictCount& count : run.verdicts()) {
    if (!IsGood(count.verdict())) return v1::RED;
    if (IsAmber(count.verdict())) colour = v1::AMBER;
  }
  return colour;
}

}  // namespace

void FakeControlService::Expand(const v1::Plan& plan, FakeRun& run) {
  int number = 0;
  for (const auto& [name, machine] : machines_) {
    for (const v1::PlanSuite& suite : plan.suites()) {
      const auto manifest = std::find_if(machine.suites().begin(), machine.suites().end(),
                                         [&](const auto& m) { return m.name() == suite.suite(); });
      if (manifest == machine.suites().end()) continue;
      const std::string id = absl::StrCat(run.run.id(), "/", ++number);
      v1::Job& job = run.jobs[id];
      job.set_id(id);
      job.set_run_id(run.run.id());
      job.set_machine(name);
      job.set_state(v1::JOB_STATE_QUEUED);
      job.mutable_spec()->set_suite(suite.suite());
      if (machine.machine().devices_size() > 0) job.mutable_spec()->add_device_ids(machine.machine().devices(0).id());
      for (const v1::Case& c : manifest->cases()) {
        if (suite.cases().empty() || std::count(suite.cases().begin(), suite.cases().end(), c.name()) > 0)
          job.add_expected()->set_name(c.name());
      }
      job.add_attempts()->mutable_ref()->set_attempt(1);
    }
  }
  run.run.set_jobs_total(run.jobs.size());
}

void FakeControlService::End(FakeRun& run, const std::string& job_id, const v1::CaseResult& result) {
  v1::Job& job = run.jobs[job_id];
  job.set_state(v1::JOB_STATE_RUNNING);
  v1::CaseResult& added = *job.mutable_attempts(job.attempts_size() - 1)->add_results();
  added = result;
  if (added.verdict() == v1::VERDICT_UNSPECIFIED) added.set_verdict(added.outcome());
  CountVerdict(run.run, added.verdict());
  run.running.erase(job_id);
  v1::JobMeasurements& group = run.measurements[job_id];
  group.set_job_id(job_id);
  group.set_attempt(job.attempts_size());
  for (v1::Measurement m : measured_[absl::StrCat(job.spec().suite(), "/", result.case_name())]) {
    m.set_case_name(result.case_name());
    *group.add_measurements() = m;
  }
  Changed();
}

void FakeControlService::EndJob(FakeRun& run, const std::string& job_id) {
  v1::Job& job = run.jobs[job_id];
  job.set_state(v1::JOB_STATE_FINISHED);
  job.mutable_attempts(job.attempts_size() - 1)->set_fate(v1::FATE_COMPLETED);
  run.running.erase(job_id);
  run.run.set_jobs_finished(run.run.jobs_finished() + 1);
  if (run.run.jobs_finished() == run.run.jobs_total()) {
    run.run.set_state(v1::RUN_STATE_FINISHED);
    run.run.set_colour(ColourOf(run.run));
    run.run.set_finished_unix_ms(run.run.created_unix_ms() + 72'000);
  }
  Changed();
}

void FakeControlService::Play(FakeRun& run) {
  for (auto& [id, job] : run.jobs) {
    for (const v1::ExpectedCase& expected : job.expected()) {
      const auto outcome = outcomes_.find(absl::StrCat(job.spec().suite(), "/", expected.name()));
      v1::CaseResult result;
      result.set_outcome(v1::PASSED);
      result.set_duration_ms(1234);
      if (outcome != outcomes_.end()) result = outcome->second;
      result.set_case_name(expected.name());
      End(run, id, result);
    }
    EndJob(run, id);
  }
}

void FakeControlService::StartCase(const std::string& job_id, const std::string& case_name) {
  base::MutexLock lock(mutex_);
  FakeRun& run = RunOf(job_id);
  run.jobs[job_id].set_state(v1::JOB_STATE_RUNNING);
  v1::RunningCase& running = run.running[job_id];
  running.set_job_id(job_id);
  running.set_case_name(case_name);
  running.set_started_unix_ms(kStartUnixMs);
  Changed();
}

void FakeControlService::EndCase(const std::string& job_id, const v1::CaseResult& result) {
  base::MutexLock lock(mutex_);
  End(RunOf(job_id), job_id, result);
}

void FakeControlService::EndJob(const std::string& job_id) {
  base::MutexLock lock(mutex_);
  EndJob(RunOf(job_id), job_id);
}

void FakeControlService::LoseLease(const std::string& job_id) {
  base::MutexLock lock(mutex_);
  FakeRun& run = RunOf(job_id);
  v1::Job& job = run.jobs[job_id];
  v1::Attempt& lost = *job.mutable_attempts(job.attempts_size() - 1);
  lost.set_fate(v1::FATE_LEASE_LOST);
  lost.set_detail("the machine was not heard of for 30 s");
  lost.set_superseded(true);
  job.add_attempts()->mutable_ref()->set_attempt(job.attempts_size());
  job.set_state(v1::JOB_STATE_QUEUED);
  run.running.erase(job_id);
  Changed();
}

}  // namespace muster::cli
