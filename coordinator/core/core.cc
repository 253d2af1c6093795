#include "coordinator/core/core.h"

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/core/ledger.h"
#include "coordinator/core/outgoing.h"
#include "coordinator/core/request_memory.h"
#include "coordinator/core/token_table.h"
#include "coordinator/fleet/fleet_table.h"
#include "coordinator/ingest/ingest.h"
#include "coordinator/judge/judge.h"
#include "coordinator/schedule/plan_expansion.h"

namespace muster::coordinator {
namespace {

constexpr size_t kMaxRequestId = 64;
// A run that agents ask for and that the store does not have is asked for again after this.
constexpr int64_t kAskAgainMs = 60'000;
constexpr size_t kMaxAsked = 10'000;

}  // namespace

class Core::Impl final : public IngestSink {
 public:
  Impl(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random);

  void OnMessage(SessionId session, v1::AgentMessage& message, base::Time now);
  void OnHello(SessionId session, const v1::Hello& hello, base::Time now);
  void OnState(SessionId session, MachineEntry& machine, const v1::AgentState& state, base::Time now);
  void OnEvents(SessionId session, MachineEntry& machine, v1::EventBatch& events, base::Time now);
  void Refuse(SessionId session, v1::Refusal::Code code, std::string_view why, base::Time now);
  void Restore(StoredRun run, base::Time now);
  void Want(std::string_view run_id, base::Time now);

  absl::StatusOr<v1::Run> StartRun(const v1::StartRunRequest& request, std::string_view by, base::Time now);
  RunRecord& AddRun(v1::Plan plan, Expansion expansion, std::string_view by, base::Time now);
  absl::StatusOr<v1::Run> CancelRun(std::string_view run_id, std::string_view by, std::string_view reason,
                                    base::Time now);
  Effects TakeEffects();
  v1::MachineStatus StatusOf(const MachineEntry& machine) const;

  // IngestSink.
  WriteBatch& batch() override { return ledger.batch(); }
  void OnMeasurement(const AttemptRecord& attempt, const v1::Measurement& measurement) override;
  void OnCaseStarted(AttemptRecord& attempt) override;
  void OnCaseFinished(AttemptRecord& attempt, v1::CaseResult result) override;
  void OnJobFinished(AttemptRecord& attempt) override { ended = true; }

