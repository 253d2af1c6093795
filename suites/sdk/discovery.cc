#include "suites/sdk/discovery.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "suites/sdk/nvml.h"

namespace muster::sdk {
namespace {

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
  return device;
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
  const auto nvml = Nvml::Shared();
  if (!nvml.ok()) return {};
  const auto handles = (*nvml)->Devices();
  if (!handles.ok()) return {};
  std::vector<v1::Device> all;
  for (Nvml::Handle handle : *handles) all.push_back(Describe(**nvml, handle));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.pci_address() < b.pci_address(); });
  std::vector<v1::Device> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if (IsVisible(visible, i, all[i].uuid())) kept.push_back(all[i]);
  }
  return kept;
}

}  // namespace muster::sdk
