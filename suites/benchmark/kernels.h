// The benchmark's kernels, as functions that queue them on the current device. kernels.cu alone is compiled for the
// device.
//
// Each returns cudaGetLastError's word.
#ifndef MUSTER_SUITES_BENCHMARK_KERNELS_H_
#define MUSTER_SUITES_BENCHMARK_KERNELS_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace muster::benchmark {

enum class Element { kBf16, kFp32 };

// `count` normally distributed numbers (mean 0, variance 1), others for each seed.
cudaError_t LaunchNormal(void* matrix, Element element, size_t count, uint64_t seed, cudaStream_t stream);

// What LaunchMatrixCheck found.
struct MatrixCheck {
  unsigned long long checked;
  unsigned long long wrong;
  // Of the first wrong entry recorded.
  unsigned row;
  unsigned column;
  double expected;
  double found;
};

// Computes one entry of each 64 × 64 tile of c = a × b anew in double precision, at a place in the tile that `seed`
// picks, and compares: wrong is what differs by more than absolute + relative × |expected|, and what is not a number.
// Square matrices of `size` (a multiple of 64), in columns; *check is zeroed by the caller.
cudaError_t LaunchMatrixCheck(const void* a, const void* b, const void* c, Element element, size_t size,
                              double absolute, double relative, uint64_t seed, MatrixCheck* check, cudaStream_t stream);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_KERNELS_H_
