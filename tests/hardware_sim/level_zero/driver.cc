// The driver itself: initialisation of core and sysman, and what it says of itself.
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_ddi.h>

#include <cstdlib>
#include <string_view>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/simulation.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

// Of API 1.10: what zeInitDrivers takes.
struct InitDriverTypeDesc {
  ze_structure_type_t stype;
  const void* pNext;
  uint32_t flags;
};
constexpr uint32_t kInitDriverTypeGpu = 1;

int driver_object = 0;  // Its address is the driver's handle, in core and in sysman.

template <typename Handle>
ze_result_t GiveDriver(uint32_t* count, Handle* drivers) {
  return ListItems(1, count, drivers, [](uint32_t, Handle& out) { out = reinterpret_cast<Handle>(&driver_object); });
}

// Loaders call it more than once.
ze_result_t zeInit(ze_init_flags_t flags) {
  if ((flags & ZE_INIT_FLAG_VPU_ONLY) != 0 && (flags & ZE_INIT_FLAG_GPU_ONLY) == 0)
    return ZE_RESULT_ERROR_UNINITIALIZED;
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  const char* sysman = std::getenv("ZES_ENABLE_SYSMAN");
  if (sysman != nullptr && std::string_view(sysman) == "1") Simulation::Get()->EnableSysmanWithCore();
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDriverGet(uint32_t* count, ze_driver_handle_t* drivers) {
  const ze_result_t result = ResultOfDriverCall(__func__);
  return result == ZE_RESULT_SUCCESS ? GiveDriver(count, drivers) : result;
}

ze_result_t zeInitDrivers(uint32_t* count, ze_driver_handle_t* drivers, const InitDriverTypeDesc* desc) {
  if (count == nullptr || desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if ((desc->flags & kInitDriverTypeGpu) == 0) {
    *count = 0;
    return ZE_RESULT_SUCCESS;
  }
  const ze_result_t result = zeInit(0);
  return result == ZE_RESULT_SUCCESS ? GiveDriver(count, drivers) : result;
}

ze_result_t zeDriverGetApiVersion(ze_driver_handle_t, ze_api_version_t* version) {
  if (version == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *version = ZE_API_VERSION_1_4;
  return ZE_RESULT_SUCCESS;
}

// Intel packs "1.3.24595" as 8, 8 and 16 bits.
uint32_t PackVersion(const std::string& version) {
  unsigned parts[3] = {1, 3, 0};
  std::sscanf(version.c_str(), "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
  return (parts[0] & 0xFF) << 24 | (parts[1] & 0xFF) << 16 | (parts[2] & 0xFFFF);
}

ze_result_t zeDriverGetProperties(ze_driver_handle_t, ze_driver_properties_t* properties) {
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  properties->uuid = {{'m', 'u', 's', 't', 'e', 'r', '-', 's', 'i', 'm'}};
  properties->driverVersion = PackVersion(Simulation::Get()->devices()[0]->facts.device.driver_version());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeDriverGetIpcProperties(ze_driver_handle_t, ze_driver_ipc_properties_t* properties) {
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->flags = 0;
  return ZE_RESULT_SUCCESS;
}

// Loaders of 1.16 and later call it whenever they have several drivers.
ze_result_t zeDriverGetExtensionProperties(ze_driver_handle_t, uint32_t* count,
                                           ze_driver_extension_properties_t* extensions) {
  return ListItems(0, count, extensions, [](uint32_t, ze_driver_extension_properties_t&) {});
}

ze_result_t zeDriverGetExtensionFunctionAddress(ze_driver_handle_t, const char*, void** function) {
  if (function != nullptr) *function = nullptr;
  return ZE_RESULT_ERROR_INVALID_ARGUMENT;
}

ze_result_t zesInit(uint32_t) {
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  return Simulation::Get()->EnableOwnSysman() ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_UNINITIALIZED;
}

ze_result_t zesDriverGet(uint32_t* count, zes_driver_handle_t* drivers) {
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  return Simulation::Get()->sysman_enabled() ? GiveDriver(count, drivers) : ZE_RESULT_ERROR_UNINITIALIZED;
}

ze_result_t zesDriverGetExtensionProperties(zes_driver_handle_t, uint32_t* count, void*) {
  if (count == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *count = 0;
  return ZE_RESULT_SUCCESS;
}

// API 1.5's table, of which 1.4 has nothing.
struct SysmanGlobalTable {
  ze_result_t(ZE_APICALL* init)(uint32_t flags);
};

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetGlobalProcAddrTable(ze_api_version_t version, ze_global_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnInit = ze::zeInit;
  ze::SetLaterEntry(version, table, 10, 0, ze::zeInitDrivers);
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zeGetDriverProcAddrTable(ze_api_version_t version, ze_driver_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGet = ze::zeDriverGet;
  table->pfnGetApiVersion = ze::zeDriverGetApiVersion;
  table->pfnGetProperties = ze::zeDriverGetProperties;
  table->pfnGetIpcProperties = ze::zeDriverGetIpcProperties;
  table->pfnGetExtensionProperties = ze::zeDriverGetExtensionProperties;
  table->pfnGetExtensionFunctionAddress = ze::zeDriverGetExtensionFunctionAddress;
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zesGetGlobalProcAddrTable(ze_api_version_t version, ze::SysmanGlobalTable* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result == ZE_RESULT_SUCCESS) table->init = ze::zesInit;
  return result;
}

MUSTER_ZE_EXPORT zesGetDriverProcAddrTable(ze_api_version_t version, zes_driver_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  ze::SetLaterEntry(version, table, 5, 0, ze::zesDriverGet);
  ze::SetLaterEntry(version, table, 8, 1, ze::zesDriverGetExtensionProperties);
  return ZE_RESULT_SUCCESS;
}
