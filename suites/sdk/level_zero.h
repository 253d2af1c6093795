// Intel's Level Zero, core and sysman, loaded at run time: a program that uses it starts and reports on a machine
// without it.
//
//   ASSIGN_OR_RETURN(const LevelZero* ze, LevelZero::Shared());
//   MUSTER_ZE(*ze, zeDeviceGet)(driver, &count, nullptr)
//
// Functions go through the loader, never past it.
#ifndef MUSTER_SUITES_SDK_LEVEL_ZERO_H_
#define MUSTER_SUITES_SDK_LEVEL_ZERO_H_

#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

// The loader's function of this name, with the header's type. For those that every loader has; others by Symbol().
#define MUSTER_ZE(library, function) (library).Function<decltype(&function)>(#function)

namespace muster::sdk {

class LevelZero {
 public:
  // Loaded and initialised once, sysman before core; afterwards the same answer. NotFound without a loader,
  // FailedPrecondition when no driver can be initialised: then nothing of Level Zero may be called.
  static absl::StatusOr<const LevelZero*> Shared();

  // Null when the loader has no such symbol.
  void* Symbol(const char* name) const;
  template <typename F>
  F Function(const char* name) const {
    return reinterpret_cast<F>(Symbol(name));
  }

  struct DeviceHandles {
    ze_driver_handle_t driver = nullptr;
    ze_device_handle_t core = nullptr;
    // Null when the driver gives no sensors.
    zes_device_handle_t sysman = nullptr;
    // "0000:03:00.0"; empty when the driver does not say.
    std::string pci_address;
    std::string uuid;
  };
  // Root devices of every driver, one for each GPU.
  const std::vector<DeviceHandles>& Devices() const { return devices_; }
  // The leased device by PCI address, or by UUID where the driver gives no address. NotFound.
  absl::StatusOr<DeviceHandles> Find(const v1::Device& device) const;

 private:
  explicit LevelZero(void* library) : library_(library) {}
  absl::Status Start();
  absl::Status List();

  void* const library_;
  bool casts_to_sysman_ = false;
  std::vector<DeviceHandles> devices_;
};

// Level Zero and the leased device in it. Throws DeviceFailure, with what to do, when it cannot be used or does not
// list the device: with a GPU in the machine both are the driver's fault.
struct LevelZeroDeviceHandles {
  const LevelZero& level_zero;
  LevelZero::DeviceHandles handles;
};
LevelZeroDeviceHandles RequireInLevelZero(const v1::Device& device);

// "zeMemAllocDevice: Level Zero error 0x70000003".
std::string ZeError(const std::string& call, ze_result_t result);
// Throws DeviceFailure for a lost or hung device and ToolError for all else; nothing on success.
void ZeCheck(ze_result_t result, const std::string& call);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_LEVEL_ZERO_H_
