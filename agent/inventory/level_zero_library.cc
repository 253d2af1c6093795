#include "agent/inventory/level_zero_library.h"

#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/inventory/shared_library.h"
#include "base/clean_text.h"
#include "base/pci.h"
#include "base/status_macros.h"
#include "base/xe_generation.h"

namespace muster::agent {
namespace {

constexpr uint32_t kMaxDrivers = 8;
constexpr uint32_t kMaxParts = 32;  // memories, firmwares of a device

// Newer than the oldest headers that Muster builds with.
using ZesInitFunction = ze_result_t (*)(uint32_t flags);

// Intel says "unknown" (and "unkown") where it does not know.
template <size_t kSize>
std::string Known(const char (&raw)[kSize]) {
  std::string text = base::CleanText(absl::string_view(raw, kSize));
  return absl::EqualsIgnoreCase(text, "unknown") || absl::EqualsIgnoreCase(text, "unkown") ? std::string() : text;
}

// One initialised Level Zero. The names of `ze` calls are those of the loader's symbols.
class LevelZeroSession {
 public:
  explicit LevelZeroSession(const SharedLibrary& library) : library_(library) {}

  // After a failure no other call may follow: an old loader has then unloaded its driver and jumps into it.
  absl::Status Start() {
    StartSysman();
    const auto init = library_.Find<decltype(&zeInit)>("zeInit");
    if (init == nullptr) return absl::FailedPreconditionError("the Level Zero loader has no zeInit");
    const ze_result_t result = init(0);
    if (result == ZE_RESULT_SUCCESS) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrFormat("zeInit failed (0x%x): expected Intel's Level Zero driver (libze_intel_gpu.so.1) and access to "
                        "/dev/dri/renderD*; install the driver, and add the agent's user to the group render",
                        static_cast<uint32_t>(result)));
  }

  absl::StatusOr<GpuLibraryReport> List() const {
    std::vector<ze_driver_handle_t> drivers;
    const auto get = library_.Find<decltype(&zeDriverGet)>("zeDriverGet");
    if (get == nullptr || !Enumerate(kMaxDrivers, get, drivers)) {
      return absl::FailedPreconditionError("zeDriverGet failed after zeInit succeeded");
    }
    GpuLibraryReport report;
    for (ze_driver_handle_t driver : drivers) ListDriver(driver, report);
    return report;
  }

 private:
  // Sysman before core. Loaders that lack zesInit want a variable instead; to use both is an error of the driver's.
  void StartSysman() {
    setenv("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE", 1);
    unsetenv("ZE_AFFINITY_MASK");
    if (const auto init = library_.Find<ZesInitFunction>("zesInit")) {
      sysman_ = init(0) == ZE_RESULT_SUCCESS;
      return;
    }
    setenv("ZES_ENABLE_SYSMAN", "1", 1);
    sysman_ = true;
  }

  // Level Zero's way to list: once for the count, once for the handles. `rest` are the arguments before the count.
  template <typename Handle, typename Function, typename... Rest>
  static bool Enumerate(uint32_t limit, Function function, std::vector<Handle>& handles, Rest... rest) {
    uint32_t count = 0;
    if (function(rest..., &count, nullptr) != ZE_RESULT_SUCCESS) return false;
    count = std::min(count, limit);
    handles.assign(count, nullptr);
    if (count > 0 && function(rest..., &count, handles.data()) != ZE_RESULT_SUCCESS) return false;
    handles.resize(std::min<size_t>(count, handles.size()));
    return true;
  }

  void ListDriver(ze_driver_handle_t driver, GpuLibraryReport& report) const {
    const std::string version = DriverVersion(driver);
    std::vector<ze_device_handle_t> devices;
    const auto get = library_.Find<decltype(&zeDeviceGet)>("zeDeviceGet");
    if (get == nullptr || !Enumerate(kMaxLibraryDevices, get, devices, driver)) {
      report.notes.push_back("A Level Zero driver is loaded and does not list its devices.");
      return;
    }
    for (ze_device_handle_t handle : devices) {
      if (report.devices.size() == kMaxLibraryDevices) return;
      if (auto device = Describe(handle)) {
        device->set_driver_version(version);
        report.devices.push_back(*std::move(device));
      }
    }
  }

