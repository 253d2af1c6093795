#include <cuda_bf16.h>

#include "suites/benchmark/kernels.h"
#include "suites/sdk/cuda/pattern.h"

namespace muster::benchmark {
namespace {

using sdk::cuda::PatternWord;

constexpr int kThreads = 512;
constexpr int kCheckThreads = 128;
constexpr size_t kTile = 64;

// Blocks for kernels that stride over the rest.
unsigned StridingBlocks(size_t items) {
  constexpr size_t kMost = 4096;
  const size_t blocks = (items + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMost ? (blocks == 0 ? 1 : blocks) : kMost);
}

__device__ size_t ThreadInGrid() { return blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x; }
__device__ size_t ThreadsOfGrid() { return gridDim.x * static_cast<size_t>(kThreads); }

// Box and Muller's transform of two hashed uniform numbers.
__device__ float NormalOf(size_t i, uint64_t seed) {
  const uint64_t bits = PatternWord(i, seed);
  const float u = (static_cast<float>(bits >> 40) + 1) * (1.0f / 16777217);
  const float v = static_cast<float>((bits >> 8) & 0xFFFFFF) * (1.0f / 16777216);
  return sqrtf(-2 * logf(u)) * cospif(2 * v);
}

__device__ void Store(float* at, float value) { *at = value; }
__device__ void Store(__nv_bfloat16* at, float value) { *at = __float2bfloat16(value); }
__device__ double Load(const float* at) { return *at; }
__device__ double Load(const __nv_bfloat16* at) { return __bfloat162float(*at); }

template <typename T>
__global__ void __launch_bounds__(kThreads) Normal(T* matrix, size_t count, uint64_t seed) {
  for (size_t i = ThreadInGrid(); i < count; i += ThreadsOfGrid()) Store(matrix + i, NormalOf(i, seed));
}

__device__ void Judge(double expected, double found, size_t row, size_t column, double absolute, double relative,
                      MatrixCheck* check) {
  atomicAdd(&check->checked, 1ull);
  // Negated, so that NaN counts.
  if (fabs(found - expected) <= absolute + relative * fabs(expected)) return;
  if (atomicAdd(&check->wrong, 1ull) != 0) return;
  check->row = static_cast<unsigned>(row);
  check->column = static_cast<unsigned>(column);
  check->expected = expected;
  check->found = found;
}

// One block for each tile.
template <typename T>
__global__ void __launch_bounds__(kCheckThreads)
    CheckMatrix(const T* a, const T* b, const T* c, size_t size, double absolute, double relative, uint64_t seed,
                MatrixCheck* check) {
  const uint64_t place = PatternWord(blockIdx.y * static_cast<uint64_t>(gridDim.x) + blockIdx.x, seed);
  const size_t row = blockIdx.x * kTile + place % kTile;
  const size_t column = blockIdx.y * kTile + place / kTile % kTile;
  double sum = 0;
  for (size_t k = threadIdx.x; k < size; k += kCheckThreads)
    sum += Load(a + row + k * size) * Load(b + k + column * size);
  __shared__ double sums[kCheckThreads];
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (int half = kCheckThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) Judge(sums[0], Load(c + row + column * size), row, column, absolute, relative, check);
}

}  // namespace

cudaError_t LaunchNormal(void* matrix, Element element, size_t count, uint64_t seed, cudaStream_t stream) {
  const unsigned blocks = StridingBlocks(count);
  if (element == Element::kBf16) {
    Normal<<<blocks, kThreads, 0, stream>>>(static_cast<__nv_bfloat16*>(matrix), count, seed);
  } else {
    Normal<<<blocks, kThreads, 0, stream>>>(static_cast<float*>(matrix), count, seed);
  }
  return cudaGetLastError();
}

cudaError_t LaunchMatrixCheck(const void* a, const void* b, const void* c, Element element, size_t size,
                              double absolute, double relative, uint64_t seed, MatrixCheck* check,
                              cudaStream_t stream) {
  const dim3 tiles(static_cast<unsigned>(size / kTile), static_cast<unsigned>(size / kTile));
  if (element == Element::kBf16) {
    CheckMatrix<<<tiles, kCheckThreads, 0, stream>>>(
        static_cast<const __nv_bfloat16*>(a), static_cast<const __nv_bfloat16*>(b),
        static_cast<const __nv_bfloat16*>(c), size, absolute, relative, seed, check);
  } else {
    CheckMatrix<<<tiles, kCheckThreads, 0, stream>>>(static_cast<const float*>(a), static_cast<const float*>(b),
                                                     static_cast<const float*>(c), size, absolute, relative, seed,
                                                     check);
  }
  return cudaGetLastError();
}

}  // namespace muster::benchmark
