#include "suites/physical/host_kernels.h"

#include <barrier>
#include <cstring>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

#include "suites/physical/all_kernels.h"

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

// The groups one after the other, their work items as threads.
void RunThreads(const HostKernel& kernel, const KernelLaunch& launch) {
  std::vector<u32x4> local_memory((launch.local_bytes + sizeof(u32x4) - 1) / sizeof(u32x4));
  std::barrier<> in_group(launch.group_size);
  std::barrier<> between_groups(launch.group_size);
  std::vector<std::thread> items;
  for (uint32_t local = 0; local < launch.group_size; ++local) {
    items.emplace_back([&, local] {
      host_local_memory = local_memory.data();
      host_barrier = &in_group;
      for (uint64_t group = 0; group < launch.groups; ++group) {
        host_work_item = {group, launch.groups, local, launch.group_size};
        kernel.run_work_item(launch);
        between_groups.arrive_and_wait();
      }
    });
  }
  for (std::thread& item : items) item.join();
}

}  // namespace

const std::vector<HostKernel>& HostKernels() {
#define MUSTER_HOST_KERNEL(name) Describe<&name>(#name)
  static const auto& kernels = *new std::vector<HostKernel>{PHYSICAL_KERNELS(MUSTER_HOST_KERNEL)};
#undef MUSTER_HOST_KERNEL
  return kernels;
}

void RunOnHost(const HostKernel& kernel, const KernelLaunch& launch) {
  if (kernel.has_local_memory) return RunThreads(kernel, launch);
  for (uint64_t group = 0; group < launch.groups; ++group) {
    for (uint32_t local = 0; local < launch.group_size; ++local) {
      host_work_item = {group, launch.groups, local, launch.group_size};
      kernel.run_work_item(launch);
    }
  }
}

}  // namespace muster::physical
