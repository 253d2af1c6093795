// CUDA's return codes as outcomes: CUDA_CHECK(cudaMalloc(…)) throws DeviceFailure where the device or its driver is at
// fault (an ECC error, an illegal access, a launch that fails) and ToolError where the test could not do its work (no
// memory, a wrong argument). After a kernel launch: CUDA_CHECK(cudaGetLastError()).
#ifndef MUSTER_SUITES_SDK_CUDA_CHECK_H_
#define MUSTER_SUITES_SDK_CUDA_CHECK_H_

#include <cuda_runtime_api.h>

namespace muster::sdk::cuda {

// Whether `error` speaks against the device.
bool IsDeviceFault(cudaError_t error);

// Throws unless `error` is cudaSuccess; the message names `expression` and the place.
void Check(cudaError_t error, const char* expression, const char* file, int line);

}  // namespace muster::sdk::cuda

#define CUDA_CHECK(expression) ::muster::sdk::cuda::Check((expression), #expression, __FILE__, __LINE__)

#endif  // MUSTER_SUITES_SDK_CUDA_CHECK_H_
