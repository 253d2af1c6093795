// Atomic operations on every unit (unit_work.h), on local memory and, by way of the last cache, on global memory: all
// lanes of a group on the same few words, whose last value does not depend on who came first. For CUDA C++, OpenCL C
// and C++ (portable.h).
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_ATOMICS_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_ATOMICS_KERNELS_H_

#include "suites/physical/portable_exchange.h"
#include "suites/physical/unit_work.h"

#define UNIT_ATOMIC_ADD 0
#define UNIT_ATOMIC_MIN 1
#define UNIT_ATOMIC_MAX 2
#define UNIT_ATOMIC_AND 3
#define UNIT_ATOMIC_OR 4
#define UNIT_ATOMIC_XOR 5
#define UNIT_ATOMIC_EXCHANGE 6
#define UNIT_ATOMIC_COMPARE 7
#define UNIT_ATOMIC_TICKETS 8
#define UNIT_ATOMICS 9
// Words that the lanes meet at.
#define UNIT_ATOMIC_WORDS 16
// Tickets that a lane draws.
#define UNIT_TICKETS 4
// Of an area: the words, the drawer of tickets, the sum of what exchanges took, and a place for each ticket.
#define UNIT_ATOMIC_AREA(lanes) (UNIT_ATOMIC_WORDS + 2 + UNIT_TICKETS * (lanes))

// What a lane brings, and to which word.
DEVICE_FUNCTION u64 atomic_value(const GLOBAL u64* inputs, UnitArguments a, u32 lane, u32 step) {
  return inputs[(lane * 37 + a.key + step * 11) & a.input_mask];
}
DEVICE_FUNCTION u32 atomic_word(u32 lane, u32 step) { return (lane + 7 * step + (lane >> 4)) % UNIT_ATOMIC_WORDS; }
DEVICE_FUNCTION u64 atomic_begin(u32 operation) {
  return operation == UNIT_ATOMIC_MIN || operation == UNIT_ATOMIC_AND ? ~(u64)0 : 0;
}

// atomics_NAME(area, …): one operation on memory of a space and a type; gives what the lane checks. All but tickets:
// the first lanes have a word each; of exchanges the sum of what was taken and of what is left is that of what was put;
// compare-and-exchange adds.
#define UNIT_ATOMICS_FUNCTION(name, SPACE, TYPE)                                                                    \
  DEVICE_FUNCTION void name##_step(SPACE TYPE* area, u32 operation, u32 at, TYPE value) {                           \
    SPACE TYPE* const word = area + at;                                                                             \
    if (operation == UNIT_ATOMIC_ADD) (void)ATOMIC_FETCH_ADD(word, value);                                          \
    if (operation == UNIT_ATOMIC_MIN) (void)ATOMIC_FETCH_MIN(word, value);                                          \
    if (operation == UNIT_ATOMIC_MAX) (void)ATOMIC_FETCH_MAX(word, value);                                          \
    if (operation == UNIT_ATOMIC_AND) (void)ATOMIC_FETCH_AND(word, value);                                          \
    if (operation == UNIT_ATOMIC_OR) (void)ATOMIC_FETCH_OR(word, value);                                            \
    if (operation == UNIT_ATOMIC_XOR) (void)ATOMIC_FETCH_XOR(word, value);                                          \
    if (operation == UNIT_ATOMIC_EXCHANGE) {                                                                        \
      const TYPE taken = ATOMIC_EXCHANGE(word, value);                                                              \
      (void)ATOMIC_FETCH_ADD(area + UNIT_ATOMIC_WORDS + 1, taken);                                                  \
    }                                                                                                               \
    if (operation == UNIT_ATOMIC_COMPARE) {                                                                         \
      TYPE before = *(volatile SPACE TYPE*)word;                                                                    \
      for (;;) {                                                                                                    \
        const TYPE seen = ATOMIC_COMPARE_EXCHANGE(word, before, (TYPE)(before + value));                            \
        if (seen == before) break;                                                                                  \
        before = seen;                                                                                              \
      }                                                                                                             \
    }                                                                                                               \
  }                                                                                                                 \
  DEVICE_FUNCTION u64 name(SPACE TYPE* area, const GLOBAL u64* inputs, UnitArguments a, u32 operation, u32 lane,    \
                           u32 fault) {                                                                             \
    SPACE TYPE* const drawer = area + UNIT_ATOMIC_WORDS;                                                            \
    SPACE TYPE* const places = area + UNIT_ATOMIC_WORDS + 2;                                                        \
    if (lane < UNIT_ATOMIC_WORDS) area[lane] = (TYPE)atomic_begin(operation);                                       \
    if (lane < 2) drawer[lane] = 0;                                                                                 \
    for (u32 i = 0; i < UNIT_TICKETS; ++i) places[lane * UNIT_TICKETS + i] = 0;                                     \
    BARRIER;                                                                                                        \
    for (u32 step = 0; step < a.steps && operation != UNIT_ATOMIC_TICKETS; ++step) {                                \
      name##_step(area, operation, atomic_word(lane, step), (TYPE)(atomic_value(inputs, a, lane, step) ^ fault));   \
    }                                                                                                               \
    for (u32 i = 0; i < UNIT_TICKETS && operation == UNIT_ATOMIC_TICKETS; ++i) {                                    \
      const u32 ticket = (u32)ATOMIC_FETCH_ADD(drawer, (TYPE)1) ^ fault;                                            \
      if (ticket < UNIT_TICKETS * (u32)GROUP_SIZE) (void)ATOMIC_FETCH_ADD(places + ticket, (TYPE)(ticket + a.key)); \
    }                                                                                                               \
    BARRIER;                                                                                                        \
    u64 digest = 0;                                                                                                 \
    if (operation == UNIT_ATOMIC_TICKETS) {                                                                         \
      for (u32 i = 0; i < UNIT_TICKETS; ++i) digest = unit_turn(digest, 9) + places[lane * UNIT_TICKETS + i];       \
    } else if (operation == UNIT_ATOMIC_EXCHANGE) {                                                                 \
      for (u32 i = 0; i < UNIT_ATOMIC_WORDS && lane == 0; ++i) digest += area[i];                                   \
      if (lane == 0) digest = (TYPE)(digest + drawer[1]);                                                           \
    } else if (lane < UNIT_ATOMIC_WORDS) {                                                                          \
      digest = area[lane];                                                                                          \
    }                                                                                                               \
    BARRIER;                                                                                                        \
    return digest;                                                                                                  \
  }
