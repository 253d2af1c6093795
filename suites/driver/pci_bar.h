// How much of a GPU's memory the host can reach at once: its largest PCI window, and whether the card could have a
// larger one (Resizable BAR).
#ifndef MUSTER_SUITES_DRIVER_PCI_BAR_H_
#define MUSTER_SUITES_DRIVER_PCI_BAR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "base/root_folder.h"

namespace muster::driver {

struct PciBar {
  uint64_t bytes = 0;
  // The largest that the card offers; nothing when the kernel shows no choice: the card has none, the kernel is too old
  // for that, or a hypervisor hides it.
  std::optional<uint64_t> possible_bytes;
};

// Bytes of the largest memory window in a sysfs file `resource` ("0xSTART 0xEND 0xFLAGS" a line), and which it is;
// nothing without one.
struct Window {
  int index = 0;
  uint64_t bytes = 0;
};
std::optional<Window> LargestWindow(absl::string_view resource);

// Nothing when sysfs does not show the device's windows.
std::optional<PciBar> ReadPciBar(const base::RootFolder& root, const std::string& pci_address);

// Whether this machine is a virtual one, whose hypervisor decides what it shows of PCI.
bool IsVirtualMachine(const base::RootFolder& root);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_PCI_BAR_H_
