#include "coordinator/fleet/device_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"

namespace muster::coordinator {
namespace {

std::string Describe(const v1::Device& device, size_t number) {
  return absl::StrCat("GPU ", number, " (", device.model(), device.model().empty() ? "" : " at ", device.pci_address(),
                      ")");
}

bool IsCalled(const v1::Device& device, size_t number, const std::string& name) {
  if (name == device.id() || name == absl::StrCat(number)) return true;
  const std::string lower = absl::AsciiStrToLower(name);
  if (!device.uuid().empty() && lower == absl::AsciiStrToLower(device.uuid())) return true;
  const std::string pci = absl::AsciiStrToLower(device.pci_address());
  return !pci.empty() && (lower == pci || absl::StrCat("0000:", lower) == pci);
}

}  // namespace

std::vector<const v1::Device*> InPciOrder(const v1::Machine& machine) {
  std::vector<const v1::Device*> devices;
  for (const v1::Device& device : machine.devices()) devices.push_back(&device);
  std::stable_sort(devices.begin(), devices.end(),
                   [](const v1::Device* a, const v1::Device* b) { return a->pci_address() < b->pci_address(); });
  return devices;
}

absl::StatusOr<std::string> ResolveDevice(const v1::Machine& machine, std::string_view name) {
  constexpr size_t kNamed = 16;
  const std::string wanted(name);
  const std::vector<const v1::Device*> devices = InPciOrder(machine);
  std::vector<std::string> there;
  for (size_t i = 0; i < devices.size(); ++i) {
    if (IsCalled(*devices[i], i, wanted)) return devices[i]->id();
    if (there.size() < kNamed) there.push_back(Describe(*devices[i], i));
  }
  return absl::NotFoundError(absl::StrCat("machine ", machine.name(), " has no device ", base::Quoted(name),
                                          "; it has ", there.empty() ? "none" : absl::StrJoin(there, ", "),
                                          devices.size() > there.size() ? ", …" : ""));
}

std::string DescribeDevice(const v1::Machine& machine, std::string_view device_id) {
  const std::vector<const v1::Device*> devices = InPciOrder(machine);
  for (size_t i = 0; i < devices.size(); ++i) {
    if (devices[i]->id() == device_id) return Describe(*devices[i], i);
  }
  return absl::StrCat("device ", std::string(device_id));
}

}  // namespace muster::coordinator
