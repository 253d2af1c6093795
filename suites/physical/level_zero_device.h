// An Intel GPU as a compute device: one immediate command list, each of whose commands waits for the one before.
//
// A GPU of several tiles is used as one, the root device: its driver spreads groups and memory over the tiles, so that
// everything is tested together, and a fault is not told by its tile.
//
// A wait that takes longer than kWaitLimitSeconds is a DeviceFailure; the object then frees nothing more, for the
// device may still write.
#ifndef MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_DEVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/level_zero_gpu.h"
#include "suites/physical/level_zero_handles.h"

namespace muster::physical {

class LevelZeroDevice final : public ComputeDevice {
 public:
  static constexpr uint64_t kWaitLimitSeconds = 300;

  explicit LevelZeroDevice(LevelZeroGpu& gpu);
  ~LevelZeroDevice() override;

  const DeviceTraits& Traits() override { return gpu_.traits(); }
  std::unique_ptr<ComputeDevice> OpenQueue() override;
  void* Allocate(uint64_t bytes) override;
  void Free(void* memory) override;
  uint64_t FreeBytes() override { return gpu_.FreeBytes(); }
  void* AllocateHost(uint64_t bytes) override;
  void FreeHost(void* memory) override;
  void Launch(const KernelLaunch& launch) override;
  void Zero(void* memory, uint64_t bytes) override;
  void Copy(void* to, const void* from, uint64_t bytes) override;
  void ReadBack(void* host, const void* memory, uint64_t bytes) override;
  void Wait() override;
  bool WaitAtMost(double seconds) override;
  std::unique_ptr<QueueEvent> Record() override;
  void WaitFor(const QueueEvent& event) override;
  std::unique_ptr<QueuedWork> Capture(const std::function<void()>& queue) override;
  // In the GPU's own code, as the driver's compiler made it.
  std::string ModuleImage() override { return gpu_.NativeImage("api"); }
  std::unique_ptr<KernelModule> LoadModule(const std::string& path) override;
  bool ReachPeer(ComputeDevice& peer) override;
  double Seconds(const std::function<void()>& queue) override;

 private:
  // As sdk::ZeCheck; remembers that the device is gone.
  void Check(ze_result_t result, const char* call);
  // Of an Append… call; what comes after it waits for it.
  void Queued(ze_result_t result, const char* call);
  void Stamp(uint64_t* place);
  ze_kernel_handle_t KernelOf(const KernelLaunch& launch);
  bool IsPlainHostMemory(const void* memory);
  // Whether all that is queued ended within so many slices of time.
  bool WaitSlices(uint64_t slices, uint64_t slice_ns);
  // Waits, and says instead of throwing whether all is done.
  bool Settle();

  LevelZeroGpu& gpu_;
  const ZeCalls& ze_;
  ze_command_queue_desc_t queue_;
  ze_command_list_handle_t list_ = nullptr;
  std::shared_ptr<LevelZeroEvent> done_;
  // What commands that are still to come may need; all of it has come when a wait has ended.
  std::vector<std::shared_ptr<LevelZeroEvent>> held_;
  uint64_t* stamps_ = nullptr;  // The device's clock at the begin and the end of Seconds().
  std::map<std::string, ze_kernel_handle_t> kernels_;
  std::map<void*, uint64_t> pieces_;
  bool gone_ = false;  // Lost, or still at work after a wait's limit.
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_DEVICE_H_
