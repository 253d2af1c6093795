// Pulses of work with one right answer: all lanes work for a while, wait, and work again, and check what they computed
// before they go on.
//
// Three kinds of work at once. Chains in fp32: x becomes (m x + a) mod p, exact in fp32 because every product stays
// under 2^24; since m and p have no common divisor a wrong state never becomes right again, and what so many steps make
// of a state is one multiplication and addition mod p, which the host worked out and the integer units compare. Words:
// the same mod 2^32. Tiles: 16 x 8 products of small whole numbers, summed up, with each entry computed by integers
// before; on NVIDIA's tensor cores, elsewhere by fp32 multiply-adds.
//
// Time is the device's own clock where a kernel can read one, else what the blocks of work and the turns of waiting
// take by the host's calibration. While they wait one lane of a group looks at the clock and the others stand at a
// barrier.
#ifndef MUSTER_SUITES_PHYSICAL_STRESS_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_STRESS_KERNELS_H_

#include "suites/physical/portable.h"

#define STRESS_PRIME 8161
#define STRESS_STEP_FACTOR 2999
#define STRESS_STEP_ADDEND 1733
#define STRESS_WORD_FACTOR 1664525u  // D. Knuth, "The Art of Computer Programming", volume 2, 3.3.4.
#define STRESS_WORD_ADDEND 1013904223u
#define STRESS_CHAINS 4
#define STRESS_WORDS 2
#define STRESS_TILES_A_STEP 4
#define STRESS_TILE_BOUND 100  // Of the operands; whole numbers that bf16 holds.
#define STRESS_RECORDS 16
#define STRESS_NO_PULSE 0xffffffffu

// What was wrong.
#define STRESS_CHAIN 0
#define STRESS_WORD 1
#define STRESS_TILE 2

typedef struct {
  u32 key;  // Of starting values and operands.
  u32 pulses;
  u32 first_pulse;  // Its number.
  u32 steps;        // Of all work between two checks: a block. At most 16, for tiles stay under 2^24.
  // What a block makes of a chain's state and of a word.
  u32 chain_factor;
  u32 chain_addend;
  u32 word_factor;
  u32 word_addend;
  u32 delay_ns;  // From the start to the first pulse.
  u32 busy_ns;
  u32 period_ns;
  // What a block and a turn of waiting take; without a clock.
  u32 block_ns;
  u32 wait_ns;
  u32 start_polls;  // How often the start is looked for at most.
  u32 names_units;
  // Test of the test: this unit's first lane has a wrong result of that kind in this pulse. STRESS_NO_PULSE: none.
  u32 inject_pulse;
  u32 inject_unit;
  u32 inject_kind;
} StressArguments;

// Of one group and pulse, in nanoseconds from the start on.
typedef struct {
  u32 begin_ns;
  u32 end_ns;
} StressPulse;

// Of one group.
typedef struct {
  u64 blocks;  // Of all pulses and of every 32 lanes.
  u64 unit;
} StressGroup;

typedef struct {
  u32 unit;
  u32 group;
  u32 lane;
  u32 pulse;
  u32 block;
  u32 kind;   // STRESS_CHAIN, …
  u32 index;  // Which chain, word or entry of a tile.
  u32 zero;
  i64 expected;
  i64 found;
} StressRecord;

typedef struct {
  u64 wrong;
  u64 recorded;
  u64 idle;  // Keeps the waiting from being left out.
  u32 tile_sets;
  u32 has_clock;
  StressRecord records[STRESS_RECORDS];
} StressErrors;

DEVICE_FUNCTION int stress_tile_value(u32 key, u32 index) {
  return (int)(mix_bits(index ^ key) % (2 * STRESS_TILE_BOUND + 1)) - STRESS_TILE_BOUND;
}

// The operands of 32 lanes' 16 x 8 x 16 product. A lane has four entries of it: rows r and r + 8, columns c and c + 1,
// as the tensor cores lay them out.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800

