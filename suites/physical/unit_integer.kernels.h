// Integer arithmetic on every unit, for CUDA C++, OpenCL C and C++ (portable.h): every operation in a chain of results
// that follow from each other and a stream of results that do not. Operations of 32 bits work on both halves.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_INTEGER_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_INTEGER_KERNELS_H_

#include "suites/physical/portable_arithmetic.h"
#include "suites/physical/unit_chain.h"

// M(name, result): a, b and c are u32 for the first list, u64 for the second. Divisors are never 0, those of
// signed division never negative, so that C knows the result.
// clang-format off
#define INTEGER_OPERATIONS_32(M) \
  M(add32, a + b) M(subtract32, a - b) M(multiply32, a * b) M(multiply_high_u32, MUL_HIGH_U32(a, b)) \
  M(multiply_high_i32, MUL_HIGH_I32(a, b)) M(multiply_add32, a * b + c) M(shift_left32, a << (b & 31)) \
  M(shift_right32, a >> (b & 31)) M(shift_arithmetic32, (int)a >> (b & 31)) \
  M(rotate32, (a << (b & 31)) | (a >> ((32 - b) & 31))) M(bits32, (a & b) ^ (~a | (b >> 1))) \
  M(divide_u32, a / (b | 1)) M(remainder_u32, a % ((b >> (a & 31)) | 1)) M(divide_i32, (int)a / (int)((b >> 1) | 1)) \
  M(popcount32, POPCOUNT_U32(a ^ b)) M(leading_zeros32, LEADING_ZEROS_U32(a >> (b & 31))) \
  M(minimum_i32, (int)a < (int)b ? a : b) M(maximum_u32, a > b ? a : b)
#define INTEGER_OPERATIONS_64(M) \
  M(add64, a + b) M(subtract64, a - b) M(multiply64, a * b) M(multiply_high_u64, MUL_HIGH_U64(a, b)) \
  M(multiply_add64, a * b + c) M(multiply_wide, (u64)(u32)a * (u32)b) M(shift_left64, a << (b & 63)) \
  M(shift_right64, a >> (b & 63)) M(shift_arithmetic64, (i64)a >> (b & 63)) M(bits64, (a & b) ^ (~a | (b >> 1))) \
  M(divide_u64, a / ((b >> (a & 63)) | 1)) M(remainder_u64, a % ((b >> (a & 63)) | 1)) \
  M(popcount64, POPCOUNT_U64(a ^ b)) M(leading_zeros64, LEADING_ZEROS_U64(a >> (b & 63))) \
  M(minimum_i64, (i64)a < (i64)b ? a : b) M(maximum_u64, a > b ? a : b)
// clang-format on

#define INTEGER_FUNCTION_32(name, result)                                                     \
  DEVICE_FUNCTION u64 integer_half_##name(u32 a, u32 b, u32 c) { return (u64)(u32)(result); } \
  DEVICE_FUNCTION u64 integer_##name(u64 a, u64 b, u64 c) {                                   \
    const u64 high = integer_half_##name((u32)(a >> 32), (u32)(b >> 32), (u32)(c >> 32));     \
    return high << 32 | integer_half_##name((u32)a, (u32)b, (u32)c);                          \
  }
#define INTEGER_FUNCTION_64(name, result) \
  DEVICE_FUNCTION u64 integer_##name(u64 a, u64 b, u64 c) { return (u64)(result); }
INTEGER_OPERATIONS_32(INTEGER_FUNCTION_32)
INTEGER_OPERATIONS_64(INTEGER_FUNCTION_64)

#define INTEGER_LINK(last, x) ((last) + (x))
#define INTEGER_CHAIN(name, result) UNIT_CHAIN(integer_##name, INTEGER_LINK)
INTEGER_OPERATIONS_32(INTEGER_CHAIN)
INTEGER_OPERATIONS_64(INTEGER_CHAIN)
#define INTEGER_CHECK(name, result) UNIT_CHECK_CHAIN(integer_##name)

KERNEL unit_integer(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                    GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  INTEGER_OPERATIONS_32(INTEGER_CHECK)
  INTEGER_OPERATIONS_64(INTEGER_CHECK)
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_INTEGER_KERNELS_H_
