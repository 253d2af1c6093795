// What the kernel's log says of a simulated device's faults: the words of NVIDIA's driver, i915, xe and pciehp.
#ifndef MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_
#define MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_

#include <vector>

#include "tests/hardware_sim/world.h"

namespace muster::sim {

// The lines of a device's whole life, in no order: its driver's greeting at 0, and those of its faults.
std::vector<World::LogLine> KernelLinesOf(const DeviceFacts& device);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_KERNEL_LINES_H_