#define STRESS_TILE_SETS 4
typedef struct {
  u32 a[4];
  u32 b[2];
} StressOperands;

DEVICE_FUNCTION u32 stress_two(u32 key, u32 index) {
  const u32 low = FLOAT_BITS((float)stress_tile_value(key, index)) >> 16;
  return low | (FLOAT_BITS((float)stress_tile_value(key, index + 1)) & 0xffff0000u);
}

DEVICE_FUNCTION void stress_operands(u32 key_a, u32 key_b, u32 lane, StressOperands* to) {
  const u32 row = lane / 4;
  const u32 k = lane % 4 * 2;
  to->a[0] = stress_two(key_a, row * 16 + k);
  to->a[1] = stress_two(key_a, (row + 8) * 16 + k);
  to->a[2] = stress_two(key_a, row * 16 + k + 8);
  to->a[3] = stress_two(key_a, (row + 8) * 16 + k + 8);
  to->b[0] = stress_two(key_b, row * 16 + k);
  to->b[1] = stress_two(key_b, row * 16 + k + 8);
}

DEVICE_FUNCTION void stress_tile_step(float* c, const StressOperands* o) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(o->a[0]), "r"(o->a[1]), "r"(o->a[2]), "r"(o->a[3]), "r"(o->b[0]), "r"(o->b[1]));
}

#else

#define STRESS_TILE_SETS 1
typedef struct {
  float a[2][16];
  float b[2][16];
} StressOperands;

DEVICE_FUNCTION void stress_operands(u32 key_a, u32 key_b, u32 lane, StressOperands* to) {
  for (u32 side = 0; side < 2; ++side) {
    for (u32 k = 0; k < 16; ++k) {
      to->a[side][k] = (float)stress_tile_value(key_a, (lane / 4 + 8 * side) * 16 + k);
      to->b[side][k] = (float)stress_tile_value(key_b, (lane % 4 * 2 + side) * 16 + k);
    }
  }
}

DEVICE_FUNCTION void stress_tile_step(float* c, const StressOperands* o) {
  UNROLL
  for (u32 k = 0; k < 16; ++k) {
    UNROLL
    for (u32 entry = 0; entry < 4; ++entry) c[entry] += o->a[entry / 2][k] * o->b[entry % 2][k];
  }
}

#endif

typedef struct {
  StressOperands operands[STRESS_TILE_SETS];
  int products[STRESS_TILE_SETS][4];  // What one step adds to each entry.
  float tiles[STRESS_TILE_SETS][4];
  float chains[STRESS_CHAINS];
  u32 words[STRESS_WORDS];
} StressLane;

// Who it is that works, for the records.
typedef struct {
  u32 unit;
  u32 pulse;
  u32 block;
} StressPlace;

DEVICE_FUNCTION void stress_prepare(StressLane* lane, StressArguments a) {
  const u32 tile = (u32)(GROUP_ID * ((GROUP_SIZE + 31) / 32) + LOCAL_ID / 32);
  const u32 of_32 = (u32)(LOCAL_ID % 32);
  for (u32 set = 0; set < STRESS_TILE_SETS; ++set) {
    const u32 key_a = mix_bits(a.key + 8 * (tile * STRESS_TILE_SETS + set));
    const u32 key_b = mix_bits(key_a + 1);
    stress_operands(key_a, key_b, of_32, &lane->operands[set]);
    for (u32 entry = 0; entry < 4; ++entry) {
      const u32 row = of_32 / 4 + entry / 2 * 8;
      const u32 column = of_32 % 4 * 2 + entry % 2;
      int sum = 0;
      for (u32 k = 0; k < 16; ++k)
        sum += stress_tile_value(key_a, row * 16 + k) * stress_tile_value(key_b, column * 16 + k);
      lane->products[set][entry] = sum;
    }
  }
}

