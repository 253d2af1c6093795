// A GPU as the physical tests see it: memory, kernels by name, and the device's own clock. CUDA, Level Zero, and the
// host's processor (for the tests of the tests) each have one; the algorithms above it are written once.
//
// Work is queued in order. Everything throws as the SDK does: DeviceFailure where the device or its driver is at fault,
// ToolError where the test could not do its work. One thread.
#ifndef MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace muster::physical {

struct KernelLaunch {
  const char* kernel = nullptr;
  uint64_t groups = 1;
  uint32_t group_size = 1;  // At most 512.
  // The kernel's parameters: its buffers, then one struct.
  std::vector<void*> buffers;
  const void* arguments = nullptr;
  size_t arguments_size = 0;
};

class ComputeDevice {
 public:
  virtual ~ComputeDevice() = default;

  // Device memory, not initialised, aligned to 256 bytes; null when there is not that much.
  virtual void* Allocate(uint64_t bytes) = 0;
  virtual void Free(void* memory) = 0;
  virtual uint64_t FreeBytes() = 0;

  virtual void Launch(const KernelLaunch& launch) = 0;
  virtual void Zero(void* memory, uint64_t bytes) = 0;
  virtual void Copy(void* to, const void* from, uint64_t bytes) = 0;
  // Waits for all that is queued.
  virtual void ReadBack(void* host, const void* memory, uint64_t bytes) = 0;

  // What the device took for all that `queue` queues, by its own clock; waits for its end.
  virtual double Seconds(const std::function<void()>& queue) = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_COMPUTE_DEVICE_H_
