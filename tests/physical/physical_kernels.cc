// The physical tests' kernels for the simulated Level Zero devices: each as the host computes it
// (suites/physical/host_kernels.h), under its own name. See tests/hardware_sim/level_zero/kernels.h.
#include <cstring>
#include <iterator>
#include <utility>

#include "suites/physical/all_kernels.h"
#include "suites/physical/host_kernels.h"
#include "tests/hardware_sim/level_zero/kernels.h"

namespace {

using muster::physical::HostKernel;
using muster::physical::HostKernels;
using muster::physical::KernelLaunch;

#define MUSTER_KERNEL_NAME(name) #name
constexpr const char* kNames[] = {PHYSICAL_KERNELS(MUSTER_KERNEL_NAME)};
#undef MUSTER_KERNEL_NAME
constexpr size_t kCount = std::size(kNames);

// Its buffers, the struct, and the size of the local memory.
template <size_t kIndex>
void Run(const MusterSimLaunch* launch) {
  const HostKernel& kernel = HostKernels()[kIndex];
  KernelLaunch on_host = {.kernel = kernel.name, .groups = launch->group_count[0], .group_size = launch->group_size[0]};
  const auto buffers = static_cast<uint32_t>(kernel.buffers);
  for (uint32_t i = 0; i < buffers; ++i) on_host.buffers.push_back(MusterSimValue<void*>(launch, i));
  on_host.arguments = launch->arguments[buffers].value;
  on_host.arguments_size = launch->arguments[buffers].size;
  if (kernel.has_local_memory) on_host.local_bytes = static_cast<uint32_t>(launch->arguments[buffers + 1].size);
  muster::physical::RunOnHost(kernel, on_host);
}

template <size_t... kIndex>
const MusterSimKernelTable* MakeTable(std::index_sequence<kIndex...>) {
  static MusterSimKernel kernels[kCount] = {{kNames[kIndex], 0, MUSTER_SIM_NO_OUTPUT_ARGUMENT, Run<kIndex>}...};
  for (size_t i = 0; i < kCount; ++i) {
    const HostKernel& kernel = HostKernels()[i];
    kernels[i].argument_count = static_cast<uint32_t>(kernel.buffers + (kernel.has_local_memory ? 2 : 1));
    // Not the largest of its buffers.
    if (std::strncmp(kernel.name, "plain_multiply", std::strlen("plain_multiply")) == 0) kernels[i].output_argument = 0;
  }
  static const MusterSimKernelTable table = {MUSTER_SIM_KERNELS_VERSION, kCount, kernels};
  return &table;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const MusterSimKernelTable* MusterSimKernels() {
  static const MusterSimKernelTable* const table = MakeTable(std::make_index_sequence<kCount>());
  return table;
}
