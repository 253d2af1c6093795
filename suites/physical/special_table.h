// What the kernels over functions of one operand share: each has inputs of its own, one function's behind the other's,
// and a table of what comes out can be had (unit_special.kernels.h, unit_special_fp64.kernels.h).
#ifndef MUSTER_SUITES_PHYSICAL_SPECIAL_TABLE_H_
#define MUSTER_SUITES_PHYSICAL_SPECIAL_TABLE_H_

#include "suites/physical/portable_special.h"
#include "suites/physical/unit_work.h"

// Of each function.
#define SPECIAL_INPUTS 512

// Which of its inputs a lane takes in a step.
DEVICE_FUNCTION u32 special_place(UnitArguments a, u32 lane, u32 step) {
  return (lane * 37 + a.key + step) & (SPECIAL_INPUTS - 1);
}

#define SPECIAL_CHECK(name, result)                                                          \
  {                                                                                          \
    const u64 fault = unit_fault(me, a, operation);                                          \
    u64 digest = 0;                                                                          \
    for (u32 step = 0; step < a.steps; ++step) {                                             \
      const u64 word = inputs[operation * SPECIAL_INPUTS + special_place(a, me.lane, step)]; \
      digest = unit_turn(digest, 9) + (special_##name(word) ^ fault);                        \
    }                                                                                        \
    unit_check(&me, expected, errors, operation, digest);                                    \
    ++operation;                                                                             \
  }

// A function's values of all its inputs; goes on to the next function.
#define SPECIAL_TABLE(name, result)                             \
  for (u64 i = LOCAL_ID; i < SPECIAL_INPUTS; i += GROUP_SIZE) { \
    table[i] = special_##name(inputs[i]);                       \
  }                                                             \
  table += SPECIAL_INPUTS;                                      \
  inputs += SPECIAL_INPUTS;

#endif  // MUSTER_SUITES_PHYSICAL_SPECIAL_TABLE_H_
