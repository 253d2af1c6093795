// More words of portable.h: functions that are no basic arithmetic, in fp32 and fp64; the hardware's own, of less
// accuracy, as NATIVE_….
#ifndef MUSTER_SUITES_PHYSICAL_PORTABLE_SPECIAL_H_
#define MUSTER_SUITES_PHYSICAL_PORTABLE_SPECIAL_H_

#include "suites/physical/portable_arithmetic.h"

#if defined(__OPENCL_C_VERSION__)

#define SPECIAL_F32(name, x) name(x)
#define SPECIAL_F64(name, x) name(x)
#define RSQRT_F32(x) rsqrt(x)
#define RSQRT_F64(x) rsqrt(x)
#define POW_F32(x, y) pow((x), (y))
#define NATIVE_SIN(x) native_sin(x)
#define NATIVE_COS(x) native_cos(x)
#define NATIVE_EXP(x) native_exp(x)
#define NATIVE_LOG2(x) native_log2(x)

#elif defined(__CUDACC__)

#define SPECIAL_F32(name, x) name##f(x)
#define SPECIAL_F64(name, x) name(x)
#define RSQRT_F32(x) rsqrtf(x)
#define RSQRT_F64(x) rsqrt(x)
#define POW_F32(x, y) powf((x), (y))
#define NATIVE_SIN(x) __sinf(x)
#define NATIVE_COS(x) __cosf(x)
#define NATIVE_EXP(x) __expf(x)
#define NATIVE_LOG2(x) __log2f(x)

#else

// By a wider format, for glibc's own errors are not small everywhere (cbrt: 4 units).
#define SPECIAL_F32(name, x) ((float)std::name((double)(x)))
#define SPECIAL_F64(name, x) ((double)std::name((long double)(x)))
#define RSQRT_F32(x) ((float)(1 / std::sqrt((double)(x))))
#define RSQRT_F64(x) ((double)(1 / std::sqrt((long double)(x))))
#define POW_F32(x, y) std::pow((float)(x), (float)(y))
#define NATIVE_SIN(x) std::sin((float)(x))
#define NATIVE_COS(x) std::cos((float)(x))
#define NATIVE_EXP(x) std::exp((float)(x))
#define NATIVE_LOG2(x) std::log2((float)(x))

#endif

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_SPECIAL_H_
