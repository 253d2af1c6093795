// What the kernel's log says of a simulated device's faults: the words of NVIDIA's driver, i915, xe and pciehp.
#ifndef MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_
#define MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_

#include <string>
#include <vector>

#include "tests/hardware_sim/world.h"

namespace muster::sim {

// The lines of a device's whole life, in no order: its driver's greeting at 0, and those of its faults.
std::vector<World::LogLine> KernelLinesOf(const DeviceFacts& device);

// The root port that a device's bus is behind: "0000:18:01.0" for "0000:19:00.0".
std::string PortOf(const std::string& pci_address);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_
