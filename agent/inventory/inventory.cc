#include "agent/inventory/inventory.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/inventory/host.h"
#include "agent/inventory/level_zero_library.h"
#include "base/pci.h"
#include "base/root_folder.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

// A vendor, as sentences name it.
struct VendorWords {
  v1::Vendor vendor;
  absl::string_view library;
  absl::string_view kernel_drivers;
  absl::string_view install;
};

constexpr VendorWords kNvidia = {v1::VENDOR_NVIDIA, "NVML", "nvidia", "install the NVIDIA driver"};
constexpr VendorWords kIntel = {v1::VENDOR_INTEL, "Level Zero", "i915 or xe",
                                "install the Level Zero loader and Intel's driver (libze1, libze-intel-gpu1)"};

bool IsVendorsDriver(v1::Vendor vendor, absl::string_view driver) {
  if (vendor == v1::VENDOR_NVIDIA) return driver == "nvidia";
  return driver == "i915" || driver == "xe";
}

// Keeps what PCI knows best (device nodes, the lower maximum of the link) and takes the rest from the library.
void Enrich(v1::Device from_library, v1::Device& device) {
  if (device.device_nodes_size() > 0) from_library.clear_device_nodes();
  const v1::PciLink pci = device.pci_link();
  device.MergeFrom(from_library);
  const v1::PciLink& said = from_library.pci_link();
  if (pci.has_max_generation() && said.has_max_generation()) {
    device.mutable_pci_link()->set_max_generation(std::min(pci.max_generation(), said.max_generation()));
  }
  if (pci.has_max_width() && said.has_max_width()) {
    device.mutable_pci_link()->set_max_width(std::min(pci.max_width(), said.max_width()));
  }
}

// Which of PCI's devices a library means: by address; without one, the first of its kind that is left.
class DeviceTable {
 public:
  explicit DeviceTable(std::vector<v1::Device> devices)
      : devices_(std::move(devices)), taken_(devices_.size(), false) {}

  // Null when PCI shows no such device.
  v1::Device* Take(const v1::Device& listed) {
    for (size_t i = 0; i < taken_.size(); ++i) {
      const v1::Device& device = devices_[i];
      const bool same = listed.pci_address().empty() ? device.pci_vendor_id() == listed.pci_vendor_id() &&
                                                           device.pci_device_id() == listed.pci_device_id()
                                                     : device.pci_address() == listed.pci_address();
      if (taken_[i] || !same) continue;
      taken_[i] = true;
      return &devices_[i];
    }
    return nullptr;
  }

  std::vector<v1::Device*> NotTaken(v1::Vendor vendor) {
    std::vector<v1::Device*> left;
    for (size_t i = 0; i < taken_.size(); ++i) {
      if (!taken_[i] && devices_[i].vendor() == vendor) left.push_back(&devices_[i]);
    }
    return left;
  }

  std::vector<v1::Device> Release() && { return std::move(devices_); }

 private:
  std::vector<v1::Device> devices_;
  std::vector<bool> taken_;
};

void SetProblem(v1::DriverState state, std::string problem, v1::Device& device) {
  device.set_driver_state(state);
  device.set_driver_problem(std::move(problem));
}

// Why a device that PCI shows is not served.
void Explain(const VendorWords& words, const absl::StatusOr<GpuLibraryReport>& report, v1::Device& device) {
  const std::string& driver = device.kernel_driver();
  if (driver.empty()) {
    SetProblem(v1::DRIVER_STATE_UNBOUND,
               absl::StrCat("Expected the kernel driver ", words.kernel_drivers,
                            ", found none bound to the device; load it and look for its messages in the kernel log."),
               device);
  } else if (!IsVendorsDriver(device.vendor(), driver)) {
    SetProblem(v1::DRIVER_STATE_NOT_LISTED,
               absl::StrCat("Expected the kernel driver ", words.kernel_drivers, ", found ", driver,
                            driver == "vfio-pci" ? ": the device is set aside for a virtual machine; bind it back."
                                                 : absl::StrCat("; bind the vendor's in place of ", driver, ".")),
               device);
  } else if (!report.ok()) {
    SetProblem(v1::DRIVER_STATE_NO_LIBRARY,
               absl::StrCat("The kernel driver ", driver, " is bound; expected ", words.library,
                            " to list the device: ", report.status().message(),
                            absl::IsNotFound(report.status()) ? absl::StrCat("; ", words.install, ".") : "."),
               device);
  } else {
    SetProblem(v1::DRIVER_STATE_NOT_LISTED,
               absl::StrCat("The kernel driver ", driver, " is bound; expected ", words.library,
                            " to list the device, it lists ", report->devices.size(),
                            " and not this one; look in the kernel log for why it failed or fell off the bus."),
               device);
  }
}

