// core: kernels and their arguments.
#include <level_zero/ze_ddi.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/kernel_library.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {
namespace {

constexpr uint32_t kMaxGroupSize = 1024;
constexpr uint32_t kUsualGroupSize = 256;
constexpr size_t kMaxValueBytes = 2048;
constexpr size_t kMaxLocalBytes = 64 << 10;

ze_result_t zeKernelCreate(ze_module_handle_t handle, const ze_kernel_desc_t* desc, ze_kernel_handle_t* out) {
  const Module* module = To<Module>(handle);
  if (module == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr || desc->pKernelName == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Call call(module->device, __func__);
  if (call.failed()) return call.result();
  const auto& names = module->names;
  if (!names.empty() && std::find(names.begin(), names.end(), desc->pKernelName) == names.end()) {
    return ZE_RESULT_ERROR_INVALID_KERNEL_NAME;
  }
  const MusterSimKernel* entry = FindKernel(desc->pKernelName);
  if (entry == nullptr) {
    std::fprintf(stderr, "simulated Level Zero driver: no library of MUSTER_SIM_KERNELS has a function for kernel %s\n",
                 desc->pKernelName);
    return ZE_RESULT_ERROR_INVALID_KERNEL_NAME;
  }
  auto kernel = std::make_unique<Kernel>();
  kernel->device = module->device;
  kernel->entry = entry;
  kernel->arguments.resize(entry->argument_count);
  *out = reinterpret_cast<ze_kernel_handle_t>(kernel.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelDestroy(ze_kernel_handle_t handle) {
  Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete kernel;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelSetCacheConfig(ze_kernel_handle_t handle, ze_cache_config_flags_t) {
  return To<Kernel>(handle) == nullptr ? ZE_RESULT_ERROR_INVALID_NULL_HANDLE : ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelSetGroupSize(ze_kernel_handle_t handle, uint32_t x, uint32_t y, uint32_t z) {
  Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (x == 0 || y == 0 || z == 0 || uint64_t{x} * y > kMaxGroupSize || uint64_t{x} * y * z > kMaxGroupSize) {
    return ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION;
  }
  kernel->group_size[0] = x;
  kernel->group_size[1] = y;
  kernel->group_size[2] = z;
  return ZE_RESULT_SUCCESS;
}

// The largest size, up to `limit`, that divides the range.
uint32_t LargestDivisor(uint32_t range, uint32_t limit) {
  uint32_t divisor = std::min(range, limit);
  while (divisor > 1 && range % divisor != 0) --divisor;
  return std::max<uint32_t>(divisor, 1);
}

ze_result_t zeKernelSuggestGroupSize(ze_kernel_handle_t handle, uint32_t global_x, uint32_t global_y, uint32_t global_z,
                                     uint32_t* x, uint32_t* y, uint32_t* z) {
  if (To<Kernel>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (x == nullptr || y == nullptr || z == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (global_x == 0 || global_y == 0 || global_z == 0) return ZE_RESULT_ERROR_INVALID_GLOBAL_WIDTH_DIMENSION;
  *x = LargestDivisor(global_x, kUsualGroupSize);
  *y = LargestDivisor(global_y, kUsualGroupSize / *x);
  *z = LargestDivisor(global_z, kUsualGroupSize / (*x * *y));
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelSuggestMaxCooperativeGroupCount(ze_kernel_handle_t handle, uint32_t* count) {
  if (To<Kernel>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (count == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *count = 512;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelSetArgumentValue(ze_kernel_handle_t handle, uint32_t index, size_t size, const void* value) {
  Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (index >= kernel->arguments.size()) return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_INDEX;
  if (size == 0 || size > (value == nullptr ? kMaxLocalBytes : kMaxValueBytes)) {
    return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE;
  }
  Kernel::Argument& argument = kernel->arguments[index];
  // No value and the size of a pointer is a null pointer; any other size is local memory.
  argument.local = value == nullptr && size != sizeof(void*);
  argument.size = size;
  argument.set = true;
  if (argument.local) return ZE_RESULT_SUCCESS;
  argument.storage.assign((size + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t), {});
  if (value != nullptr) std::memcpy(argument.storage.data(), value, size);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelSetIndirectAccess(ze_kernel_handle_t handle, ze_kernel_indirect_access_flags_t flags) {
  Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  kernel->indirect_access = flags;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelGetIndirectAccess(ze_kernel_handle_t handle, ze_kernel_indirect_access_flags_t* flags) {
  const Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (flags == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *flags = kernel->indirect_access;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelGetProperties(ze_kernel_handle_t handle, ze_kernel_properties_t* properties) {
  const Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->numKernelArgs = kernel->entry->argument_count;
  properties->requiredGroupSizeX = properties->requiredGroupSizeY = properties->requiredGroupSizeZ = 0;
  properties->requiredNumSubGroups = properties->requiredSubgroupSize = 0;
  properties->maxSubgroupSize = 32;
  properties->maxNumSubgroups = kMaxGroupSize / properties->maxSubgroupSize;
  properties->localMemSize = properties->privateMemSize = properties->spillMemSize = 0;
  std::memset(&properties->uuid, 0, sizeof(properties->uuid));
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeKernelGetName(ze_kernel_handle_t handle, size_t* size, char* out) {
  const Kernel* kernel = To<Kernel>(handle);
  if (kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (size == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const size_t full = std::strlen(kernel->entry->name) + 1;
  if (out != nullptr) std::memcpy(out, kernel->entry->name, std::min(*size, full));
  *size = full;
  return ZE_RESULT_SUCCESS;
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetKernelProcAddrTable(ze_api_version_t version, ze_kernel_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeKernelCreate;
  table->pfnDestroy = ze::zeKernelDestroy;
  table->pfnSetCacheConfig = ze::zeKernelSetCacheConfig;
  table->pfnSetGroupSize = ze::zeKernelSetGroupSize;
  table->pfnSuggestGroupSize = ze::zeKernelSuggestGroupSize;
  table->pfnSuggestMaxCooperativeGroupCount = ze::zeKernelSuggestMaxCooperativeGroupCount;
  table->pfnSetArgumentValue = ze::zeKernelSetArgumentValue;
  table->pfnSetIndirectAccess = ze::zeKernelSetIndirectAccess;
  table->pfnGetIndirectAccess = ze::zeKernelGetIndirectAccess;
  table->pfnGetProperties = ze::zeKernelGetProperties;
  table->pfnGetName = ze::zeKernelGetName;
  return ZE_RESULT_SUCCESS;
}