UNIT_ATOMICS_FUNCTION(atomics_local32, LOCAL, u32)
UNIT_ATOMICS_FUNCTION(atomics_global32, GLOBAL, u32)
#if HAS_ATOMICS_64
UNIT_ATOMICS_FUNCTION(atomics_local64, LOCAL, u64)
UNIT_ATOMICS_FUNCTION(atomics_global64, GLOBAL, u64)
#endif

#define UNIT_CHECK_ATOMICS(name, area, first)                                                                 \
  for (u32 operation = 0; operation < UNIT_ATOMICS; ++operation) {                                            \
    const u32 fault = unit_fault32(me, a, (first) + operation);                                               \
    unit_check(&me, expected, errors, (first) + operation, name(area, inputs, a, operation, me.lane, fault)); \
  }

// Every group has an area in local memory and one in scratch. Before the latter: the tickets that all groups draw from
// one drawer, their sum, and the sum of a hash of each.
KERNEL unit_atomics(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                    GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(memory);
  UnitLane me = unit_begin(a);
  GLOBAL u64* const common = (GLOBAL u64*)scratch;
  GLOBAL u32* const area = scratch + 6 + GROUP_ID * UNIT_ATOMIC_AREA((u32)GROUP_SIZE);
  UNIT_CHECK_ATOMICS(atomics_local32, memory, 0)
  UNIT_CHECK_ATOMICS(atomics_global32, area, UNIT_ATOMICS)
  if ((me.lane & 15) == 0) {
    const u32 ticket = ATOMIC_FETCH_ADD(scratch, 1u);
    ATOMIC_ADD(&common[1], ticket);
    ATOMIC_ADD(&common[2], mix_bits(ticket));
  }
  unit_end(me, groups);
}

// The same in 64 bits; nothing without HAS_ATOMICS_64.
KERNEL unit_atomics64(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                      GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
#if HAS_ATOMICS_64
  LOCAL_POINTER(memory);
  UnitLane me = unit_begin(a);
  GLOBAL u64* const area = (GLOBAL u64*)scratch + GROUP_ID * UNIT_ATOMIC_AREA(GROUP_SIZE);
  LOCAL u64* const local_area = (LOCAL u64*)memory;
  UNIT_CHECK_ATOMICS(atomics_local64, local_area, 0)
  UNIT_CHECK_ATOMICS(atomics_global64, area, UNIT_ATOMICS)
  unit_end(me, groups);
#endif
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_ATOMICS_KERNELS_H_
