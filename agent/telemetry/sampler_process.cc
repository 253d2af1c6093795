#include "agent/telemetry/sampler_process.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/telemetry/sampler_run.h"

namespace muster::agent {
namespace {

using State = SamplerStatus::State;

// Turns that wait for the loop at one time; a loop that is behind loses the others.
constexpr int kMaxWaitingTurns = 4;
// A child that gave so many turns did work.
constexpr uint64_t kWorkingTurns = 10;

// Where the thread's news go: to the loop, and there to the callbacks as long as the object lives.
class Outlet {
 public:
  Outlet(base::EventLoop& loop, SamplerProcess::Callbacks callbacks) : loop_(loop), callbacks_(std::move(callbacks)) {}

  // On the loop.
  void Close() { open_ = false; }

  static void Tell(const std::shared_ptr<Outlet>& outlet, const SamplerStatus& status) {
    outlet->loop_.Post([outlet, status] {
      if (outlet->open_ && outlet->callbacks_.on_status) outlet->callbacks_.on_status(status);
    });
  }
  static void Give(const std::shared_ptr<Outlet>& outlet, std::vector<v1::DeviceSample> turn) {
    if (outlet->waiting_.fetch_add(1) >= kMaxWaitingTurns) {
      outlet->waiting_.fetch_sub(1);
      return;
    }
    outlet->loop_.Post([outlet, turn = std::move(turn)]() mutable {
      outlet->waiting_.fetch_sub(1);
      if (outlet->open_ && outlet->callbacks_.on_samples) outlet->callbacks_.on_samples(std::move(turn));
    });
  }

 private:
  base::EventLoop& loop_;
  const SamplerProcess::Callbacks callbacks_;
  std::atomic<int> waiting_{0};
  bool open_ = true;
};

class WatchedSampler final : public SamplerProcess {
 public:
  WatchedSampler(base::EventLoop& loop, const Options& options, Callbacks callbacks)
      : options_(options),
        outlet_(std::make_shared<Outlet>(loop, std::move(callbacks))),
        stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        look_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    status_.kind = options.kind;
    thread_ = std::thread([this] { Run(); });
  }
  ~WatchedSampler() override {
    outlet_->Close();
    Ring(stop_);
    thread_.join();
  }

  void LookAgain() override { Ring(look_); }

 private:
  static void Ring(const base::OwnedFd& bell) {
    const uint64_t once = 1;
    [[maybe_unused]] const ssize_t written = write(bell.get(), &once, sizeof(once));
  }

  // The rest is the thread's.
  void Run() {
    int64_t pause_ms = options_.restart_pause_ms;
    while (!Stopped()) {
      const uint64_t turns_before = status_.samples;
      const SamplerEnd end = RunOnce();
      if (end.kind == SamplerEnd::Kind::kStopped) return;
      if (status_.samples - turns_before >= kWorkingTurns) {
        pause_ms = options_.restart_pause_ms;
        if (end.kind != SamplerEnd::Kind::kCrashed) crashed_device_.clear();
      }
      if (end.kind == SamplerEnd::Kind::kAbsent) {
        if (!WaitForLook()) return;
        continue;
      }
      if (!Pause(pause_ms)) return;
      pause_ms = std::min(pause_ms * 2, options_.max_restart_pause_ms);
    }
  }

  // One child, until it has gone.
  SamplerEnd RunOnce() {
    SetState(State::kStarting, "");
    ForgetSkips();
    const SamplerRun::Options options{.process = options_, .skip = SkipArguments(), .stop_fd = stop_.get()};
    absl::StatusOr<std::unique_ptr<SamplerRun>> run = SamplerRun::Start(options);
    if (!run.ok()) {
      SamplerEnd failed{.kind = SamplerEnd::Kind::kFailed, .detail = std::string(run.status().message())};
      SetState(State::kBroken, failed.detail);
      return failed;
    }
    SamplerEnd end = (*run)->Watch([this](std::vector<v1::DeviceSample> turn) { OnTurn(std::move(turn)); });
    if (end.kind == SamplerEnd::Kind::kStopped) return end;
    OnEnd(end);
    // Only when this one has gone may there be another.
    if (!(*run)->KillAndWait()) return SamplerEnd{};
    if (end.kind == SamplerEnd::Kind::kHung && !end.device.empty()) Skip(end.device);  // From now on.
    return end;
  }

