// The host functions that stand for kernels: those of the libraries that MUSTER_SIM_KERNELS names. See kernels.h.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNEL_LIBRARY_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNEL_LIBRARY_H_

#include <string>
#include <string_view>
#include <vector>

#include "tests/hardware_sim/level_zero/kernels.h"

namespace muster::sim::ze {

// The libraries are loaded at the first call, and stay; what is wrong with one is said on stderr. Any thread.
// Null for a name that no table has; the first library that has it wins.
const MusterSimKernel* FindKernel(std::string_view name);
std::vector<std::string> KernelNames();

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNEL_LIBRARY_H_
