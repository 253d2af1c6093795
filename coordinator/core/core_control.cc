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

// The first of the names.
std::string Some(const std::set<std::string>& names) {
  constexpr size_t kNamed = 5;
  const std::vector<std::string> some(names.begin(), std::next(names.begin(), std::min(kNamed, names.size())));
  return absl::StrCat(absl::StrJoin(some, ", "), names.size() > kNamed ? ", …" : "");
}

// Whether it would count against the machine.
bool IsBad(const PlannedJob& planned) {
  return std::any_of(planned.results.begin(), planned.results.end(),
                     [](const v1::CaseResult& result) { return result.outcome() != v1::SKIPPED; });
}

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
  ASSIGN_OR_RETURN(Expansion expansion, Expand(plan, machines, options.max_jobs_per_run, request.destructive()));
  for (PlannedJob& planned : expansion.jobs) planned.job.set_on_quarantined(request.on_quarantined());
  NoteSimulated(expansion);
  NoteKeptAway(expansion);
  NoteAbsentMachines(plan, expansion);
  const RunRecord& run = AddRun(std::move(plan), std::move(expansion), by, now);
  if (!request.request_id().empty()) requests.Remember(by, request.request_id(), run.run, now.mono_ms);
  return ledger.RunOf(run);
}

// What is measured on a simulation must be known for it wherever the run is read, also when the machine is gone.
void Core::Impl::NoteSimulated(Expansion& expansion) const {
  std::set<std::string> names;
  for (const PlannedJob& planned : expansion.jobs) {
    const MachineEntry* machine = fleet.Find(planned.job.machine());
    if (machine == nullptr) continue;
    for (const v1::Device& device : machine->record.machine.devices()) {
      if (device.simulated()) names.insert(planned.job.machine());
    }
  }
  if (names.empty()) return;
  expansion.notes.push_back(absl::StrCat(std::string(kSimulatedNote),
                                         ", and nothing measured on them is a figure of real hardware: ", Some(names)));
}

void Core::Impl::NoteKeptAway(Expansion& expansion) const {
  std::set<std::string> quarantined, failed;
  for (const PlannedJob& planned : expansion.jobs) {
    const v1::Fate fate = dispatcher.Decide(planned.job).fate;
    if (fate == v1::FATE_QUARANTINED) quarantined.insert(planned.job.machine());
    if (fate == v1::FATE_WITHHELD) failed.insert(planned.job.machine());
  }
  if (!quarantined.empty()) {
    expansion.notes.push_back(absl::StrCat("quarantine keeps jobs away from ", Some(quarantined),
                                           ": their cases are SKIPPED (run --on-quarantined goes there, too)"));
  }
  if (!failed.empty()) {
    expansion.notes.push_back(
        absl::StrCat("GPUs that have FAILED take none but diagnostic suites, other cases are MISSED: ", Some(failed)));
  }
}

// A run over machines that are away waits for them: whoever starts it is told which, and how long.
void Core::Impl::NoteAbsentMachines(const v1::Plan& plan, Expansion& expansion) const {
  std::set<std::string> absent;
  for (const PlannedJob& planned : expansion.jobs) {
    const MachineEntry* machine = fleet.Find(planned.job.machine());
    if (!planned.results.empty() || machine == nullptr || machine->session != 0) continue;
    if (dispatcher.Decide(planned.job).fate == v1::FATE_UNSPECIFIED) absent.insert(planned.job.machine());
  }
  if (absent.empty()) return;
  expansion.notes.push_back(absl::StrCat(absent.size() == 1
                                             ? "a machine is not connected: "
                                             : absl::StrCat(absent.size(), " machines are not connected: "),
                                         Some(absent), "; the jobs wait for at most ",
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
    // What a broken device of a machine in quarantine would be blamed for is somebody's business already.
    const bool quarantined = dispatcher.Decide(added.job).fate == v1::FATE_QUARANTINED;
    if (planned.results.empty() || (quarantined && IsBad(planned))) {
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
