// core: contexts.
#include <level_zero/ze_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {
namespace {

ze_result_t zeContextCreateEx(ze_driver_handle_t driver, const ze_context_desc_t* desc, uint32_t, ze_device_handle_t*,
                              ze_context_handle_t* out) {
  if (driver == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const ze_result_t fault = ResultOfDriverCall("zeContextCreate");
  if (fault != ZE_RESULT_SUCCESS) return fault;
  *out = reinterpret_cast<ze_context_handle_t>(new Context);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeContextCreate(ze_driver_handle_t driver, const ze_context_desc_t* desc, ze_context_handle_t* out) {
  return ze::zeContextCreateEx(driver, desc, 0, nullptr, out);
}

ze_result_t zeContextDestroy(ze_context_handle_t handle) {
  Context* context = To<Context>(handle);
  if (context == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete context;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeContextGetStatus(ze_context_handle_t handle) {
  return To<Context>(handle) == nullptr ? ZE_RESULT_ERROR_INVALID_NULL_HANDLE : ZE_RESULT_SUCCESS;
}

ze_result_t zeContextSystemBarrier(ze_context_handle_t handle, ze_device_handle_t device) {
  if (To<Context>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  return Call(ToDevice(device), __func__).result();
}

// All memory is always resident.
ze_result_t zeContextMakeMemoryResident(ze_context_handle_t handle, ze_device_handle_t device, void* address, size_t) {
  if (To<Context>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (address == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return Call(ToDevice(device), __func__).result();
}

ze_result_t zeContextEvictMemory(ze_context_handle_t handle, ze_device_handle_t device, void* address, size_t) {
  if (To<Context>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (address == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return Call(ToDevice(device), __func__).result();
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetContextProcAddrTable(ze_api_version_t version, ze_context_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeContextCreate;
  table->pfnDestroy = ze::zeContextDestroy;
  table->pfnGetStatus = ze::zeContextGetStatus;
  table->pfnSystemBarrier = ze::zeContextSystemBarrier;
  table->pfnMakeMemoryResident = ze::zeContextMakeMemoryResident;
  table->pfnEvictMemory = ze::zeContextEvictMemory;
  table->pfnCreateEx = ze::zeContextCreateEx;
  return ZE_RESULT_SUCCESS;
}
