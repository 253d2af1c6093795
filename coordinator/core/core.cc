// Core's face: everything goes to Core::Impl.
#include "coordinator/core/core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "coordinator/core/core_impl.h"

namespace muster::coordinator {

bool HasSimulatedGpus(const v1::Run& run) {
  return std::any_of(run.notes().begin(), run.notes().end(),
                     [](const std::string& note) { return note.starts_with(kSimulatedNote); });
}

Effects Core::Impl::TakeEffects() {
  Effects effects;
  effects.batch = ledger.TakeBatch(effects.changed_runs);
  std::vector<MachineRecord> machines = fleet.TakeChanges();
  for (const MachineRecord& machine : machines) effects.changed_machines.push_back(machine.machine.name());
  effects.batch.machines = std::move(machines);
  effects.batch.quarantines = quarantines.TakeChanges();
  effects.messages = outgoing.Take();
  effects.wanted_runs = std::exchange(wanted_runs, {});
  effects.warnings = std::exchange(warnings, {});
  ledger.Evict(last_time);
  return effects;
}

v1::MachineStatus Core::Impl::StatusOf(const MachineEntry& machine, Detail detail) const {
  v1::MachineStatus status;
  *status.mutable_machine() = machine.record.machine;
  status.set_connected(machine.session != 0);
  status.set_last_seen_unix_ms(machine.record.last_seen_unix_ms);
  status.set_enrolled_unix_ms(machine.record.enrolled_unix_ms);
  if (detail != Detail::kBrief)
    status.mutable_suites()->Assign(machine.record.suites.begin(), machine.record.suites.end());
  for (const std::string& problem : machine.record.suite_problems) status.add_suite_problems(problem);
  for (v1::Lease& lease : dispatcher.LeasesOf(machine, last_time)) *status.add_leases() = std::move(lease);
  status.set_outbox_bytes(machine.outbox_bytes);
  status.set_outbox_limit_bytes(machine.outbox_limit_bytes);
  for (v1::Quarantine& quarantine : quarantines.Of(machine.record.machine.name())) {
    *status.add_quarantines() = std::move(quarantine);
  }
  *status.mutable_health() = HealthNow(machine.record.machine, machine.record.health, machine.contact());
  if (detail != Detail::kWhole) {
    status.mutable_health()->clear_events();
    return status;
  }
  v1::TelemetryReport samples;
  samples.ParseFromString(machine.samples);
  status.mutable_samples()->Swap(samples.mutable_samples());
  return status;
}

Core::Core(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random)
    : impl_(std::make_unique<Impl>(options, std::move(snapshot), now, std::move(random))) {}
Core::~Core() = default;

void Core::SessionOpened(SessionId session, std::string_view machine, base::Time now) {
  impl_->last_time = now;
  impl_->fleet.Open(session, machine);
}

void Core::OnAgentMessage(SessionId session, const v1::AgentMessage& message, base::Time now) {
  v1::AgentMessage copy = message;
  impl_->OnMessage(session, copy, now);
}

void Core::OnAgentMessage(SessionId session, v1::AgentMessage&& message, base::Time now) {
  impl_->OnMessage(session, message, now);
}

void Core::SessionClosed(SessionId session, base::Time now) {
  impl_->last_time = now;
  impl_->outgoing.Forget(session);
  impl_->CloseSession(session, now);
}

void Core::Tick(base::Time now) {
  impl_->last_time = now;
  impl_->dispatcher.Tick(now);
}

int64_t Core::NextDeadlineMonoMs() const { return impl_->dispatcher.next_deadline(); }

void Core::Restore(StoredRun run, base::Time now) { impl_->Restore(std::move(run), now); }

absl::StatusOr<v1::Run> Core::StartRun(const v1::StartRunRequest& request, std::string_view requested_by,
                                       base::Time now) {
  return impl_->StartRun(request, requested_by, now);
}

absl::StatusOr<v1::Run> Core::CancelRun(std::string_view run_id, std::string_view by, std::string_view reason,
                                        base::Time now) {
  return impl_->CancelRun(run_id, by, reason, now);
}

absl::StatusOr<v1::Quarantine> Core::SetQuarantine(const v1::SetQuarantineRequest& request, std::string_view author,
                                                   base::Time now) {
  return impl_->SetQuarantine(request, author, now);
}

absl::StatusOr<v1::Quarantine> Core::ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request, base::Time now) {
  return impl_->ReleaseQuarantine(request, now);
}

void Core::AddToken(TokenRecord token) {
  impl_->batch().tokens.push_back(token);
  impl_->tokens.Add(std::move(token));
}

absl::StatusOr<v1::Role> Core::UseToken(std::string_view token_id, std::string_view secret, std::string_view name,
                                        base::Time now) {
  impl_->last_time = now;
  ASSIGN_OR_RETURN(const TokenRecord token, impl_->tokens.Use(token_id, secret, name, now));
  impl_->batch().tokens.push_back(token);
  if (token.role == v1::ROLE_AGENT) impl_->fleet.Enrol(name, now);
  return token.role;
}

Effects Core::TakeEffects() { return impl_->TakeEffects(); }

void Core::SetObserver(std::function<void(const Observation&)> observer) { impl_->observer = std::move(observer); }

absl::StatusOr<StoredRun> Core::ReadRun(std::string_view run_id) const {
  const RunRecord* run = impl_->ledger.FindRun(run_id);
  if (run == nullptr) return absl::NotFoundError(absl::StrCat("there is no run ", base::Quoted(run_id)));
  return impl_->ledger.View(*run);
}

std::vector<v1::RunningCase> Core::RunningCases(std::string_view run_id) const {
  std::vector<v1::RunningCase> running;
  const RunRecord* run = impl_->ledger.FindRun(run_id);
  if (run == nullptr) return running;
  for (const auto& job : run->jobs) {
    if (const AttemptRecord* newest = job->newest()) {
      running.insert(running.end(), newest->running.begin(), newest->running.end());
    }
  }
  return running;
}

std::vector<v1::MachineStatus> Core::Machines(Detail detail) const {
  std::vector<v1::MachineStatus> machines;
  for (const auto& [name, machine] : impl_->fleet.machines()) machines.push_back(impl_->StatusOf(machine, detail));
  return machines;
}

absl::StatusOr<v1::MachineStatus> Core::FindMachine(std::string_view name, Detail detail) const {
  const MachineEntry* machine = std::as_const(impl_->fleet).Find(name);
  if (machine == nullptr) return absl::NotFoundError(absl::StrCat("there is no machine ", base::Quoted(name)));
  return impl_->StatusOf(*machine, detail);
}

Core::Counts Core::counts() const {
  return {.machines = impl_->fleet.machines().size(),
          .machines_connected = impl_->fleet.connected(),
          .devices = impl_->fleet.devices(),
          .active_runs = impl_->ledger.active_runs(),
          .jobs_queued = impl_->ledger.jobs_in(v1::JOB_STATE_QUEUED),
          .jobs_leased = impl_->ledger.jobs_in(v1::JOB_STATE_LEASED),
          .jobs_running = impl_->ledger.jobs_in(v1::JOB_STATE_RUNNING),
          .events_ingested = impl_->events_ingested,
          .measurements_ingested = impl_->measurements_ingested,
          .events_duplicate = impl_->events_duplicate,
          .leases_lost = impl_->dispatcher.leases_lost()};
}

}  // namespace muster::coordinator
