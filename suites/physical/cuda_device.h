// An NVIDIA GPU as a compute device. cuda_device.cu alone is compiled for the device.
#ifndef MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_

#include <memory>

#include "suites/physical/compute_device.h"

namespace muster::physical {

// The calling thread's current device (sdk::cuda::DeviceScope), for as long as it stays so.
std::unique_ptr<ComputeDevice> MakeCudaDevice();

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
