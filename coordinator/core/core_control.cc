// Core's runs: how they are started and cancelled.
#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/plan.h"
#include "base/status_macros.h"
#include "coordinator/core/core_impl.h"

namespace muster::coordinator {
namespace {

constexpr size_t kMaxRequestId = 64;

}  // namespace

absl::StatusOr<v1::Run> Core::Impl::StartRun(const v1::StartRunRequest& request, std::string_view by, base::Time now) {
  last_time = now;
  if (request.request_id().size() > kMaxRequestId) {
    return absl::InvalidArgumentError(absl::StrCat("request_id has ", request.request_id().size(),
                                                   " characters, at most ", kMaxRequestId, " are taken"));
  }
  if (!request.request_id().empty()) {
    if (const v1::Run* first = requests.Find(by, request.request_id(), now.mono_ms)) {
      const RunRecord* record = ledger.FindRun(first->id());
      return record != nullptr ? ledger.RunOf(*record) : *first;
    }
  }
  coordinator::Machines machines;
  for (const auto& [name, machine] : fleet.machines()) {
    if (machine.known()) machines.push_back(&machine.record);
  }
  ASSIGN_OR_RETURN(v1::Plan plan, PlanOf(request, machines));
  ASSIGN_OR_RETURN(Expansion expansion, Expand(plan, machines, options.max_jobs_per_run));
  NoteAbsentMachines(plan, expansion);
  const RunRecord& run = AddRun(std::move(plan), std::move(expansion), by, now);
  if (!request.request_id().empty()) requests.Remember(by, request.request_id(), run.run, now.mono_ms);
  return ledger.RunOf(run);
}

// A run over machines that are away waits for them: whoever starts it is told which, and how long.
void Core::Impl::NoteAbsentMachines(const v1::Plan& plan, Expansion& expansion) const {
  constexpr size_t kNamed = 5;
  std::set<std::string> absent;
  for (const PlannedJob& planned : expansion.jobs) {
    const MachineEntry* machine = fleet.Find(planned.job.machine());
    if (planned.results.empty() && machine != nullptr && machine->session == 0) absent.insert(planned.job.machine());
  }
  if (absent.empty()) return;
  const std::vector<std::string> named(absent.begin(), std::next(absent.begin(), std::min(kNamed, absent.size())));
  expansion.notes.push_back(
      absl::StrCat(absent.size() == 1 ? "a machine is not connected: "
                                      : absl::StrCat(absent.size(), " machines are not connected: "),
                   absl::StrJoin(named, ", "), absent.size() > kNamed ? ", …" : "", "; the jobs wait for at most ",
                   base::QueueTimeLimitMs(plan) / 1000, " s (queue_time_limit_ms of the plan)"));
}

RunRecord& Core::Impl::AddRun(v1::Plan plan, Expansion expansion, std::string_view by, base::Time now) {
  v1::Run run;
  do {
    run.set_id(base::MakeRunId(now.unix_ms, random()));
  } while (ledger.FindRun(run.id()) != nullptr);
  *run.mutable_plan() = std::move(plan);
  run.set_requested_by(std::string(by));
  run.set_state(v1::RUN_STATE_ACTIVE);
  run.set_created_unix_ms(now.unix_ms);
  run.set_jobs_total(static_cast<uint32_t>(expansion.jobs.size()));
  for (std::string& note : expansion.notes) run.add_notes(std::move(note));
  RunRecord& record = ledger.AddRun(std::move(run));
  std::vector<std::string> to_dispatch;
  uint32_t number = 0;
  for (PlannedJob& planned : expansion.jobs) {
    v1::Job& job = planned.job;
    job.set_id(base::MakeJobId(record.run.id(), ++number));
    job.set_run_id(record.run.id());
    job.mutable_spec()->set_run_id(record.run.id());
    job.set_priority(record.run.plan().priority());
    job.set_queued_unix_ms(now.unix_ms);
    job.set_state(v1::JOB_STATE_QUEUED);
    JobRecord& added = ledger.AddJob(record, std::move(job));
    if (planned.results.empty()) {
      dispatcher.Enqueue(added, now);
      if (to_dispatch.empty() || to_dispatch.back() != added.job.machine()) to_dispatch.push_back(added.job.machine());
      continue;
    }
    AttemptRecord& attempt = ledger.AddAttempt(added, 0, now);
    attempt.attempt.set_fate(v1::FATE_NOT_RUNNABLE);
    attempt.attempt.set_detail(added.job.not_runnable_reason());
    attempt.attempt.set_finished_unix_ms(now.unix_ms);
    for (v1::CaseResult& result : planned.results) {
      result.set_started_unix_ms(now.unix_ms);
      ledger.Put(attempt, std::move(result));
    }
    ledger.Finish(added, now);
  }
  for (const std::string& name : to_dispatch) dispatcher.Dispatch(*fleet.Find(name), now);
  return record;
}

absl::StatusOr<v1::Run> Core::Impl::CancelRun(std::string_view run_id, std::string_view by, std::string_view reason,
                                              base::Time now) {
  last_time = now;
  RunRecord* run = ledger.FindRun(run_id);
  if (run == nullptr || !run->active()) {
    return absl::NotFoundError(absl::StrCat("run ", std::string(run_id), " is not active: there is nothing to cancel"));
  }
  if (!run->run.cancel_requested()) {
    run->run.set_cancel_requested(true);
    run->run.set_cancelled_by(std::string(by));
    ledger.Changed(*run);
    const std::string why = absl::StrCat("by ", std::string(by), reason.empty() ? "" : ": ", std::string(reason));
    for (const auto& job : run->jobs) dispatcher.Cancel(*job, why, now);
    // Others may have waited behind them.
    std::set<std::string_view> names;
    for (const auto& job : run->jobs) names.insert(job->job.machine());
    for (const std::string_view name : names) {
      if (MachineEntry* machine = fleet.Find(name)) dispatcher.Dispatch(*machine, now);
    }
  }
  return ledger.RunOf(*run);
}

}  // namespace muster::coordinator
