// The kernel of unit_tensor.h, by CUDA's warp matrix functions.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_CUH_
#define MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include "suites/physical/unit_tensor_tiles.h"

namespace tensor {

namespace wmma = nvcuda::wmma;

// Of one warp: a pair of tiles, then the sum.
struct Tiles {
  alignas(32) double words[256];
};

__device__ inline void Store(__half* at, int value) { *at = __int2half_rn(value); }
__device__ inline void Store(__nv_bfloat16* at, int value) { *at = __int2bfloat16_rn(value); }
__device__ inline void Store(signed char* at, int value) { *at = static_cast<signed char>(value); }
__device__ inline void Store(float* at, int value) { *at = static_cast<float>(value); }
__device__ inline void Store(double* at, int value) { *at = value; }

// Zero has one sign here.
__device__ inline u64 Bits(float entry) { return __float_as_uint(entry + 0.0f); }
__device__ inline u64 Bits(int entry) { return static_cast<u32>(entry); }
__device__ inline u64 Bits(double entry) { return static_cast<u64>(__double_as_longlong(entry + 0.0)); }

// What the lane has of the sum of `a.steps` products of kRows × kDepth and kDepth × kRows tiles. Memory holds them as
// Kept, the fragments are of Element (of TF32 that is not the same).
template <typename Element, typename Kept, typename Sum, int kRows, int kDepth>
__device__ u64 Products(Tiles& tiles, UnitArguments a, UnitLane me, u32 operation) {
  const u32 warp = me.lane / TENSOR_LANES;
  const u32 lane = me.lane % TENSOR_LANES;
  Kept* const staged = reinterpret_cast<Kept*>(tiles.words);
  wmma::fragment<wmma::matrix_a, kRows, kRows, kDepth, Element, wmma::row_major> of_a[TENSOR_PAIRS];
  wmma::fragment<wmma::matrix_b, kRows, kRows, kDepth, Element, wmma::row_major> of_b[TENSOR_PAIRS];
#pragma unroll
  for (u32 pair = 0; pair < TENSOR_PAIRS; ++pair) {
    for (u32 i = lane; i < 2 * kRows * kDepth; i += TENSOR_LANES) {
      const u32 side = i / (kRows * kDepth);
      Store(staged + i, tensor_value(a.key, operation, warp, pair, side, i % (kRows * kDepth)));
    }
    __syncwarp();
    wmma::load_matrix_sync(of_a[pair], staged, kDepth);
    wmma::load_matrix_sync(of_b[pair], staged + kRows * kDepth, kRows);
    __syncwarp();
  }
  wmma::fragment<wmma::accumulator, kRows, kRows, kDepth, Sum> sum;
  wmma::fill_fragment(sum, Sum(0));
  for (u32 step = 0; step < a.steps; step += TENSOR_PAIRS) {
#pragma unroll
    for (u32 pair = 0; pair < TENSOR_PAIRS; ++pair) {
      if (step + pair < a.steps) wmma::mma_sync(sum, of_a[pair], of_b[pair], sum);
    }
  }
  Sum* const entries = reinterpret_cast<Sum*>(tiles.words);
  wmma::store_matrix_sync(entries, sum, kRows, wmma::mem_row_major);
  __syncwarp();
  constexpr u32 kEntries = kRows * kRows / TENSOR_LANES;
  const u64 fault = unit_fault(me, a, operation);
  u64 result = 0;
  for (u32 n = 0; n < kEntries; ++n) {
    // For the self-test, in the lane's last entry.
    const u64 bits = Bits(entries[lane * kEntries + n]) ^ (n + 1 == kEntries ? fault : 0);
    result = unit_turn(result, 7) ^ bits;
  }
  __syncwarp();
  return result;
}

}  // namespace tensor

extern "C" __global__ void __launch_bounds__(4 * TENSOR_LANES)
    unit_tensor(u64* inputs, u64* expected, UnitGroup* groups, UnitErrors* errors, u32* scratch, UnitArguments a) {
  namespace wmma = nvcuda::wmma;
  __shared__ tensor::Tiles shared[4];
  UnitLane me = unit_begin(a);
  tensor::Tiles& tiles = shared[me.lane / TENSOR_LANES];
  unit_check(&me, expected, errors, TENSOR_FP16,
             tensor::Products<__half, __half, float, 16, 16>(tiles, a, me, TENSOR_FP16));
  unit_check(&me, expected, errors, TENSOR_INT8,
             tensor::Products<signed char, signed char, int, 16, 16>(tiles, a, me, TENSOR_INT8));
#if __CUDA_ARCH__ >= 800
  unit_check(&me, expected, errors, TENSOR_BF16,
             tensor::Products<__nv_bfloat16, __nv_bfloat16, float, 16, 16>(tiles, a, me, TENSOR_BF16));
  unit_check(&me, expected, errors, TENSOR_TF32,
             tensor::Products<wmma::precision::tf32, float, float, 16, 8>(tiles, a, me, TENSOR_TF32));
  unit_check(&me, expected, errors, TENSOR_FP64,
             tensor::Products<double, double, double, 8, 4>(tiles, a, me, TENSOR_FP64));
#endif
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_CUH_
