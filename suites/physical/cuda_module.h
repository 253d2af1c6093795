// Kernels that CUDA reads from a file: a fat binary, a cubin or PTX.
#ifndef MUSTER_SUITES_PHYSICAL_CUDA_MODULE_H_
#define MUSTER_SUITES_PHYSICAL_CUDA_MODULE_H_

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <string_view>

#include "suites/physical/compute_device.h"

namespace muster::physical {

// A fat binary with the kernels of api.kernels.h, which this program carries.
std::string_view CudaModuleImage();

class CudaModule final : public KernelModule {
 public:
  // For the current device. Null when the driver refuses the file or it holds no kernel. Throws DeviceSkipped where the
  // toolkit of this build has no such call (before 12.8).
  static std::unique_ptr<CudaModule> Load(const std::string& path);
  ~CudaModule() override;

  // For cudaLaunchKernel; null for a name that there is not.
  const void* Find(const char* kernel) const;

 private:
#if CUDART_VERSION >= 12080
  explicit CudaModule(cudaLibrary_t library) : library_(library) {}
  const cudaLibrary_t library_;
#endif
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUDA_MODULE_H_
