// Which Intel graphics generation a PCI device id belongs to.
#ifndef MUSTER_BASE_XE_GENERATION_H_
#define MUSTER_BASE_XE_GENERATION_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace muster::base {

// "Xe-LP", "Xe-LPG", "Xe-HPG", "Xe-HPC", "Xe2", "Xe3"; empty for older graphics and for ids that are not known here.
absl::string_view XeGeneration(uint32_t pci_device_id);

}  // namespace muster::base

#endif  // MUSTER_BASE_XE_GENERATION_H_
