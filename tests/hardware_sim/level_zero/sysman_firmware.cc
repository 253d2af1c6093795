// sysman: the versions of the card's firmwares.
#include <level_zero/zes_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

ze_result_t zesFirmwareGetProperties(zes_firmware_handle_t handle, zes_firmware_properties_t* properties) {
  const Component* firmware = ToComponent(handle, Part::kFirmware);
  const Call call(firmware, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const v1::Device& device = firmware->device->facts.device;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->canControl = false;
  CopyText(firmware->label, properties->name, ZES_STRING_PROPERTY_SIZE);
  const std::string& version = firmware->label == "GFX" ? device.firmware_version() : device.vbios_version();
  CopyText(version, properties->version, ZES_STRING_PROPERTY_SIZE);
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumFirmwares(zes_device_handle_t device, uint32_t* count, zes_firmware_handle_t* firmwares) {
  return EnumerateComponents(device, Part::kFirmware, __func__, count, firmwares);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetFirmwareProcAddrTable(ze_api_version_t version, zes_firmware_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result == ZE_RESULT_SUCCESS) table->pfnGetProperties = ze::zesFirmwareGetProperties;
  return result;
}
