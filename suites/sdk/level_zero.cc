#include "suites/sdk/level_zero.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "suites/sdk/outcome.h"

namespace muster::sdk {
namespace {

constexpr uint32_t kMaxDrivers = 8;
constexpr uint32_t kMaxDevices = 64;
constexpr uint32_t kPciVendorIntel = 0x8086;

// Newer than the oldest headers that Muster builds with.
using ZesInitFunction = ze_result_t (*)(uint32_t flags);

// Level Zero's way to list: once for the count, once for the handles.
template <typename Handle, typename Function, typename... Owner>
absl::StatusOr<std::vector<Handle>> Enumerate(const char* call, uint32_t limit, Function function, Owner... owner) {
  uint32_t count = 0;
  ze_result_t result = function(owner..., &count, nullptr);
  count = std::min(count, limit);
  std::vector<Handle> handles(count);
  if (result == ZE_RESULT_SUCCESS && count > 0) result = function(owner..., &count, handles.data());
  if (result != ZE_RESULT_SUCCESS) return absl::FailedPreconditionError(ZeError(call, result));
  handles.resize(std::min<size_t>(count, handles.size()));
  return handles;
}

// As the agent's inventory writes it.
std::string UuidText(const uint8_t (&id)[ZE_MAX_DEVICE_UUID_SIZE]) {
  std::string text;
  for (size_t i = 0; i < ZE_MAX_DEVICE_UUID_SIZE; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    absl::StrAppendFormat(&text, "%02x", id[i]);
  }
  return text;
}

}  // namespace

absl::StatusOr<const LevelZero*> LevelZero::Shared() {
  static const auto& shared = *new absl::StatusOr<const LevelZero*>([]() -> absl::StatusOr<const LevelZero*> {
    void* const library = dlopen("libze_loader.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("no Level Zero loader: ", dlerror(), "; Debian's package is libze1, upstream's level-zero"));
    }
    auto* const level_zero = new LevelZero(library);
    RETURN_IF_ERROR(level_zero->Start());
    RETURN_IF_ERROR(level_zero->List());
    return level_zero;
  }());
  return shared;
}

void* LevelZero::Symbol(const char* name) const { return dlsym(library_, name); }

// Sysman before core. Loaders that lack zesInit want a variable instead; to use both is an error of the driver's.
absl::Status LevelZero::Start() {
  setenv("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE", 1);
  if (void* const init = Symbol("zesInit"); init != nullptr) {
    casts_to_sysman_ = reinterpret_cast<ZesInitFunction>(init)(0) == ZE_RESULT_SUCCESS;
  } else {
    setenv("ZES_ENABLE_SYSMAN", "1", 1);
    casts_to_sysman_ = true;
  }
  const ze_result_t result = MUSTER_ZE(*this, zeInit)(0);
  if (result == ZE_RESULT_SUCCESS) return absl::OkStatus();
  // An old loader has now unloaded its driver and jumps into it when called again.
  return absl::FailedPreconditionError(
      absl::StrCat(ZeError("zeInit", result),
                   ": expected Intel's Level Zero driver (libze_intel_gpu.so.1) and access to /dev/dri/renderD*; "
                   "install the driver, and add this user to the group render"));
}

absl::Status LevelZero::List() {
  ASSIGN_OR_RETURN(const auto drivers,
                   Enumerate<ze_driver_handle_t>("zeDriverGet", kMaxDrivers, MUSTER_ZE(*this, zeDriverGet)));
  for (const ze_driver_handle_t driver : drivers) {
    ASSIGN_OR_RETURN(const auto devices,
                     Enumerate<ze_device_handle_t>("zeDeviceGet", kMaxDevices, MUSTER_ZE(*this, zeDeviceGet), driver));
    for (const ze_device_handle_t device : devices) {
      ze_device_properties_t properties = {};
      properties.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
      if (MUSTER_ZE(*this, zeDeviceGetProperties)(device, &properties) != ZE_RESULT_SUCCESS) continue;
      if (properties.type != ZE_DEVICE_TYPE_GPU || properties.vendorId != kPciVendorIntel) continue;
      DeviceHandles handles = {.driver = driver, .core = device, .uuid = UuidText(properties.uuid.id)};
      if (casts_to_sysman_) handles.sysman = reinterpret_cast<zes_device_handle_t>(device);
      ze_pci_ext_properties_t pci = {};
      pci.stype = ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES;
      if (MUSTER_ZE(*this, zeDevicePciGetPropertiesExt)(device, &pci) == ZE_RESULT_SUCCESS) {
        handles.pci_address = absl::StrFormat("%04x:%02x:%02x.%x", pci.address.domain, pci.address.bus,
                                              pci.address.device, pci.address.function);
      }
      devices_.push_back(handles);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LevelZero::DeviceHandles> LevelZero::Find(const v1::Device& device) const {
  for (const DeviceHandles& handles : devices_) {
    const bool by_address = !handles.pci_address.empty() && !device.pci_address().empty();
    if (by_address ? handles.pci_address == device.pci_address() : handles.uuid == device.uuid()) return handles;
  }
  return absl::NotFoundError(absl::StrCat("Level Zero shows ", devices_.size(), " Intel GPUs, and none is ",
                                          device.model(), " at ", device.pci_address(), ", ", device.uuid()));
}

LevelZeroDeviceHandles RequireInLevelZero(const v1::Device& device) {
  const auto level_zero = LevelZero::Shared();
  if (!level_zero.ok()) {
    throw DeviceFailure(absl::StrCat("expected Level Zero to serve the GPU at ", device.pci_address(),
                                     ", found: ", level_zero.status().message()));
  }
  const auto handles = (*level_zero)->Find(device);
  if (!handles.ok()) {
    throw DeviceFailure(absl::StrCat("expected Level Zero to list the GPU at ", device.pci_address(), ", found: ",
                                     handles.status().message(), "; look for i915 or xe lines in the kernel log"));
  }
  return {**level_zero, *handles};
}

std::string ZeError(const std::string& call, ze_result_t result) {
  return absl::StrFormat("%s: Level Zero error 0x%08x", call, static_cast<uint32_t>(result));
}

void ZeCheck(ze_result_t result, const std::string& call) {
  if (result == ZE_RESULT_SUCCESS) return;
  if (result == ZE_RESULT_ERROR_DEVICE_LOST || result == ZE_RESULT_ERROR_DEVICE_REQUIRES_RESET) {
    throw DeviceFailure(absl::StrCat(ZeError(call, result),
                                     ": the device is lost or hung; look for i915 or xe lines in the kernel log"));
  }
  throw ToolError(ZeError(call, result));
}

}  // namespace muster::sdk
