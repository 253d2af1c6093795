// sysman: engine groups, one for each engine of ENGINE_ACTIVE_SECONDS.
#include <level_zero/zes_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

struct Group {
  std::string_view word;  // Of ENGINE_ACTIVE_SECONDS' label.
  zes_engine_group_t type;
};
constexpr Group kGroups[] = {
    {"gpu", ZES_ENGINE_GROUP_ALL},
    {"compute", ZES_ENGINE_GROUP_COMPUTE_ALL},
    {"media", ZES_ENGINE_GROUP_MEDIA_ALL},
    {"copy", ZES_ENGINE_GROUP_COPY_ALL},
    {"render", ZES_ENGINE_GROUP_RENDER_ALL},
    {"decoder", ZES_ENGINE_GROUP_MEDIA_DECODE_SINGLE},
    {"encoder", ZES_ENGINE_GROUP_MEDIA_ENCODE_SINGLE},
};

ze_result_t zesEngineGetProperties(zes_engine_handle_t handle, zes_engine_properties_t* properties) {
  const Component* engine = ToComponent(handle, Part::kEngine);
  const Call call(engine, __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Group* entry = FindWord(kGroups, engine->label);
  if (entry == nullptr) return ZE_RESULT_ERROR_UNKNOWN;
  properties->type = entry->type;
  properties->onSubdevice = false;
  properties->subdeviceId = 0;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesEngineGetActivity(zes_engine_handle_t handle, zes_engine_stats_t* stats) {
  const Component* engine = ToComponent(handle, Part::kEngine);
  const Call call(engine, __func__);
  if (call.failed()) return call.result();
  if (stats == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double seconds = 0;
  const ze_result_t result = call.Read(v1::ENGINE_ACTIVE_SECONDS, {engine->label}, seconds);
  if (result != ZE_RESULT_SUCCESS) return result;
  stats->activeTime = Whole(seconds * 1e6);
  stats->timestamp = call.microseconds();
  return ZE_RESULT_SUCCESS;
}

}  // namespace

ze_result_t zesDeviceEnumEngineGroups(zes_device_handle_t device, uint32_t* count, zes_engine_handle_t* engines) {
  return EnumerateComponents(device, Part::kEngine, __func__, count, engines);
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zesGetEngineProcAddrTable(ze_api_version_t version, zes_engine_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnGetProperties = ze::zesEngineGetProperties;
  table->pfnGetActivity = ze::zesEngineGetActivity;
  return ZE_RESULT_SUCCESS;
}
