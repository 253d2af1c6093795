#include "suites/physical/host_device.h"

#include <barrier>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "suites/physical/all_kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using Kernel = void (*)(const KernelLaunch& launch);

// The parameters of a kernel: its buffers, then one struct.
template <typename Function>
struct Signature;
template <typename... Parameters>
struct Signature<void (*)(Parameters...)> {
  using Tuple = std::tuple<Parameters...>;
  static constexpr size_t kBuffers = sizeof...(Parameters) - 1;
};

template <auto kKernel, typename Types, size_t... kIndex>
void CallWith(const KernelLaunch& launch, std::index_sequence<kIndex...>) {
  std::tuple_element_t<sizeof...(kIndex), Types> arguments;
  std::memcpy(&arguments, launch.arguments, sizeof(arguments));
  kKernel(static_cast<std::tuple_element_t<kIndex, Types>>(launch.buffers[kIndex])..., arguments);
}

template <auto kKernel>
void Call(const KernelLaunch& launch) {
  using Shape = Signature<decltype(kKernel)>;
  CallWith<kKernel, typename Shape::Tuple>(launch, std::make_index_sequence<Shape::kBuffers>());
}

const std::map<std::string, Kernel>& Kernels() {
#define KERNEL_ENTRY(name) \
  { #name, Call < &name> }
  static const auto& kernels = *new std::map<std::string, Kernel>{PHYSICAL_KERNELS(KERNEL_ENTRY)};
#undef KERNEL_ENTRY
  return kernels;
}

// The groups one after the other, their work items as threads.
void LaunchThreads(const KernelLaunch& launch, Kernel kernel) {
  std::vector<u32x4> local_memory((launch.local_bytes + sizeof(u32x4) - 1) / sizeof(u32x4));
  std::barrier<> in_group(launch.group_size);
  std::barrier<> between_groups(launch.group_size);
  host_local_memory = local_memory.data();
  host_barrier = &in_group;
  std::vector<std::thread> items;
  for (uint32_t local = 0; local < launch.group_size; ++local) {
    items.emplace_back([&launch, &between_groups, kernel, local] {
      for (uint64_t group = 0; group < launch.groups; ++group) {
        host_work_item = {group, launch.groups, local, launch.group_size};
        kernel(launch);
        between_groups.arrive_and_wait();
      }
    });
  }
  for (std::thread& item : items) item.join();
}

}  // namespace

HostDevice::~HostDevice() {
  for (const auto& [memory, bytes] : pieces_) std::free(memory);
}

const DeviceTraits& HostDevice::Traits() {
  static const auto& traits = *new DeviceTraits{.name = "host's processor",
                                                .units = HOST_UNITS,
                                                .local_memory_bytes = 64 << 10,
                                                .last_cache_bytes = 1 << 20,
                                                .fp64 = true,
                                                .names_units = true};
  return traits;
}

void* HostDevice::Allocate(uint64_t bytes) {
  if (bytes > free_ || (largest_piece_ != 0 && bytes > largest_piece_)) return nullptr;
  void* const memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory == nullptr) return nullptr;
  pieces_[memory] = bytes;
  free_ -= bytes;
  return memory;
}

void HostDevice::Free(void* memory) {
  const auto piece = pieces_.find(memory);
  free_ += piece->second;
  pieces_.erase(piece);
  std::free(memory);
}

void HostDevice::Launch(const KernelLaunch& launch) {
  const auto kernel = Kernels().find(launch.kernel);
  if (kernel == Kernels().end()) throw sdk::ToolError(std::string("no kernel ") + launch.kernel);
  if (launch.local_bytes != 0) return LaunchThreads(launch, kernel->second);
  for (uint64_t group = 0; group < launch.groups; ++group) {
    for (uint32_t local = 0; local < launch.group_size; ++local) {
      host_work_item = {group, launch.groups, local, launch.group_size};
      kernel->second(launch);
    }
  }
}

void HostDevice::Zero(void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
void HostDevice::Copy(void* to, const void* from, uint64_t bytes) { std::memcpy(to, from, bytes); }
void HostDevice::ReadBack(void* host, const void* memory, uint64_t bytes) { std::memcpy(host, memory, bytes); }

std::string HostDevice::ModuleImage() { return "The kernels of the host's processor.\n"; }

std::unique_ptr<KernelModule> HostDevice::LoadModule(const std::string& path) {
  std::ifstream file(path);
  const std::string image(std::istreambuf_iterator<char>(file), {});
  return image == ModuleImage() ? std::make_unique<KernelModule>() : nullptr;
}

double HostDevice::Seconds(const std::function<void()>& queue) {
  const auto start = std::chrono::steady_clock::now();
  queue();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace muster::physical
