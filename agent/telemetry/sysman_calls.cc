#include "agent/telemetry/sysman_calls.h"

#include <algorithm>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

constexpr uint32_t kMaxDrivers = 8;
constexpr uint32_t kMaxDevices = 64;

absl::Status Fails(const char* call, ze_result_t result) {
  return absl::FailedPreconditionError(
      absl::StrFormat("%s failed (0x%x): expected Intel's Level Zero driver (libze_intel_gpu.so.1) and access to "
                      "/dev/dri; install the driver, and add the agent's user to the group render",
                      call, static_cast<uint32_t>(result)));
}

class Starter {
 public:
  Starter(const SysmanCalls& calls, CallMarker& marker) : calls_(calls), marker_(marker) {}

  absl::StatusOr<std::vector<zes_device_handle_t>> BySysman() {
    if (const auto result = Call("zesInit", calls_.zesInit, 0); result != ZE_RESULT_SUCCESS) {
      return Fails("zesInit", result);
    }
    return List<zes_driver_handle_t>("zesDriverGet", calls_.zesDriverGet, "zesDeviceGet", calls_.zesDeviceGet);
  }

  absl::StatusOr<std::vector<zes_device_handle_t>> ByCore() {
    setenv("ZES_ENABLE_SYSMAN", "1", 1);
    if (const auto result = Call("zeInit", calls_.zeInit, 0); result != ZE_RESULT_SUCCESS) {
      return Fails("zeInit", result);
    }
    return List<ze_driver_handle_t>("zeDriverGet", calls_.zeDriverGet, "zeDeviceGet", calls_.zeDeviceGet);
  }

 private:
  template <typename Function, typename... Arguments>
  ze_result_t Call(const char* name, Function function, Arguments... arguments) {
    if (function == nullptr) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
    marker_.Enter("", name);
    const ze_result_t result = function(arguments...);
    marker_.Leave();
    return result;
  }

  template <typename Driver, typename GetDrivers, typename GetDevices>
  absl::StatusOr<std::vector<zes_device_handle_t>> List(const char* drivers_name, GetDrivers get_drivers,
                                                        const char* devices_name, GetDevices get_devices) {
    uint32_t count = 0;
    ze_result_t result = Call<GetDrivers, uint32_t*, Driver*>(drivers_name, get_drivers, &count, nullptr);
    count = std::min(count, kMaxDrivers);
    std::vector<Driver> drivers(count);
    if (result == ZE_RESULT_SUCCESS && count > 0) result = Call(drivers_name, get_drivers, &count, drivers.data());
    if (result != ZE_RESULT_SUCCESS) return Fails(drivers_name, result);
    drivers.resize(std::min<size_t>(count, drivers.size()));
    std::vector<zes_device_handle_t> all;
    for (Driver driver : drivers) AddDevices(devices_name, get_devices, driver, all);
    return all;
  }

  template <typename GetDevices, typename Driver>
  void AddDevices(const char* name, GetDevices get, Driver driver, std::vector<zes_device_handle_t>& all) {
    // Handles of the core and of sysman are the same to the driver, and pointers to the compiler.
    using Device = std::conditional_t<std::is_same_v<GetDevices, decltype(calls_.zesDeviceGet)>, zes_device_handle_t,
                                      ze_device_handle_t>;
    uint32_t count = 0;
    if (Call<GetDevices, Driver, uint32_t*, Device*>(name, get, driver, &count, nullptr) != ZE_RESULT_SUCCESS) return;
    count = std::min(count, kMaxDevices);
    std::vector<Device> devices(count);
    if (count == 0 || Call(name, get, driver, &count, devices.data()) != ZE_RESULT_SUCCESS) return;
    devices.resize(std::min<size_t>(count, devices.size()));
    for (Device device : devices) {
      if (device != nullptr) all.push_back(reinterpret_cast<zes_device_handle_t>(device));
    }
  }

  const SysmanCalls& calls_;
  CallMarker& marker_;
};

}  // namespace

SysmanCalls FindSysmanCalls(const SharedLibrary& library) {
  SysmanCalls calls;
#define MUSTER_SYSMAN_FIND(name) calls.name = library.Find<decltype(calls.name)>(#name);
  MUSTER_SYSMAN_CALLS(MUSTER_SYSMAN_FIND)
  MUSTER_SYSMAN_FIND(zesInit)
  MUSTER_SYSMAN_FIND(zesDriverGet)
  MUSTER_SYSMAN_FIND(zesDeviceGet)
  MUSTER_SYSMAN_FIND(zesRasGetStateExp)
  MUSTER_SYSMAN_FIND(zesFabricPortGetFabricErrorCounters)
#undef MUSTER_SYSMAN_FIND
  return calls;
}

absl::StatusOr<std::vector<zes_device_handle_t>> StartSysman(const SysmanCalls& calls, CallMarker& marker) {
  setenv("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE", 1);
  unsetenv("ZE_AFFINITY_MASK");
  Starter starter(calls, marker);
  ASSIGN_OR_RETURN(auto devices, calls.zesInit != nullptr ? starter.BySysman() : starter.ByCore());
  if (devices.empty()) return absl::NotFoundError("Level Zero is installed and lists no device");
  return devices;
}

}  // namespace muster::agent
