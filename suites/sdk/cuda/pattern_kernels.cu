#include "suites/sdk/cuda/pattern_kernels.h"

namespace muster::sdk::cuda {
namespace {

constexpr int kThreads = 512;
constexpr size_t kMaxBlocks = 8192;

unsigned Blocks(size_t pairs) {
  const size_t blocks = (pairs + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks == 0 ? 1 : blocks < kMaxBlocks ? blocks : kMaxBlocks);
}

__global__ void __launch_bounds__(kThreads) Fill(ulonglong2* data, size_t pairs, size_t words, uint64_t seed) {
  const size_t first = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  const size_t stride = gridDim.x * static_cast<size_t>(kThreads);
  for (size_t i = first; i < pairs; i += stride) {
    data[i] = make_ulonglong2(PatternWord(2 * i, seed), PatternWord(2 * i + 1, seed));
  }
  if (first == 0 && words % 2 == 1) reinterpret_cast<uint64_t*>(data)[words - 1] = PatternWord(words - 1, seed);
}

__device__ void Expect(uint64_t index, uint64_t value, uint64_t seed, MismatchList* found) {
  const uint64_t expected = PatternWord(index, seed);
  if (value == expected) return;
  const unsigned long long slot = atomicAdd(&found->count, 1ull);
  if (slot < kMaxExamples) found->examples[slot] = {index, expected, value};
}

__global__ void __launch_bounds__(kThreads)
    Verify(const ulonglong2* data, size_t pairs, size_t words, uint64_t seed, MismatchList* found) {
  const size_t first = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  const size_t stride = gridDim.x * static_cast<size_t>(kThreads);
  for (size_t i = first; i < pairs; i += stride) {
    const ulonglong2 pair = data[i];
    Expect(2 * i, pair.x, seed, found);
    Expect(2 * i + 1, pair.y, seed, found);
  }
  if (first == 0 && words % 2 == 1) Expect(words - 1, reinterpret_cast<const uint64_t*>(data)[words - 1], seed, found);
}

}  // namespace

cudaError_t LaunchFill(uint64_t* data, size_t words, uint64_t seed, cudaStream_t stream) {
  Fill<<<Blocks(words / 2), kThreads, 0, stream>>>(reinterpret_cast<ulonglong2*>(data), words / 2, words, seed);
  return cudaGetLastError();
}

cudaError_t LaunchVerify(const uint64_t* data, size_t words, uint64_t seed, MismatchList* found, cudaStream_t stream) {
  Verify<<<Blocks(words / 2), kThreads, 0, stream>>>(reinterpret_cast<const ulonglong2*>(data), words / 2, words, seed,
                                                     found);
  return cudaGetLastError();
}

}  // namespace muster::sdk::cuda
