#include "suites/physical/host_kernels.h"

#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "suites/physical/all_kernels.h"
#include "suites/physical/host_group.h"

namespace muster::physical {
namespace {

// The parameters of a kernel: its buffers, then one struct, then what stands for local memory where it has some.
template <typename Function>
struct Signature;
template <typename... Parameters>
struct Signature<void (*)(Parameters...)> {
  using Tuple = std::tuple<Parameters...>;
  static constexpr bool kLocal =
      std::is_same_v<std::tuple_element_t<sizeof...(Parameters) - 1, Tuple>, HostLocalMemory>;
  static constexpr size_t kBuffers = sizeof...(Parameters) - (kLocal ? 2 : 1);
  using Arguments = std::tuple_element_t<kBuffers, Tuple>;
};

template <auto kKernel, size_t... kIndex>
void CallWith(const KernelLaunch& launch, std::index_sequence<kIndex...>) {
  using Shape = Signature<decltype(kKernel)>;
  typename Shape::Arguments arguments;
  std::memcpy(&arguments, launch.arguments, sizeof(arguments));
  if constexpr (Shape::kLocal) {
    kKernel(static_cast<std::tuple_element_t<kIndex, typename Shape::Tuple>>(launch.buffers[kIndex])..., arguments, {});
  } else {
    kKernel(static_cast<std::tuple_element_t<kIndex, typename Shape::Tuple>>(launch.buffers[kIndex])..., arguments);
  }
}

template <auto kKernel>
void Call(const KernelLaunch& launch) {
  CallWith<kKernel>(launch, std::make_index_sequence<Signature<decltype(kKernel)>::kBuffers>());
}

template <auto kKernel>
HostKernel Describe(const char* name) {
  using Shape = Signature<decltype(kKernel)>;
  return {name, Shape::kBuffers, sizeof(typename Shape::Arguments), Shape::kLocal, Call<kKernel>};
}

void RunGroups(const HostKernel& kernel, const KernelLaunch& launch) {
  std::vector<u32x4> local_memory((launch.local_bytes + sizeof(u32x4) - 1) / sizeof(u32x4));
  host_local_memory = local_memory.data();
  HostGroup group(launch.group_size);
  for (uint64_t number = 0; number < launch.groups; ++number) {
    group.Run(
        [&](uint32_t item) {
          host_work_item = {number, launch.groups, item, launch.group_size};
        },
        [&] { kernel.run_work_item(launch); });
  }
}

}  // namespace

const std::vector<HostKernel>& HostKernels() {
#define MUSTER_HOST_KERNEL(name) Describe<&name>(#name)
  static const auto& kernels = *new std::vector<HostKernel>{PHYSICAL_KERNELS(MUSTER_HOST_KERNEL)};
#undef MUSTER_HOST_KERNEL
  return kernels;
}

void RunOnHost(const HostKernel& kernel, const KernelLaunch& launch) {
  if (kernel.has_local_memory) return RunGroups(kernel, launch);
  for (uint64_t group = 0; group < launch.groups; ++group) {
    for (uint32_t local = 0; local < launch.group_size; ++local) {
      host_work_item = {group, launch.groups, local, launch.group_size};
      kernel.run_work_item(launch);
    }
  }
}

}  // namespace muster::physical