// Fresh states for a pulse.
DEVICE_FUNCTION void stress_begin_pulse(StressLane* lane, StressArguments a, u32 pulse) {
  const u32 item = (u32)(GROUP_ID * GROUP_SIZE + LOCAL_ID);
  const u32 key = mix_bits(a.key ^ mix_bits(pulse + 0x9e3779b9u * item));
  for (u32 i = 0; i < STRESS_CHAINS; ++i)
    lane->chains[i] = (float)((int)(mix_bits(key + i) % STRESS_PRIME) - STRESS_PRIME / 2);
  for (u32 i = 0; i < STRESS_WORDS; ++i) lane->words[i] = mix_bits(key + STRESS_CHAINS + i);
}

DEVICE_FUNCTION u32 stress_residue(float state) {
  const int whole = FLOAT_TO_INT(state) % STRESS_PRIME;
  return (u32)(whole < 0 ? whole + STRESS_PRIME : whole);
}

DEVICE_FUNCTION void stress_record(GLOBAL StressErrors* errors, StressPlace place, u32 kind, u32 index, i64 expected,
                                   i64 found) {
  ATOMIC_INCREMENT(&errors->wrong);
  const u64 slot = errors->recorded < STRESS_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : STRESS_RECORDS;
  if (slot >= STRESS_RECORDS) return;
  GLOBAL StressRecord* const record = &errors->records[slot];
  record->unit = place.unit;
  record->group = (u32)GROUP_ID;
  record->lane = (u32)LOCAL_ID;
  record->pulse = place.pulse;
  record->block = place.block;
  record->kind = kind;
  record->index = index;
  record->expected = expected;
  record->found = found;
}

DEVICE_FUNCTION void stress_work(StressLane* lane, u32 steps) {
  UNROLL
  for (u32 set = 0; set < STRESS_TILE_SETS; ++set) {
    UNROLL
    for (u32 entry = 0; entry < 4; ++entry) lane->tiles[set][entry] = 0;
  }
  for (u32 step = 0; step < steps; ++step) {
    UNROLL
    for (u32 tile = 0; tile < STRESS_TILES_A_STEP; ++tile) {
      UNROLL
      for (u32 set = 0; set < STRESS_TILE_SETS; ++set) stress_tile_step(lane->tiles[set], &lane->operands[set]);
    }
    UNROLL
    for (u32 i = 0; i < STRESS_CHAINS; ++i) {
      const float y = (float)STRESS_STEP_FACTOR * lane->chains[i] + (float)STRESS_STEP_ADDEND;
      // To the nearest whole number, as any sum with 1.5 x 2^23 comes out.
      const float quotient = (y * (1.0f / STRESS_PRIME) + 12582912.0f) - 12582912.0f;
      lane->chains[i] = y - (float)STRESS_PRIME * quotient;
    }
    UNROLL
    for (u32 i = 0; i < STRESS_WORDS; ++i) lane->words[i] = lane->words[i] * STRESS_WORD_FACTOR + STRESS_WORD_ADDEND;
  }
}

