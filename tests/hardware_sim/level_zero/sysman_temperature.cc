// sysman: temperature sensors, one for each location of TEMPERATURE.
#include <level_zero/zes_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

struct Sensor {
  std::string_view word;
  zes_temp_sensors_t type;
  const char* limit;  // Of TEMPERATURE_LIMIT.
};
constexpr Sensor kSensors[] = {
    {"core", ZES_TEMP_SENSORS_GPU, "throttle"},
    {"hotspot", ZES_TEMP_SENSORS_GLOBAL, "throttle"},
    {"memory", ZES_TEMP_SENSORS_MEMORY, "shutdown"},
    {"board", static_cast<zes_temp_sensors_t>(6), "throttle"},  // ZES_TEMP_SENSORS_GPU_BOARD, of a later version.
};

ze_result_t zesTemperatureGetProperties(zes_temp_handle_t handle, zes_temp_properties_t* properties) {
  const Component* sensor = ToComponent(handle, Part::kTemperature);
  const Call call(sensor, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Sensor* entry = FindWord(kSensors, sensor->label);
  if (entry == nullptr) return ZE_RESULT_ERROR_UNKNOWN;
  properties->type = entry->type;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->maxTemperature = call.ReadOr(v1::TEMPERATURE_LIMIT, {entry->limit}, -1);
  properties->isCriticalTempSupported = false;
  properties->isThreshold1Supported = false;
  properties->isThreshold2Supported = false;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesTemperatureGetState(zes_temp_handle_t handle, double* celsius) {
  const Component* sensor = ToComponent(handle, Part::kTemperature);
  const Call call(sensor, __func__);
  if (call.failed()) return call.result();
  if (celsius == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return call.Read(v1::TEMPERATURE, {sensor->label}, *celsius);
}

}  // namespace

ze_result_t zesDeviceEnumTemperatureSensors(zes_device_handle_t device, uint32_t* count, zes_temp_handle_t* sensors) {
  return EnumerateComponents(device, Part::kTemperature, __func__, count, sensors);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetTemperatureProcAddrTable(ze_api_version_t version, zes_temperature_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesTemperatureGetProperties;
  table->pfnGetState = ze::zesTemperatureGetState;
  return ZE_RESULT_SUCCESS;
}
