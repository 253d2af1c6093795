// Core's side of the agents' sessions, and how it begins.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "coordinator/core/core_impl.h"

namespace muster::coordinator {
namespace {

// A run that agents ask for and that the store does not have is asked for again after this.
constexpr int64_t kAskAgainMs = 60'000;
constexpr size_t kMaxAsked = 10'000;
// In one go.
constexpr size_t kMaxWanted = 256;

}  // namespace

Core::Impl::Impl(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random)
    : options(options),
      random(std::move(random)),
      last_time(now),
      fleet(std::move(snapshot.machines)),
      quarantines(std::move(snapshot.quarantines)),
      ledger(Judge(), [this](const JobRecord& job, const v1::CaseResult& result) { ObserveResult(job, result); }),
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
  for (const auto& [name, machine] : fleet.machines()) RefreshGate(machine, now);
}

void Core::Impl::CloseSession(SessionId session, base::Time now) {
  const MachineEntry* machine = fleet.MachineOf(session);
  fleet.Close(session, now);
  if (machine != nullptr) RefreshGate(*machine, now);
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
  } else if (message.has_health()) {
    NoteHealth(*machine, fleet.TakeHealth(*machine, *message.mutable_health(), now));
    RefreshGate(*machine, now);
    dispatcher.Dispatch(*machine, now);  // It may have waited for this.
  } else if (message.has_telemetry()) {
    NoteHealth(*machine, fleet.TakeTelemetry(*machine, message.telemetry()));
  }
}

void Core::Impl::NoteHealth(MachineEntry& machine, const absl::Status& taken) {
  if (taken.ok() || std::exchange(machine.warned, true)) return;
  warnings.push_back(absl::StrCat("machine ", machine.record.machine.name(),
                                  " sends of its health what is not taken: ", taken.message()));
}

void Core::Impl::Refuse(SessionId session, v1::Refusal::Code code, std::string_view why, base::Time now) {
  CloseSession(session, now);
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
  RefreshGate(*fleet.MachineOf(session), now);
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
  if (wanted_runs.size() >= kMaxWanted || !base::CheckRunId(run_id).ok()) return;
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

void Core::Impl::ObserveResult(const JobRecord& record, const v1::CaseResult& result) const {
  if (!observer) return;
  const v1::Job& job = record.job;
  const bool one_device = job.spec().device_ids_size() == 1;
  observer({.machine = job.machine(),
            .device_id = one_device ? job.spec().device_ids(0) : std::string(),
            .suite = job.spec().suite(),
            .result = &result});
}

}  // namespace muster::coordinator
