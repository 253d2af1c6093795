// A device whose queues run as late as they may and in the worst order: nothing runs before somebody waits, and then
// the newest queue (or the oldest) first, for as long as events let it. What is right in both orders does not rest on
// luck. Computes as HostDevice does, on whose memory it works.
#ifndef MUSTER_SUITES_PHYSICAL_DEFERRED_DEVICE_FAKE_H_
#define MUSTER_SUITES_PHYSICAL_DEFERRED_DEVICE_FAKE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "suites/physical/host_device.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {

class DeferredDevice final : public ComputeDevice {
 public:
  // What all queues share; events_order_nothing breaks the device: it ignores what WaitFor asks for.
  struct Machine {
    explicit Machine(uint64_t memory_bytes) : host(memory_bytes) {}
    HostDevice host;
    std::vector<DeferredDevice*> queues;
    bool events_order_nothing = false;
    bool oldest_first = false;
    // WaitAtMost for less than this finds what is queued still running.
    double patience_seconds = 0.05;
  };

  explicit DeferredDevice(std::shared_ptr<Machine> machine) : machine_(std::move(machine)) {
    machine_->queues.push_back(this);
  }
  ~DeferredDevice() override { std::erase(machine_->queues, this); }

  const DeviceTraits& Traits() override { return machine_->host.Traits(); }
  std::unique_ptr<ComputeDevice> OpenQueue() override { return std::make_unique<DeferredDevice>(machine_); }
  void* Allocate(uint64_t bytes) override { return machine_->host.Allocate(bytes); }
  void Free(void* memory) override { machine_->host.Free(memory); }
  uint64_t FreeBytes() override { return machine_->host.FreeBytes(); }
  void* AllocateHost(uint64_t bytes) override { return Allocate(bytes); }
  void FreeHost(void* memory) override { Free(memory); }
  bool ReachPeer(ComputeDevice&) override { return false; }

  void Launch(const KernelLaunch& launch) override {
    const auto* const begin = static_cast<const char*>(launch.arguments);
    work_.push_back({[this, launch, arguments = std::string(begin, begin + launch.arguments_size)] {
      KernelLaunch late = launch;
      late.arguments = arguments.data();
      machine_->host.Launch(late);
    }});
  }
  void Zero(void* memory, uint64_t bytes) override {
    work_.push_back({[memory, bytes] { std::memset(memory, 0, bytes); }});
  }
  void Copy(void* to, const void* from, uint64_t bytes) override {
    work_.push_back({[to, from, bytes] { std::memcpy(to, from, bytes); }});
  }
  void ReadBack(void* host, const void* memory, uint64_t bytes) override {
    Wait();
    std::memcpy(host, memory, bytes);
  }
  void Wait() override {
    const auto may_run = [](const DeferredDevice& queue) {
      return !queue.work_.empty() && (queue.work_.front().after == nullptr || *queue.work_.front().after);
    };
    while (!work_.empty()) {
      std::vector<DeferredDevice*> queues = machine_->queues;
      if (!machine_->oldest_first) std::reverse(queues.begin(), queues.end());
      const auto next =
          std::find_if(queues.begin(), queues.end(), [&](const DeferredDevice* queue) { return may_run(*queue); });
      if (next == queues.end()) throw sdk::ToolError("the queues wait for one another for ever");
      const auto run = std::move((*next)->work_.front().run);
      (*next)->work_.pop_front();
      if (run) run();
    }
  }
  bool WaitAtMost(double seconds) override {
    if (seconds < machine_->patience_seconds && !work_.empty()) return false;
    Wait();
    return true;
  }
  std::unique_ptr<QueueEvent> Record() override {
    auto event = std::make_unique<Event>();
    work_.push_back({[came = event->came] { *came = true; }});
    return event;
  }
  void WaitFor(const QueueEvent& event) override {
    if (!machine_->events_order_nothing) work_.push_back({nullptr, dynamic_cast<const Event&>(event).came});
  }
  std::string ModuleImage() override { return machine_->host.ModuleImage(); }
  std::unique_ptr<KernelModule> LoadModule(const std::string& path) override { return machine_->host.LoadModule(path); }
  double Seconds(const std::function<void()>& queue) override {
    return machine_->host.Seconds([&] {
      queue();
      Wait();
    });
  }

 private:
  struct Event final : QueueEvent {
    std::shared_ptr<bool> came = std::make_shared<bool>(false);
  };
  struct Piece {
    std::function<void()> run;
    std::shared_ptr<bool> after;
  };

  const std::shared_ptr<Machine> machine_;
  std::deque<Piece> work_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_DEFERRED_DEVICE_FAKE_H_
