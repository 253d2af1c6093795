// The GPUs that PCI shows, whatever the drivers say: the inventory begins here.
#ifndef MUSTER_BASE_PCI_H_
#define MUSTER_BASE_PCI_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/root_folder.h"
#include "muster/v1/fleet.pb.h"

namespace muster::base {

inline constexpr uint32_t kPciVendorIntel = 0x8086;
inline constexpr uint32_t kPciVendorNvidia = 0x10de;

v1::Vendor VendorOfPciId(uint32_t pci_vendor_id);

// "00000000:41:00.0" and "0000:41:00.0" are "0000:41:00.0"; what is no PCI address is empty.
std::string NormalisePciAddress(absl::string_view address);

// The link that a card has with the machine, by its function's folder ("/sys/bus/pci/devices/0000:03:00.0"); the
// maximum is the lower of what card and slot can. What is not known is not set.
v1::PciLink ReadPciLink(const RootFolder& root, const std::string& folder, uint32_t pci_vendor_id);

// Intel's and NVIDIA's display controllers (classes 0x0300, 0x0302, 0x0380) and compute accelerators (0x1200), in the
// order of their addresses: ids, kernel driver and its version, NUMA node, link, device nodes, Xe generation, and a
// model from the PCI ids. Two kinds are left out: virtual functions that this machine gives to others (their physical
// function is listed), and Intel's NPUs, which are 0x1200 too: of Intel, an accelerator counts only when a graphics
// driver is bound to it.
//
// NotFound when the machine shows no PCI bus at all, as in some sandboxes.
absl::StatusOr<std::vector<v1::Device>> PciGpus(const RootFolder& root);

// The bridges above a device, from the root port down; empty when it is not there. From sysfs' path to it:
// "/sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0".
std::vector<std::string> PciBridgesAbove(const RootFolder& root, const std::string& pci_address);

}  // namespace muster::base

#endif  // MUSTER_BASE_PCI_H_