// What the scenario of a simulated library makes its devices say: their model names hold the word.
bool SaysSimulated(const v1::Device& device) {
  return device.simulated() || absl::StrContains(absl::AsciiStrToLower(device.model()), "simulated");
}

void AddLibrary(const VendorWords& words, const absl::StatusOr<GpuLibraryReport>& report, bool pci_shown,
                DeviceTable& table, v1::Machine& machine) {
  std::vector<v1::Device> without_pci;
  if (report.ok()) {
    for (const std::string& note : report->notes) machine.add_notes(note);
    for (const v1::Device& listed : report->devices) {
      v1::Device* device = table.Take(listed);
      if (device == nullptr) device = &without_pci.emplace_back();
      Enrich(listed, *device);
      device->set_driver_state(v1::DRIVER_STATE_READY);
      device->set_simulated(SaysSimulated(*device));
    }
  }
  const std::vector<v1::Device*> unserved = table.NotTaken(words.vendor);
  for (v1::Device* device : unserved) Explain(words, report, *device);
  // A machine without the vendor's GPUs has no need of its library; one that hides PCI may have both.
  const bool needed = !unserved.empty() || (!pci_shown && !absl::IsNotFound(report.status()));
  if (!report.ok() && (needed || absl::IsUnavailable(report.status()))) {
    machine.add_notes(absl::StrCat(words.library, " told nothing: ", report.status().message(), "."));
  }
  if (!without_pci.empty()) {
    machine.add_notes(
        absl::StrCat(words.library, " lists ", without_pci.size(),
                     " device(s) that PCI does not show here; what they say of themselves is all there is."));
  }
  for (v1::Device& device : without_pci) *machine.add_devices() = std::move(device);
}

// A UUID that is the device's own; otherwise its place. Simulated machines share the UUIDs of their scenario.
std::string DeviceId(const v1::Machine& machine, const v1::Device& device) {
  const bool own = device.vendor() != v1::VENDOR_INTEL || UuidIdentifies(device.uuid(), device.pci_device_id());
  if (!device.uuid().empty() && own && !device.simulated()) return device.uuid();
  return absl::StrCat(machine.machine_id().empty() ? machine.name() : machine.machine_id(), "/", device.pci_address());
}

void Identify(v1::Machine& machine) {
  std::set<std::string> seen;
  for (v1::Device& device : *machine.mutable_devices()) {
    if (device.model().empty()) {
      device.set_model(absl::StrFormat("%04x:%04x", device.pci_vendor_id(), device.pci_device_id()));
    }
    std::string id = DeviceId(machine, device);
    for (int i = 2; !seen.insert(id).second; ++i) {
      if (i == 2) machine.add_notes(absl::StrCat("Two devices call themselves ", id, "; the later ones are numbered."));
      id = absl::StrCat(DeviceId(machine, device), "#", i);
    }
    device.set_id(std::move(id));
    for (auto& [key, value] : DeviceLabels(device)) (*device.mutable_labels())[key] = value;
  }
}

absl::StatusOr<GpuLibraryReport> Ask(GpuLibrary* library) {
  if (library == nullptr) return absl::NotFoundError("it was not asked");
  return library->List();
}

}  // namespace

absl::StatusOr<v1::Machine> CollectInventory(const InventoryOptions& options, GpuLibrary* nvml,
                                             GpuLibrary* level_zero) {
  RETURN_IF_ERROR(ValidateLabels(options.labels));
  const base::RootFolder root(options.root);
  v1::Machine machine;
  machine.set_name(options.machine_name);
  machine.set_agent_version(options.agent_version);
  DescribeHost(root, machine);

  auto pci = base::PciGpus(root);
  const bool pci_shown = pci.ok();
  if (!pci_shown) machine.add_notes(absl::StrCat("PCI told nothing: ", pci.status().message(), "."));
  DeviceTable table(std::move(pci).value_or(std::vector<v1::Device>()));
  AddLibrary(kNvidia, Ask(nvml), pci_shown, table, machine);
  AddLibrary(kIntel, Ask(level_zero), pci_shown, table, machine);
  // PCI's devices first, in the order of their addresses.
  std::vector<v1::Device> shown = std::move(table).Release();
  for (v1::Device& device : *machine.mutable_devices()) shown.push_back(std::move(device));
  machine.clear_devices();
  for (v1::Device& device : shown) *machine.add_devices() = std::move(device);

  for (v1::Device& device : *machine.mutable_devices()) device.set_simulated(device.simulated() || options.simulated);
  Identify(machine);
  for (const auto& [key, value] : MachineLabels(machine)) (*machine.mutable_labels())[key] = value;
  for (const auto& [key, value] : options.labels) (*machine.mutable_labels())[key] = value;
  return machine;
}

}  // namespace muster::agent
