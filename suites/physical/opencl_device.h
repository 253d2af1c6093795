// The first OpenCL device that is a processor (pocl, where it is installed) as a compute device: the kernels as OpenCL
// C, compiled from their source. For the tests of the tests; nothing that it takes in time is a figure of anything.
#ifndef MUSTER_SUITES_PHYSICAL_OPENCL_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_OPENCL_DEVICE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "suites/physical/compute_device.h"

namespace muster::physical {

// Gives `memory_bytes` in all, in pieces of at most `largest_piece` (0: any). NotFound, and what to install, where
// there is no such device; other errors where there is one that does not do its work.
absl::StatusOr<std::unique_ptr<ComputeDevice>> OpenClCpu(uint64_t memory_bytes, uint64_t largest_piece = 0);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_OPENCL_DEVICE_H_
