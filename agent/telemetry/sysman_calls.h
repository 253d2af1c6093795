// Level Zero's sysman as a table of functions: found in the loader at run time, or a fake.
//
// Sysman is started its own way first (zesInit); loaders that lack it, as Debian 12's, want a variable set before
// zeInit and the core's device handles. To use both ways is an error of the driver's, and after a failed zeInit nothing
// may be called (an old loader has then unloaded its driver and jumps into it).
#ifndef MUSTER_AGENT_TELEMETRY_SYSMAN_CALLS_H_
#define MUSTER_AGENT_TELEMETRY_SYSMAN_CALLS_H_

#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/inventory/shared_library.h"
#include "agent/telemetry/sampler.h"

namespace muster::agent {

// Newer than the oldest headers that Muster builds with.
struct SysmanRasStateExp {
  uint32_t category;
  uint64_t error_counter;
};
struct SysmanFabricErrors {
  uint32_t stype;
  void* next;
  uint64_t link_failures;
  uint64_t firmware_communication_errors;
  uint64_t firmware_errors;
  uint64_t link_degrades;
};
inline constexpr uint32_t kStypeFabricPortErrorCounters = 0x2a;

// clang-format off
#define MUSTER_SYSMAN_CALLS(X)                                                                                \
  X(zeInit) X(zeDriverGet) X(zeDeviceGet)                                                                     \
  X(zesDeviceGetProperties) X(zesDeviceGetState) X(zesDeviceProcessesGetState)                                \
  X(zesDevicePciGetProperties) X(zesDevicePciGetState) X(zesDevicePciGetStats)                                \
  X(zesDeviceEnumTemperatureSensors) X(zesTemperatureGetProperties) X(zesTemperatureGetState)                 \
  X(zesDeviceEnumPowerDomains) X(zesPowerGetProperties) X(zesPowerGetEnergyCounter) X(zesPowerGetLimits)      \
  X(zesPowerGetLimitsExt)                                                                                     \
  X(zesDeviceEnumFrequencyDomains) X(zesFrequencyGetProperties) X(zesFrequencyGetState)                       \
  X(zesFrequencyGetThrottleTime)                                                                              \
  X(zesDeviceEnumEngineGroups) X(zesEngineGetProperties) X(zesEngineGetActivity)                              \
  X(zesDeviceEnumMemoryModules) X(zesMemoryGetProperties) X(zesMemoryGetState) X(zesMemoryGetBandwidth)       \
  X(zesDeviceEnumRasErrorSets) X(zesRasGetProperties) X(zesRasGetState)                                       \
  X(zesDeviceEnumFans) X(zesFanGetProperties) X(zesFanGetState)                                               \
  X(zesDeviceEnumFabricPorts) X(zesFabricPortGetProperties) X(zesFabricPortGetState)                          \
  X(zesFabricPortGetThroughput)
// clang-format on

// Null where the loader has no such function. Members are named as the functions.
struct SysmanCalls {
#define MUSTER_SYSMAN_MEMBER(name) decltype(&::name) name = nullptr;
  MUSTER_SYSMAN_CALLS(MUSTER_SYSMAN_MEMBER)
#undef MUSTER_SYSMAN_MEMBER
  ze_result_t (*zesInit)(uint32_t flags) = nullptr;
  ze_result_t (*zesDriverGet)(uint32_t* count, zes_driver_handle_t* drivers) = nullptr;
  ze_result_t (*zesDeviceGet)(zes_driver_handle_t driver, uint32_t* count, zes_device_handle_t* devices) = nullptr;
  ze_result_t (*zesRasGetStateExp)(zes_ras_handle_t ras, uint32_t* count, SysmanRasStateExp* states) = nullptr;
  ze_result_t (*zesFabricPortGetFabricErrorCounters)(zes_fabric_port_handle_t port,
                                                     SysmanFabricErrors* errors) = nullptr;
};

SysmanCalls FindSysmanCalls(const SharedLibrary& library);

// Initialises sysman, once in a process, and lists the devices of all drivers; sets variables of this process's
// environment that the driver reads. An error says what is missing.
absl::StatusOr<std::vector<zes_device_handle_t>> StartSysman(const SysmanCalls& calls, CallMarker& marker);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SYSMAN_CALLS_H_
