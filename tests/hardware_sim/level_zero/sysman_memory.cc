// sysman: the memory module, one for the whole card.
#include <level_zero/zes_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

// From this size on cards have HBM.
constexpr uint64_t kHbmBytes = 40ull << 30;

// Uncorrected memory errors are what makes memory bad.
zes_mem_health_t Health(const Call& call) {
  double errors = 0;
  if (call.Read(v1::RAS_ERRORS, {"uncorrected", "memory"}, errors) != ZE_RESULT_SUCCESS) return ZES_MEM_HEALTH_UNKNOWN;
  return errors > 0 ? ZES_MEM_HEALTH_DEGRADED : ZES_MEM_HEALTH_OK;
}

ze_result_t zesMemoryGetProperties(zes_mem_handle_t handle, zes_mem_properties_t* properties) {
  const Component* memory = ToComponent(handle, Part::kMemory);
  const Call call(memory, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const uint64_t bytes = memory->device->facts.device.memory_bytes();
  properties->type = bytes >= kHbmBytes ? ZES_MEM_TYPE_HBM : ZES_MEM_TYPE_GDDR6;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  properties->location = ZES_MEM_LOC_DEVICE;
  properties->physicalSize = bytes;
  properties->busWidth = -1;
  properties->numChannels = -1;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesMemoryGetState(zes_mem_handle_t handle, zes_mem_state_t* state) {
  const Component* memory = ToComponent(handle, Part::kMemory);
  const Call call(memory, __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double size = 0;
  double free = 0;
  const ze_result_t result = call.Read(v1::MEMORY_SIZE, {}, size);
  if (result != ZE_RESULT_SUCCESS) return result;
  const ze_result_t free_result = call.Read(v1::MEMORY_FREE, {}, free);
  if (free_result != ZE_RESULT_SUCCESS) return free_result;
  state->health = Health(call);
  state->size = Whole(size);
  state->free = Whole(free);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesMemoryGetBandwidth(zes_mem_handle_t handle, zes_mem_bandwidth_t* bandwidth) {
  const Component* memory = ToComponent(handle, Part::kMemory);
  const Call call(memory, __func__);
  if (call.failed()) return call.result();
  if (bandwidth == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double read = 0;
  double written = 0;
  for (const auto& [field, value] : {std::pair(v1::MEMORY_READ_BYTES, &read), {v1::MEMORY_WRITTEN_BYTES, &written}}) {
    const ze_result_t result = call.Read(field, {}, *value);
    if (result != ZE_RESULT_SUCCESS) return result;
  }
  bandwidth->readCounter = Whole(read);
  bandwidth->writeCounter = Whole(written);
  bandwidth->maxBandwidth = Whole(call.ReadOr(v1::MEMORY_BANDWIDTH_MAX, {}, 0));
  bandwidth->timestamp = call.microseconds();
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumMemoryModules(zes_device_handle_t device, uint32_t* count, zes_mem_handle_t* modules) {
  return EnumerateComponents(device, Part::kMemory, __func__, count, modules);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetMemoryProcAddrTable(ze_api_version_t version, zes_memory_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesMemoryGetProperties;
  table->pfnGetState = ze::zesMemoryGetState;
  table->pfnGetBandwidth = ze::zesMemoryGetBandwidth;
  return ZE_RESULT_SUCCESS;
}
