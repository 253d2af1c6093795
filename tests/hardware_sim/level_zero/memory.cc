#include "tests/hardware_sim/level_zero/memory.h"

#include <level_zero/ze_ddi.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {
namespace {

constexpr size_t kPageBytes = 4096;
// Cards with less memory have a limit on one allocation, as Intel's have.
constexpr uint64_t kLargeCardBytes = 40ull << 30;
constexpr uint64_t kSmallCardAllocationBytes = 4ull << 30;

struct Mapping {
  Allocation allocation;
  void* start = nullptr;  // What was mapped: more than the allocation where it is aligned to more than a page.
  size_t bytes = 0;
};

// All allocations of the process, by their end (the first byte behind).
struct Table {
  std::mutex mutex;
  std::map<uintptr_t, Mapping> by_end;
  uint64_t next_id = 1;
};
Table& Allocations() {
  static Table& table = *new Table;
  return table;
}

// The caller holds the mutex.
std::map<uintptr_t, Mapping>::iterator Find(Table& table, const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto it = table.by_end.upper_bound(at);
  if (it == table.by_end.end() || at < reinterpret_cast<uintptr_t>(it->second.allocation.base))
    return table.by_end.end();
  return it;
}

bool WantsRelaxedLimits(const void* next) {
  for (auto* link = static_cast<const ze_base_desc_t*>(next); link != nullptr;
       link = static_cast<const ze_base_desc_t*>(link->pNext)) {
    if (link->stype != ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC) continue;
    const auto* relaxed = reinterpret_cast<const ze_relaxed_allocation_limits_exp_desc_t*>(link);
    return (relaxed->flags & ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE) != 0;
  }
  return false;
}

// Takes the bytes of the device's memory; false when it has not that many left.
bool Take(Device& device, size_t bytes) {
  uint64_t used = device.allocated_bytes;
  do {
    if (bytes > device.facts.device.memory_bytes() || used > device.facts.device.memory_bytes() - bytes) return false;
  } while (!device.allocated_bytes.compare_exchange_weak(used, used + bytes));
  return true;
}

ze_result_t CheckRequest(size_t size, size_t alignment, void** out) {
  if (out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (size == 0) return ZE_RESULT_ERROR_UNSUPPORTED_SIZE;
  if ((alignment & (alignment - 1)) != 0 || alignment > (size_t{1} << 32)) return ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT;
  return ZE_RESULT_SUCCESS;
}

// Maps memory of which only what is touched is real, so that a card of 48 GiB can be filled on a small machine.
ze_result_t Map(size_t size, size_t alignment, ze_memory_type_t type, Device* device, void** out) {
  const size_t rounded = (size + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (device != nullptr && !Take(*device, rounded)) return ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY;
  const size_t extra = alignment > kPageBytes ? alignment : 0;
  void* start =
      mmap(nullptr, rounded + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    if (device != nullptr) device->allocated_bytes -= rounded;
    return device != nullptr ? ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY : ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY;
  }
  auto base = reinterpret_cast<uintptr_t>(start);
  if (extra != 0) base = (base + alignment - 1) / alignment * alignment;
  Table& table = Allocations();
  std::lock_guard lock(table.mutex);
  Allocation allocation = {reinterpret_cast<char*>(base), size, type, device, table.next_id++};
  table.by_end[base + size] = {allocation, start, rounded + extra};
  *out = allocation.base;
  return ZE_RESULT_SUCCESS;
}

ze_result_t AllocateOn(ze_device_handle_t handle, const char* function, const void* next, size_t size, size_t alignment,
                       ze_memory_type_t type, void** out) {
  const Call call(ToDevice(handle), function);
  if (call.failed()) return call.result();
  const ze_result_t checked = CheckRequest(size, alignment, out);
  if (checked != ZE_RESULT_SUCCESS) return checked;
  Device& device = *ToDevice(handle);
  if (size > MaxAllocationBytes(device) && !WantsRelaxedLimits(next)) return ZE_RESULT_ERROR_UNSUPPORTED_SIZE;
  return Map(size, alignment, type, &device, out);
}

ze_result_t zeMemAllocDevice(ze_context_handle_t context, const ze_device_mem_alloc_desc_t* desc, size_t size,
                             size_t alignment, ze_device_handle_t device, void** out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return AllocateOn(device, __func__, desc->pNext, size, alignment, ZE_MEMORY_TYPE_DEVICE, out);
}

ze_result_t zeMemAllocShared(ze_context_handle_t context, const ze_device_mem_alloc_desc_t* device_desc,
                             const ze_host_mem_alloc_desc_t* host_desc, size_t size, size_t alignment,
                             ze_device_handle_t device, void** out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (device_desc == nullptr || host_desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (device != nullptr) {
    return AllocateOn(device, __func__, device_desc->pNext, size, alignment, ZE_MEMORY_TYPE_SHARED, out);
  }
  const ze_result_t checked = CheckRequest(size, alignment, out);
  return checked == ZE_RESULT_SUCCESS ? Map(size, alignment, ZE_MEMORY_TYPE_SHARED, nullptr, out) : checked;
}

ze_result_t zeMemAllocHost(ze_context_handle_t context, const ze_host_mem_alloc_desc_t* desc, size_t size,
                           size_t alignment, void** out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const ze_result_t fault = ResultOfDriverCall(__func__);
  if (fault != ZE_RESULT_SUCCESS) return fault;
  const ze_result_t checked = CheckRequest(size, alignment, out);
  return checked == ZE_RESULT_SUCCESS ? Map(size, alignment, ZE_MEMORY_TYPE_HOST, nullptr, out) : checked;
}

ze_result_t zeMemFree(ze_context_handle_t context, void* address) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (address == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  Table& table = Allocations();
  std::lock_guard lock(table.mutex);
  const auto it = Find(table, address);
  if (it == table.by_end.end() || it->second.allocation.base != address) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  const Mapping mapping = it->second;
  table.by_end.erase(it);
  munmap(mapping.start, mapping.bytes);
  if (Device* device = mapping.allocation.device; device != nullptr) {
    device->allocated_bytes -= (mapping.allocation.size + kPageBytes - 1) / kPageBytes * kPageBytes;
  }
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeMemFreeExt(ze_context_handle_t context, const ze_memory_free_ext_desc_t* desc, void* address) {
  return desc == nullptr ? ZE_RESULT_ERROR_INVALID_NULL_POINTER : ze::zeMemFree(context, address);
}

ze_result_t zeMemGetAllocProperties(ze_context_handle_t context, const void* address,
                                    ze_memory_allocation_properties_t* properties, ze_device_handle_t* device) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (address == nullptr || properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const std::optional<Allocation> found = FindAllocation(address);
  const Allocation allocation = found.value_or(Allocation());
  properties->type = allocation.type;
  properties->id = allocation.id;
  properties->pageSize = found.has_value() ? kPageBytes : 0;
  if (device != nullptr) *device = reinterpret_cast<ze_device_handle_t>(allocation.device);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeMemGetAddressRange(ze_context_handle_t context, const void* address, void** base, size_t* size) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const std::optional<Allocation> found = FindAllocation(address);
  if (!found.has_value()) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  if (base != nullptr) *base = found->base;
  if (size != nullptr) *size = found->size;
  return ZE_RESULT_SUCCESS;
}

}  // namespace

std::optional<Allocation> FindAllocation(const void* address) {
  Table& table = Allocations();
  std::lock_guard lock(table.mutex);
  const auto it = Find(table, address);
  return it == table.by_end.end() ? std::nullopt : std::optional(it->second.allocation);
}

bool IsUsable(const void* address, size_t size) {
  if (address == nullptr) return false;
  const std::optional<Allocation> found = FindAllocation(address);
  if (!found.has_value()) return true;
  return size <= found->size - static_cast<size_t>(static_cast<const char*>(address) - found->base);
}

uint64_t MaxAllocationBytes(const Device& device) {
  const uint64_t memory = device.facts.device.memory_bytes();
  return memory >= kLargeCardBytes ? memory : std::min(memory, kSmallCardAllocationBytes);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetMemProcAddrTable(ze_api_version_t version, ze_mem_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnAllocShared = ze::zeMemAllocShared;
  table->pfnAllocDevice = ze::zeMemAllocDevice;
  table->pfnAllocHost = ze::zeMemAllocHost;
  table->pfnFree = ze::zeMemFree;
  table->pfnGetAllocProperties = ze::zeMemGetAllocProperties;
  table->pfnGetAddressRange = ze::zeMemGetAddressRange;
  table->pfnFreeExt = ze::zeMemFreeExt;
  return ZE_RESULT_SUCCESS;
}