  // Intel packs "1.3.24595" as 8, 8 and 16 bits.
  std::string DriverVersion(ze_driver_handle_t driver) const {
    ze_driver_properties_t properties = {};
    properties.stype = ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES;
    const auto get = library_.Find<decltype(&zeDriverGetProperties)>("zeDriverGetProperties");
    if (get == nullptr || get(driver, &properties) != ZE_RESULT_SUCCESS) return std::string();
    const uint32_t version = properties.driverVersion;
    return absl::StrCat(version >> 24, ".", (version >> 16) & 0xFF, ".", version & 0xFFFF);
  }

  std::optional<v1::Device> Describe(ze_device_handle_t handle) const {
    ze_device_properties_t properties = {};
    properties.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
    const auto get = library_.Find<decltype(&zeDeviceGetProperties)>("zeDeviceGetProperties");
    if (get == nullptr || get(handle, &properties) != ZE_RESULT_SUCCESS) return std::nullopt;
    if (properties.type != ZE_DEVICE_TYPE_GPU || properties.vendorId != base::kPciVendorIntel) return std::nullopt;
    v1::Device device;
    device.set_vendor(v1::VENDOR_INTEL);
    device.set_model(base::CleanText(absl::string_view(properties.name, sizeof(properties.name))));
    device.set_uuid(FormatUuid(properties.uuid.id));
    device.set_pci_vendor_id(properties.vendorId);
    device.set_pci_device_id(properties.deviceId & 0xFFFF);
    device.set_xe_generation(std::string(base::XeGeneration(device.pci_device_id())));
    SetAddress(handle, device);
    // What an integrated GPU calls its memory is the machine's.
    if ((properties.flags & ZE_DEVICE_PROPERTY_FLAG_INTEGRATED) == 0) SetMemory(handle, device);
    if (sysman_) AddSysman(reinterpret_cast<zes_device_handle_t>(handle), device);
    // Intel's driver without a device (its AUB and TBX modes), which nothing but these variables tells.
    const char* receiver = std::getenv("SetCommandStreamReceiver");
    device.set_simulated(std::getenv("NEOReadDebugKeys") != nullptr && receiver != nullptr && *receiver > '0');
    return device;
  }

  void SetAddress(ze_device_handle_t handle, v1::Device& device) const {
    ze_pci_ext_properties_t pci = {};
    pci.stype = ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES;
    const auto get = library_.Find<decltype(&zeDevicePciGetPropertiesExt)>("zeDevicePciGetPropertiesExt");
    if (get == nullptr || get(handle, &pci) != ZE_RESULT_SUCCESS) return;
    device.set_pci_address(FormatAddress(pci.address));
  }

  template <typename Address>
  static std::string FormatAddress(const Address& address) {
    return base::NormalisePciAddress(
        absl::StrFormat("%x:%x:%x.%x", address.domain, address.bus, address.device, address.function));
  }

  void SetMemory(ze_device_handle_t handle, v1::Device& device) const {
    const auto get = library_.Find<decltype(&zeDeviceGetMemoryProperties)>("zeDeviceGetMemoryProperties");
    uint32_t count = 0;
    if (get == nullptr || get(handle, &count, nullptr) != ZE_RESULT_SUCCESS) return;
    ze_device_memory_properties_t empty = {};
    empty.stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES;
    count = std::min(count, kMaxParts);
    std::vector<ze_device_memory_properties_t> memories(count, empty);
    if (count == 0 || get(handle, &count, memories.data()) != ZE_RESULT_SUCCESS) return;
    uint64_t bytes = 0;
    for (const auto& memory : memories) bytes += memory.totalSize;
    if (bytes > 0) device.set_memory_bytes(bytes);
  }

  void AddSysman(zes_device_handle_t handle, v1::Device& device) const {
    zes_device_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES;
    properties.core.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
    const auto get = library_.Find<decltype(&zesDeviceGetProperties)>("zesDeviceGetProperties");
    // What does not answer this has no sysman (Intel's driver without a device): the rest is not asked.
    if (get == nullptr || get(handle, &properties) != ZE_RESULT_SUCCESS) return;
    device.set_serial(Known(properties.serialNumber));
    AddSysmanPci(handle, device);
    AddFirmware(handle, device);
    SetEcc(handle, device);
  }

