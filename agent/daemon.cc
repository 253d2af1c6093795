#include "agent/daemon.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/inventory/lost_devices.h"
#include "agent/memory.h"
#include "base/log.h"

namespace muster::agent {
namespace {

// What was learnt of the machine is good for so long.
constexpr int64_t kHelloFreshMs = 60'000;
constexpr int64_t kRenewalCheckMs = 3'600'000;
// After that long without a job, what was needed for one is given back.
constexpr int64_t kIdleMs = 10'000;
constexpr int64_t kGiveBackMs = 60'000;
// What jobs may take to end after SIGTERM; systemd's own limit is 90 s.
constexpr int64_t kStopMs = 60'000;

uint64_t Random64() {
  thread_local std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Without what changes while nothing does: a link's speed follows the load.
std::string Essence(v1::Hello hello) {
  for (v1::Device& device : *hello.mutable_machine()->mutable_devices()) device.clear_pci_link();
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  hello.SerializeToCodedStream(&coded);
  return bytes;
}

}  // namespace

Daemon::Daemon(base::ThreadEventLoop& loop, Parts parts)
    : loop_(loop),
      parts_(std::move(parts)),
      connector_(loop, parts_.coordinator, parts_.make_channel, Random64,
                 {.on_connected =
                      [this] {
                        core_.Connected(hello_, loop_.Now());
                        Wake();
                      },
                  .on_disconnected =
                      [this] {
                        core_.Disconnected();
                        if (loop_.Now().mono_ms - hello_mono_ms_ >= kHelloFreshMs) LookAgain();
                        Wake();
                      },
                  .on_unreachable = [this] { OnUnreachable(); },
                  .on_message =
                      [this](const v1::CoordinatorMessage& message) {
                        explained_ = false;
                        core_.OnMessage(message, loop_.Now());
                        Wake();
                      }}),
      core_({}, *parts_.outbox, *parts_.executor, connector_, loop.Now()),
      sync_worker_(loop, [this](const SyncJob& job, const absl::Status& status) { OnSynced(job, status); }) {
  parts_.executor->SetSink([this](const v1::JobRef& ref, v1::Event event) {
    if (event.has_job_finished()) GiveMemoryBackWhenIdle();
    core_.OnJobEvent(ref, std::move(event));
    Wake();
  });
  if (!parts_.make_monitor) return;
  monitor_ = parts_.make_monitor({.on_health_changed =
                                      [this] {
                                        core_.SetHealth(monitor_->health());
                                        Wake();
                                      },
                                  .on_inventory_stale = [this] { LookAgain(); }});
  core_.SetDeviceWatch(monitor_.get());
}

Daemon::~Daemon() {
  core_.SetDeviceWatch(nullptr);
  monitor_.reset();
  if (chore_.joinable()) chore_.join();
}

absl::Status Daemon::Run() {
  loop_.Post([this] {
    Turn();
    LookAgain();
    loop_.RunAfter(kRenewalCheckMs, [this] { RenewNowAndThen(); });
    GiveMemoryBackWhenIdle();
  });
  loop_.Run();
  return result_;
}

void Daemon::Stop(std::string reason) {
  loop_.Post([this, reason = std::move(reason)] {
    if (stopping_) return;
    stopping_ = true;
    base::LogInfo("stopping: ", reason);
    core_.Stop(absl::StrCat("the agent was stopped: ", reason), loop_.Now());
    loop_.RunAfter(kStopMs, [this] {
      base::LogError("jobs have not ended in ", kStopMs / 1000, " s; the agent ends without them");
      loop_.Stop();
    });
    Wake();
  });
}

void Daemon::Wake() {
  if (turn_posted_) return;
  turn_posted_ = true;
  loop_.Post([this] { Turn(); });
}

void Daemon::Turn() {
  turn_posted_ = false;
  core_.Tick(loop_.Now());
  if (std::optional<SyncJob> job = core_.BeginSync()) sync_worker_.Run(*std::move(job));
  if (core_.stopped() && !leaving_) {
    leaving_ = true;
    connector_.Stop([this] { loop_.Stop(); });
  }
  SetTimer();
}

void Daemon::SetTimer() {
  const int64_t deadline_ms = core_.NextDeadlineMonoMs();
  if (deadline_ms == timer_at_ms_) return;
  loop_.Cancel(timer_);
  timer_at_ms_ = deadline_ms;
  if (deadline_ms == INT64_MAX) return;
  timer_ = loop_.RunAfter(std::max<int64_t>(deadline_ms - loop_.Now().mono_ms, 0), [this] {
    timer_at_ms_ = INT64_MAX;
    Turn();
  });
}

void Daemon::OnSynced(const SyncJob& job, const absl::Status& status) {
  if (!status.ok()) {
    // Nothing is known now of what is on the disk: a new start reads it.
    result_ = absl::DataLossError(absl::StrCat("the outbox cannot be made durable: ", std::string(status.message())));
    loop_.Stop();
    return;
  }
  core_.EndSync(job);
  Wake();
}

void Daemon::OnUnreachable() {
  if (explained_ || !parts_.explain) return;
  explained_ = StartChore([this]() -> base::EventLoop::Task {
    const absl::Status why = parts_.explain();
    return [why] {
      if (!why.ok()) base::LogWarning(std::string(why.message()));
    };
  });
}

bool Daemon::StartChore(std::function<base::EventLoop::Task()> work) {
  if (chore_runs_ || stopping_) return false;
  if (chore_.joinable()) chore_.join();
  chore_runs_ = true;
  chore_ = std::thread([this, work = std::move(work)] {
    loop_.Post([this, then = work()] {
      chore_runs_ = false;
      then();
      if (std::exchange(look_again_, false)) LookAgain();
    });
  });
  return true;
}

void Daemon::LookAgain() {
  const bool started = StartChore([this]() -> base::EventLoop::Task {
    if (parts_.renew_identity) parts_.renew_identity();
    return [this, hello = parts_.make_hello()] { UseHello(hello); };
  });
  look_again_ |= !started;
}

void Daemon::UseHello(v1::Hello hello) {
  const bool first = hello_mono_ms_ < 0;
  if (!first) KeepLostDevices(hello_.machine(), *hello.mutable_machine());
  const bool changed = !first && Essence(hello) != Essence(hello_);
  hello_ = std::move(hello);
  hello_mono_ms_ = loop_.Now().mono_ms;
  if (stopping_) return;
  if (monitor_) monitor_->SetMachine(hello_.machine());
  if (first) {
    connector_.Start();
  } else if (changed) {
    base::LogInfo("this machine has changed; telling the coordinator");
    connector_.Reconnect();
  }
}

void Daemon::GiveMemoryBackWhenIdle() {
  loop_.Cancel(memory_timer_);
  memory_timer_ = loop_.RunAfter(kIdleMs, [this] { KeepGivingMemoryBack(); });
}

// Connecting, a job, a scrape: each touches pages that are then not needed for long.
void Daemon::KeepGivingMemoryBack() {
  GiveMemoryBack();
  memory_timer_ = loop_.RunAfter(kGiveBackMs, [this] { KeepGivingMemoryBack(); });
}

void Daemon::RenewNowAndThen() {
  if (parts_.renew_identity) {
    StartChore([this]() -> base::EventLoop::Task {
      parts_.renew_identity();
      return [] {};
    });
  }
  loop_.RunAfter(kRenewalCheckMs, [this] { RenewNowAndThen(); });
}

}  // namespace muster::agent
