// Arithmetic in fp32 on every unit, with results that IEEE 754 knows to the last bit, for CUDA C++, OpenCL C and C++
// (portable.h). Words hold two operands, each in both halves; a result that is no number has one form.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_KERNELS_H_

#include "suites/physical/portable_arithmetic.h"
#include "suites/physical/unit_chain.h"

DEVICE_FUNCTION u32 float_bits(float value) { return value != value ? 0x7fc00000u : FLOAT_BITS(value); }
DEVICE_FUNCTION u32 float_order(float a, float b) {
  return (u32)(a < b) | (u32)(a <= b) << 1 | (u32)(a == b) << 2 | (u32)(a != b) << 3 | (u32)(a > b) << 4;
}

// M(name, result): a, b and c are float, the result u32.
// clang-format off
#define FLOAT_OPERATIONS(M) \
  M(add, float_bits(ADD_F32(a, b))) M(subtract, float_bits(ADD_F32(a, -b))) M(multiply, float_bits(MULTIPLY_F32(a, b))) \
  M(fma, float_bits(FMA_F32(a, b, c))) M(compare, float_order(a, b)) M(floor, float_bits(FLOOR_F32(a))) \
  M(round, float_bits(RINT_F32(a))) M(to_integer, (u32)FLOAT_TO_INT(a)) \
  M(from_signed, FLOAT_BITS((float)(int)FLOAT_BITS(b))) M(from_unsigned, FLOAT_BITS((float)FLOAT_BITS(b)))
// Where DeviceTraits.exact_division.
#define FLOAT_DIVISIONS(M) \
  M(divide, float_bits(DIVIDE_F32(a, b))) M(reciprocal, float_bits(DIVIDE_F32(1.0f, b))) M(sqrt, float_bits(SQRT_F32(a)))
// clang-format on

#define FLOAT_FUNCTION(name, result)                                                                                  \
  DEVICE_FUNCTION u64 float_half_##name(float a, float b, float c) { return (u64)(result); }                          \
  DEVICE_FUNCTION u64 float_##name(u64 a, u64 b, u64 c) {                                                             \
    const u64 high = float_half_##name(AS_FLOAT((u32)(a >> 32)), AS_FLOAT((u32)(b >> 32)), AS_FLOAT((u32)(c >> 32))); \
    return high << 32 | float_half_##name(AS_FLOAT((u32)a), AS_FLOAT((u32)b), AS_FLOAT((u32)c));                      \
  }
FLOAT_OPERATIONS(FLOAT_FUNCTION)
FLOAT_DIVISIONS(FLOAT_FUNCTION)

// The last fractions, signs and lowest two bits of the exponents, at magnitudes from 2^-3 to 2: what does not run away.
#define FLOAT_LINK(last, x) (((last)&0x81ffffff81fffffful) | 0x3e0000003e000000ul)
#define FLOAT_CHAIN(name, result) UNIT_CHAIN(float_##name, FLOAT_LINK)
FLOAT_OPERATIONS(FLOAT_CHAIN)
FLOAT_DIVISIONS(FLOAT_CHAIN)
#define FLOAT_CHECK(name, result) UNIT_CHECK_CHAIN(float_##name)

KERNEL unit_float(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                  GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  FLOAT_OPERATIONS(FLOAT_CHECK)
  unit_end(me, groups);
}

KERNEL unit_float_division(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups,
                           GLOBAL UnitErrors* errors, GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  FLOAT_OPERATIONS(FLOAT_CHECK)
  FLOAT_DIVISIONS(FLOAT_CHECK)
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_KERNELS_H_
