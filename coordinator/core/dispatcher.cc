#include "coordinator/core/dispatcher.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/plan.h"

namespace muster::coordinator {
namespace {

bool IsMachineryFailure(v1::Fate fate) {
  return fate == v1::FATE_LEASE_LOST || fate == v1::FATE_AGENT_RESTARTED || fate == v1::FATE_NOT_STARTED;
}

bool MayTryAgain(const JobRecord& job) {
  return !job.job.cancel_requested() && job.attempts.size() < base::MaxAttempts(job.run->run.plan());
}

int64_t QueueLimit(const JobRecord& job) { return base::QueueTimeLimitMs(job.run->run.plan()); }

}  // namespace

Dispatcher::Dispatcher(const CoreOptions& options, FleetTable& fleet, Ledger& ledger, Outgoing& outgoing,
                       uint64_t last_epoch)
    : options_(options), fleet_(fleet), ledger_(ledger), outgoing_(outgoing), last_epoch_(last_epoch) {
  for (const auto& [name, machine] : fleet_.machines()) MachineChanged(machine);
}

void Dispatcher::Enqueue(JobRecord& job, base::Time now) {
  job.job.set_queued_unix_ms(now.unix_ms);
  Wait(job, now);
  KeepAway(job, now);
}

void Dispatcher::Wait(JobRecord& job, base::Time now) {
  job.job.set_queue_deadline_unix_ms(now.unix_ms + QueueLimit(job));
  ledger_.SetState(job, v1::JOB_STATE_QUEUED);
  ledger_.Changed(job);
  deadlines_.Set(&job, now.mono_ms + QueueLimit(job));
  StationOf(job).queue.Add(&job);
}

void Dispatcher::Resume(JobRecord& job, base::Time now) {
  if (job.waiting()) {
    const int64_t left_ms = job.job.queue_deadline_unix_ms() - now.unix_ms;
    deadlines_.Set(&job, now.mono_ms + std::clamp<int64_t>(left_ms, 0, QueueLimit(job)));
    StationOf(job).queue.Add(&job);
  } else if (job.leased()) {
    BeginLease(StationOf(job), job, now);
  }
  for (const AttemptRecord& attempt : job.attempts) last_epoch_ = std::max(last_epoch_, attempt.epoch());
}

void Dispatcher::EndUnstarted(JobRecord& job, v1::Fate fate, std::string_view detail, base::Time now) {
  deadlines_.Clear(&job);
  StationOf(job).queue.Remove(&job);
  if (job.attempts.empty()) {
    AttemptRecord& attempt = ledger_.AddAttempt(job, 0, now);
    attempt.attempt.set_fate(fate);
    attempt.attempt.set_detail(std::string(detail));
    attempt.attempt.set_finished_unix_ms(now.unix_ms);
  } else {
    // What the lost attempt found stays.
    v1::Attempt& lost = job.newest()->attempt;
    lost.set_detail(absl::StrCat(lost.detail(), lost.detail().empty() ? "" : "; ",
                                 "it was not tried again: ", std::string(detail)));
    ledger_.Changed(*job.newest());
  }
  ledger_.Finish(job, now);
}

Gate::Decision Dispatcher::Decide(const v1::Job& job) const {
  const auto station = stations_.find(job.machine());
  return station == stations_.end() ? Gate::Decision() : station->second.gate.Decide(job);
}

bool Dispatcher::KeepAway(JobRecord& job, base::Time now) {
  const Gate::Decision decision = Decide(job.job);
  if (decision.fate == v1::FATE_UNSPECIFIED) return false;
  EndUnstarted(job, decision.fate, decision.why, now);
  return true;
}

void Dispatcher::SetGate(const MachineEntry& machine, Gate gate, base::Time now) {
  Station& station = stations_[machine.record.machine.name()];
  if (station.gate == gate) return;
  station.gate = std::move(gate);
  for (JobRecord* job : station.queue.Waiting()) KeepAway(*job, now);
}

void Dispatcher::Cancel(JobRecord& job, std::string_view reason, base::Time now) {
  if (job.finished() || job.job.cancel_requested()) return;
  job.job.set_cancel_requested(true);
  ledger_.Changed(job);
  if (job.waiting()) {
    EndUnstarted(job, v1::FATE_CANCELLED, reason, now);
    return;
  }
  const MachineEntry* machine = fleet_.Find(job.job.machine());
  if (machine != nullptr && machine->session != 0) {
    outgoing_.Direct(machine->session, v1::Directive::CANCEL, *job.newest(), reason);
  }
}

void Dispatcher::MachineChanged(const MachineEntry& machine) {
  stations_[machine.record.machine.name()].queue.SetUsableDevices(machine.UsableDevices());
}

void Dispatcher::Dispatch(MachineEntry& machine, base::Time now) {
  if (machine.session == 0 || !machine.stated || machine.AwaitsHealth(now, 2 * options_.heartbeat_interval_ms)) return;
  Station& station = stations_[machine.record.machine.name()];
  while (JobRecord* job = station.queue.Next()) {
    if (!KeepAway(*job, now)) Grant(machine, station, *job, now);
  }
}

void Dispatcher::Grant(MachineEntry& machine, Station& station, JobRecord& job, base::Time now) {
  station.queue.Remove(&job);
  ledger_.batch().last_epoch = ++last_epoch_;
  AttemptRecord& attempt = ledger_.AddAttempt(job, last_epoch_, now);
  ledger_.SetState(job, v1::JOB_STATE_LEASED);
  BeginLease(station, job, now);
  outgoing_.Run(machine.session, attempt, options_.lease_duration_ms);
}

void Dispatcher::BeginLease(Station& station, JobRecord& job, base::Time now) {
  station.queue.Hold(&job);
  station.leased.insert(&job);
  deadlines_.Set(&job, now.mono_ms + options_.lease_duration_ms);
}

void Dispatcher::EndLease(Station& station, JobRecord& job) {
  station.queue.Release(&job);
  station.leased.erase(&job);
  deadlines_.Clear(&job);
}

void Dispatcher::LoseLease(JobRecord& job, std::string_view why, base::Time now) {
  ++leases_lost_;
  AttemptRecord& attempt = *job.newest();
  attempt.running.clear();
  attempt.attempt.set_fate(v1::FATE_LEASE_LOST);
  attempt.attempt.set_detail(std::string(why));
  attempt.attempt.set_finished_unix_ms(now.unix_ms);
  ledger_.Changed(attempt);
  EndLease(StationOf(job), job);
  Settle(job, now);
}

void Dispatcher::Settle(JobRecord& job, base::Time now) {
  if (IsMachineryFailure(job.newest()->attempt.fate()) && MayTryAgain(job)) {
    Wait(job, now);
    KeepAway(job, now);
  } else {
    ledger_.Finish(job, now);
  }
}

void Dispatcher::AttemptClosed(AttemptRecord& attempt, base::Time now) {
  JobRecord& job = *attempt.job;
  if (&attempt != job.newest()) return;
  Station& station = StationOf(job);
  if (job.leased()) {
    EndLease(station, job);
    Settle(job, now);
  } else if (job.waiting()) {
    // Its lease was lost, and it ended all the same before another attempt began. Only an end that tells something
    // counts.
    const v1::Fate fate = attempt.attempt.fate();
    if (!IsMachineryFailure(fate) && fate != v1::FATE_CANCELLED) {
      deadlines_.Clear(&job);
      station.queue.Remove(&job);
      ledger_.Finish(job, now);
    }
  }
  ledger_.Changed(*job.run);
  if (MachineEntry* machine = fleet_.Find(job.job.machine())) Dispatch(*machine, now);
}

std::vector<std::string> Dispatcher::Reconcile(MachineEntry& machine, const v1::AgentState& state, base::Time now) {
  machine.stated = true;
  machine.outbox_bytes = state.outbox_bytes();
  machine.outbox_limit_bytes = state.outbox_limit_bytes();
  std::vector<std::string> unknown_runs;
  absl::flat_hash_set<const JobRecord*> held_jobs;
  for (const v1::HeldAttempt& held : state.attempts()) {
    AttemptRecord* attempt = ledger_.FindAttempt(held.ref());
    if (attempt == nullptr) {
      std::string run_id = held.ref().job_id().substr(0, held.ref().job_id().find('/'));
      if (ledger_.FindRun(run_id) == nullptr) unknown_runs.push_back(std::move(run_id));
      continue;
    }
    if (attempt->job->job.machine() != machine.record.machine.name()) continue;
    if (attempt == attempt->job->newest()) held_jobs.insert(attempt->job);
    SettleHeld(machine, *attempt, held, now);
  }
  std::vector<JobRecord*> not_held;
  for (JobRecord* job : stations_[machine.record.machine.name()].leased) {
    if (!held_jobs.contains(job)) not_held.push_back(job);
  }
  for (JobRecord* job : not_held) SettleNotHeld(machine, *job, now);
  Dispatch(machine, now);
  return unknown_runs;
}

void Dispatcher::SettleHeld(MachineEntry& machine, AttemptRecord& attempt, const v1::HeldAttempt& held,
                            base::Time now) {
  attempt.named_by_agent = true;
  JobRecord& job = *attempt.job;
  const bool runs = held.phase() != v1::HeldAttempt::FINISHED;
  if (held.acked_sequence() < attempt.attempt.through_sequence()) outgoing_.Ack(machine.session, attempt);
  if (attempt.closed()) {
    outgoing_.Direct(machine.session, v1::Directive::FORGET, attempt, "");
    return;
  }
  if (&attempt != job.newest()) {
    if (runs) outgoing_.Direct(machine.session, v1::Directive::SUPERSEDED, attempt, "a newer attempt took its place");
    return;
  }
  if (job.waiting()) Revive(StationOf(job), attempt, now);
  if (job.leased()) {
    deadlines_.Set(&job, now.mono_ms + options_.lease_duration_ms);
    if (held.phase() == v1::HeldAttempt::RUNNING) ledger_.SetState(job, v1::JOB_STATE_RUNNING);
  }
  if (runs && job.job.cancel_requested()) {
    outgoing_.Direct(machine.session, v1::Directive::CANCEL, attempt, "the run was cancelled");
  }
}

// A lost lease whose machine came back, with the attempt, before another one was granted: it goes on.
void Dispatcher::Revive(Station& station, AttemptRecord& attempt, base::Time now) {
  JobRecord& job = *attempt.job;
  if (!station.queue.CanHold(job)) return;
  attempt.attempt.set_fate(v1::FATE_UNSPECIFIED);
  attempt.attempt.clear_detail();
  attempt.attempt.clear_finished_unix_ms();
  ledger_.Changed(attempt);
  station.queue.Remove(&job);
  ledger_.SetState(job, v1::JOB_STATE_LEASED);
  BeginLease(station, job, now);
}

void Dispatcher::SettleNotHeld(MachineEntry& machine, JobRecord& job, base::Time now) {
  AttemptRecord& attempt = *job.newest();
  const bool had_it = attempt.named_by_agent || attempt.attempt.through_sequence() > 0;
  const bool never_got_it = attempt.run_sent_in != machine.session;
  if (had_it) {
    LoseLease(job, "the machine no longer holds the job: its agent's outbox was lost", now);
  } else if (!job.job.cancel_requested()) {
    outgoing_.Run(machine.session, attempt, LeaseRemaining(job, now));
  } else if (never_got_it) {
    LoseLease(job, "the job never reached its machine", now);
  }
}

void Dispatcher::Tick(base::Time now) {
  while (JobRecord* job = deadlines_.TakeDue(now.mono_ms)) {
    MachineEntry* machine = fleet_.Find(job->job.machine());
    if (job->waiting()) {
      const bool connected = machine != nullptr && machine->session != 0;
      const bool aside = StationOf(*job).queue.IsAside(job);
      const std::string why = absl::StrCat("waited ", QueueLimit(*job) / 1'000, " s; machine ", job->job.machine(),
                                           !connected ? " is not connected"
                                           : aside    ? " no longer has its device in working order"
                                                      : " was busy with other jobs");
      EndUnstarted(*job, v1::FATE_QUEUE_TIMED_OUT, why, now);
    } else if (job->leased()) {
      LoseLease(*job,
                absl::StrCat("the lease ended: machine ", job->job.machine(), " was not heard of for ",
                             options_.lease_duration_ms / 1'000, " s"),
                now);
    }
    if (machine != nullptr) Dispatch(*machine, now);
  }
}

int64_t Dispatcher::LeaseRemaining(const JobRecord& job, base::Time now) const {
  return std::max<int64_t>(0, job.deadline_mono_ms - now.mono_ms);
}

std::vector<v1::Lease> Dispatcher::LeasesOf(const MachineEntry& machine, base::Time now) const {
  std::vector<v1::Lease> leases;
  const auto station = stations_.find(machine.record.machine.name());
  if (station == stations_.end()) return leases;
  for (JobRecord* job : station->second.leased) {
    const v1::Attempt& attempt = job->newest()->attempt;
    v1::Lease& lease = leases.emplace_back();
    *lease.mutable_ref() = attempt.ref();
    lease.set_machine(job->job.machine());
    *lease.mutable_device_ids() = job->job.spec().device_ids();
    lease.set_granted_unix_ms(attempt.granted_unix_ms());
    lease.set_expires_unix_ms(now.unix_ms + LeaseRemaining(*job, now));
  }
  return leases;
}

}  // namespace muster::coordinator
