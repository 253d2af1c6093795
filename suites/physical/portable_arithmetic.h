// More words of portable.h: arithmetic beyond the operators of C, by the instruction or the function that each of the
// three has for it.
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

#elif defined(__CUDACC__)

#define MUL_HIGH_U32(a, b) __umulhi((a), (b))
#define MUL_HIGH_I32(a, b) __mulhi((int)(a), (int)(b))
#define MUL_HIGH_U64(a, b) __umul64hi((a), (b))
#define POPCOUNT_U32(a) __popc(a)
#define POPCOUNT_U64(a) __popcll(a)
#define LEADING_ZEROS_U32(a) __clz((int)(a))
#define LEADING_ZEROS_U64(a) __clzll((i64)(a))

#else

#define MUL_HIGH_U32(a, b) ((u32)((u64)(u32)(a) * (u32)(b) >> 32))
#define MUL_HIGH_I32(a, b) ((int)((i64)(int)(a) * (int)(b) >> 32))
#define MUL_HIGH_U64(a, b) ((u64)((unsigned __int128)(a) * (b) >> 64))
#define POPCOUNT_U32(a) std::popcount((u32)(a))
#define POPCOUNT_U64(a) std::popcount((u64)(a))
#define LEADING_ZEROS_U32(a) std::countl_zero((u32)(a))
#define LEADING_ZEROS_U64(a) std::countl_zero((u64)(a))

#endif

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_ARITHMETIC_H_
