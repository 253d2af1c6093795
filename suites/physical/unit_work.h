// What the kernels of a sweep over the units of a device share (unit_sweep.h), for CUDA C++, OpenCL C and C++.
//
// Every group of such a kernel computes the same, from `inputs` and the arguments: what comes out of it does not depend
// on the group. A kernel has the parameters
//
//   (GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors, GLOBAL u32*
//   scratch,
//    UnitArguments a)    and LOCAL_PARAMETER where it has local memory
//
// and this shape:
//
//   UnitLane me = unit_begin(a);
//   for each operation: unit_check(&me, expected, errors, operation, what the lane computed ^ unit_fault(me, a,
//   operation)); unit_end(me, groups);
//
// The lane compares with what the host computed; the group's sum lets the host judge by itself, without the unit's
// word.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_WORK_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_WORK_H_

#include "suites/physical/portable.h"

#define UNIT_RECORDS 64
#define UNIT_NONE 0xffffffffu
#define UNIT_EVERY 0xfffffffeu

typedef struct {
  u32 key;         // Of the round.
  u32 steps;       // Of each operation.
  u32 input_mask;  // Inputs are a power of two; this is one less.
  u32 parameter;   // UnitWork.parameter.
  u32 zero;        // 0, which no compiler knows.
  // For the self-test, otherwise UNIT_NONE: where, and in which of the operations (or UNIT_EVERY), a fault is made.
  u32 fault_unit;
  u32 fault_lane;
  u32 fault_operation;
  u32 delay;       // Of every group on that unit, in rounds of mix_bits.
  u64 fault_bits;  // Turned over in what that lane computes.
} UnitArguments;

// Begins as zeros.
typedef struct {
  u64 sum;  // Of unit_weigh over lanes and operations.
  u32 unit;
  u32 lanes;  // That came to the end.
} UnitGroup;

typedef struct {
  u64 group;
  u64 expected;
  u64 found;
  u32 unit;
  u32 lane;
  u32 operation;
  u32 reserved;
} UnitRecord;

typedef struct {
  u64 count;
  u64 recorded;
  UnitRecord records[UNIT_RECORDS];
} UnitErrors;

typedef struct {
  u32 unit;
  u32 lane;
  u64 sum;
} UnitLane;

// No two places weigh a value alike, so that lanes that change places show. The constant is 2^64 over the golden ratio.
DEVICE_FUNCTION u64 unit_weigh(u64 value, u32 operation, u32 lane) {
  return (value ^ ((u64)operation << 40 | (u64)lane << 20)) * (0x9e3779b97f4a7c15ul + 2 * lane);
}

DEVICE_FUNCTION UnitLane unit_begin(UnitArguments a) {
  UnitLane me;
  me.unit = UNIT_ID;
  me.lane = (u32)LOCAL_ID;
  me.sum = 0;
  if (a.delay != 0 && me.unit == a.fault_unit) {
    // Zero stays zero.
    u32 nothing = a.zero;
    for (u32 i = 0; i < a.delay; ++i) nothing = mix_bits(nothing);
    me.sum = nothing;
  }
  return me;
}

// The bits that the self-test turns over here; 0 otherwise.
DEVICE_FUNCTION u64 unit_fault(UnitLane me, UnitArguments a, u32 operation) {
  const int here = (a.fault_unit == me.unit || a.fault_unit == UNIT_EVERY) && a.fault_lane == me.lane &&
                   (a.fault_operation == operation || a.fault_operation == UNIT_EVERY);
  return here ? a.fault_bits : 0;
}

// The same for results of 32 bits.
DEVICE_FUNCTION u32 unit_fault32(UnitLane me, UnitArguments a, u32 operation) {
  const u64 bits = unit_fault(me, a, operation);
  return (u32)bits | (u32)(bits >> 32);
}

DEVICE_FUNCTION void unit_check(UnitLane* me, const GLOBAL u64* expected, GLOBAL UnitErrors* errors, u32 operation,
                                u64 found) {
  me->sum += unit_weigh(found, operation, me->lane);
  const u64 wanted = expected[operation * GROUP_SIZE + me->lane];
  if (found == wanted) return;
  ATOMIC_INCREMENT(&errors->count);
  const u64 slot = errors->recorded < UNIT_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : UNIT_RECORDS;
  if (slot >= UNIT_RECORDS) return;
  GLOBAL UnitRecord* const record = &errors->records[slot];
  record->group = GROUP_ID;
  record->expected = wanted;
  record->found = found;
  record->unit = me->unit;
  record->lane = me->lane;
  record->operation = operation;
}

DEVICE_FUNCTION void unit_end(UnitLane me, GLOBAL UnitGroup* groups) {
  GLOBAL UnitGroup* const group = &groups[GROUP_ID];
  ATOMIC_ADD(&group->sum, me.sum);
  ATOMIC_INCREMENT_U32(&group->lanes);
  if (me.lane == 0) group->unit = me.unit;
}

DEVICE_FUNCTION u64 unit_turn(u64 word, u32 by) { return (word << (by & 63)) | (word >> ((64 - by) & 63)); }

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_WORK_H_
