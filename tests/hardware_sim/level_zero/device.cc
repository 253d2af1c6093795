// core: devices and what they can.
#include <level_zero/ze_ddi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/memory.h"
#include "tests/hardware_sim/level_zero/objects.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

constexpr uint32_t kMaxGroupSize = 1024;
constexpr uint32_t kEusPerSubslice = 16;
constexpr uint32_t kSubslicesPerSlice = 4;
constexpr uint32_t kSlices = 8;

// The 32 hexadecimal digits of "8680a056-0800-…", whatever is between them.
ze_device_uuid_t ParseUuid(const std::string& text) {
  ze_device_uuid_t uuid = {};
  size_t digits = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0 || digits == 32) continue;
    uuid.id[digits / 2] = static_cast<uint8_t>(uuid.id[digits / 2] << 4 | digit);
    ++digits;
  }
  return uuid;
}

ze_result_t zeDeviceGet(ze_driver_handle_t, uint32_t* count, ze_device_handle_t* devices) {
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  const auto& visible = Simulation::Get()->visible();
  return ListItems(visible.size(), count, devices, [&](uint32_t i, ze_device_handle_t& out) {
    out = reinterpret_cast<ze_device_handle_t>(visible[i]);
  });
}

ze_result_t zeDeviceGetSubDevices(ze_device_handle_t handle, uint32_t* count, ze_device_handle_t* devices) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  return ListItems(0, count, devices, [](uint32_t, ze_device_handle_t&) {});
}

