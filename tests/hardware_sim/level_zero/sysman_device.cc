// sysman: the device as a whole, and its table.
#include <level_zero/zes_ddi.h>

#include <algorithm>
#include <cstring>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {

void CopyText(const std::string& text, char* out, size_t size) {
  const size_t length = std::min(text.size(), size - 1);
  std::memcpy(out, text.data(), length);
  std::memset(out + length, 0, size - length);
}

namespace {

// Process numbers that a simulated device names; no process of the machine has them (the kernel's limit is 1 << 22).
constexpr uint32_t kFirstProcess = 1u << 23;

ze_result_t zesDeviceGet(zes_driver_handle_t, uint32_t* count, zes_device_handle_t* devices) {
  const ze_result_t result = ResultOfDriverCall(__func__);
  if (result != ZE_RESULT_SUCCESS) return result;
  const auto& all = Simulation::Get()->devices();
  return ListItems(all.size(), count, devices, [&](uint32_t i, zes_device_handle_t& out) {
    out = reinterpret_cast<zes_device_handle_t>(all[i].get());
  });
}

ze_result_t zesDeviceGetProperties(zes_device_handle_t handle, zes_device_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const v1::Device& device = ToDevice(handle)->facts.device;
  FillDeviceProperties(*ToDevice(handle), properties->core);
  properties->numSubdevices = 0;
  const std::string serial = device.serial().empty() ? "unknown" : device.serial();
  CopyText(serial, properties->serialNumber, ZES_STRING_PROPERTY_SIZE);
  CopyText("unknown", properties->boardNumber, ZES_STRING_PROPERTY_SIZE);
  CopyText("unknown", properties->brandName, ZES_STRING_PROPERTY_SIZE);
  CopyText(device.model(), properties->modelName, ZES_STRING_PROPERTY_SIZE);
  CopyText("Intel(R) Corporation", properties->vendorName, ZES_STRING_PROPERTY_SIZE);
  CopyText(device.driver_version(), properties->driverVersion, ZES_STRING_PROPERTY_SIZE);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDeviceGetState(zes_device_handle_t handle, zes_device_state_t* state) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double wedged = 0;
  const ze_result_t result = call.Read(v1::WEDGED, {}, wedged);
  if (result != ZE_RESULT_SUCCESS) return result;
  state->reset = wedged > 0 ? ZES_RESET_REASON_FLAG_WEDGED : 0;
  state->repaired = ZES_REPAIR_STATUS_UNSUPPORTED;
  return ZE_RESULT_SUCCESS;
}

// One entry for each process that the world counts, and the used memory shared out among them.
ze_result_t zesDeviceProcessesGetState(zes_device_handle_t handle, uint32_t* count, zes_process_state_t* processes) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  double compute = 0;
  double graphics = 0;
  const ze_result_t result = call.Read(v1::PROCESSES, {"compute"}, compute);
  const ze_result_t graphics_result = call.Read(v1::PROCESSES, {"graphics"}, graphics);
  if (result != ZE_RESULT_SUCCESS && graphics_result != ZE_RESULT_SUCCESS) return result;
  const size_t total = Whole(compute) + Whole(graphics);
  const uint64_t share = total == 0 ? 0 : Whole(call.ReadOr(v1::MEMORY_USED, {}, 0)) / total;
  return ListItems(total, count, processes, [&](uint32_t i, zes_process_state_t& out) {
    out.processId = kFirstProcess + i;
    out.memSize = share;
    out.sharedSize = 0;
    out.engines = i < Whole(compute) ? ZES_ENGINE_TYPE_FLAG_COMPUTE : ZES_ENGINE_TYPE_FLAG_RENDER;
  });
}

