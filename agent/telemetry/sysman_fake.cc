#include "agent/telemetry/sysman_fake.h"

#include <algorithm>
#include <cstdlib>

namespace muster::agent {
namespace {

FakeSysman* fake = nullptr;
int driver;
int device;

ze_result_t Enter(const char* name) {
  fake->calls[name] += 1;
  if (const auto it = fake->results.find(name); it != fake->results.end()) return it->second;
  if (const auto it = fake->results.find(""); it != fake->results.end()) return it->second;
  return ZE_RESULT_SUCCESS;
}

#define FAKE_ENTER() \
  if (const ze_result_t result = Enter(__func__); result != ZE_RESULT_SUCCESS) return result

// Level Zero's way to list.
template <typename Item, typename Handle>
ze_result_t Give(std::vector<Item>& items, uint32_t* count, Handle* handles) {
  const auto size = static_cast<uint32_t>(items.size());
  if (handles == nullptr) {
    *count = size;
    return ZE_RESULT_SUCCESS;
  }
  *count = std::min(*count, size);
  for (uint32_t i = 0; i < *count; ++i) handles[i] = reinterpret_cast<Handle>(&items[i]);
  return ZE_RESULT_SUCCESS;
}

template <typename Item, typename Handle>
Item& Of(Handle handle) {
  return *reinterpret_cast<Item*>(handle);
}

template <typename Properties>
void SetTile(int tile, Properties* properties) {
  properties->onSubdevice = tile >= 0;
  properties->subdeviceId = tile >= 0 ? static_cast<uint32_t>(tile) : 0;
}

ze_result_t zesInit(uint32_t) {
  fake->calls["zesInit"] += 1;
  const auto it = fake->results.find("zesInit");
  return it == fake->results.end() ? ZE_RESULT_SUCCESS : it->second;
}
ze_result_t zesDriverGet(uint32_t* count, zes_driver_handle_t* drivers) {
  if (drivers != nullptr) drivers[0] = reinterpret_cast<zes_driver_handle_t>(&driver);
  *count = 1;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceGet(zes_driver_handle_t, uint32_t* count, zes_device_handle_t* devices) {
  if (devices != nullptr) devices[0] = reinterpret_cast<zes_device_handle_t>(&device);
  *count = 1;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceGetProperties(zes_device_handle_t, zes_device_properties_t* properties) {
  FAKE_ENTER();
  properties->core.vendorId = 0x8086;
  properties->core.deviceId = 0x56a0;
  properties->core.type = ZE_DEVICE_TYPE_GPU;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceGetState(zes_device_handle_t, zes_device_state_t* state) {
  FAKE_ENTER();
  state->reset = fake->reset;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceProcessesGetState(zes_device_handle_t, uint32_t* count, zes_process_state_t* processes) {
  FAKE_ENTER();
  const auto size = static_cast<uint32_t>(fake->process_engines.size());
  *count = processes == nullptr ? size : std::min(*count, size);
  for (uint32_t i = 0; processes != nullptr && i < *count; ++i) processes[i].engines = fake->process_engines[i];
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDevicePciGetProperties(zes_device_handle_t, zes_pci_properties_t* properties) {
  FAKE_ENTER();
  properties->address = {0, fake->bus, 0, 0};
  properties->maxSpeed = fake->max_link;
  properties->haveBandwidthCounters = fake->has_bandwidth_counters;
  properties->haveReplayCounters = fake->has_replay_counters;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDevicePciGetState(zes_device_handle_t, zes_pci_state_t* state) {
  FAKE_ENTER();
  state->speed = fake->link;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDevicePciGetStats(zes_device_handle_t, zes_pci_stats_t* stats) {
  FAKE_ENTER();
  *stats = fake->stats;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumTemperatureSensors(zes_device_handle_t, uint32_t* count, zes_temp_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->sensors, count, handles);
}
ze_result_t zesTemperatureGetProperties(zes_temp_handle_t handle, zes_temp_properties_t* properties) {
  FAKE_ENTER();
  const auto& sensor = Of<FakeSysman::Sensor>(handle);
  properties->type = static_cast<zes_temp_sensors_t>(sensor.type);
  properties->maxTemperature = sensor.limit;
  SetTile(sensor.tile, properties);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesTemperatureGetState(zes_temp_handle_t handle, double* celsius) {
  FAKE_ENTER();
  *celsius = Of<FakeSysman::Sensor>(handle).celsius;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumPowerDomains(zes_device_handle_t, uint32_t* count, zes_pwr_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->powers, count, handles);
}
ze_result_t zesPowerGetProperties(zes_pwr_handle_t handle, zes_power_properties_t* properties) {
  FAKE_ENTER();
  const auto& power = Of<FakeSysman::Power>(handle);
  properties->defaultLimit = power.default_mw;
  properties->minLimit = -1;
  properties->maxLimit = -1;
  SetTile(power.tile, properties);
  auto* ext = static_cast<zes_power_ext_properties_t*>(properties->pNext);
  if (ext == nullptr || ext->stype != ZES_STRUCTURE_TYPE_POWER_EXT_PROPERTIES) std::abort();
  ext->domain = static_cast<zes_power_domain_t>(power.domain);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesPowerGetEnergyCounter(zes_pwr_handle_t handle, zes_power_energy_counter_t* counter) {
  FAKE_ENTER();
  const auto& power = Of<FakeSysman::Power>(handle);
  *counter = {.energy = power.energy_uj, .timestamp = power.timestamp_us};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesPowerGetLimits(zes_pwr_handle_t handle, zes_power_sustained_limit_t* sustained,
                              zes_power_burst_limit_t* burst, zes_power_peak_limit_t* peak) {
  FAKE_ENTER();
  *sustained = {.enabled = 1, .power = Of<FakeSysman::Power>(handle).sustained_mw, .interval = -1};
  *burst = {.enabled = 0, .power = 1};
  *peak = {.powerAC = -1, .powerDC = -1};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesPowerGetLimitsExt(zes_pwr_handle_t handle, uint32_t* count, zes_power_limit_ext_desc_t* limits) {
  FAKE_ENTER();
  if (limits != nullptr) {
    for (int i = 0; i < 3; ++i) {
      limits[i].limitUnit = i == 2 ? ZES_LIMIT_UNIT_CURRENT : ZES_LIMIT_UNIT_POWER;
      limits[i].enabled = 1;
    }
    limits[0].level = ZES_POWER_LEVEL_SUSTAINED;
    limits[0].limit = Of<FakeSysman::Power>(handle).sustained_mw;
    limits[1].level = ZES_POWER_LEVEL_BURST;
    limits[1].limit = -1;
    limits[2].level = ZES_POWER_LEVEL_PEAK;
    limits[2].limit = 15'000;  // Milliamperes.
  }
  *count = 3;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumFrequencyDomains(zes_device_handle_t, uint32_t* count, zes_freq_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->clocks, count, handles);
}
ze_result_t zesFrequencyGetProperties(zes_freq_handle_t handle, zes_freq_properties_t* properties) {
  FAKE_ENTER();
  const auto& clock = Of<FakeSysman::Clock>(handle);
  properties->type = static_cast<zes_freq_domain_t>(clock.domain);
  properties->max = clock.max_mhz;
  SetTile(clock.tile, properties);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesFrequencyGetState(zes_freq_handle_t handle, zes_freq_state_t* state) {
  FAKE_ENTER();
  state->actual = Of<FakeSysman::Clock>(handle).mhz;
  state->throttleReasons = Of<FakeSysman::Clock>(handle).throttled;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumEngineGroups(zes_device_handle_t, uint32_t* count, zes_engine_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->engines, count, handles);
}
ze_result_t zesEngineGetProperties(zes_engine_handle_t handle, zes_engine_properties_t* properties) {
  FAKE_ENTER();
  const auto& engine = Of<FakeSysman::Engine>(handle);
  properties->type = static_cast<zes_engine_group_t>(engine.type);
  SetTile(engine.tile, properties);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesEngineGetActivity(zes_engine_handle_t handle, zes_engine_stats_t* stats) {
  FAKE_ENTER();
  const auto& engine = Of<FakeSysman::Engine>(handle);
  *stats = {.activeTime = engine.active, .timestamp = engine.timestamp};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumMemoryModules(zes_device_handle_t, uint32_t* count, zes_mem_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->memories, count, handles);
}
ze_result_t zesMemoryGetProperties(zes_mem_handle_t handle, zes_mem_properties_t* properties) {
  FAKE_ENTER();
  const auto& memory = Of<FakeSysman::Memory>(handle);
  properties->location = static_cast<zes_mem_loc_t>(memory.location);
  properties->physicalSize = memory.physical;
  SetTile(memory.tile, properties);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesMemoryGetState(zes_mem_handle_t handle, zes_mem_state_t* state) {
  FAKE_ENTER();
  state->size = Of<FakeSysman::Memory>(handle).size;
  state->free = Of<FakeSysman::Memory>(handle).free;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesMemoryGetBandwidth(zes_mem_handle_t handle, zes_mem_bandwidth_t* bandwidth) {
  FAKE_ENTER();
  const auto& memory = Of<FakeSysman::Memory>(handle);
  *bandwidth = {memory.read, memory.written, memory.max_bandwidth, memory.timestamp_us};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumRasErrorSets(zes_device_handle_t, uint32_t* count, zes_ras_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->ras, count, handles);
}
ze_result_t zesRasGetProperties(zes_ras_handle_t handle, zes_ras_properties_t* properties) {
  FAKE_ENTER();
  properties->type = static_cast<zes_ras_error_type_t>(Of<FakeSysman::Ras>(handle).type);
  SetTile(Of<FakeSysman::Ras>(handle).tile, properties);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesRasGetState(zes_ras_handle_t handle, ze_bool_t clear, zes_ras_state_t* state) {
  FAKE_ENTER();
  if (clear) std::abort();  // The counters are everybody's.
  std::copy_n(Of<FakeSysman::Ras>(handle).categories, 7, state->category);
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesRasGetStateExp(zes_ras_handle_t handle, uint32_t* count, SysmanRasStateExp* states) {
  FAKE_ENTER();
  *count = 2;
  if (states == nullptr) return ZE_RESULT_SUCCESS;
  states[0] = {.category = 0, .error_counter = 99};  // Told by zesRasGetState, too.
  states[1] = {.category = 7, .error_counter = 5};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumFans(zes_device_handle_t, uint32_t* count, zes_fan_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->fans, count, handles);
}
ze_result_t zesFanGetProperties(zes_fan_handle_t handle, zes_fan_properties_t* properties) {
  FAKE_ENTER();
  properties->maxRPM = Of<FakeSysman::Fan>(handle).max_rpm;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesFanGetState(zes_fan_handle_t handle, zes_fan_speed_units_t units, int32_t* speed) {
  FAKE_ENTER();
  const auto& fan = Of<FakeSysman::Fan>(handle);
  *speed = units == ZES_FAN_SPEED_UNITS_RPM ? fan.rpm : fan.percent;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumFabricPorts(zes_device_handle_t, uint32_t* count, zes_fabric_port_handle_t* handles) {
  FAKE_ENTER();
  return Give(fake->ports, count, handles);
}
ze_result_t zesFabricPortGetState(zes_fabric_port_handle_t handle, zes_fabric_port_state_t* state) {
  FAKE_ENTER();
  const auto& port = Of<FakeSysman::Port>(handle);
  state->status = static_cast<zes_fabric_port_status_t>(port.status);
  state->rxSpeed = {port.bit_rate, port.width};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesFabricPortGetThroughput(zes_fabric_port_handle_t handle, zes_fabric_port_throughput_t* throughput) {
  FAKE_ENTER();
  throughput->rxCounter = Of<FakeSysman::Port>(handle).received;
  throughput->txCounter = Of<FakeSysman::Port>(handle).sent;
  return ZE_RESULT_SUCCESS;
}

}  // namespace

FakeSysman::FakeSysman() {
  if (fake != nullptr) std::abort();
  fake = this;
  sensors = {{.type = ZES_TEMP_SENSORS_GPU, .celsius = 55, .limit = 100},
             {.type = ZES_TEMP_SENSORS_MEMORY, .celsius = 60, .limit = -1},
             {.type = ZES_TEMP_SENSORS_GPU_MIN, .celsius = 30}};
  powers = {{.domain = ZES_POWER_DOMAIN_CARD, .watts = 180, .sustained_mw = 190'000, .default_mw = 225'000}};
  clocks = {{.domain = ZES_FREQ_DOMAIN_GPU, .mhz = 2400, .max_mhz = 2450},
            {.domain = ZES_FREQ_DOMAIN_MEMORY, .mhz = -1, .max_mhz = 2187}};
  engines = {{.type = ZES_ENGINE_GROUP_ALL, .busy = 0.75}, {.type = ZES_ENGINE_GROUP_COMPUTE_ALL, .busy = 0.5}};
  memories = {{.physical = 16'000, .size = 15'000, .free = 9'000, .max_bandwidth = 1'000}};
  ras = {{.type = ZES_RAS_ERROR_TYPE_CORRECTABLE, .categories = {1, 2, 3, 4, 5, 6}},
         {.type = ZES_RAS_ERROR_TYPE_UNCORRECTABLE, .categories = {0, 0, 0, 0, 0, UINT64_MAX}}};
  fans = {{.rpm = 1500, .max_rpm = 3000}};
  ports = {{.status = ZES_FABRIC_PORT_STATUS_HEALTHY, .bit_rate = 80, .width = 4, .received = 10, .sent = 20},
           {.status = ZES_FABRIC_PORT_STATUS_FAILED}};
  process_engines = {ZES_ENGINE_TYPE_FLAG_COMPUTE, ZES_ENGINE_TYPE_FLAG_3D, ZES_ENGINE_TYPE_FLAG_COMPUTE};
}

FakeSysman::~FakeSysman() { fake = nullptr; }

void FakeSysman::Advance(int64_t us) {
  const auto time = static_cast<uint64_t>(us);
  for (Power& power : powers) {
    power.energy_uj += static_cast<uint64_t>(power.watts * static_cast<double>(us));
    power.timestamp_us += time;
  }
  for (Engine& engine : engines) {
    engine.active += static_cast<uint64_t>(engine.busy * engine.ticks_per_us * static_cast<double>(us));
    engine.timestamp += static_cast<uint64_t>(engine.ticks_per_us * static_cast<double>(us));
  }
  for (Memory& memory : memories) {
    memory.read += time / 4000;  // 250 bytes per second.
    memory.timestamp_us += time;
  }
  stats.rxCounter += 2 * time;
  stats.txCounter += 3 * time;
  stats.timestamp += time;
}

SysmanCalls FakeSysman::Calls() {
  SysmanCalls calls;
#define FAKE_CALL(name) calls.name = name
  FAKE_CALL(zesInit);
  FAKE_CALL(zesDriverGet);
  FAKE_CALL(zesDeviceGet);
  FAKE_CALL(zesDeviceGetProperties);
  FAKE_CALL(zesDeviceGetState);
  FAKE_CALL(zesDeviceProcessesGetState);
  FAKE_CALL(zesDevicePciGetProperties);
  FAKE_CALL(zesDevicePciGetState);
  FAKE_CALL(zesDevicePciGetStats);
  FAKE_CALL(zesDeviceEnumTemperatureSensors);
  FAKE_CALL(zesTemperatureGetProperties);
  FAKE_CALL(zesTemperatureGetState);
  FAKE_CALL(zesDeviceEnumPowerDomains);
  FAKE_CALL(zesPowerGetProperties);
  FAKE_CALL(zesPowerGetEnergyCounter);
  FAKE_CALL(zesPowerGetLimits);
  FAKE_CALL(zesPowerGetLimitsExt);
  FAKE_CALL(zesDeviceEnumFrequencyDomains);
  FAKE_CALL(zesFrequencyGetProperties);
  FAKE_CALL(zesFrequencyGetState);
  FAKE_CALL(zesDeviceEnumEngineGroups);
  FAKE_CALL(zesEngineGetProperties);
  FAKE_CALL(zesEngineGetActivity);
  FAKE_CALL(zesDeviceEnumMemoryModules);
  FAKE_CALL(zesMemoryGetProperties);
  FAKE_CALL(zesMemoryGetState);
  FAKE_CALL(zesMemoryGetBandwidth);
  FAKE_CALL(zesDeviceEnumRasErrorSets);
  FAKE_CALL(zesRasGetProperties);
  FAKE_CALL(zesRasGetState);
  FAKE_CALL(zesRasGetStateExp);
  FAKE_CALL(zesDeviceEnumFans);
  FAKE_CALL(zesFanGetProperties);
  FAKE_CALL(zesFanGetState);
  FAKE_CALL(zesDeviceEnumFabricPorts);
  FAKE_CALL(zesFabricPortGetState);
  FAKE_CALL(zesFabricPortGetThroughput);
#undef FAKE_CALL
  return calls;
}

}  // namespace muster::agent