// A block of work and its check.
DEVICE_FUNCTION void stress_block(StressLane* lane, GLOBAL StressErrors* errors, StressArguments a, StressPlace place) {
  u32 chains[STRESS_CHAINS];
  u32 words[STRESS_WORDS];
  UNROLL
  for (u32 i = 0; i < STRESS_CHAINS; ++i)
    chains[i] = (stress_residue(lane->chains[i]) * a.chain_factor + a.chain_addend) % STRESS_PRIME;
  UNROLL
  for (u32 i = 0; i < STRESS_WORDS; ++i) words[i] = lane->words[i] * a.word_factor + a.word_addend;
  stress_work(lane, a.steps);
  if (place.pulse == a.inject_pulse && place.unit == a.inject_unit && place.block == 0 && LOCAL_ID == 0) {
    if (a.inject_kind == STRESS_CHAIN) lane->chains[0] += 1;
    if (a.inject_kind == STRESS_WORD) lane->words[0] ^= 1u << 20;
    if (a.inject_kind == STRESS_TILE) lane->tiles[0][0] += 1;
  }
  UNROLL
  for (u32 i = 0; i < STRESS_CHAINS; ++i) {
    const u32 found = stress_residue(lane->chains[i]);
    // Right states stay about zero; one that does not was off by a multiple of p.
    const int in_range = lane->chains[i] < STRESS_PRIME / 2 + 16 && lane->chains[i] > -(STRESS_PRIME / 2 + 16);
    if (found != chains[i] || !in_range) stress_record(errors, place, STRESS_CHAIN, i, chains[i], found);
  }
  UNROLL
  for (u32 i = 0; i < STRESS_WORDS; ++i)
    if (lane->words[i] != words[i]) stress_record(errors, place, STRESS_WORD, i, words[i], lane->words[i]);
  UNROLL
  for (u32 set = 0; set < STRESS_TILE_SETS; ++set) {
    UNROLL
    for (u32 entry = 0; entry < 4; ++entry) {
      const int expected = lane->products[set][entry] * (int)(a.steps * STRESS_TILES_A_STEP);
      if (lane->tiles[set][entry] != (float)expected)
        stress_record(errors, place, STRESS_TILE, 4 * set + entry, expected, FLOAT_TO_INT(lane->tiles[set][entry]));
    }
  }
}

// `records` are by pulse, then by group. `start` is 0 until the host lets all devices begin.
KERNEL stress_pulses(GLOBAL StressErrors* errors, GLOBAL StressPulse* records, GLOBAL StressGroup* totals,
                     GLOBAL u32* start, StressArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(shared);
  StressLane lane;
  const u32 unit = a.names_units ? UNIT_ID : (u32)GROUP_ID;
  stress_prepare(&lane, a);
  if (LOCAL_ID == 0) {
    for (u32 polls = 0; polls < a.start_polls && *(volatile GLOBAL u32*)start == 0; ++polls) PAUSE;
    if (GROUP_ID == 0) {
      errors->tile_sets = STRESS_TILE_SETS;
      errors->has_clock = HAS_CLOCK;
    }
    totals[GROUP_ID].unit = unit;
    shared[0] = mix_bits(a.key);
  }
  BARRIER;
  const u64 zero = CLOCK_NS;
  u32 idle = shared[0];
  u32 now = 0;  // Without a clock it goes by what was done.
  for (u32 n = 0; n < a.pulses; ++n) {
    const u32 begin = a.delay_ns + n * a.period_ns;
    if (LOCAL_ID == 0) {
      if (HAS_CLOCK) {
        while (CLOCK_NS - zero < begin) PAUSE;
      } else {
        for (u32 turn = now; turn < begin; turn += a.wait_ns) idle = mix_bits(idle);
      }
    }
    stress_begin_pulse(&lane, a, a.first_pulse + n);
    BARRIER;
    now = HAS_CLOCK ? (u32)(CLOCK_NS - zero) : now < begin ? begin : now;
    const u32 began = now;
    StressPlace place = {unit, a.first_pulse + n, 0};
    do {
      stress_block(&lane, errors, a, place);
      ++place.block;
      now = HAS_CLOCK ? (u32)(CLOCK_NS - zero) : now + a.block_ns;
    } while (now < begin + a.busy_ns);
    if (LOCAL_ID == 0) {
      GLOBAL StressPulse* const record = &records[n * GROUPS + GROUP_ID];
      record->begin_ns = began;
      record->end_ns = now;
    }
    if (LOCAL_ID % 32 == 0) ATOMIC_ADD(&totals[GROUP_ID].blocks, (u64)place.block);
  }
  if (LOCAL_ID == 0 && idle == 0) ATOMIC_INCREMENT(&errors->idle);
}

#endif  // MUSTER_SUITES_PHYSICAL_STRESS_KERNELS_H_
