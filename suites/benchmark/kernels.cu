#include <cuda_bf16.h>

#include "suites/benchmark/kernels.h"
#include "suites/sdk/cuda/pattern.h"

namespace muster::benchmark {
namespace {

using sdk::cuda::PatternWord;

constexpr int kThreads = 512;
// Independent 16-byte accesses that a thread has in flight.
constexpr int kInFlight = 4;
constexpr size_t kVectorsOfBlock = static_cast<size_t>(kThreads) * kInFlight;
constexpr int kCheckThreads = 128;
constexpr size_t kTile = 64;

// Blocks for kernels that give each thread kInFlight vectors, a block's width apart.
unsigned StreamBlocks(size_t vectors) {
  return static_cast<unsigned>((vectors + kVectorsOfBlock - 1) / kVectorsOfBlock);
}
// Blocks for kernels that stride over the rest.
unsigned StridingBlocks(size_t items) {
  constexpr size_t kMost = 4096;
  const size_t blocks = (items + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMost ? (blocks == 0 ? 1 : blocks) : kMost);
}

__device__ size_t FirstOfThread() { return blockIdx.x * kVectorsOfBlock + threadIdx.x; }
__device__ size_t ThreadInGrid() { return blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x; }
__device__ size_t ThreadsOfGrid() { return gridDim.x * static_cast<size_t>(kThreads); }

__global__ void __launch_bounds__(kThreads)
    Copy(uint4* __restrict__ to, const uint4* __restrict__ from, size_t vectors) {
  const size_t first = FirstOfThread();
  uint4 held[kInFlight];
#pragma unroll
  for (int j = 0; j < kInFlight; ++j) {
    if (first + j * kThreads < vectors) held[j] = __ldcs(from + first + j * kThreads);
  }
#pragma unroll
  for (int j = 0; j < kInFlight; ++j) {
    if (first + j * kThreads < vectors) __stcs(to + first + j * kThreads, held[j]);
  }
}

__global__ void __launch_bounds__(kThreads) Write(uint4* to, size_t vectors, uint32_t value) {
  const size_t first = FirstOfThread();
#pragma unroll
  for (int j = 0; j < kInFlight; ++j) {
    const size_t i = first + j * kThreads;
    if (i < vectors) __stcs(to + i, make_uint4(value, static_cast<uint32_t>(i), value, value));
  }
}

// One atomic for each warp.
__device__ void CombineXor(unsigned long long value, unsigned long long* result) {
  for (int lane = 16; lane > 0; lane /= 2) value ^= __shfl_xor_sync(0xFFFFFFFFu, value, lane);
  if (threadIdx.x % 32 == 0) atomicXor(result, value);
}

__global__ void __launch_bounds__(kThreads) Read(const ulonglong2* from, size_t vectors, unsigned long long* result) {
  const size_t stride = ThreadsOfGrid();
  unsigned long long value = 0;
  size_t i = ThreadInGrid();
  for (; i + (kInFlight - 1) * stride < vectors; i += kInFlight * stride) {
    ulonglong2 held[kInFlight];
#pragma unroll
    for (int j = 0; j < kInFlight; ++j) held[j] = __ldcs(from + i + j * stride);
#pragma unroll
    for (int j = 0; j < kInFlight; ++j) value ^= held[j].x ^ held[j].y;
  }
  for (; i < vectors; i += stride) value ^= from[i].x ^ from[i].y;
  CombineXor(value, result);
}

__global__ void __launch_bounds__(kThreads) PatternXor(size_t words, uint64_t seed, unsigned long long* result) {
  unsigned long long value = 0;
  for (size_t i = ThreadInGrid(); i < words; i += ThreadsOfGrid()) value ^= PatternWord(i, seed);
  CombineXor(value, result);
}

__device__ float OperandB(size_t i) { return static_cast<float>(i % 1021); }
__device__ float OperandC(size_t i) { return static_cast<float>(i % 509); }

__global__ void __launch_bounds__(kThreads) TriadFill(float* b, float* c, size_t count) {
  for (size_t i = ThreadInGrid(); i < count; i += ThreadsOfGrid()) {
    b[i] = OperandB(i);
    c[i] = OperandC(i);
  }
}

__device__ float TriadOf(float b, float c) { return fmaf(kTriadScale, c, b); }

__global__ void __launch_bounds__(kThreads)
    Triad(float4* __restrict__ a, const float4* __restrict__ b, const float4* __restrict__ c, size_t vectors) {
  const size_t first = FirstOfThread();
  float4 left[kInFlight];
  float4 right[kInFlight];
#pragma unroll
  for (int j = 0; j < kInFlight; ++j) {
    const size_t i = first + j * kThreads;
    if (i < vectors) {
      left[j] = __ldcs(b + i);
      right[j] = __ldcs(c + i);
    }
  }
#pragma unroll
  for (int j = 0; j < kInFlight; ++j) {
    const size_t i = first + j * kThreads;
    if (i < vectors) {
      __stcs(a + i, make_float4(TriadOf(left[j].x, right[j].x), TriadOf(left[j].y, right[j].y),
                                TriadOf(left[j].z, right[j].z), TriadOf(left[j].w, right[j].w)));
    }
  }
}

__global__ void __launch_bounds__(kThreads) TriadCheck(const float* a, size_t count, unsigned long long* wrong) {
  for (size_t i = ThreadInGrid(); i < count; i += ThreadsOfGrid()) {
    // Negated, so that NaN counts.
    if (!(a[i] == TriadOf(OperandB(i), OperandC(i)))) atomicAdd(wrong, 1ull);
  }
}

__global__ void Empty() {}

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

cudaError_t LaunchCopy(void* to, const void* from, size_t vectors, cudaStream_t stream) {
  Copy<<<StreamBlocks(vectors), kThreads, 0, stream>>>(static_cast<uint4*>(to), static_cast<const uint4*>(from),
                                                       vectors);
  return cudaGetLastError();
}

cudaError_t LaunchWrite(void* to, size_t vectors, uint32_t value, cudaStream_t stream) {
  Write<<<StreamBlocks(vectors), kThreads, 0, stream>>>(static_cast<uint4*>(to), vectors, value);
  return cudaGetLastError();
}

cudaError_t LaunchRead(const void* from, size_t vectors, unsigned long long* result, cudaStream_t stream) {
  Read<<<StridingBlocks(vectors), kThreads, 0, stream>>>(static_cast<const ulonglong2*>(from), vectors, result);
  return cudaGetLastError();
}

cudaError_t LaunchPatternXor(size_t words, uint64_t seed, unsigned long long* result, cudaStream_t stream) {
  PatternXor<<<StridingBlocks(words), kThreads, 0, stream>>>(words, seed, result);
  return cudaGetLastError();
}

cudaError_t LaunchTriadFill(float* b, float* c, size_t vectors, cudaStream_t stream) {
  TriadFill<<<StridingBlocks(4 * vectors), kThreads, 0, stream>>>(b, c, 4 * vectors);
  return cudaGetLastError();
}

cudaError_t LaunchTriad(float* a, const float* b, const float* c, size_t vectors, cudaStream_t stream) {
  Triad<<<StreamBlocks(vectors), kThreads, 0, stream>>>(
      reinterpret_cast<float4*>(a), reinterpret_cast<const float4*>(b), reinterpret_cast<const float4*>(c), vectors);
  return cudaGetLastError();
}

cudaError_t LaunchTriadCheck(const float* a, size_t vectors, unsigned long long* wrong, cudaStream_t stream) {
  TriadCheck<<<StridingBlocks(4 * vectors), kThreads, 0, stream>>>(a, 4 * vectors, wrong);
  return cudaGetLastError();
}

cudaError_t LaunchEmpty(cudaStream_t stream) {
  Empty<<<1, 1, 0, stream>>>();
  return cudaGetLastError();
}

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
