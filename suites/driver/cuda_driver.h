// The CUDA driver library, loaded at run time: what it counts, without the CUDA runtime or toolkit.
#ifndef MUSTER_SUITES_DRIVER_CUDA_DRIVER_H_
#define MUSTER_SUITES_DRIVER_CUDA_DRIVER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace muster::driver {

struct CudaDevice {
  std::string uuid;         // "GPU-…"
  std::string pci_address;  // "0000:41:00.0"
};

struct CudaDriver {
  // 13000 for CUDA 13.0: the newest that the driver serves.
  int version = 0;
  // Those that CUDA_VISIBLE_DEVICES shows.
  std::vector<CudaDevice> devices;
};

// Initialises CUDA in this process. NotFound without libcuda.so.1, FailedPrecondition when cuInit refuses.
absl::StatusOr<CudaDriver> QueryCudaDriver();

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_CUDA_DRIVER_H_