  void AddSysmanPci(zes_device_handle_t handle, v1::Device& device) const {
    zes_pci_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_PCI_PROPERTIES;
    const auto get = library_.Find<decltype(&zesDevicePciGetProperties)>("zesDevicePciGetProperties");
    if (get != nullptr && get(handle, &properties) == ZE_RESULT_SUCCESS) {
      if (device.pci_address().empty()) device.set_pci_address(FormatAddress(properties.address));
      if (properties.maxSpeed.gen > 0) device.mutable_pci_link()->set_max_generation(properties.maxSpeed.gen);
      if (properties.maxSpeed.width > 0) device.mutable_pci_link()->set_max_width(properties.maxSpeed.width);
    }
    zes_pci_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_PCI_STATE;
    const auto get_state = library_.Find<decltype(&zesDevicePciGetState)>("zesDevicePciGetState");
    if (get_state == nullptr || get_state(handle, &state) != ZE_RESULT_SUCCESS) return;
    if (state.speed.gen > 0) device.mutable_pci_link()->set_generation(state.speed.gen);
    if (state.speed.width > 0) device.mutable_pci_link()->set_width(state.speed.width);
  }

  // "GFX 102.0.10.1234, OptROMCode …": each firmware of the card with its version.
  void AddFirmware(zes_device_handle_t handle, v1::Device& device) const {
    const auto list = library_.Find<decltype(&zesDeviceEnumFirmwares)>("zesDeviceEnumFirmwares");
    const auto get = library_.Find<decltype(&zesFirmwareGetProperties)>("zesFirmwareGetProperties");
    std::vector<zes_firmware_handle_t> firmwares;
    if (list == nullptr || get == nullptr || !Enumerate(kMaxParts, list, firmwares, handle)) return;
    std::string versions;
    for (zes_firmware_handle_t firmware : firmwares) {
      zes_firmware_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_FIRMWARE_PROPERTIES;
      if (get(firmware, &properties) != ZE_RESULT_SUCCESS || Known(properties.version).empty()) continue;
      absl::StrAppend(&versions, versions.empty() ? "" : ", ", Known(properties.name), " ", Known(properties.version));
    }
    device.set_firmware_version(base::CleanText(versions));
  }

  void SetEcc(zes_device_handle_t handle, v1::Device& device) const {
    zes_device_ecc_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_DEVICE_ECC_PROPERTIES;
    const auto get = library_.Find<decltype(&zesDeviceGetEccState)>("zesDeviceGetEccState");
    if (get == nullptr || get(handle, &properties) != ZE_RESULT_SUCCESS) return;
    if (properties.currentState == ZES_DEVICE_ECC_STATE_ENABLED) device.set_ecc_mode(v1::ECC_MODE_ENABLED);
    if (properties.currentState == ZES_DEVICE_ECC_STATE_DISABLED) device.set_ecc_mode(v1::ECC_MODE_DISABLED);
    if (properties.currentState == ZES_DEVICE_ECC_STATE_UNAVAILABLE) device.set_ecc_mode(v1::ECC_MODE_UNSUPPORTED);
  }

  const SharedLibrary& library_;
  bool sysman_ = false;
};

}  // namespace

std::vector<std::string> LevelZeroCandidates() {
  return {"libze_loader.so.1", "/run/opengl-driver/lib/libze_loader.so.1",
          "/run/current-system/sw/lib/libze_loader.so.1"};
}

absl::StatusOr<GpuLibraryReport> LevelZeroLibrary::List() {
  ASSIGN_OR_RETURN(const std::unique_ptr<SharedLibrary> library, SharedLibrary::Open(candidates_));
  LevelZeroSession session(*library);
  RETURN_IF_ERROR(session.Start());
  return session.List();
}

std::string FormatUuid(const uint8_t (&bytes)[16]) {
  std::string uuid;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    absl::StrAppendFormat(&uuid, "%02x", bytes[i]);
  }
  return uuid;
}

bool UuidIdentifies(absl::string_view uuid, uint32_t pci_device_id) {
  const std::string from_pci = absl::StrFormat("8680%02x%02x-", pci_device_id & 0xFF, (pci_device_id >> 8) & 0xFF);
  return !uuid.empty() && uuid != "00000000-0000-0000-0000-000000000000" && !absl::StartsWith(uuid, from_pci);
}

}  // namespace muster::agent