ze_result_t zesDeviceEccAvailable(zes_device_handle_t handle, ze_bool_t* available) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (available == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const v1::EccMode mode = ToDevice(handle)->facts.device.ecc_mode();
  *available = mode == v1::ECC_MODE_ENABLED || mode == v1::ECC_MODE_DISABLED;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDeviceEccConfigurable(zes_device_handle_t handle, ze_bool_t* configurable) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (configurable == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  *configurable = false;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDeviceGetEccState(zes_device_handle_t handle, zes_device_ecc_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const v1::EccMode mode = ToDevice(handle)->facts.device.ecc_mode();
  properties->currentState = mode == v1::ECC_MODE_ENABLED    ? ZES_DEVICE_ECC_STATE_ENABLED
                             : mode == v1::ECC_MODE_DISABLED ? ZES_DEVICE_ECC_STATE_DISABLED
                                                             : ZES_DEVICE_ECC_STATE_UNAVAILABLE;
  properties->pendingState = properties->currentState;
  properties->pendingAction = ZES_DEVICE_ACTION_NONE;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDeviceEnumDiagnosticTestSuites(zes_device_handle_t handle, uint32_t* count, zes_diag_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}
ze_result_t zesDeviceEnumLeds(zes_device_handle_t handle, uint32_t* count, zes_led_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}
ze_result_t zesDeviceEnumPerformanceFactorDomains(zes_device_handle_t handle, uint32_t* count, zes_perf_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}
ze_result_t zesDeviceEnumPsus(zes_device_handle_t handle, uint32_t* count, zes_psu_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}
ze_result_t zesDeviceEnumSchedulers(zes_device_handle_t handle, uint32_t* count, zes_sched_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}
ze_result_t zesDeviceEnumStandbyDomains(zes_device_handle_t handle, uint32_t* count, zes_standby_handle_t* out) {
  return EnumerateNone(handle, __func__, count, out);
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetDeviceProcAddrTable(ze_api_version_t version, zes_device_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesDeviceGetProperties;
  table->pfnGetState = ze::zesDeviceGetState;
  table->pfnProcessesGetState = ze::zesDeviceProcessesGetState;
  table->pfnPciGetProperties = ze::zesDevicePciGetProperties;
  table->pfnPciGetState = ze::zesDevicePciGetState;
  table->pfnPciGetBars = ze::zesDevicePciGetBars;
  table->pfnPciGetStats = ze::zesDevicePciGetStats;
  table->pfnEnumDiagnosticTestSuites = ze::zesDeviceEnumDiagnosticTestSuites;
  table->pfnEnumEngineGroups = ze::zesDeviceEnumEngineGroups;
  table->pfnEnumFabricPorts = ze::zesDeviceEnumFabricPorts;
  table->pfnEnumFans = ze::zesDeviceEnumFans;
  table->pfnEnumFirmwares = ze::zesDeviceEnumFirmwares;
  table->pfnEnumFrequencyDomains = ze::zesDeviceEnumFrequencyDomains;
  table->pfnEnumLeds = ze::zesDeviceEnumLeds;
  table->pfnEnumMemoryModules = ze::zesDeviceEnumMemoryModules;
  table->pfnEnumPerformanceFactorDomains = ze::zesDeviceEnumPerformanceFactorDomains;
  table->pfnEnumPowerDomains = ze::zesDeviceEnumPowerDomains;
  table->pfnGetCardPowerDomain = ze::zesDeviceGetCardPowerDomain;
  table->pfnEnumPsus = ze::zesDeviceEnumPsus;
  table->pfnEnumRasErrorSets = ze::zesDeviceEnumRasErrorSets;
  table->pfnEnumSchedulers = ze::zesDeviceEnumSchedulers;
  table->pfnEnumStandbyDomains = ze::zesDeviceEnumStandbyDomains;
  table->pfnEnumTemperatureSensors = ze::zesDeviceEnumTemperatureSensors;
  table->pfnEccAvailable = ze::zesDeviceEccAvailable;
  table->pfnEccConfigurable = ze::zesDeviceEccConfigurable;
  table->pfnGetEccState = ze::zesDeviceGetEccState;
  ze::SetLaterEntry(version, table, 5, 0, ze::zesDeviceGet);
  return ZE_RESULT_SUCCESS;
}