// A simulated device has no parent.
ze_result_t zeDeviceGetRootDevice(ze_device_handle_t handle, ze_device_handle_t* root) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (root == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *root = nullptr;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetProperties(ze_device_handle_t handle, ze_device_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  FillDeviceProperties(*ToDevice(handle), *properties);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetComputeProperties(ze_device_handle_t handle, ze_device_compute_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->maxTotalGroupSize = kMaxGroupSize;
  properties->maxGroupSizeX = properties->maxGroupSizeY = properties->maxGroupSizeZ = kMaxGroupSize;
  properties->maxGroupCountX = properties->maxGroupCountY = properties->maxGroupCountZ = UINT32_MAX;
  properties->maxSharedLocalMemory = 64 << 10;
  properties->numSubGroupSizes = 3;
  std::memset(properties->subGroupSizes, 0, sizeof(properties->subGroupSizes));
  for (uint32_t i = 0; i < 3; ++i) properties->subGroupSizes[i] = 8u << i;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetModuleProperties(ze_device_handle_t handle, ze_device_module_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const ze_device_fp_flags_t usual = ZE_DEVICE_FP_FLAG_DENORM | ZE_DEVICE_FP_FLAG_INF_NAN |
                                     ZE_DEVICE_FP_FLAG_ROUND_TO_NEAREST | ZE_DEVICE_FP_FLAG_ROUND_TO_ZERO |
                                     ZE_DEVICE_FP_FLAG_ROUND_TO_INF | ZE_DEVICE_FP_FLAG_FMA;
  properties->spirvVersionSupported = ZE_MAKE_VERSION(1, 4);
  properties->flags = ZE_DEVICE_MODULE_FLAG_FP16 | ZE_DEVICE_MODULE_FLAG_FP64 | ZE_DEVICE_MODULE_FLAG_INT64_ATOMICS;
  properties->fp16flags = properties->fp32flags = properties->fp64flags = usual;
  properties->maxArgumentsSize = 2048;
  properties->printfBufferSize = 4 << 20;
  properties->nativeKernelSupported = {{'m', 'u', 's', 't', 'e', 'r', '-', 's', 'i', 'm'}};
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetCommandQueueGroupProperties(ze_device_handle_t handle, uint32_t* count,
                                                   ze_command_queue_group_properties_t* groups) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  return ListItems(kQueueGroups, count, groups, [](uint32_t i, ze_command_queue_group_properties_t& out) {
    out.flags = ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY;
    if (i == kComputeGroup) {
      out.flags |=
          ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE | ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COOPERATIVE_KERNELS;
    }
    out.maxMemoryFillPatternSize = kMaxFillPattern;
    out.numQueues = kQueuesOfGroup;
  });
}

ze_result_t zeDeviceGetMemoryProperties(ze_device_handle_t handle, uint32_t* count,
                                        ze_device_memory_properties_t* memories) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  return ListItems(1, count, memories, [&](uint32_t, ze_device_memory_properties_t& out) {
    out.flags = 0;
    out.maxClockRate = static_cast<uint32_t>(ToDevice(handle)->facts.model.memory_clock_hertz() / 1e6);
    out.maxBusWidth = 256;
    out.totalSize = ToDevice(handle)->facts.device.memory_bytes();
    CopyText("device memory", out.name, sizeof(out.name));
  });
}

ze_result_t zeDeviceGetMemoryAccessProperties(ze_device_handle_t handle,
                                              ze_device_memory_access_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const ze_memory_access_cap_flags_t usual = ZE_MEMORY_ACCESS_CAP_FLAG_RW | ZE_MEMORY_ACCESS_CAP_FLAG_ATOMIC;
  properties->hostAllocCapabilities = usual;
  properties->deviceAllocCapabilities = usual;
  properties->sharedSingleDeviceAllocCapabilities = usual;
  properties->sharedCrossDeviceAllocCapabilities = usual;
  properties->sharedSystemAllocCapabilities = 0;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetCacheProperties(ze_device_handle_t handle, uint32_t* count,
                                       ze_device_cache_properties_t* caches) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  return ListItems(1, count, caches, [](uint32_t, ze_device_cache_properties_t& out) {
    out.flags = 0;
    out.cacheSize = 16 << 20;
  });
}

ze_result_t zeDeviceGetExternalMemoryProperties(ze_device_handle_t handle,
                                                ze_device_external_memory_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->memoryAllocationImportTypes = properties->memoryAllocationExportTypes = 0;
  properties->imageImportTypes = properties->imageExportTypes = 0;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetP2PProperties(ze_device_handle_t handle, ze_device_handle_t peer,
                                     ze_device_p2p_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (peer == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->flags = ZE_DEVICE_P2P_PROPERTY_FLAG_ACCESS;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceCanAccessPeer(ze_device_handle_t handle, ze_device_handle_t peer, ze_bool_t* can) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (peer == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (can == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *can = true;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDeviceGetStatus(ze_device_handle_t handle) { return Call(ToDevice(handle), __func__).result(); }

ze_result_t zeDeviceGetGlobalTimestamps(ze_device_handle_t handle, uint64_t* host, uint64_t* device) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (host == nullptr || device == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *host = static_cast<uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
  *device = DeviceTicks() & ((uint64_t{1} << kTimestampBits) - 1);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDevicePciGetPropertiesExt(ze_device_handle_t handle, ze_pci_ext_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const PciAddress address = ParsePciAddress(ToDevice(handle)->facts.device.pci_address());
  const auto generation = static_cast<int32_t>(call.ReadOr(v1::PCIE_LINK_GENERATION_MAX, {}, -1));
  const auto lanes = static_cast<int32_t>(call.ReadOr(v1::PCIE_LINK_LANES_MAX, {}, -1));
  properties->address = {address.domain, address.bus, address.device, address.function};
  const bool known = generation > 0 && lanes > 0;
  properties->maxSpeed = {
      generation, lanes,
      known ? PcieBytesPerSecond(static_cast<uint32_t>(generation), static_cast<uint32_t>(lanes)) : -1};
  return ZE_RESULT_SUCCESS;
}

}  // namespace

PciAddress ParsePciAddress(const std::string& address) {
  PciAddress parsed;
  std::sscanf(address.c_str(), "%x:%x:%x.%x", &parsed.domain, &parsed.bus, &parsed.device, &parsed.function);
  return parsed;
}

void FillDeviceProperties(const Device& device, ze_device_properties_t& properties) {
  const ze_structure_type_t type = properties.stype;
  void* const next = properties.pNext;
  std::memset(&properties, 0, sizeof(properties));
  properties.stype = type;
  properties.pNext = next;
  properties.type = ZE_DEVICE_TYPE_GPU;
  properties.vendorId = device.facts.device.pci_vendor_id();
  properties.deviceId = device.facts.device.pci_device_id();
  properties.coreClockRate = static_cast<uint32_t>(device.facts.model.clock_max_hertz() / 1e6);
  properties.maxMemAllocSize = MaxAllocationBytes(device);
  properties.maxHardwareContexts = 64 << 10;
  properties.numThreadsPerEU = 8;
  properties.physicalEUSimdWidth = 8;
  properties.numEUsPerSubslice = kEusPerSubslice;
  properties.numSubslicesPerSlice = kSubslicesPerSlice;
  properties.numSlices = kSlices;
  // Nanoseconds of a tick; since 1.2, where the caller asks so, ticks of a second.
  properties.timerResolution =
      type == ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2 ? kTicksPerSecond : 1'000'000'000 / kTicksPerSecond;
  properties.timestampValidBits = kTimestampBits;
  properties.kernelTimestampValidBits = kKernelTimestampBits;
  properties.uuid = ParseUuid(device.facts.device.uuid());
  CopyText(device.facts.device.model(), properties.name, sizeof(properties.name));
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetDeviceProcAddrTable(ze_api_version_t version, ze_device_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGet = ze::zeDeviceGet;
  table->pfnGetSubDevices = ze::zeDeviceGetSubDevices;
  table->pfnGetProperties = ze::zeDeviceGetProperties;
  table->pfnGetComputeProperties = ze::zeDeviceGetComputeProperties;
  table->pfnGetModuleProperties = ze::zeDeviceGetModuleProperties;
  table->pfnGetCommandQueueGroupProperties = ze::zeDeviceGetCommandQueueGroupProperties;
  table->pfnGetMemoryProperties = ze::zeDeviceGetMemoryProperties;
  table->pfnGetMemoryAccessProperties = ze::zeDeviceGetMemoryAccessProperties;
  table->pfnGetCacheProperties = ze::zeDeviceGetCacheProperties;
  table->pfnGetExternalMemoryProperties = ze::zeDeviceGetExternalMemoryProperties;
  table->pfnGetP2PProperties = ze::zeDeviceGetP2PProperties;
  table->pfnCanAccessPeer = ze::zeDeviceCanAccessPeer;
  table->pfnGetStatus = ze::zeDeviceGetStatus;
  table->pfnGetGlobalTimestamps = ze::zeDeviceGetGlobalTimestamps;
  table->pfnPciGetPropertiesExt = ze::zeDevicePciGetPropertiesExt;
  ze::SetLaterEntry(version, table, 7, 0, ze::zeDeviceGetRootDevice);
  return ZE_RESULT_SUCCESS;
}
