// One Intel GPU in this process, as its queues share it: the driver's context, the compiled modules, what it is made
// of.
//
// Modules are compiled by Intel's driver when the first of their kernels is asked for. Lives as long as the process:
// cases come and go, and to compile takes seconds. Any thread.
#ifndef MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_GPU_H_
#define MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_GPU_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/spirv_modules.h"
#include "suites/sdk/level_zero.h"

namespace muster::physical {

// clang-format off
#define MUSTER_ZE_CALLS(M) \
  M(zeCommandListAppendBarrier) M(zeCommandListAppendEventReset) M(zeCommandListAppendLaunchKernel) \
  M(zeCommandListAppendMemoryCopy) M(zeCommandListAppendMemoryFill) M(zeCommandListAppendWaitOnEvents) \
  M(zeCommandListAppendWriteGlobalTimestamp) M(zeCommandListClose) M(zeCommandListCreate) \
  M(zeCommandListCreateImmediate) M(zeCommandListDestroy) M(zeCommandQueueCreate) M(zeCommandQueueDestroy) \
  M(zeCommandQueueExecuteCommandLists) M(zeContextCreate) M(zeDeviceCanAccessPeer) M(zeDeviceGetCacheProperties) \
  M(zeDeviceGetCommandQueueGroupProperties) M(zeDeviceGetComputeProperties) M(zeDeviceGetMemoryProperties) \
  M(zeDeviceGetModuleProperties) M(zeDeviceGetProperties) M(zeEventCreate) M(zeEventDestroy) M(zeEventHostReset) \
  M(zeEventHostSynchronize) M(zeEventPoolCreate) M(zeEventPoolDestroy) M(zeKernelCreate) M(zeKernelDestroy) \
  M(zeKernelSetArgumentValue) M(zeKernelSetGroupSize) M(zeMemAllocDevice) M(zeMemAllocHost) M(zeMemFree) \
  M(zeMemGetAllocProperties) M(zeModuleBuildLogDestroy) M(zeModuleBuildLogGetString) M(zeModuleCreate) \
  M(zeModuleDestroy) M(zeModuleGetKernelNames) M(zeModuleGetNativeBinary) M(zesDeviceEnumMemoryModules) \
  M(zesMemoryGetBandwidth) M(zesMemoryGetProperties) M(zesMemoryGetState)
// clang-format on

// The loader's functions, looked up once. Throws ToolError for one that it lacks.
struct ZeCalls {
  explicit ZeCalls(const sdk::LevelZero& library);
#define MUSTER_ZE_POINTER(function) decltype(&::function) function;
  MUSTER_ZE_CALLS(MUSTER_ZE_POINTER)
#undef MUSTER_ZE_POINTER
};

class LevelZeroGpu {
 public:
  // The same object each time for the same device.
  static LevelZeroGpu& Of(const sdk::LevelZero& library, const sdk::LevelZero::DeviceHandles& handles);

  const ZeCalls& ze() const { return ze_; }
  // One for all devices of the driver, so that memory of one may be used on another.
  ze_context_handle_t context() const { return context_; }
  ze_device_handle_t device() const { return handles_.core; }
  const DeviceTraits& traits() const { return traits_; }
  uint64_t largest_allocation() const { return properties_.maxMemAllocSize; }
  // Seconds between two values of the device's clock, of which only some bits count; `about` is how long the host saw
  // it take, to tell how often the clock began anew.
  double SecondsBetween(uint64_t begin, uint64_t end, double about) const;

  // What the driver's compiler made of the module: an image for LoadNative. Throws as CreateKernel does.
  std::string NativeImage(const std::string& module);
  // The caller's to destroy; null when the driver refuses it or there is no kernel in it.
  ze_module_handle_t LoadNative(const std::string& image) const;

  // Of the device's queues for kernels, in turn.
  ze_command_queue_desc_t NextQueue();
  // Compiles its module when need be. Throws ToolError for a name that no module has or a module that the driver's
  // compiler refuses, DeviceSkipped where the GPU has not what the module needs.
  ze_kernel_handle_t CreateKernel(const std::string& name);
  ze_kernel_handle_t CreateKernel(ze_module_handle_t module, const std::string& name) const;

  // What sysman says is free, and never more than what this process has not taken: without the rights to see, some
  // drivers call all memory free.
  uint64_t FreeBytes() const;
  void Took(uint64_t bytes) { taken_bytes_ += bytes; }
  void Gave(uint64_t bytes) { taken_bytes_ -= bytes; }

 private:
  LevelZeroGpu(const sdk::LevelZero& library, const sdk::LevelZero::DeviceHandles& handles);
  void ReadTraits();
  void ReadMemory();
  // Nothing where sysman does not serve the device.
  std::vector<zes_mem_handle_t> SysmanMemories() const;
  // The mutex is held.
  ze_module_handle_t Compiled(const SpirvModule& module);
  ze_module_handle_t Compile(const SpirvModule& module) const;

  const ZeCalls ze_;
  const sdk::LevelZero::DeviceHandles handles_;
  const ze_context_handle_t context_;
  ze_device_properties_t properties_ = {};
  DeviceTraits traits_;
  uint64_t memory_bytes_ = 0;
  std::atomic<uint64_t> taken_bytes_ = 0;
  uint32_t queue_group_ = 0;
  uint32_t queues_ = 1;
  std::atomic<uint32_t> next_queue_ = 0;

  std::mutex mutex_;
  std::map<std::string, ze_module_handle_t> modules_;  // Those compiled, by name.
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_GPU_H_
