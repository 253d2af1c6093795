#include "agent/inventory/lost_devices.h"

#include <algorithm>
#include <string>
#include <utility>

namespace muster::agent {
namespace {

const v1::Device* FindAt(const v1::Machine& machine, const v1::Device& like) {
  for (const v1::Device& device : machine.devices()) {
    const bool same =
        like.pci_address().empty() ? device.id() == like.id() : device.pci_address() == like.pci_address();
    if (same) return &device;
  }
  return nullptr;
}

bool HasId(const v1::Machine& machine, const std::string& id) {
  return std::any_of(machine.devices().begin(), machine.devices().end(),
                     [&](const v1::Device& device) { return device.id() == id; });
}

bool SameKind(const v1::Device& a, const v1::Device& b) {
  return a.pci_vendor_id() == b.pci_vendor_id() && a.pci_device_id() == b.pci_device_id();
}

}  // namespace

void KeepLostDevices(const v1::Machine& before, v1::Machine& now) {
  if (before.boot_id() != now.boot_id()) return;
  for (v1::Device& device : *now.mutable_devices()) {
    const v1::Device* known = FindAt(before, device);
    if (device.driver_state() == v1::DRIVER_STATE_READY || known == nullptr || !SameKind(*known, device)) continue;
    v1::Device kept = *known;
    kept.set_driver_state(device.driver_state());
    kept.set_driver_problem(device.driver_problem());
    kept.set_kernel_driver(device.kernel_driver());
    *kept.mutable_pci_link() = device.pci_link();
    device = std::move(kept);
  }
  for (const v1::Device& device : before.devices()) {
    // One that moved to another slot is not lost.
    if (FindAt(now, device) != nullptr || HasId(now, device.id())) continue;
    v1::Device& kept = *now.add_devices();
    kept = device;
    kept.set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
    kept.set_driver_problem(
        "Expected the GPU where it was since this machine's start, found nothing: PCI no longer shows it; look in the "
        "kernel log, then restart the machine.");
  }
  std::stable_sort(now.mutable_devices()->begin(), now.mutable_devices()->end(),
                   [](const v1::Device& a, const v1::Device& b) {
                     // Those without an address last.
                     return std::pair(a.pci_address().empty(), a.pci_address()) <
                            std::pair(b.pci_address().empty(), b.pci_address());
                   });
}

}  // namespace muster::agent
