#include "tests/simulation/simulated_machine.h"

#include <algorithm>
#include <utility>

namespace muster::simulation {
namespace {

v1::SuiteManifest Manifest(const std::string& name, v1::DeviceScope scope, int cases) {
  v1::SuiteManifest suite;
  suite.set_name(name);
  suite.set_version("1");
  suite.set_program(name);
  suite.set_format(v1::RESULT_FORMAT_OCPTV);
  suite.set_device_scope(scope);
  for (int i = 0; i < cases; ++i) suite.add_cases()->set_name(absl::StrCat("c", i));
  return suite;
}

}  // namespace

SimulatedMachine::SimulatedMachine(Scene& scene, int index, int devices)
    : scene_(scene),
      index_(index),
      devices_(devices),
      outbox_limit_bytes_(scene.random.OneIn(4) ? static_cast<uint64_t>(scene.random.Between(8'000, 30'000)) : 8 << 20),
      disk_([&scene] { return scene.random.Next(); }),
      clock_offset_ms_(scene.random.Between(-5'000, 5'000)),
      health_(static_cast<size_t>(devices), v1::HEALTH_STATE_HEALTHY) {}

base::Time SimulatedMachine::Now() const {
  const base::Time now = scene_.loop.Now();
  return {.mono_ms = now.mono_ms + 1'000'000 * (index_ + 1), .unix_ms = now.unix_ms + clock_offset_ms_};
}

v1::Hello SimulatedMachine::MakeHello() const {
  v1::Hello hello;
  hello.mutable_machine()->set_name(name());
  for (int i = 0; i < devices_; ++i) {
    v1::Device& device = *hello.mutable_machine()->add_devices();
    device.set_id(this->device(i));
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_driver_state(v1::DRIVER_STATE_READY);
  }
  *hello.add_suites() = Manifest("one", v1::DEVICE_SCOPE_ONE, 3);
  *hello.add_suites() = Manifest("all", v1::DEVICE_SCOPE_ALL, 2);
  *hello.add_suites() = Manifest("host", v1::DEVICE_SCOPE_MACHINE, 2);
  *hello.add_suites() = Manifest("look", v1::DEVICE_SCOPE_ONE, 1);
  hello.mutable_suites(3)->set_diagnostic(true);
  return hello;
}

void SimulatedMachine::Start() {
  if (lost_ || core_ != nullptr) return;
  scene_.Trace("machine ", index_, ": the agent starts");
  auto opened =
      agent::Outbox::Open(disk_, {.directory = "outbox", .limit_bytes = outbox_limit_bytes_, .segment_bytes = 4 << 10});
  if (!opened.ok()) {
    scene_.Wrong(absl::StrCat("the outbox of ", name(), " cannot be opened: ", opened.status().ToString()));
    return;
  }
  outbox_ = *std::move(opened);
  for (const std::string& note : outbox_->recovery_notes()) scene_.Trace("machine ", index_, ": ", note);
  alive_ = std::make_shared<bool>(true);
  executor_ = std::make_unique<SimulatedExecutor>(scene_, index_);
  core_ = std::make_unique<agent::AgentCore>(
      agent::AgentCoreOptions{
          .heartbeat_interval_ms = 2'000, .window_bytes = 64 << 10, .batch_bytes = 4 << 10, .batch_events = 8},
      *outbox_, *executor_, *this, Now());
  executor_->SetSink([this](const v1::JobRef& ref, v1::Event event) {
    core_->OnJobEvent(ref, std::move(event));
    Wake();
  });
  health_report_ = 0;
  if (!scene_.random.OneIn(4)) ReportHealth();  // Otherwise with the next change, or never.
  back_off_ = std::make_unique<agent::BackOff>([this] { return scene_.random.Next(); });
  pressed_ = disk_full_ || outbox_limit_bytes_ < 1 << 20;
  stream_ = 0;
  turn_posted_ = false;
  timer_at_ms_ = INT64_MAX;
  Wake();
  TryLater();
}

void SimulatedMachine::Kill(bool power_cut) {
  if (core_ == nullptr) return;
  scene_.Trace("machine ", index_, power_cut ? ": power cut" : ": the agent is killed");
  *alive_ = false;
  if (stream_ != 0) scene_.network.LeaveAgent(stream_);
  stream_ = 0;
  core_.reset();
  executor_.reset();
  outbox_.reset();
  disk_.FailSyncs(false);
  if (power_cut) disk_.Crash();
  scene_.truth.Died(index_, pressed_);
}

void SimulatedMachine::WipeDisk() {
  Kill(true);
  scene_.Trace("machine ", index_, ": the disk is wiped");
  disk_.Wipe();
}

void SimulatedMachine::Lose() {
  scene_.Trace("machine ", index_, ": lost for ever");
  Kill(true);
  lost_ = true;
  scene_.truth.Lost(index_);
}

void SimulatedMachine::SetDiskFull(bool full) {
  scene_.Trace("machine ", index_, full ? ": the disk is full" : ": the disk has room");
  disk_full_ = full;
  pressed_ |= full;
  disk_.SetCapacity(full ? disk_.used_bytes() + static_cast<uint64_t>(scene_.random.Between(0, 500)) : UINT64_MAX);
}

void SimulatedMachine::FailSync() {
  if (core_ != nullptr) disk_.FailSyncs(true);
}

void SimulatedMachine::Send(v1::AgentMessage message) {
  if (stream_ != 0) scene_.network.SendUp(stream_, std::move(message));
}

void SimulatedMachine::TryLater() {
  scene_.After(back_off_->NextDelayMs(), [this, alive = alive_] {
    if (*alive) TryConnect();
  });
}

void SimulatedMachine::TryConnect() {
  if (!scene_.network.CanConnect(index_)) {
    TryLater();
    return;
  }
  stream_ = scene_.network.Open(index_, {.on_message =
                                             [this, alive = alive_](const v1::CoordinatorMessage& message) {
                                               if (!*alive) return;
                                               if (message.has_welcome()) back_off_->Reset();
                                               core_->OnMessage(message, Now());
                                               Wake();
                                             },
                                         .on_closed =
                                             [this, alive = alive_] {
                                               if (!*alive) return;
                                               scene_.Trace("machine ", index_, ": the stream is closed");
                                               stream_ = 0;
                                               core_->Disconnected();
                                               Wake();
                                               TryLater();
                                             }});
  scene_.Trace("machine ", index_, ": opens stream ", stream_);
  core_->Connected(MakeHello(), Now());
  Wake();
}

void SimulatedMachine::ChangeHealth() {
  if (devices_ == 0) return;
  const size_t which = static_cast<size_t>(scene_.random.Between(0, devices_ - 1));
  health_[which] = static_cast<v1::HealthState>(scene_.random.Between(1, 4));
  scene_.Trace("machine ", index_, ": device ", which, " is ", v1::HealthState_Name(health_[which]));
  if (core_ == nullptr) return;
  // Several reports within the second that the core lets pass between two: only the last counts.
  for (int64_t reports = scene_.random.Between(1, 3); reports > 0; --reports) ReportHealth();
  Wake();
}

void SimulatedMachine::ReportHealth() {
  v1::HealthReport report;
  health_report_ = ++health_reports_;
  report.set_time_unix_ms(health_report_);
  for (int i = 0; i < devices_; ++i) {
    v1::DeviceHealth& health = *report.add_devices();
    health.set_device_id(device(i));
    health.set_state(health_[static_cast<size_t>(i)]);
  }
  core_->SetHealth(std::move(report));
}

void SimulatedMachine::Wake() {
  if (std::exchange(turn_posted_, true)) return;
  scene_.loop.Post([this, alive = alive_] {
    if (*alive) Turn();
  });
}

void SimulatedMachine::Turn() {
  turn_posted_ = false;
  core_->Tick(Now());
  BeginSync();
  const int64_t deadline_ms = core_->NextDeadlineMonoMs();
  if (deadline_ms >= timer_at_ms_) return;
  timer_at_ms_ = deadline_ms;
  scene_.After(std::max<int64_t>(deadline_ms - Now().mono_ms, 0), [this, deadline_ms, alive = alive_] {
    if (!*alive) return;
    if (timer_at_ms_ == deadline_ms) timer_at_ms_ = INT64_MAX;
    Turn();
  });
}

void SimulatedMachine::BeginSync() {
  std::optional<agent::SyncJob> job = core_->BeginSync();
  if (!job) return;
  std::vector<std::pair<v1::JobRef, size_t>> counts;
  if (!outbox_->waits_for_room()) {
    for (const agent::Outbox::State& state : outbox_->Attempts())
      counts.emplace_back(state.ref, scene_.truth.Count(state.ref));
  }
  const int64_t latency_ms = scene_.random.OneIn(10) ? scene_.random.Between(0, 800) : scene_.random.Between(0, 10);
  scene_.After(latency_ms, [this, job = *std::move(job), counts = std::move(counts), alive = alive_] {
    if (*alive) EndSync(job, counts);
  });
}

void SimulatedMachine::EndSync(const agent::SyncJob& job, const std::vector<std::pair<v1::JobRef, size_t>>& counts) {
  if (!job.Run().ok()) {
    Kill(scene_.random.OneIn(2));
    scene_.After(scene_.random.Between(100, 2'000), [this] { Start(); });
    return;
  }
  for (const auto& [ref, count] : counts) {
    scene_.truth.Durable(ref, count);
    scene_.Trace("machine ", index_, ": ", count, " events of ", ref.job_id(), " epoch ", ref.epoch(), " are durable");
  }
  core_->EndSync(job);
  Wake();
}

std::string SimulatedMachine::Describe() const {
  if (core_ == nullptr) return absl::StrCat(name(), lost_ ? " is lost" : " is down");
  std::string text = absl::StrCat(name(), " holds");
  for (const agent::Outbox::State& state : outbox_->Attempts()) {
    absl::StrAppend(&text, " ", state.ref.job_id(), "#", state.ref.attempt(), " (durable ", state.durable_sequence,
                    ", acked ", state.acked_sequence,
                    state.finish_durable ? ", finished"
                    : state.finished     ? ", finishing"
                                         : ", unfinished",
                    ")");
  }
  return text;
}

}  // namespace muster::simulation
