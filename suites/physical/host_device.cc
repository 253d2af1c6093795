#include "suites/physical/host_device.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "suites/physical/march.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using Kernel = void (*)(const KernelLaunch& launch);

// A kernel of two buffers and its struct.
template <auto kKernel, typename Arguments>
void Call(const KernelLaunch& launch) {
  Arguments arguments;
  std::memcpy(&arguments, launch.arguments, sizeof(arguments));
  kKernel(static_cast<u32x4*>(launch.buffers[0]), static_cast<MarchErrors*>(launch.buffers[1]), arguments);
}

const std::map<std::string, Kernel>& Kernels() {
  static const auto& kernels =
      *new std::map<std::string, Kernel>{{"march_write", Call<march_write, MarchArguments>},
                                         {"march_verify", Call<march_verify, MarchArguments>},
                                         {"march_verify_write", Call<march_verify_write, MarchArguments>},
                                         {"march_mirror", Call<march_mirror, MarchArguments>},
                                         {"march_inject", Call<march_inject, MarchFault>}};
  return kernels;
}

}  // namespace

HostDevice::~HostDevice() {
  for (const auto& [memory, bytes] : pieces_) std::free(memory);
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

double HostDevice::Seconds(const std::function<void()>& queue) {
  const auto start = std::chrono::steady_clock::now();
  queue();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace muster::physical
