// Values that go from lane to lane, on every unit (unit_work.h): by shuffles within a sub-group, and through local
// memory over the whole group, for CUDA C++, OpenCL C and C++ (portable.h). Groups are powers of two.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_KERNELS_H_

#include "suites/physical/portable_exchange.h"
#include "suites/physical/unit_work.h"

#define UNIT_SHUFFLE 0
#define UNIT_SHUFFLE_XOR 1
#define UNIT_SHUFFLE_UP 2
#define UNIT_SHUFFLE_DOWN 3
#define UNIT_BROADCAST 4
#define UNIT_BALLOT 5
#define UNIT_ANY 6
#define UNIT_ALL 7
#define UNIT_SHUFFLES 8

#define UNIT_REDUCE 0
#define UNIT_SCAN 1
#define UNIT_PERMUTE 2
#define UNIT_REGISTERS 3
#define UNIT_REDUCTIONS 4
// Registers of 32 bits that a lane keeps at once.
#define UNIT_LIVE_REGISTERS 64

// What a lane brings into a step.
DEVICE_FUNCTION u32 exchange_value(const GLOBAL u64* inputs, UnitArguments a, u32 lane, u32 step) {
  const u64 word = inputs[(lane * 37 + a.key + step * 11) & a.input_mask];
  return (u32)(word >> 32) ^ (u32)word;
}

// Whose value a lane asks for; never the same for all steps.
DEVICE_FUNCTION u32 exchange_from(UnitArguments a, u32 lane, u32 step) {
  return mix_bits(a.key ^ (lane * 0x9e3779b1u + step));
}

// Seldom, sometimes, mostly, or always true.
DEVICE_FUNCTION u32 exchange_vote(u32 value, u32 step) {
  const u32 kind = step & 3;
  return kind == 0 ? (value & 31) == 0 : kind == 1 ? (value & 1) : kind == 2 ? (value & 63) != 0 : 1;
}

// Work items of a group must all come here.
#if HAS_SHUFFLES
DEVICE_FUNCTION u32 exchange_shuffled(LOCAL u32* memory, u32 operation, u32 width, u32 value, u32 from, u32 step) {
  const u32 by = step & (width - 1);
  if (operation == UNIT_SHUFFLE) return shuffle(width, value, from & (width - 1));
  if (operation == UNIT_SHUFFLE_XOR) return shuffle_xor(width, value, by);
  if (operation == UNIT_SHUFFLE_UP) return shuffle_up(width, value, by);
  if (operation == UNIT_SHUFFLE_DOWN) return shuffle_down(width, value, by);
  if (operation == UNIT_BROADCAST) return shuffle(width, value, by);
  if (operation == UNIT_BALLOT) return ballot(width, exchange_vote(value, step));
  if (operation == UNIT_ANY) return any_vote(width, exchange_vote(value, step));
  return all_votes(width, exchange_vote(value, step));
}
#else
// Through local memory, a word for each work item.
DEVICE_FUNCTION u32 exchange_shuffled(LOCAL u32* memory, u32 operation, u32 width, u32 value, u32 from, u32 step) {
  const u32 by = step & (width - 1);
  const u32 item = (u32)LOCAL_ID;
  const u32 lane = item & (width - 1);
  const u32 first = item - lane;
  u32 source = from & (width - 1);
  if (operation == UNIT_SHUFFLE_XOR) source = lane ^ by;
  if (operation == UNIT_SHUFFLE_UP) source = lane < by ? lane : lane - by;
  if (operation == UNIT_SHUFFLE_DOWN) source = lane + by < width ? lane + by : lane;
  if (operation == UNIT_BROADCAST) source = by;
  memory[item] = value;
  BARRIER;
  u32 result = memory[first + source];
  u32 votes = 0;
  for (u32 i = 0; i < width; ++i) votes |= (u32)(exchange_vote(memory[first + i], step) != 0) << i;
  BARRIER;
  if (operation == UNIT_BALLOT) result = votes;
  if (operation == UNIT_ANY) result = votes != 0;
  if (operation == UNIT_ALL) result = votes == 0xffffffffu >> (32 - width);
  return result;
}
#endif

