#include "tests/simulation/simulated_coordinator.h"

#include <algorithm>
#include <map>
#include <utility>

namespace muster::simulation {

base::Time SimulatedCoordinator::Now() const {
  const base::Time now = scene_.loop.Now();
  return {.mono_ms = now.mono_ms + 500, .unix_ms = now.unix_ms + clock_offset_ms_};
}

void SimulatedCoordinator::Start() {
  if (core_ != nullptr) return;
  scene_.Trace("coordinator: starts");
  alive_ = std::make_shared<bool>(true);
  const coordinator::CoreOptions options{.heartbeat_interval_ms = 1'000, .lease_duration_ms = 5'000};
  core_ = std::make_unique<coordinator::Core>(options, *store_.Load(), Now(), [this] { return scene_.random.Next(); });
  const coordinator::Snapshot kept = *store_.Load();
  quarantined_.clear();
  for (const v1::Quarantine& one : kept.quarantines) {
    quarantined_[one.device_id().empty() ? one.machine() : one.device_id()] = 0;
  }
  failed_.clear();
  sessions_.clear();
  last_granted_ = kept.last_epoch;
  committing_.reset();
  flush_posted_ = false;
  timer_at_ms_ = INT64_MAX;
  scene_.network.SetCoordinator(
      {.on_opened =
           [this](StreamId id, int machine) {
             Input([&](coordinator::Core& core) { core.SessionOpened(id, absl::StrCat("m", machine), Now()); });
           },
       .on_message =
           [this](StreamId id, const v1::AgentMessage& message) {
             Learn(id, message);
             Input([&](coordinator::Core& core) { core.OnAgentMessage(id, message, Now()); });
           },
       .on_closed =
           [this](StreamId id) {
             ForgetSession(id);
             Input([&](coordinator::Core& core) { core.SessionClosed(id, Now()); });
           }});
  scene_.network.SetListening(true);
  Input([](coordinator::Core&) {});
}

void SimulatedCoordinator::Kill() {
  if (core_ == nullptr) return;
  scene_.Trace("coordinator: killed", committing_ ? " in mid-commit" : "");
  if (committing_ && !full_ && scene_.random.OneIn(2)) store_.Commit(committing_->batch).IgnoreError();
  *alive_ = false;
  core_.reset();
  scene_.network.SetListening(false);
  scene_.network.LeaveCoordinatorAll();
}

void SimulatedCoordinator::Input(const std::function<void(coordinator::Core&)>& input) {
  if (core_ == nullptr) return;
  input(*core_);
  if (std::exchange(flush_posted_, true)) return;
  scene_.loop.Post([this, alive = alive_] {
    if (!*alive) return;
    flush_posted_ = false;
    Flush();
    SetTimer();
  });
}

void SimulatedCoordinator::Flush() {
  if (committing_) return;
  coordinator::Effects effects = core_->TakeEffects();
  if (effects.batch.last_epoch != 0) CheckLeases();
  CheckGates(effects);
  if (effects.batch.empty()) {
    Release(std::move(effects));
    return;
  }
  committing_ = std::move(effects);
  Commit();
}

void SimulatedCoordinator::Commit() {
  const int64_t latency_ms = slow_ ? scene_.random.Between(0, 4'000) : scene_.random.Between(0, 8);
  scene_.After(latency_ms, [this, alive = alive_] {
    if (!*alive) return;
    if (full_) store_.FailNext(1, absl::ResourceExhaustedError("the store's disk is full"));
    if (!store_.Commit(committing_->batch).ok()) {
      scene_.After(500, [this, alive] {
        if (*alive) Commit();
      });
      return;
    }
    Release(*std::exchange(committing_, std::nullopt));
    Input([](coordinator::Core&) {});
  });
}

void SimulatedCoordinator::Release(coordinator::Effects effects) {
  for (coordinator::Effects::Message& message : effects.messages) {
    if (message.message.has_acks() && scene_.random.OneIn(4)) CheckAcks(message.message.acks());
    if (message.message.has_refusal())
      scene_.Trace("coordinator: refuses stream ", message.session, ": ", message.message.refusal().message());
    scene_.network.SendDown(message.session, std::move(message.message));
    if (message.then_close) {
      scene_.network.LeaveCoordinator(message.session);
      Input([&](coordinator::Core& core) { core.SessionClosed(message.session, Now()); });
    }
  }
  for (const std::string& run_id : effects.wanted_runs) {
    const auto run = store_.ReadRun(run_id);
    if (run.ok()) Input([&](coordinator::Core& core) { core.Restore(*run, Now()); });
  }
}

void SimulatedCoordinator::SetTimer() {
  const int64_t deadline_ms = core_->NextDeadlineMonoMs();
  if (deadline_ms >= timer_at_ms_) return;
  timer_at_ms_ = deadline_ms;
  scene_.After(std::max<int64_t>(deadline_ms - Now().mono_ms, 1), [this, deadline_ms, alive = alive_] {
    if (!*alive) return;
    if (timer_at_ms_ == deadline_ms) timer_at_ms_ = INT64_MAX;
    Input([&](coordinator::Core& core) { core.Tick(Now()); });
  });
}

void SimulatedCoordinator::StartRun(const v1::StartRunRequest& request) {
  Input([&](coordinator::Core& core) {
    const auto run = core.StartRun(request, "ann", Now());
    scene_.Trace("user: starts ", run.ok() ? run->id() : std::string(run.status().message()));
  });
}

void SimulatedCoordinator::CancelSomeRun() {
  const auto runs = store_.ListRuns(10, "", "");
  for (const v1::Run& run : *runs) {
    if (run.state() != v1::RUN_STATE_ACTIVE) continue;
    scene_.Trace("user: cancels ", run.id());
    Input([&](coordinator::Core& core) { core.CancelRun(run.id(), "ann", "", Now()).IgnoreError(); });
    return;
  }
}

void SimulatedCoordinator::Quarantine(const std::string& machine, const std::string& device) {
  Input([&](coordinator::Core& core) {
    v1::SetQuarantineRequest request;
    request.set_machine(machine);
    request.set_device(device);
    request.set_reason("chance");
    if (!core.SetQuarantine(request, "ann", Now()).ok()) return;  // It has not said Hello yet.
    const std::string& what = device.empty() ? machine : device;
    scene_.Trace("user: quarantines ", what);
    quarantined_.emplace(what, flushes_);
    ever_quarantined_.insert(what);
  });
}

void SimulatedCoordinator::Release(const std::string& machine, const std::string& device) {
  Input([&](coordinator::Core& core) {
    v1::ReleaseQuarantineRequest request;
    request.set_machine(machine);
    request.set_device(device);
    if (!core.ReleaseQuarantine(request, Now()).ok()) return;
    scene_.Trace("user: releases ", device.empty() ? machine : device);
    quarantined_.erase(device.empty() ? machine : device);
  });
}

void SimulatedCoordinator::Learn(StreamId id, const v1::AgentMessage& message) {
  if (message.has_hello()) {
    const std::string& machine = message.hello().machine().name();
    if (sessions_.contains(machine)) ForgetSession(sessions_.at(machine));
    sessions_[machine] = id;
  }
  if (!message.has_health()) return;
  for (const v1::DeviceHealth& device : message.health().devices()) {
    const std::string machine = device.device_id().substr(0, device.device_id().find('-'));
    if (!sessions_.contains(machine) || sessions_.at(machine) != id) continue;
    if (device.state() == v1::HEALTH_STATE_FAILED) {
      failed_.emplace(device.device_id(), flushes_);
      ever_failed_.insert(device.device_id());
    } else {
      failed_.erase(device.device_id());
    }
  }
}

void SimulatedCoordinator::ForgetSession(StreamId id) {
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second != id) continue;
    const std::string prefix = it->first + "-";
    std::erase_if(failed_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
    sessions_.erase(it);
    return;
  }
}

// Nothing is granted to a machine or device that was in quarantine, or had FAILED, from before the inputs that these
// effects are of; and nothing is kept away from one that never was.
void SimulatedCoordinator::CheckGates(const coordinator::Effects& effects) {
  const uint64_t flush = flushes_++;
  std::map<std::string, const v1::Job*> jobs;
  for (const v1::Job& job : effects.batch.jobs) jobs[job.id()] = &job;
  for (const v1::Attempt& attempt : effects.batch.attempts) {
    const auto found = jobs.find(attempt.ref().job_id());
    if (found == jobs.end()) continue;
    const v1::Job& job = *found->second;
    std::vector<std::string> needed(job.spec().device_ids().begin(), job.spec().device_ids().end());
    const auto any = [&](const std::set<std::string>& set) {
      return std::any_of(needed.begin(), needed.end(), [&](const std::string& one) { return set.contains(one); });
    };
    const auto barred = [&](const std::map<std::string, uint64_t>& bars) {
      return std::any_of(needed.begin(), needed.end(), [&](const std::string& one) {
        const auto bar = bars.find(one);
        return bar != bars.end() && bar->second < flush;
      });
    };
    const bool granted = attempt.ref().epoch() > last_granted_;
    if (granted && !job.diagnostic() && barred(failed_))
      scene_.Wrong(absl::StrCat(job.id(), " was granted to a device that has FAILED"));
    if (attempt.fate() == v1::FATE_WITHHELD && (job.diagnostic() || !any(ever_failed_)))
      scene_.Wrong(absl::StrCat(job.id(), " was withheld and its devices never FAILED"));
    needed.push_back(job.machine());
    if (granted && !job.on_quarantined() && barred(quarantined_))
      scene_.Wrong(absl::StrCat(job.id(), " was granted to what is in quarantine"));
    if (attempt.fate() == v1::FATE_QUARANTINED && (job.on_quarantined() || !any(ever_quarantined_)))
      scene_.Wrong(absl::StrCat(job.id(), " was kept away by a quarantine that never was"));
  }
  last_granted_ = std::max(last_granted_, effects.batch.last_epoch);
}

bool SimulatedCoordinator::quiet() {
  if (core_ == nullptr || committing_ || core_->counts().active_runs > 0) return false;
  const auto runs = store_.ListRuns(100, "", "");
  return std::all_of(runs->begin(), runs->end(),
                     [](const v1::Run& run) { return run.state() == v1::RUN_STATE_FINISHED; });
}

int64_t SimulatedCoordinator::HealthReportOf(const std::string& machine) {
  if (core_ == nullptr) return 0;
  for (const v1::MachineStatus& status : core_->Machines()) {
    if (status.machine().name() == machine && status.connected()) return status.health().time_unix_ms();
  }
  return 0;
}

// One device has at most one live lease.
void SimulatedCoordinator::CheckLeases() {
  std::map<std::string, std::string> leased;
  for (const v1::MachineStatus& machine : core_->Machines()) {
    for (const v1::Lease& lease : machine.leases()) {
      for (const std::string& device : lease.device_ids()) {
        const auto [it, first] = leased.emplace(device, lease.ref().job_id());
        if (!first) scene_.Wrong(absl::StrCat(device, " is leased to ", it->second, " and ", lease.ref().job_id()));
      }
    }
  }
}

// No ack leaves before what it acks is durable.
void SimulatedCoordinator::CheckAcks(const v1::Acks& acks) {
  for (const v1::Ack& ack : acks.acks()) {
    const auto job = store_.ReadJob(ack.ref().job_id());
    uint64_t stored = 0;
    if (job.ok()) {
      for (const v1::Attempt& attempt : job->attempts()) {
        if (attempt.ref().epoch() == ack.ref().epoch()) stored = attempt.through_sequence();
      }
    }
    if (stored < ack.through_sequence()) {
      scene_.Wrong(
          absl::StrCat(ack.ref().job_id(), ": acked through ", ack.through_sequence(), ", stored through ", stored));
    }
  }
}

std::string SimulatedCoordinator::Describe() {
  if (core_ == nullptr) return "the coordinator is down";
  const coordinator::Core::Counts counts = core_->counts();
  return absl::StrCat("the coordinator has ", counts.active_runs, " active runs; jobs: ", counts.jobs_queued,
                      " queued, ", counts.jobs_leased, " leased, ", counts.jobs_running, " running");
}

}  // namespace muster::simulation
