// The portable kernels as functions of the host: for HostDevice, and for the simulated drivers, which run them as their
// devices' own. Knows nothing of the SDK, so that a library loaded into another program may hold it.
#ifndef MUSTER_SUITES_PHYSICAL_HOST_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_HOST_KERNELS_H_

#include <cstddef>
#include <vector>

#include "suites/physical/compute_device.h"

namespace muster::physical {

struct HostKernel {
  const char* name = "";
  size_t buffers = 0;
  size_t arguments_size = 0;
  // It has LOCAL_PARAMETER.
  bool has_local_memory = false;
  void (*run_work_item)(const KernelLaunch& launch) = nullptr;
};

// In the order of PHYSICAL_KERNELS.
const std::vector<HostKernel>& HostKernels();

// The whole launch: one work item after the other, or in turns from barrier to barrier where they have local memory.
// Launches may run at the same time.
void RunOnHost(const HostKernel& kernel, const KernelLaunch& launch);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_HOST_KERNELS_H_
