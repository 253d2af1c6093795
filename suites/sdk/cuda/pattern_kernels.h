// The kernels of pattern.h, as functions that queue them. pattern_kernels.cu alone is compiled for the device.
#ifndef MUSTER_SUITES_SDK_CUDA_PATTERN_KERNELS_H_
#define MUSTER_SUITES_SDK_CUDA_PATTERN_KERNELS_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "suites/sdk/cuda/pattern.h"

namespace muster::sdk::cuda {

inline constexpr unsigned kMaxExamples = 16;

struct MismatchList {
  unsigned long long count;
  Mismatch examples[kMaxExamples];
};

// An odd last word is taken alone.
cudaError_t LaunchFill(uint64_t* data, size_t words, uint64_t seed, cudaStream_t stream);
cudaError_t LaunchVerify(const uint64_t* data, size_t words, uint64_t seed, MismatchList* found, cudaStream_t stream);

}  // namespace muster::sdk::cuda

#endif  // MUSTER_SUITES_SDK_CUDA_PATTERN_KERNELS_H_
