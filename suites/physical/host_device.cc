#include "suites/physical/host_device.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "suites/physical/host_kernels.h"
#include "suites/physical/portable.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// As KernelLaunch says.
constexpr uint32_t kLargestGroup = 512;

}  // namespace

HostDevice::~HostDevice() {
  for (const auto& [memory, bytes] : pieces_) std::free(memory);
}

const DeviceTraits& HostDevice::Traits() {
  static const auto& traits = *new DeviceTraits{.name = "host's processor",
                                                .units = HOST_UNITS,
                                                .atomics_64 = true,
                                                .local_memory_bytes = 64 << 10,
                                                .last_cache_bytes = 1 << 20,
                                                .fp64 = true,
                                                .exact_division = true,
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
  const auto& kernels = HostKernels();
  const auto kernel = std::find_if(kernels.begin(), kernels.end(),
                                   [&](const HostKernel& one) { return std::string_view(one.name) == launch.kernel; });
  if (kernel == kernels.end()) throw sdk::ToolError(std::string("no kernel ") + launch.kernel);
  if (kernel->has_local_memory != (launch.local_bytes != 0) || kernel->buffers != launch.buffers.size())
    throw sdk::ToolError(std::string("other buffers or local memory than the kernel's: ") + launch.kernel);
  if (launch.group_size > kLargestGroup) throw sdk::ToolError("a group of more than 512 work items");
  RunOnHost(*kernel, launch);
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

std::unique_ptr<QueuedWork> HostDevice::Capture(const std::function<void()>& queue) {
  struct Again final : QueuedWork {
    explicit Again(const std::function<void()>& work) : work(work) {}
    void Queue() override { work(); }
    const std::function<void()> work;
  };
  return std::make_unique<Again>(queue);
}

double HostDevice::Seconds(const std::function<void()>& queue) {
  const auto start = std::chrono::steady_clock::now();
  queue();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace muster::physical
