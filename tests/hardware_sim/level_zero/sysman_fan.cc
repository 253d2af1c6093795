// sysman: fans.
#include <level_zero/zes_ddi.h>

#include <cmath>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

bool Has(const Call& call, v1::TelemetryField field, const Component& fan) {
  double ignored = 0;
  return call.Read(field, {fan.label}, ignored) != ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
}

ze_result_t zesFanGetProperties(zes_fan_handle_t handle, zes_fan_properties_t* properties) {
  const Component* fan = ToComponent(handle, Part::kFan);
  const Call call(fan, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->canControl = false;
  properties->supportedModes = 1u << ZES_FAN_SPEED_MODE_DEFAULT;
  properties->supportedUnits = (Has(call, v1::FAN_SPEED_RPM, *fan) ? 1u << ZES_FAN_SPEED_UNITS_RPM : 0) |
                               (Has(call, v1::FAN_SPEED_RATIO, *fan) ? 1u << ZES_FAN_SPEED_UNITS_PERCENT : 0);
  properties->maxRPM = -1;
  properties->maxPoints = -1;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesFanGetState(zes_fan_handle_t handle, zes_fan_speed_units_t units, int32_t* speed) {
  const Component* fan = ToComponent(handle, Part::kFan);
  const Call call(fan, __func__);
  if (call.failed()) return call.result();
  if (speed == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (units != ZES_FAN_SPEED_UNITS_RPM && units != ZES_FAN_SPEED_UNITS_PERCENT)
    return ZE_RESULT_ERROR_INVALID_ENUMERATION;
  const bool percent = units == ZES_FAN_SPEED_UNITS_PERCENT;
  double value = 0;
  const ze_result_t result = call.Read(percent ? v1::FAN_SPEED_RATIO : v1::FAN_SPEED_RPM, {fan->label}, value);
  if (result != ZE_RESULT_SUCCESS) return result;
  *speed = static_cast<int32_t>(std::lround(percent ? value * 100 : value));
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumFans(zes_device_handle_t device, uint32_t* count, zes_fan_handle_t* fans) {
  return EnumerateComponents(device, Part::kFan, __func__, count, fans);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetFanProcAddrTable(ze_api_version_t version, zes_fan_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesFanGetProperties;
  table->pfnGetState = ze::zesFanGetState;
  return ZE_RESULT_SUCCESS;
}
