// The benchmark's kernels, as functions that queue them on the current device. kernels.cu alone is compiled for the
// device.
//
// Sizes of the streaming kernels are in 16-byte vectors; buffers are what cudaMalloc gives. Each returns
// cudaGetLastError's word.
#ifndef MUSTER_SUITES_BENCHMARK_KERNELS_H_
#define MUSTER_SUITES_BENCHMARK_KERNELS_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace muster::benchmark {

// to[i] = from[i].
cudaError_t LaunchCopy(void* to, const void* from, size_t vectors, cudaStream_t stream);
// Every byte of `to` is written.
cudaError_t LaunchWrite(void* to, size_t vectors, uint32_t value, cudaStream_t stream);
// The exclusive or of all 64-bit words goes, by exclusive or, into *result.
cudaError_t LaunchRead(const void* from, size_t vectors, unsigned long long* result, cudaStream_t stream);
// The same of PatternWord(0…words-1, seed), computed and not read: what LaunchRead must find.
cudaError_t LaunchPatternXor(size_t words, uint64_t seed, unsigned long long* result, cudaStream_t stream);

// The triad's operands: small integers that differ from element to element, so that its result is exact.
cudaError_t LaunchTriadFill(float* b, float* c, size_t vectors, cudaStream_t stream);
// a = b + kTriadScale * c.
inline constexpr float kTriadScale = 3;
cudaError_t LaunchTriad(float* a, const float* b, const float* c, size_t vectors, cudaStream_t stream);
// Adds to *wrong the elements of `a` that are not what the triad gives; computes the operands anew.
cudaError_t LaunchTriadCheck(const float* a, size_t vectors, unsigned long long* wrong, cudaStream_t stream);

// Does nothing.
cudaError_t LaunchEmpty(cudaStream_t stream);

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