// The parameter is the width of shuffles. Local memory: a word for each lane.
KERNEL unit_shuffle(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                    GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(memory);
  UnitLane me = unit_begin(a);
  const u32 width = a.parameter;
  for (u32 operation = 0; operation < UNIT_SHUFFLES; ++operation) {
    const u32 fault = unit_fault32(me, a, operation);
    u32 last = 0;
    u64 digest = 0;
    for (u32 step = 0; step < a.steps; ++step) {
      const u32 value = exchange_value(inputs, a, me.lane, step) + last;
      last = exchange_shuffled(memory, operation, width, value, exchange_from(a, me.lane, step), step) ^ fault;
      digest = unit_turn(digest, 9) + last;
    }
    unit_check(&me, expected, errors, operation, digest);
  }
  unit_end(me, groups);
}

// As many live values as a lane can keep: each different, all needed to the end. The same on the host.
DEVICE_FUNCTION u64 unit_registers(UnitArguments a, u32 lane, u32 fault) {
  u32 kept[UNIT_LIVE_REGISTERS];
  UNROLL
  for (u32 i = 0; i < UNIT_LIVE_REGISTERS; ++i) kept[i] = mix_bits(a.key + lane * UNIT_LIVE_REGISTERS + i);
  for (u32 step = 0; step < a.steps; ++step) {
    // Through all registers and their inverses.
    const u32 first = kept[0];
    UNROLL
    for (u32 i = 0; i + 1 < UNIT_LIVE_REGISTERS; ++i) kept[i] = ~kept[i + 1] + step;
    kept[UNIT_LIVE_REGISTERS - 1] = (~first + step) ^ fault;
  }
  u64 digest = 0;
  UNROLL
  for (u32 i = 0; i < UNIT_LIVE_REGISTERS; ++i) digest = unit_turn(digest, 9) + kept[i];
  return digest;
}

// The sum over all lanes, for each of them, by halves.
DEVICE_FUNCTION u32 unit_reduced(LOCAL u32* memory, u32 lane, u32 value) {
  memory[lane] = value;
  for (u32 distance = (u32)GROUP_SIZE / 2; distance > 0; distance /= 2) {
    BARRIER;
    if (lane < distance) memory[lane] += memory[lane + distance];
  }
  BARRIER;
  const u32 sum = memory[0];
  BARRIER;
  return sum;
}

// The sum over all lanes to this one (W. D. Hillis, G. L. Steele, "Data parallel algorithms", 1986).
DEVICE_FUNCTION u32 unit_scanned(LOCAL u32* memory, u32 lane, u32 value) {
  memory[lane] = value;
  for (u32 distance = 1; distance < (u32)GROUP_SIZE; distance *= 2) {
    BARRIER;
    const u32 before = lane >= distance ? memory[lane - distance] : 0;
    BARRIER;
    memory[lane] += before;
  }
  const u32 sum = memory[lane];
  BARRIER;
  return sum;
}

// Written in one order, read in another; an odd factor turns round modulo a power of two.
DEVICE_FUNCTION u32 unit_permuted(LOCAL u32* memory, u32 lane, u32 value, u32 step) {
  const u32 mask = (u32)GROUP_SIZE - 1;
  memory[(lane * (2 * step + 1) + step) & mask] = value;
  BARRIER;
  const u32 found = memory[lane];
  BARRIER;
  return found;
}

// Local memory: a word for each lane. In `scratch` the sums of all groups together: of what the lanes' reductions gave,
// and the number of lanes.
KERNEL unit_reduction(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                      GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(memory);
  UnitLane me = unit_begin(a);
  GLOBAL u64* const together = (GLOBAL u64*)scratch;
  for (u32 operation = 0; operation < UNIT_REDUCTIONS; ++operation) {
    const u32 fault = unit_fault32(me, a, operation);
    u32 last = 0;
    u64 digest = 0;
    if (operation == UNIT_REGISTERS) digest = unit_registers(a, me.lane, fault);
    for (u32 step = 0; step < a.steps && operation != UNIT_REGISTERS; ++step) {
      const u32 value = exchange_value(inputs, a, me.lane, step) + last;
      last = operation == UNIT_REDUCE ? unit_reduced(memory, me.lane, value)
             : operation == UNIT_SCAN ? unit_scanned(memory, me.lane, value)
                                      : unit_permuted(memory, me.lane, value, step);
      last ^= fault;
      digest = unit_turn(digest, 9) + last;
    }
    unit_check(&me, expected, errors, operation, digest);
    if (operation == UNIT_REDUCE && (me.lane & 31) == 0) {
      ATOMIC_ADD(&together[0], digest);
      ATOMIC_ADD(&together[1], 1);
    }
  }
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_KERNELS_H_
