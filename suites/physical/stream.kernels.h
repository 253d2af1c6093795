// The kernels that measure bandwidth and latency, for CUDA C++, OpenCL C and C++ (portable.h).
//
// Memory is walked in vectors of 16 bytes. What is moved holds the hash of march.kernels.h, so that each vector tells
// where it belongs; march_write and march_verify write and verify it.
#ifndef MUSTER_SUITES_PHYSICAL_STREAM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_STREAM_KERNELS_H_

#include "suites/physical/march.kernels.h"

// Independent vectors that a work item of stream_copy and of stream_triad has in flight.
#define STREAM_IN_FLIGHT 4
// Of stream_read.
#define STREAM_READ_IN_FLIGHT 4
#define STREAM_SCALE 3

typedef struct {
  u64 vectors;
  // Index of the first: of what is written, of what is read.
  u64 to;
  u64 from;
  u64 region;  // Vectors of a sum of stream_read.
  u32 key;
} StreamArguments;

DEVICE_FUNCTION u64 stream_first(u32 in_flight) { return GROUP_ID * GROUP_SIZE * in_flight + LOCAL_ID; }

KERNEL stream_copy(GLOBAL u32x4* to, GLOBAL u32x4* from, StreamArguments a) {
  const u64 first = stream_first(STREAM_IN_FLIGHT);
  u32x4 held[STREAM_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < STREAM_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) held[j] = LOAD_STREAMING(from + a.from + i);
  }
  UNROLL
  for (int j = 0; j < STREAM_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) STORE_STREAMING(to + a.to + i, held[j]);
  }
}

// The share of vector `index` in the sum of its region. Odd factors keep every difference of one vector.
DEVICE_FUNCTION u64 stream_share(u32x4 v, u64 index) {
  return (u64)(v.x + 3 * v.y + 5 * v.z + 7 * v.w) * (2 * index + 1);
}

DEVICE_FUNCTION u64 stream_least(u64 a, u64 b) { return a < b ? a : b; }

// Each group reads a region of the data, and adds to its sum what lies from a.from on, as if it lay at a.to.
KERNEL stream_read(GLOBAL u32x4* from, GLOBAL u64* sums, StreamArguments a) {
  const u64 end = stream_least((GROUP_ID + 1) * a.region, a.to + a.vectors);
  const u64 first = GROUP_ID * a.region < a.to ? a.to : GROUP_ID * a.region;
  u64 sum = 0;
  u64 i = first + LOCAL_ID;
  for (; i + (STREAM_READ_IN_FLIGHT - 1) * GROUP_SIZE < end; i += STREAM_READ_IN_FLIGHT * GROUP_SIZE) {
    u32x4 held[STREAM_READ_IN_FLIGHT];
    UNROLL
    for (int j = 0; j < STREAM_READ_IN_FLIGHT; ++j)
      held[j] = LOAD_STREAMING(from + (i - a.to + a.from) + j * GROUP_SIZE);
    UNROLL
    for (int j = 0; j < STREAM_READ_IN_FLIGHT; ++j) sum += stream_share(held[j], i + j * GROUP_SIZE);
  }
  for (; i < end; i += GROUP_SIZE) sum += stream_share(from[i - a.to + a.from], i);
  ATOMIC_ADD(sums + GROUP_ID, sum);
}

// The same for the whole pattern, computed and not read.
KERNEL stream_expect(GLOBAL u64* sums, StreamArguments a) {
  const MarchPattern pattern = {MARCH_HASH, a.key, 0, 0};
  const u64 end = stream_least((GROUP_ID + 1) * a.region, a.vectors);
  u64 sum = 0;
  for (u64 i = GROUP_ID * a.region + LOCAL_ID; i < end; i += GROUP_SIZE)
    sum += stream_share(march_value(i, pattern), i);
  ATOMIC_ADD(sums + GROUP_ID, sum);
}

// Operands of the triad: integers under 2^20 that differ from element to element, so that b + 3 c is exact.
DEVICE_FUNCTION float stream_operand(u32 word) { return (float)(word >> 12); }

