// sysman: fabric ports (Xe Link), one for each link of LINK_UP.
#include <level_zero/zes_ddi.h>

#include <cstdlib>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

constexpr int32_t kLanes = 4;

// zes_fabric_port_error_counters_t, of API 1.7.
struct ErrorCounters {
  zes_structure_type_t stype;
  void* pNext;
  uint64_t link_failures;
  uint64_t firmware_communication_errors;
  uint64_t firmware_errors;
  uint64_t link_degrades;
};

zes_fabric_port_id_t PortId(const Component& port) {
  return {static_cast<uint32_t>(port.device->index), 0, static_cast<uint8_t>(port.index)};
}

// Bits per second of one lane.
zes_fabric_port_speed_t SpeedOf(double bytes_per_second) {
  if (bytes_per_second <= 0) return {0, 0};
  return {static_cast<int64_t>(bytes_per_second * 8 / kLanes), kLanes};
}

ze_result_t zesFabricPortGetProperties(zes_fabric_port_handle_t handle, zes_fabric_port_properties_t* properties) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  CopyText("XeLink", properties->model, ZES_MAX_FABRIC_PORT_MODEL_SIZE);
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->portId = PortId(*port);
  properties->maxRxSpeed = SpeedOf(call.ReadOr(v1::LINK_BANDWIDTH, {port->label}, 0));
  properties->maxTxSpeed = properties->maxRxSpeed;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFabricPortGetLinkType(zes_fabric_port_handle_t handle, zes_fabric_link_type_t* type) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (type == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  CopyText("XeLink", type->desc, ZES_MAX_FABRIC_LINK_TYPE_SIZE);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFabricPortGetConfig(zes_fabric_port_handle_t handle, zes_fabric_port_config_t* config) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (config == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  config->enabled = true;
  config->beaconing = false;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFabricPortGetState(zes_fabric_port_handle_t handle, zes_fabric_port_state_t* state) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double up = 0;
  const ze_result_t result = call.Read(v1::LINK_UP, {port->label}, up);
  if (result != ZE_RESULT_SUCCESS) return result;
  state->status = up > 0 ? ZES_FABRIC_PORT_STATUS_HEALTHY : ZES_FABRIC_PORT_STATUS_FAILED;
  state->qualityIssues = 0;
  state->failureReasons = up > 0 ? 0 : ZES_FABRIC_PORT_FAILURE_FLAG_FAILED;
  // Links join a device with the next one of the machine.
  const size_t devices = Simulation::Get()->devices().size();
  state->remotePortId = PortId(*port);
  state->remotePortId.fabricId = static_cast<uint32_t>((port->device->index + 1) % (devices == 0 ? 1 : devices));
  state->rxSpeed = SpeedOf(up > 0 ? call.ReadOr(v1::LINK_BANDWIDTH, {port->label}, 0) : 0);
  state->txSpeed = state->rxSpeed;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFabricPortGetThroughput(zes_fabric_port_handle_t handle, zes_fabric_port_throughput_t* throughput) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (throughput == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double receive = 0;
  double transmit = 0;
  const ze_result_t result = call.Read(v1::LINK_BYTES, {port->label, "receive"}, receive);
  if (result != ZE_RESULT_SUCCESS) return result;
  const ze_result_t transmit_result = call.Read(v1::LINK_BYTES, {port->label, "transmit"}, transmit);
  if (transmit_result != ZE_RESULT_SUCCESS) return transmit_result;
  throughput->timestamp = call.microseconds();
  throughput->rxCounter = Whole(receive);
  throughput->txCounter = Whole(transmit);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFabricPortGetFabricErrorCounters(zes_fabric_port_handle_t handle, ErrorCounters* errors) {
  const Component* port = ToComponent(handle, Part::kFabricPort);
  const Call call(port, __func__);
  if (call.failed()) return call.result();
  if (errors == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (call.LabelsOf(v1::LINK_ERRORS).empty()) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  const auto count = [&](const char* kind) { return Whole(call.ReadOr(v1::LINK_ERRORS, {port->label, kind}, 0)); };
  errors->link_failures = count("flap");
  errors->firmware_communication_errors = count("fw_comm_error");
  errors->firmware_errors = count("fw_error");
  errors->link_degrades = count("recovery");
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumFabricPorts(zes_device_handle_t device, uint32_t* count, zes_fabric_port_handle_t* ports) {
  return EnumerateComponents(device, Part::kFabricPort, __func__, count, ports);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetFabricPortProcAddrTable(ze_api_version_t version, zes_fabric_port_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesFabricPortGetProperties;
  table->pfnGetLinkType = ze::zesFabricPortGetLinkType;
  table->pfnGetConfig = ze::zesFabricPortGetConfig;
  table->pfnGetState = ze::zesFabricPortGetState;
  table->pfnGetThroughput = ze::zesFabricPortGetThroughput;
  ze::SetLaterEntry(version, table, 7, 0, ze::zesFabricPortGetFabricErrorCounters);
  return ZE_RESULT_SUCCESS;
}
