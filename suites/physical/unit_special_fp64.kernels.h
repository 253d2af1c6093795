// The same in fp64 (unit_special.kernels.h).
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_FP64_KERNELS_H_

#include "suites/physical/special_table.h"

// M(name, result): x is double. As many as a power of two.
// clang-format off
#define SPECIAL_DOUBLES(M) \
  M(sin_fp64, SPECIAL_F64(sin, x)) M(cos_fp64, SPECIAL_F64(cos, x)) M(exp_fp64, SPECIAL_F64(exp, x)) \
  M(log_fp64, SPECIAL_F64(log, x)) M(rsqrt_fp64, RSQRT_F64(x)) M(tanh_fp64, SPECIAL_F64(tanh, x)) \
  M(atan_fp64, SPECIAL_F64(atan, x)) M(cbrt_fp64, SPECIAL_F64(cbrt, x))
// clang-format on

#define SPECIAL_DOUBLE(name, result)                                   \
  DEVICE_FUNCTION u64 special_##name(u64 word) {                       \
    const double x = AS_DOUBLE(word);                                  \
    const double value = result;                                       \
    return value != value ? 0x7ff8000000000000ul : DOUBLE_BITS(value); \
  }
SPECIAL_DOUBLES(SPECIAL_DOUBLE)

KERNEL unit_special_fp64(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                         GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  SPECIAL_DOUBLES(SPECIAL_CHECK)
  unit_end(me, groups);
}

KERNEL unit_special_table_fp64(GLOBAL u64* inputs, GLOBAL u64* table, GLOBAL u32* units, UnitArguments a) {
  if (LOCAL_ID == 0) units[GROUP_ID] = UNIT_ID;
  table += GROUP_ID * (a.input_mask + 1);
  SPECIAL_DOUBLES(SPECIAL_TABLE)
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_FP64_KERNELS_H_