DEVICE_FUNCTION u32x4 stream_triad_of(u32x4 b, u32x4 c) {
  return MAKE_U32X4(FLOAT_BITS(AS_FLOAT(b.x) + STREAM_SCALE * AS_FLOAT(c.x)),
                    FLOAT_BITS(AS_FLOAT(b.y) + STREAM_SCALE * AS_FLOAT(c.y)),
                    FLOAT_BITS(AS_FLOAT(b.z) + STREAM_SCALE * AS_FLOAT(c.z)),
                    FLOAT_BITS(AS_FLOAT(b.w) + STREAM_SCALE * AS_FLOAT(c.w)));
}

DEVICE_FUNCTION u32x4 stream_operands(u64 index, u32 key) {
  const MarchPattern pattern = {MARCH_HASH, key, 0, 0};
  const u32x4 v = march_value(index, pattern);
  return MAKE_U32X4(FLOAT_BITS(stream_operand(v.x)), FLOAT_BITS(stream_operand(v.y)), FLOAT_BITS(stream_operand(v.z)),
                    FLOAT_BITS(stream_operand(v.w)));
}

// One vector a work item.
KERNEL stream_triad_fill(GLOBAL u32x4* b, GLOBAL u32x4* c, StreamArguments a) {
  const u64 i = stream_first(1);
  if (i >= a.vectors) return;
  b[i] = stream_operands(i, a.key);
  c[i] = stream_operands(i, ~a.key);
}

KERNEL stream_triad(GLOBAL u32x4* to, GLOBAL u32x4* b, GLOBAL u32x4* c, StreamArguments a) {
  const u64 first = stream_first(STREAM_IN_FLIGHT);
  u32x4 left[STREAM_IN_FLIGHT];
  u32x4 right[STREAM_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < STREAM_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i >= a.vectors) continue;
    left[j] = LOAD_STREAMING(b + a.from + i);
    right[j] = LOAD_STREAMING(c + a.from + i);
  }
  UNROLL
  for (int j = 0; j < STREAM_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) STORE_STREAMING(to + a.to + i, stream_triad_of(left[j], right[j]));
  }
}

// The a.vectors vectors from a.to on.
KERNEL stream_triad_verify(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, StreamArguments a) {
  const u64 i = stream_first(1);
  if (i >= a.vectors) return;
  const u64 index = a.to + i;
  const u32x4 expected = stream_triad_of(stream_operands(index, a.key), stream_operands(index, ~a.key));
  const u32x4 found = LOAD_STREAMING(data + index);
  if (!march_same(expected, found)) march_record(errors, data + index, index, expected, found);
}

typedef struct {
  u64 steps;
  u32 start;
  u32 unused;
} ChaseArguments;

// Words between the links of a ring: 128 bytes, the longest cache line of the devices known.
#define CHASE_STRIDE 32

// ring[CHASE_STRIDE * i] = CHASE_STRIDE * next[i].
KERNEL chase_fill(GLOBAL u32* ring, GLOBAL u32* next, StreamArguments a) {
  const u64 i = stream_first(1);
  if (i < a.vectors) ring[CHASE_STRIDE * i] = CHASE_STRIDE * next[i];
}

// One work item: each load needs the one before.
KERNEL chase(GLOBAL u32* ring, GLOBAL u64* end, ChaseArguments a) {
  u32 at = CHASE_STRIDE * a.start;
  for (u64 i = 0; i < a.steps; ++i) at = ring[at];
  *end = at / CHASE_STRIDE;
}

typedef struct {
  u64 step;
} TickArguments;

// One work item: almost nothing, but what was launched can be counted.
KERNEL tick(GLOBAL u64* count, TickArguments a) { count[0] += 1; }

// The same where the order counts: a tick out of turn is counted in count[1].
KERNEL tick_in_turn(GLOBAL u64* count, TickArguments a) {
  if (count[0] != a.step) count[1] += 1;
  count[0] += 1;
}

#endif  // MUSTER_SUITES_PHYSICAL_STREAM_KERNELS_H_
