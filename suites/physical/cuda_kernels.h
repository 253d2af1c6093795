// The kernels of *.kernels.h as CUDA has them.
#ifndef MUSTER_SUITES_PHYSICAL_CUDA_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_CUDA_KERNELS_H_

#include <string_view>

namespace muster::physical {

// For cudaLaunchKernel; null for a name that there is not.
const void* FindCudaKernel(std::string_view name);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUDA_KERNELS_H_
