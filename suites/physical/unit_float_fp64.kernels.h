// The same in fp64, which IEEE 754 and OpenCL alike know to the last bit, division and square root too
// (unit_float.kernels.h).
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_FP64_KERNELS_H_

#include "suites/physical/portable_arithmetic.h"
#include "suites/physical/unit_chain.h"

DEVICE_FUNCTION u64 double_bits(double value) { return value != value ? 0x7ff8000000000000ul : DOUBLE_BITS(value); }
DEVICE_FUNCTION u64 double_order(double a, double b) {
  return (u64)(a < b) | (u64)(a <= b) << 1 | (u64)(a == b) << 2 | (u64)(a != b) << 3 | (u64)(a > b) << 4;
}
DEVICE_FUNCTION u64 double_float_bits(float value) { return value != value ? 0x7fc00000u : FLOAT_BITS(value); }

// M(name, result): a, b and c are double, the result u64. NaN as a whole number is another with each vendor.
// clang-format off
#define DOUBLE_OPERATIONS(M) \
  M(add, double_bits(ADD_F64(a, b))) M(subtract, double_bits(ADD_F64(a, -b))) M(multiply, double_bits(MULTIPLY_F64(a, b))) \
  M(fma, double_bits(FMA_F64(a, b, c))) M(compare, double_order(a, b)) M(floor, double_bits(FLOOR_F64(a))) \
  M(round, double_bits(RINT_F64(a))) M(to_integer, a != a ? 0 : (u32)DOUBLE_TO_INT(a)) M(to_float, double_float_bits((float)a)) \
  M(from_signed, DOUBLE_BITS((double)(i64)DOUBLE_BITS(b))) M(from_unsigned, DOUBLE_BITS((double)DOUBLE_BITS(b))) \
  M(divide, double_bits(DIVIDE_F64(a, b))) M(reciprocal, double_bits(DIVIDE_F64(1.0, b))) M(sqrt, double_bits(SQRT_F64(a)))
// clang-format on

#define DOUBLE_FUNCTION(name, result)                                                          \
  DEVICE_FUNCTION u64 double_of_##name(double a, double b, double c) { return (u64)(result); } \
  DEVICE_FUNCTION u64 double_##name(u64 a, u64 b, u64 c) {                                     \
    return double_of_##name(AS_DOUBLE(a), AS_DOUBLE(b), AS_DOUBLE(c));                         \
  }
DOUBLE_OPERATIONS(DOUBLE_FUNCTION)

#define DOUBLE_LINK(last, x) (((last)&0x803ffffffffffffful) | 0x3fc0000000000000ul)
#define DOUBLE_CHAIN(name, result) UNIT_CHAIN(double_##name, DOUBLE_LINK)
DOUBLE_OPERATIONS(DOUBLE_CHAIN)
#define DOUBLE_CHECK(name, result) UNIT_CHECK_CHAIN(double_##name)

KERNEL unit_double(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                   GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  DOUBLE_OPERATIONS(DOUBLE_CHECK)
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_FLOAT_FP64_KERNELS_H_
