#include "base/xe_generation.h"

namespace muster::base {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
  absl::string_view generation;
};

// Intel gives a product a block of ids; the blocks are those of the Linux kernel's table of Intel graphics (pciids.h of
// the i915 and xe drivers, which names them as on the right), widened to whole blocks so that a product's later
// variants are known too.
constexpr Range kRanges[] = {
    {0x0b60, 0x0b6f, "Xe-HPC"},  // PVC: Data Center GPU Max
    {0x0bd0, 0x0bef, "Xe-HPC"},  // PVC
    {0x4626, 0x462f, "Xe-LP"},   // ADL-P: 12th generation Core, mobile
    {0x4680, 0x469f, "Xe-LP"},   // ADL-S: 12th generation Core, desktop
    {0x46a0, 0x46df, "Xe-LP"},   // ADL-P and ADL-N
    {0x4905, 0x490f, "Xe-LP"},   // DG1: Iris Xe MAX, SG1
    {0x4c80, 0x4c9f, "Xe-LP"},   // RKL: 11th generation Core, desktop
    {0x5690, 0x56bf, "Xe-HPG"},  // DG2: Arc A
    {0x56c0, 0x56cf, "Xe-HPG"},  // ATS-M: Data Center GPU Flex
    {0x6420, 0x642f, "Xe2"},     // LNL: Core Ultra 200V
    {0x64a0, 0x64bf, "Xe2"},     // LNL
    {0x7d40, 0x7d6f, "Xe-LPG"},  // MTL and ARL: Core Ultra 100 and 200
    {0x7dd0, 0x7ddf, "Xe-LPG"},  // MTL and ARL
    {0x9a40, 0x9aff, "Xe-LP"},   // TGL: 11th generation Core, mobile
    {0xa720, 0xa72f, "Xe-LP"},   // RPL-P and RPL-U
    {0xa780, 0xa7af, "Xe-LP"},   // RPL: 13th and 14th generation Core
    {0xb080, 0xb0bf, "Xe3"},     // PTL: Core Ultra 300
    {0xb640, 0xb64f, "Xe-LPG"},  // ARL
    {0xe200, 0xe2ef, "Xe2"},     // BMG: Arc B
    {0xfd80, 0xfd8f, "Xe3"},     // WCL
};

}  // namespace

absl::string_view XeGeneration(uint32_t pci_device_id) {
  for (const Range& range : kRanges) {
    if (pci_device_id >= range.first && pci_device_id <= range.last) return range.generation;
  }
  return {};
}

}  // namespace muster::base
