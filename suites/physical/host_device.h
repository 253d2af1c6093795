// The host's processor as a compute device: the same kernels, one work item after the other, or in turns from barrier
// to barrier where they have local memory; groups always one after the other. For the tests of the tests; nothing that
// it takes in time is a figure of anything.
#ifndef MUSTER_SUITES_PHYSICAL_HOST_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_HOST_DEVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "suites/physical/compute_device.h"

namespace muster::physical {

class HostDevice final : public ComputeDevice {
 public:
  // Gives `memory_bytes` in all, in pieces of at most `largest_piece` (0: any).
  explicit HostDevice(uint64_t memory_bytes, uint64_t largest_piece = 0)
      : free_(memory_bytes), largest_piece_(largest_piece) {}
  ~HostDevice() override;

  const DeviceTraits& Traits() override;
  // Gives as much memory as is left now; does its work at once.
  std::unique_ptr<ComputeDevice> OpenQueue() override { return std::make_unique<HostDevice>(free_, largest_piece_); }
  void* Allocate(uint64_t bytes) override;
  void Free(void* memory) override;
  uint64_t FreeBytes() override { return free_; }
  void* AllocateHost(uint64_t bytes) override { return Allocate(bytes); }
  void FreeHost(void* memory) override { Free(memory); }
  void Launch(const KernelLaunch& launch) override;
  void Zero(void* memory, uint64_t bytes) override;
  void Copy(void* to, const void* from, uint64_t bytes) override;
  void ReadBack(void* host, const void* memory, uint64_t bytes) override;
  void Wait() override {}
  // Work is done when it is queued.
  bool WaitAtMost(double) override { return true; }
  std::unique_ptr<QueueEvent> Record() override { return std::make_unique<QueueEvent>(); }
  void WaitFor(const QueueEvent&) override {}
  // Calls `queue` again each time.
  std::unique_ptr<QueuedWork> Capture(const std::function<void()>& queue) override;
  std::string ModuleImage() override;
  // What is loaded are the program's own kernels.
  std::unique_ptr<KernelModule> LoadModule(const std::string& path) override;
  bool ReachPeer(ComputeDevice& peer) override { return dynamic_cast<HostDevice*>(&peer) != nullptr; }
  double Seconds(const std::function<void()>& queue) override;

 private:
  uint64_t free_;
  const uint64_t largest_piece_;
  std::map<void*, uint64_t> pieces_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_HOST_DEVICE_H_