  const CoreOptions options;
  const std::function<uint64_t()> random;
  base::Time last_time;  // Of the last input.
  FleetTable fleet;
  Ledger ledger;
  Outgoing outgoing;
  Dispatcher dispatcher;
  TokenTable tokens;
  RequestMemory requests;
  std::vector<std::string> wanted_runs;
  absl::flat_hash_map<std::string, int64_t> asked;  // Run id to when it was asked for.
  std::function<void(const Observation&)> observer;
  uint64_t events_ingested = 0, measurements_ingested = 0, events_duplicate = 0;
  bool ended = false;  // The batch at hand held a JobFinished.
};

Core::Impl::Impl(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random)
    : options(options),
      random(std::move(random)),
      last_time(now),
      fleet(std::move(snapshot.machines)),
      ledger(Judge()),
      dispatcher(options, fleet, ledger, outgoing, snapshot.last_epoch),
      tokens(std::move(snapshot.tokens)) {
  absl::flat_hash_map<std::string, StoredRun> runs;
  for (v1::Job& job : snapshot.jobs) runs[job.run_id()].jobs.push_back(std::move(job));
  for (v1::Run& run : snapshot.active_runs) {
    StoredRun& stored = runs[run.id()];
    stored.run = std::move(run);
    const RunRecord& record = ledger.AddStored(std::move(stored), now);
    for (const auto& job : record.jobs) dispatcher.Resume(*job, now);
  }
}

void Core::Impl::OnMessage(SessionId session, v1::AgentMessage& message, base::Time now) {
  last_time = now;
  if (!fleet.IsOpen(session)) return;  // Replaced or refused; what it still says is of no use.
  if (message.has_hello()) {
    OnHello(session, message.hello(), now);
    return;
  }
  MachineEntry* machine = fleet.MachineOf(session);
  if (machine == nullptr) {
    Refuse(session, v1::Refusal::MALFORMED, "the first message of a session must be Hello", now);
    return;
  }
  machine->record.last_seen_unix_ms = now.unix_ms;
  if (message.has_state()) {
    OnState(session, *machine, message.state(), now);
  } else if (message.has_events()) {
    OnEvents(session, *machine, *message.mutable_events(), now);
  }
}

void Core::Impl::Refuse(SessionId session, v1::Refusal::Code code, std::string_view why, base::Time now) {
  fleet.Close(session, now);
  outgoing.Refuse(session, code, why);
}

void Core::Impl::OnHello(SessionId session, const v1::Hello& hello, base::Time now) {
  SessionId replaced = 0;
  const v1::Refusal refusal = fleet.Hello(session, hello, now, replaced);
  if (replaced != 0) {
    outgoing.Refuse(replaced, v1::Refusal::REPLACED, "a newer session of the same machine took over");
  }
  if (refusal.code() != v1::Refusal::CODE_UNSPECIFIED) {
    Refuse(session, refusal.code(), refusal.message(), now);
    return;
  }
  dispatcher.MachineChanged(*fleet.MachineOf(session));
  v1::CoordinatorMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_protocol_version(FleetTable::kProtocolVersion);
  welcome.set_heartbeat_interval_ms(options.heartbeat_interval_ms);
  welcome.set_lease_duration_ms(options.lease_duration_ms);
  welcome.set_coordinator_time_unix_ms(now.unix_ms);
  outgoing.Send(session, std::move(message));
}

void Core::Impl::OnState(SessionId session, MachineEntry& machine, const v1::AgentState& state, base::Time now) {
  for (const std::string& run_id : dispatcher.Reconcile(machine, state, now)) Want(run_id, now);
}

void Core::Impl::Want(std::string_view run_id, base::Time now) {
  if (!base::CheckRunId(run_id).ok()) return;
  if (asked.size() >= kMaxAsked) asked.clear();
  const auto [it, first] = asked.try_emplace(std::string(run_id), now.mono_ms);
  if (!first && now.mono_ms - it->second < kAskAgainMs) return;
  it->second = now.mono_ms;
  wanted_runs.emplace_back(run_id);
}

void Core::Impl::Restore(StoredRun run, base::Time now) {
  last_time = now;
  asked.erase(run.run.id());
  if (ledger.FindRun(run.run.id()) != nullptr || run.run.state() != v1::RUN_STATE_FINISHED) return;
  ledger.AddStored(std::move(run), now);
}

void Core::Impl::OnEvents(SessionId session, MachineEntry& machine, v1::EventBatch& events, base::Time now) {
  if (events.events_size() > kMaxEventsInBatch) {
    Refuse(session, v1::Refusal::TOO_LARGE,
           absl::StrCat("a batch of ", events.events_size(), " events; at most ", kMaxEventsInBatch), now);
    return;
  }
  AttemptRecord* attempt = ledger.FindAttempt(events.ref());
  if (attempt == nullptr) {
    const std::string& job_id = events.ref().job_id();
    const std::string run_id = job_id.substr(0, job_id.find('/'));
    if (ledger.FindRun(run_id) == nullptr) Want(run_id, now);
    return;
  }
  if (attempt->job->job.machine() != machine.record.machine.name()) return;
  attempt->named_by_agent = true;
  ended = false;
  const Ingested counts = Ingest(events, *attempt, *this);
  events_ingested += counts.taken;
  events_duplicate += counts.duplicates;
  measurements_ingested += counts.measurements;
  if (counts.taken > 0) ledger.Changed(*attempt);
  outgoing.Ack(session, *attempt);
  if (ended) dispatcher.AttemptClosed(*attempt, now);
  if (attempt->closed()) outgoing.Direct(session, v1::Directive::FORGET, *attempt, "");
}

void Core::Impl::OnMeasurement(const AttemptRecord& attempt, const v1::Measurement& measurement) {
  if (!observer) return;
  const v1::Job& job = attempt.job->job;
  observer({.machine = job.machine(),
            .device_id = measurement.device_id(),
            .suite = job.spec().suite(),
            .measurement = &measurement});
}

void Core::Impl::OnCaseStarted(AttemptRecord& attempt) {
  JobRecord& job = *attempt.job;
  // An AgentState may be late; an event says as much.
  if (&attempt == job.newest() && job.leased()) ledger.SetState(job, v1::JOB_STATE_RUNNING);
  ledger.Changed(*job.run);
}

void Core::Impl::OnCaseFinished(AttemptRecord& attempt, v1::CaseResult result) {
  const v1::CaseResult& kept = ledger.Report(attempt, std::move(result));
  if (!observer) return;
  const v1::Job& job = attempt.job->job;
  const bool one_device = job.spec().device_ids_size() == 1;
  observer({.machine = job.machine(),
            .device_id = one_device ? job.spec().device_ids(0) : std::string(),
            .suite = job.spec().suite(),
            .result = &kept});
}

absl::StatusOr<v1::Run> Core::Impl::StartRun(const v1::StartRunRequest& request, std::string_view by, base::Time now) {
  last_time = now;
  if (request.request_id().size() > kMaxRequestId) {
    return absl::InvalidArgumentError(absl::StrCat("request_id has ", request.request_id().size(),
                                                   " characters, at most ", kMaxRequestId, " are taken"));
  }
  if (!request.request_id().empty()) {
    if (const v1::Run* first = requests.Find(by, request.request_id(), now.mono_ms)) {
      const RunRecord* record = ledger.FindRun(first->id());
      return record != nullptr ? ledger.View(*record).run : *first;
    }
  }
  coordinator::Machines machines;
  for (const auto& [name, machine] : fleet.machines()) {
    if (machine.known()) machines.push_back(&machine.record);
  }
  ASSIGN_OR_RETURN(v1::Plan plan, PlanOf(request, machines));
  ASSIGN_OR_RETURN(Expansion expansion, Expand(plan, machines, options.max_jobs_per_run));
  const RunRecord& run = AddRun(std::move(plan), std::move(expansion), by, now);
  if (!request.request_id().empty()) requests.Remember(by, request.request_id(), run.run, now.mono_ms);
  return ledger.View(run).run;
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
  return ledger.View(*run).run;
}

Effects Core::Impl::TakeEffects() {
  Effects effects;
  effects.batch = ledger.TakeBatch(effects.changed_runs);
  std::vector<MachineRecord> machines = fleet.TakeChanges();
  effects.batch.machines = std::move(machines);
  effects.messages = outgoing.Take();
  effects.wanted_runs = std::exchange(wanted_runs, {});
  ledger.Evict(last_time);
  return effects;
}

v1::MachineStatus Core::Impl::StatusOf(const MachineEntry& machine) const {
  v1::MachineStatus status;
  *status.mutable_machine() = machine.record.machine;
  status.set_connected(machine.session != 0);
  status.set_last_seen_unix_ms(machine.record.last_seen_unix_ms);
  status.set_enrolled_unix_ms(machine.record.enrolled_unix_ms);
  for (const v1::SuiteManifest& suite : machine.record.suites) *status.add_suites() = suite;
  for (const std::string& problem : machine.record.suite_problems) status.add_suite_problems(problem);
  for (v1::Lease& lease : dispatcher.LeasesOf(machine, last_time)) *status.add_leases() = std::move(lease);
  status.set_outbox_bytes(machine.outbox_bytes);
  status.set_outbox_limit_bytes(machine.outbox_limit_bytes);
  return status;
}

// The face.

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
  impl_->fleet.Close(session, now);
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

std::vector<v1::MachineStatus> Core::Machines() const {
  std::vector<v1::MachineStatus> machines;
  for (const auto& [name, machine] : impl_->fleet.machines()) machines.push_back(impl_->StatusOf(machine));
  return machines;
}

absl::StatusOr<v1::MachineStatus> Core::FindMachine(std::string_view name) const {
  const MachineEntry* machine = std::as_const(impl_->fleet).Find(name);
  if (machine == nullptr) return absl::NotFoundError(absl::StrCat("there is no machine ", base::Quoted(name)));
  return impl_->StatusOf(*machine);
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