  void OnTurn(std::vector<v1::DeviceSample> turn) {
    ++status_.samples;
    const bool skips_changed = ForgetSkips();
    if (status_.state != State::kRunning) {
      SetState(State::kRunning, "");
    } else if (skips_changed) {
      Outlet::Tell(outlet_, status_);
    }
    Outlet::Give(outlet_, std::move(turn));
  }

  void OnEnd(const SamplerEnd& end) {
    switch (end.kind) {
      case SamplerEnd::Kind::kStopped:
        return;
      case SamplerEnd::Kind::kAbsent:
        return SetState(State::kAbsent, end.detail);
      case SamplerEnd::Kind::kFailed:
        return SetState(State::kBroken, end.detail);
      case SamplerEnd::Kind::kCrashed:
        ++status_.crashes;
        if (!end.device.empty() && end.device == crashed_device_) Skip(end.device);
        crashed_device_ = end.device;
        return SetState(State::kBroken, end.detail);
      case SamplerEnd::Kind::kHung:
        ++status_.hangs;
        if (!end.device.empty()) Skip(end.device);
        return SetState(State::kHung, end.detail, end.device, end.call);
    }
  }

  void SetState(State state, const std::string& detail, const std::string& device = "", const std::string& call = "") {
    status_.state = state;
    status_.detail = detail;
    status_.hung_device = device;
    status_.hung_call = call;
    Outlet::Tell(outlet_, status_);
  }

  void Skip(const std::string& device) {
    skip_until_ms_[device] = MonotonicMs() + options_.skip_ms;
    ListSkips();
  }
  // Those whose time is over; true when there were some.
  bool ForgetSkips() {
    const int64_t now_ms = MonotonicMs();
    if (std::erase_if(skip_until_ms_, [&](const auto& skip) { return skip.second <= now_ms; }) == 0) return false;
    ListSkips();
    return true;
  }
  void ListSkips() {
    status_.skipped.clear();
    for (const auto& [device, until_ms] : skip_until_ms_) status_.skipped.push_back(device);
  }
  std::vector<SamplerArguments::Skip> SkipArguments() const {
    std::vector<SamplerArguments::Skip> skips;
    for (const auto& [device, until_ms] : skip_until_ms_) {
      skips.push_back({device, std::max<int64_t>(until_ms - MonotonicMs(), 0)});
    }
    return skips;
  }

  bool Stopped() const { return Wait({stop_.get()}, 0) == 0; }
  // False when it is to stop.
  bool Pause(int64_t pause_ms) const { return Wait({stop_.get()}, pause_ms) != 0; }
  bool WaitForLook() const {
    const int rung = Wait({stop_.get(), look_.get()}, -1);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t emptied = read(look_.get(), &count, sizeof(count));
    return rung != 0;
  }
  // Which one is readable first; -1: none within `wait_ms` (negative: for ever).
  static int Wait(const std::vector<int>& fds, int64_t wait_ms) {
    std::vector<pollfd> ready;
    for (const int fd : fds) ready.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    const int64_t until_ms = MonotonicMs() + wait_ms;
    for (;;) {
      const int64_t left_ms = wait_ms < 0 ? -1 : std::clamp<int64_t>(until_ms - MonotonicMs(), 0, INT32_MAX);
      const int count = poll(ready.data(), ready.size(), static_cast<int>(left_ms));
      for (size_t i = 0; count > 0 && i < ready.size(); ++i) {
        if (ready[i].revents != 0) return static_cast<int>(i);
      }
      if (wait_ms >= 0 && MonotonicMs() >= until_ms) return -1;
    }
  }

  const Options options_;
  const std::shared_ptr<Outlet> outlet_;
  const base::OwnedFd stop_;
  const base::OwnedFd look_;

  // The thread's own.
  SamplerStatus status_;
  std::map<std::string, int64_t> skip_until_ms_;  // Monotonic, by PCI address.
  std::string crashed_device_;

  std::thread thread_;
};

}  // namespace

absl::string_view SamplerName(SamplerKind kind) { return kind == SamplerKind::kNvml ? "nvml" : "intel"; }

std::unique_ptr<SamplerProcess> SamplerProcess::Start(base::EventLoop& loop, const Options& options,
                                                      Callbacks callbacks) {
  return std::make_unique<WatchedSampler>(loop, options, std::move(callbacks));
}

}  // namespace muster::agent
