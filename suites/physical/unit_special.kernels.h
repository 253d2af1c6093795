// Functions with a stated error on every unit (unit_work.h), for CUDA C++, OpenCL C and C++ (portable.h): all units
// must come to the same bits, and these must lie within the error.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_KERNELS_H_

#include "suites/physical/special_table.h"

DEVICE_FUNCTION u32 special_bits(float value) { return value != value ? 0x7fc00000u : FLOAT_BITS(value); }

// M(name, result): x, and for pow y, are float. As many as a power of two.
// clang-format off
#define SPECIAL_FUNCTIONS(M) \
  M(sin, SPECIAL_F32(sin, x)) M(cos, SPECIAL_F32(cos, x)) M(tan, SPECIAL_F32(tan, x)) M(exp, SPECIAL_F32(exp, x)) \
  M(exp2, SPECIAL_F32(exp2, x)) M(log, SPECIAL_F32(log, x)) M(log2, SPECIAL_F32(log2, x)) M(rsqrt, RSQRT_F32(x)) \
  M(tanh, SPECIAL_F32(tanh, x)) M(atan, SPECIAL_F32(atan, x)) M(cbrt, SPECIAL_F32(cbrt, x)) M(pow, POW_F32(x, y)) \
  M(native_sin, NATIVE_SIN(x)) M(native_cos, NATIVE_COS(x)) M(native_exp, NATIVE_EXP(x)) M(native_log2, NATIVE_LOG2(x))
// clang-format on

#define SPECIAL_FUNCTION(name, result)           \
  DEVICE_FUNCTION u64 special_##name(u64 word) { \
    const float x = AS_FLOAT((u32)word);         \
    const float y = AS_FLOAT((u32)(word >> 32)); \
    (void)y;                                     \
    return special_bits(result);                 \
  }
SPECIAL_FUNCTIONS(SPECIAL_FUNCTION)

KERNEL unit_special(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                    GLOBAL u32* scratch, UnitArguments a) {
  UnitLane me = unit_begin(a);
  u32 operation = 0;
  SPECIAL_FUNCTIONS(SPECIAL_CHECK)
  unit_end(me, groups);
}

// Of every input what comes out, once for each group, and the units that they ran on.
KERNEL unit_special_table(GLOBAL u64* inputs, GLOBAL u64* table, GLOBAL u32* units, UnitArguments a) {
  if (LOCAL_ID == 0) units[GROUP_ID] = UNIT_ID;
  table += GROUP_ID * (a.input_mask + 1);
  SPECIAL_FUNCTIONS(SPECIAL_TABLE)
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_KERNELS_H_
