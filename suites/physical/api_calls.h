// What single calls of a device's API must do: a kernel's result, a wait with a limit, a module from a file, a launch
// that cannot be. Each gives what is wrong, in words; empty when nothing is.
#ifndef MUSTER_SUITES_PHYSICAL_API_CALLS_H_
#define MUSTER_SUITES_PHYSICAL_API_CALLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "suites/physical/api.kernels.h"
#include "suites/physical/api_injection.h"
#include "suites/physical/compute_device.h"

namespace muster::physical {

// What ComputesRight works on.
inline constexpr uint64_t kThreePieces = 3 * 256;

// Two values of `seed` go in, a kernel makes one of them, the host the same. `words`: kThreePieces bytes of the device.
bool ComputesRight(ComputeDevice& device, u32* words, u32 seed, const KernelModule* module = nullptr);

struct LimitedWaitReport {
  double kernel_seconds = 0;  // As planned.
  double waited_seconds = 0;  // Until the wait with the limit came back.
  std::vector<std::string> problems;
};
// Waits for `limit_seconds` for a kernel that takes longer, then for its end. "short:1": the kernel is none. Throws
// DeviceSkipped where a launch waits for its kernel.
LimitedWaitReport RunLimitedWait(ComputeDevice& device, double kernel_seconds, double limit_seconds,
                                 const ApiInjection& injection = ApiInjection());

// The device's module, written into `folder` and loaded from there, computes; what is no module is refused and the
// device goes on. "module:1": the file holds no module. (Half a module is not tried: NVIDIA's driver 580 does not come
// back from half a fat binary.)
std::vector<std::string> RunModuleFile(ComputeDevice& device, const std::string& folder,
                                       const ApiInjection& injection = ApiInjection());

// Launches that cannot be are refused and leave no trace. "accept:1": what should be refused is in order.
std::vector<std::string> RunLaunchErrors(ComputeDevice& device, const ApiInjection& injection = ApiInjection());

// Keeps the device busy for about so long, in one kernel; returns when it is queued. The turns are TurnsPerSecond()'s.
void QueueLongKernel(ComputeDevice& device, u32* words, double seconds, double turns_per_second);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_API_CALLS_H_
