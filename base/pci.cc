#include "base/pci.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clean_text.h"
#include "base/xe_generation.h"

namespace muster::base {
namespace {

constexpr absl::string_view kBus = "/sys/bus/pci/devices";
constexpr size_t kMaxGpus = 256;

bool IsGpuClass(uint32_t vendor, uint64_t pci_class, absl::string_view driver) {
  switch (pci_class >> 8) {
    case 0x0300:  // VGA controller
    case 0x0302:  // 3D controller
    case 0x0380:  // other display controller
      return true;
    case 0x1200:  // processing accelerator
      return vendor == kPciVendorNvidia || driver == "i915" || driver == "xe";
    default:
      return false;
  }
}

// "16.0 GT/s PCIe" is generation 4. "Unknown" (an integrated GPU has no link) is nothing.
std::optional<uint32_t> Generation(absl::string_view speed) {
  struct Speed {
    absl::string_view gt_per_second;
    uint32_t generation;
  };
  static constexpr Speed kSpeeds[] = {{"2.5", 1},  {"5", 2},  {"5.0", 2},  {"8", 3},  {"8.0", 3}, {"16", 4},
                                      {"16.0", 4}, {"32", 5}, {"32.0", 5}, {"64", 6}, {"64.0", 6}};
  const absl::string_view number = speed.substr(0, speed.find(' '));
  for (const Speed& known : kSpeeds) {
    if (known.gt_per_second == number) return known.generation;
  }
  return std::nullopt;
}

std::optional<uint32_t> Width(std::optional<uint64_t> lanes) {
  if (!lanes || *lanes == 0 || *lanes > 32) return std::nullopt;  // 255 is the kernel's "unknown"
  return static_cast<uint32_t>(*lanes);
}

// The link of one PCI function by its sysfs folder, as the function alone sees it.
v1::PciLink OwnLink(const RootFolder& root, const std::string& folder) {
  v1::PciLink link;
  if (const auto value = Generation(root.ReadLine(folder + "/current_link_speed"))) link.set_generation(*value);
  if (const auto value = Generation(root.ReadLine(folder + "/max_link_speed"))) link.set_max_generation(*value);
  if (const auto value = Width(root.ReadNumber(folder + "/current_link_width"))) link.set_width(*value);
  if (const auto value = Width(root.ReadNumber(folder + "/max_link_width"))) link.set_max_width(*value);
  return link;
}

std::string Parent(const std::string& folder) { return std::filesystem::path(folder).parent_path().string(); }

// /dev/nvidiaN: N is not the order on the bus; the kernel driver alone knows it.
void AddNvidiaNodes(const RootFolder& root, v1::Device& device) {
  const std::string information =
      root.Read(absl::StrCat("/proc/driver/nvidia/gpus/", device.pci_address(), "/information"));
  for (absl::string_view line : absl::StrSplit(information, '\n')) {
    if (!absl::ConsumePrefix(&line, "Device Minor:")) continue;
    if (const auto minor = ParseNumber(CleanText(line)); minor && *minor < 65536) {
      device.add_device_nodes(absl::StrCat("/dev/nvidia", *minor));
    }
  }
  device.add_device_nodes("/dev/nvidiactl");
  device.add_device_nodes("/dev/nvidia-uvm");
}

void AddDrmNodes(const RootFolder& root, const std::string& folder, v1::Device& device) {
  for (const std::string& name : root.List(folder + "/drm", 64).value_or(std::vector<std::string>())) {
    const bool node = absl::StartsWith(name, "card") || absl::StartsWith(name, "renderD");
    if (node && CleanText(name) == name) device.add_device_nodes(absl::StrCat("/dev/dri/", name));
  }
}

// The xe driver says how much memory each tile has; no other kernel driver does.
void SetXeMemory(const RootFolder& root, const std::string& folder, v1::Device& device) {
  uint64_t bytes = 0;
  for (int tile = 0; tile < 8; ++tile) {
    const std::string text = root.ReadLine(absl::StrCat(folder, "/tile", tile, "/physical_vram_size_bytes"));
    const auto size = ParseNumber(text, absl::StartsWith(text, "0x") ? 16 : 10);
    if (size && *size < (uint64_t{1} << 50)) bytes += *size;
  }
  if (bytes > 0) device.set_memory_bytes(bytes);
}

v1::Device Describe(const RootFolder& root, const std::string& folder, const std::string& driver, uint32_t vendor,
                    uint32_t id) {
  v1::Device device;
  device.set_vendor(VendorOfPciId(vendor));
  device.set_pci_address(NormalisePciAddress(std::filesystem::path(folder).filename().string()));
  device.set_pci_vendor_id(vendor);
  device.set_pci_device_id(id);
  device.set_model(absl::StrFormat("%04x:%04x", vendor, id));
  device.set_kernel_driver(driver);
  if (!driver.empty()) device.set_driver_version(root.ReadLine(absl::StrCat("/sys/module/", driver, "/version")));
  // -1, "the machine does not say", is no number here.
  if (const auto node = root.ReadNumber(folder + "/numa_node"); node && *node < 65536) {
    device.set_numa_node(static_cast<int32_t>(*node));
  }
  const v1::PciLink link = ReadPciLink(root, folder, vendor);
  if (link.ByteSizeLong() > 0) *device.mutable_pci_link() = link;
  if (driver == "nvidia") AddNvidiaNodes(root, device);
  AddDrmNodes(root, folder, device);
  if (vendor == kPciVendorIntel) {
    device.set_xe_generation(std::string(XeGeneration(id)));
    SetXeMemory(root, folder, device);
  }
  return device;
}

}  // namespace

v1::Vendor VendorOfPciId(uint32_t pci_vendor_id) {
  if (pci_vendor_id == kPciVendorIntel) return v1::VENDOR_INTEL;
  if (pci_vendor_id == kPciVendorNvidia) return v1::VENDOR_NVIDIA;
  return v1::VENDOR_UNSPECIFIED;
}

std::string NormalisePciAddress(absl::string_view address) {
  const std::vector<absl::string_view> parts = absl::StrSplit(address, absl::ByAnyChar(":."));
  if (parts.size() != 4) return std::string();
  const auto domain = ParseNumber(parts[0], 16);
  const auto bus = ParseNumber(parts[1], 16);
  const auto slot = ParseNumber(parts[2], 16);
  const auto function = ParseNumber(parts[3], 16);
  if (!domain || !bus || !slot || !function) return std::string();
  if (*domain > 0xFFFFFFFF || *bus > 0xFF || *slot > 0x1F || *function > 7) return std::string();
  return absl::StrFormat("%04x:%02x:%02x.%x", *domain, *bus, *slot, *function);
}

// Intel's discrete cards hold a PCI switch: the GPU behind it always says 2.5 GT/s x1, and the real link is that of the
// switch's upstream port, two levels up.
v1::PciLink ReadPciLink(const RootFolder& root, const std::string& folder, uint32_t pci_vendor_id) {
  std::string end = root.Resolve(folder);
  if (end.empty()) end = folder;
  v1::PciLink link = OwnLink(root, end);
  const std::string port = Parent(Parent(end));
  if (pci_vendor_id == kPciVendorIntel && link.max_generation() == 1 && link.max_width() == 1 &&
      root.ReadNumber(port + "/vendor", 16) == kPciVendorIntel) {
    if (v1::PciLink card = OwnLink(root, port); card.has_max_generation()) {
      link = card;
      end = port;
    }
  }
  const v1::PciLink slot = OwnLink(root, Parent(end));
  if (link.has_max_generation() && slot.has_max_generation()) {
    link.set_max_generation(std::min(link.max_generation(), slot.max_generation()));
  }
  if (link.has_max_width() && slot.has_max_width()) link.set_max_width(std::min(link.max_width(), slot.max_width()));
  return link;
}

absl::StatusOr<std::vector<v1::Device>> PciGpus(const RootFolder& root) {
  const auto names = root.List(kBus, 65536);
  if (!names) return absl::NotFoundError(absl::StrCat("expected the PCI devices in ", kBus, ", found no such folder"));
  std::vector<v1::Device> gpus;
  for (const std::string& name : *names) {
    const std::string folder = absl::StrCat(kBus, "/", name);
    const auto vendor = root.ReadNumber(folder + "/vendor", 16);
    if (!vendor || VendorOfPciId(static_cast<uint32_t>(*vendor)) == v1::VENDOR_UNSPECIFIED) continue;
    const auto id = root.ReadNumber(folder + "/device", 16);
    const auto pci_class = root.ReadNumber(folder + "/class", 16);
    const std::string driver =
        CleanText(std::filesystem::path(root.ReadLink(folder + "/driver")).filename().string(), 64);
    if (!id || *id > 0xFFFF || !pci_class || !IsGpuClass(static_cast<uint32_t>(*vendor), *pci_class, driver)) continue;
    if (!root.ReadLink(folder + "/physfn").empty() || NormalisePciAddress(name).empty()) continue;
    gpus.push_back(Describe(root, folder, driver, static_cast<uint32_t>(*vendor), static_cast<uint32_t>(*id)));
    if (gpus.size() == kMaxGpus) break;
  }
  return gpus;
}

std::vector<std::string> PciBridgesAbove(const RootFolder& root, const std::string& pci_address) {
  const std::string path = root.Resolve(absl::StrCat("/sys/bus/pci/devices/", pci_address));
  std::vector<std::string> bridges;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    std::string address = NormalisePciAddress(part);
    if (!address.empty() && address != pci_address) bridges.push_back(std::move(address));
  }
  return bridges;
}

}  // namespace muster::base
