// One operation many times, as a lane of a unit's test: a stream of results that do not need each other, and a chain in
// which each goes into the next. Both end in one word that changes when any of them does.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_CHAIN_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_CHAIN_H_

#include "suites/physical/unit_work.h"

// Where a lane's operands of a step lie.
#define UNIT_PLACE(a, lane, step) ((lane)*37 + (a).key + (step))
#define UNIT_FIRST(at) (at)
#define UNIT_SECOND(at) ((at)*5 + 1)
#define UNIT_THIRD(at) ((at)*11 + 7)

// NAME_chain(inputs, lane, a, fault) for u64 NAME(u64 x, u64 y, u64 z); `link` makes of the last result and x the next
// operand. The same on the host.
#define UNIT_CHAIN(name, link)                                                                       \
  DEVICE_FUNCTION u64 name##_chain(const GLOBAL u64* inputs, u32 lane, UnitArguments a, u64 fault) { \
    u64 digest = 0;                                                                                  \
    u64 last = a.key;                                                                                \
    for (u32 step = 0; step < a.steps; ++step) {                                                     \
      const u32 at = UNIT_PLACE(a, lane, step);                                                      \
      const u64 x = inputs[UNIT_FIRST(at) & a.input_mask];                                           \
      const u64 y = inputs[UNIT_SECOND(at) & a.input_mask];                                          \
      const u64 z = inputs[UNIT_THIRD(at) & a.input_mask];                                           \
      last = name(link(last, x), y, z) ^ fault;                                                      \
      digest = unit_turn(digest, 9) + (name(x, y, z) ^ fault) + unit_turn(last, 23);                 \
    }                                                                                                \
    return digest;                                                                                   \
  }

// In a kernel: the next of the operations.
#define UNIT_CHECK_CHAIN(name)                                                                                  \
  unit_check(&me, expected, errors, operation, name##_chain(inputs, me.lane, a, unit_fault(me, a, operation))); \
  ++operation;

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_CHAIN_H_
