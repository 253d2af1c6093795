// The way from a leased device to a compute device, and to its matrix units.
//
// Built without the CUDA toolkit, NVIDIA's devices are skipped, with the reason; without tools for SPIR-V, Intel's.
//
// Matrix products on Intel are plain_multiply's: the vector engines work, the matrix engines (XMX) do not. No portable
// way to them goes through SPIR-V 1.2 and OpenCL C 2.0, and oneMKL needs a SYCL runtime that the machine may lack.
#ifndef MUSTER_SUITES_PHYSICAL_OPEN_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_OPEN_DEVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"
#include "suites/physical/all_reduce.h"
#include "suites/physical/compute_device.h"
#include "suites/physical/golden_gemm.h"

namespace muster::physical {

// Throws DeviceSkipped where there is no part for the vendor, or for a simulated device that cannot compute,
// DeviceFailure when the vendor's runtime does not show the device, ToolError when it cannot be used at all.
std::unique_ptr<ComputeDevice> OpenDevice(const v1::Device& device);

// The fastest engine that the device has for the type; its Prepare() says what it cannot. `device` is one of
// OpenDevice() and outlives the engine. Throws DeviceSkipped with the reason when there is none.
std::unique_ptr<MatrixEngine> OpenMatrixEngine(ComputeDevice& device, sdk::MatrixType type);

// What adds up over devices of OpenDevice(), all of one vendor, which outlive it. NVIDIA's by NCCL: the library at
// `nccl` or, when that is empty, the one that is found; DeviceSkipped with the reason when there is none. Intel's by
// our own ring: its library, oneCCL, needs a SYCL runtime.
std::unique_ptr<Reducer> OpenReducer(const std::vector<ComputeDevice*>& devices, const std::string& nccl);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_OPEN_DEVICE_H_
