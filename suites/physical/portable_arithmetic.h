// More words of portable.h: arithmetic beyond the operators of C, by the instruction or the function that each of the
// three has for it.
//
// Floating point, of bits in an unsigned word: each operation rounds once to nearest, ties to even, whatever a compiler
// would rather do (no fused multiply-add where none is written). Division and square root do so where
// DeviceTraits.exact_division; with OpenCL they otherwise err by 2.5 and 3 units in the last place.
#ifndef MUSTER_SUITES_PHYSICAL_PORTABLE_ARITHMETIC_H_
#define MUSTER_SUITES_PHYSICAL_PORTABLE_ARITHMETIC_H_

#include "suites/physical/portable.h"

#if defined(__OPENCL_C_VERSION__)

#define MUL_HIGH_U32(a, b) mul_hi((u32)(a), (u32)(b))
#define MUL_HIGH_I32(a, b) mul_hi((int)(a), (int)(b))
#define MUL_HIGH_U64(a, b) mul_hi((u64)(a), (u64)(b))
#define POPCOUNT_U32(a) popcount((u32)(a))
#define POPCOUNT_U64(a) popcount((u64)(a))
#define LEADING_ZEROS_U32(a) clz((u32)(a))
#define LEADING_ZEROS_U64(a) clz((u64)(a))
#pragma OPENCL FP_CONTRACT OFF
#define ADD_F32(a, b) ((a) + (b))
#define MULTIPLY_F32(a, b) ((a) * (b))
#define FMA_F32(a, b, c) fma((a), (b), (c))
#define DIVIDE_F32(a, b) ((a) / (b))
#define SQRT_F32(a) sqrt(a)
#define FLOOR_F32(a) floor(a)
#define RINT_F32(a) rint(a)
#define ADD_F64(a, b) ((a) + (b))
#define MULTIPLY_F64(a, b) ((a) * (b))
#define FMA_F64(a, b, c) fma((a), (b), (c))
#define DIVIDE_F64(a, b) ((a) / (b))
#define SQRT_F64(a) sqrt(a)
#define FLOOR_F64(a) floor(a)
#define RINT_F64(a) rint(a)

#elif defined(__CUDACC__)

#define MUL_HIGH_U32(a, b) __umulhi((a), (b))
#define MUL_HIGH_I32(a, b) __mulhi((int)(a), (int)(b))
#define MUL_HIGH_U64(a, b) __umul64hi((a), (b))
#define POPCOUNT_U32(a) __popc(a)
#define POPCOUNT_U64(a) __popcll(a)
#define LEADING_ZEROS_U32(a) __clz((int)(a))
#define LEADING_ZEROS_U64(a) __clzll((i64)(a))
#define ADD_F32(a, b) __fadd_rn((a), (b))
#define MULTIPLY_F32(a, b) __fmul_rn((a), (b))
#define FMA_F32(a, b, c) __fmaf_rn((a), (b), (c))
#define DIVIDE_F32(a, b) __fdiv_rn((a), (b))
#define SQRT_F32(a) __fsqrt_rn(a)
#define FLOOR_F32(a) floorf(a)
#define RINT_F32(a) rintf(a)
#define ADD_F64(a, b) __dadd_rn((a), (b))
#define MULTIPLY_F64(a, b) __dmul_rn((a), (b))
#define FMA_F64(a, b, c) __fma_rn((a), (b), (c))
#define DIVIDE_F64(a, b) __ddiv_rn((a), (b))
#define SQRT_F64(a) __dsqrt_rn(a)
#define FLOOR_F64(a) floor(a)
#define RINT_F64(a) rint(a)

#else

#include <cmath>
#define MUL_HIGH_U32(a, b) ((u32)((u64)(u32)(a) * (u32)(b) >> 32))
#define MUL_HIGH_I32(a, b) ((int)((i64)(int)(a) * (int)(b) >> 32))
#define MUL_HIGH_U64(a, b) ((u64)((unsigned __int128)(a) * (b) >> 64))
#define POPCOUNT_U32(a) std::popcount((u32)(a))
#define POPCOUNT_U64(a) std::popcount((u64)(a))
#define LEADING_ZEROS_U32(a) std::countl_zero((u32)(a))
#define LEADING_ZEROS_U64(a) std::countl_zero((u64)(a))
#define ADD_F32(a, b) ((a) + (b))
#define MULTIPLY_F32(a, b) ((a) * (b))
#define FMA_F32(a, b, c) std::fma((float)(a), (float)(b), (float)(c))
#define DIVIDE_F32(a, b) ((a) / (b))
#define SQRT_F32(a) std::sqrt((float)(a))
#define FLOOR_F32(a) std::floor((float)(a))
#define RINT_F32(a) std::nearbyint((float)(a))
#define ADD_F64(a, b) ((a) + (b))
#define MULTIPLY_F64(a, b) ((a) * (b))
#define FMA_F64(a, b, c) std::fma((double)(a), (double)(b), (double)(c))
#define DIVIDE_F64(a, b) ((a) / (b))
#define SQRT_F64(a) std::sqrt((double)(a))
#define FLOOR_F64(a) std::floor((double)(a))
#define RINT_F64(a) std::nearbyint((double)(a))

#endif

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_ARITHMETIC_H_
