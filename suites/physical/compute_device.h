// A GPU as the physical tests see it: memory, kernels by name, and the device's own clock. CUDA, Level Zero, and the
// host's processor (for the tests of the tests) each have one; the algorithms above it are written once. OpenDevice()
// of open_device.h gives the one for a leased device.
//
// One object is one queue: its work runs in order. Everything throws as the SDK does: DeviceFailure where the device or
// its driver is at fault, ToolError where the test could not do its work. One thread at a time. What a device has no
// part for throws DeviceSkipped.
#ifndef MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "suites/sdk/peak.h"

namespace muster::physical {

// What a device is made of; 0 where nobody says.
struct DeviceTraits {
  std::string name;
  uint32_t units = 1;               // Multiprocessors, Xe cores.
  uint32_t subgroup_size = 1;       // Work items in lock step: a warp, a sub-group.
  uint32_t shuffle_width = 8;       // Work items that reach each other's values by shuffles in the kernels.
  bool atomics_64 = false;          // In the kernels.
  uint64_t local_memory_bytes = 0;  // The most that one group may have.
  uint64_t last_cache_bytes = 0;
  bool fp64 = false;
  // Division and square root in fp32 are correctly rounded, as the kernels are compiled for the device.
  bool exact_division = false;
  // UNIT_ID in a kernel tells the units apart, from 0 to units - 1.
  bool names_units = false;
  sdk::GpuFigures figures;
};

// A point in a queue's work, for which other queues of the device may wait.
class QueueEvent {
 public:
  virtual ~QueueEvent() = default;
};

// Kernels that were read from a file.
class KernelModule {
 public:
  virtual ~KernelModule() = default;
};

struct KernelLaunch {
  const char* kernel = nullptr;
  // Null: the program's own kernels.
  const KernelModule* module = nullptr;
  uint64_t groups = 1;
  uint32_t group_size = 1;  // At most 512.
  // The kernel's parameters: its buffers, then one struct.
  std::vector<void*> buffers;
  const void* arguments = nullptr;
  size_t arguments_size = 0;
  // Of each group's LOCAL_POINTER; for kernels with LOCAL_PARAMETER alone, which must have some.
  uint32_t local_bytes = 0;
};

// Work that is queued as one thing, again and again.
class QueuedWork {
 public:
  virtual ~QueuedWork() = default;
  virtual void Queue() = 0;
};

class ComputeDevice {
 public:
  virtual ~ComputeDevice() = default;

  virtual const DeviceTraits& Traits() = 0;
  // Another queue of the same device, independent of this one; memory of one is memory of the other. Freed where it was
  // allocated.
  virtual std::unique_ptr<ComputeDevice> OpenQueue() = 0;

  // Device memory, not initialised, aligned to 256 bytes; null when there is not that much.
  virtual void* Allocate(uint64_t bytes) = 0;
  virtual void Free(void* memory) = 0;
  virtual uint64_t FreeBytes() = 0;
  // Page-locked host memory, which kernels and copies of the device reach; null when there is not that much.
  virtual void* AllocateHost(uint64_t bytes) = 0;
  virtual void FreeHost(void* memory) = 0;

  // ToolError when the device refuses the launch (a group too large, too much local memory); it goes on working.
  virtual void Launch(const KernelLaunch& launch) = 0;
  virtual void Zero(void* memory, uint64_t bytes) = 0;
  // Between any memory: the device's, page-locked or plain host memory (which the copy may wait for), and that of
  // another device of the same vendor.
  virtual void Copy(void* to, const void* from, uint64_t bytes) = 0;
  // Waits for all that is queued.
  virtual void ReadBack(void* host, const void* memory, uint64_t bytes) = 0;
  virtual void Wait() = 0;
  // The same for at most so long; whether the work has ended.
  virtual bool WaitAtMost(double seconds);

  // Comes when all that is queued here by now has ended.
  virtual std::unique_ptr<QueueEvent> Record();
  // What is queued here from now on begins when the event of another queue has come.
  virtual void WaitFor(const QueueEvent& event);
  // Launches that `queue` makes here, kept and not run: a graph, a closed command list. This object outlives it.
  virtual std::unique_ptr<QueuedWork> Capture(const std::function<void()>& queue);

  // A module of the device's own kind with the kernels of api.kernels.h: what a file of it holds.
  virtual std::string ModuleImage();
  // Reads such a file, for the launches of this object and of its queues; null when the driver refuses it.
  virtual std::unique_ptr<KernelModule> LoadModule(const std::string& path);

  // From now on this device's kernels and copies reach memory of `peer` directly; false when the two cannot.
  virtual bool ReachPeer(ComputeDevice& peer) = 0;

  // What the device took for all that `queue` queues, by its own clock; waits for its end.
  virtual double Seconds(const std::function<void()>& queue) = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_
