#include "suites/sdk/discovery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/nvml.h"

namespace muster::sdk {
namespace {

constexpr uint32_t kMaxMemories = 16;

v1::Device Describe(const Nvml& nvml, Nvml::Handle handle) {
  v1::Device device;
  device.set_vendor(v1::VENDOR_NVIDIA);
  device.set_kernel_driver("nvidia");
  device.set_driver_state(v1::DRIVER_STATE_READY);
  device.set_uuid(nvml.Uuid(handle).value_or(""));
  device.set_model(nvml.Name(handle).value_or(""));
  device.set_serial(nvml.Serial(handle).value_or(""));
  device.set_pci_address(nvml.PciAddress(handle).value_or(""));
  device.set_driver_version(nvml.DriverVersion().value_or(""));
  if (const auto bytes = nvml.MemoryBytes(handle); bytes.ok()) device.set_memory_bytes(*bytes);
  device.set_id(device.uuid().empty() ? device.pci_address() : device.uuid());
  (*device.mutable_labels())["vendor"] = "nvidia";
  return device;
}

v1::Device Describe(const LevelZero& level_zero, const LevelZero::DeviceHandles& handles) {
  v1::Device device;
  device.set_vendor(v1::VENDOR_INTEL);
  device.set_driver_state(v1::DRIVER_STATE_READY);
  device.set_uuid(handles.uuid);
  device.set_pci_address(handles.pci_address);
  device.set_id(handles.uuid.empty() ? handles.pci_address : handles.uuid);
  (*device.mutable_labels())["vendor"] = "intel";
  ze_device_properties_t properties = {};
  properties.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
  if (MUSTER_ZE(level_zero, zeDeviceGetProperties)(handles.core, &properties) == ZE_RESULT_SUCCESS)
    device.set_model(properties.name);
  device.set_simulated(absl::StrContains(device.model(), "(simulated)"));
  ze_device_memory_properties_t memories[kMaxMemories] = {};
  for (ze_device_memory_properties_t& memory : memories) memory.stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES;
  uint32_t count = kMaxMemories;
  uint64_t bytes = 0;
  if (MUSTER_ZE(level_zero, zeDeviceGetMemoryProperties)(handles.core, &count, memories) == ZE_RESULT_SUCCESS) {
    for (uint32_t i = 0; i < std::min(count, kMaxMemories); ++i) bytes += memories[i].totalSize;
  }
  if (bytes > 0) device.set_memory_bytes(bytes);
  return device;
}

std::vector<v1::Device> InOrderOfPci(std::vector<v1::Device> devices) {
  std::sort(devices.begin(), devices.end(),
            [](const auto& a, const auto& b) { return a.pci_address() < b.pci_address(); });
  return devices;
}

std::vector<v1::Device> NvidiaDevices(const char* visible) {
  const auto nvml = Nvml::Shared();
  if (!nvml.ok()) return {};
  const auto handles = (*nvml)->Devices();
  if (!handles.ok()) return {};
  std::vector<v1::Device> all;
  for (Nvml::Handle handle : *handles) all.push_back(Describe(**nvml, handle));
  all = InOrderOfPci(std::move(all));
  std::vector<v1::Device> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if (IsVisible(visible, i, all[i].uuid())) kept.push_back(all[i]);
  }
  return kept;
}

std::vector<v1::Device> IntelDevices() {
  const auto level_zero = LevelZero::Shared();
  if (!level_zero.ok()) return {};
  std::vector<v1::Device> all;
  for (const LevelZero::DeviceHandles& handles : (*level_zero)->Devices())
    all.push_back(Describe(**level_zero, handles));
  return InOrderOfPci(std::move(all));
}

}  // namespace

bool IsVisible(const char* visible, size_t index, const std::string& uuid) {
  if (visible == nullptr) return true;
  for (absl::string_view entry : absl::StrSplit(visible, ',', absl::SkipWhitespace())) {
    entry = absl::StripAsciiWhitespace(entry);
    if (entry == std::to_string(index)) return true;
    if (absl::StartsWith(entry, "GPU-") && absl::StartsWith(uuid, entry)) return true;
  }
  return false;
}

std::vector<v1::Device> DiscoverDevices(const char* visible) {
  std::vector<v1::Device> devices = NvidiaDevices(visible);
  for (v1::Device& device : IntelDevices()) devices.push_back(std::move(device));
  return devices;
}

}  // namespace muster::sdk
