// The kernels that measure bandwidth and latency, for CUDA C++, OpenCL C and C++ (portable.h).
//
// Memory is walked in vectors of 16 bytes. What is moved holds the hash of march.kernels.h, so that each vector tells
// where it belongs; march_write and march_verify write and verify it.
#ifndef MUSTER_SUITES_PHYSICAL_STREAM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_STREAM_KERNELS_H_

#include "suites/physical/march.kernels.h"

// What a group of stream_read reads, each work item in STREAM_READ_IN_FLIGHT loads.
#define STREAM_READ_GROUP 256
#define STREAM_READ_IN_FLIGHT 8
#define STREAM_TILE ((u64)(STREAM_READ_GROUP * STREAM_READ_IN_FLIGHT))
// Sums of a region: as many as its work items add to at once without waiting for one another.
#define STREAM_SUMS 32
#define STREAM_SCALE 3

typedef struct {
  u64 vectors;
  // Index of the first: of what is written, of what is read.
  u64 to;
  u64 from;
  u64 region;  // Tiles of a region of stream_read.
  u32 key;
} StreamArguments;

// One vector a work item: on an H200 four in flight came to 0.96 of that, for every order and hint tried.
KERNEL stream_copy(GLOBAL u32x4* to, GLOBAL u32x4* from, StreamArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (i < a.vectors) STORE_STREAMING(to + a.to + i, LOAD_STREAMING(from + a.from + i));
}

// The share of vector `index` in the sums of its region. Odd factors keep every difference of one vector.
DEVICE_FUNCTION u64 stream_share(u32x4 v, u64 index) {
  return (u64)(v.x + 3 * v.y + 5 * v.z + 7 * v.w) * (2 * index + 1);
}

// Adds to the sums of its tile's region what lies from a.from on, as if it lay at a.to. Groups are those of the tiles
// that a.to and the vectors from there on touch.
KERNEL stream_read(GLOBAL u32x4* from, GLOBAL u64* sums, StreamArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(words);
  LOCAL u64* const shares = (LOCAL u64*)words;
  const u64 tile = a.to / STREAM_TILE + GROUP_ID;
  const u64 first = tile * STREAM_TILE + LOCAL_ID;
  const u64 end = a.to + a.vectors;
  u32x4 held[STREAM_READ_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < STREAM_READ_IN_FLIGHT; ++j) {
    const u64 i = first + j * STREAM_READ_GROUP;
    if (i >= a.to && i < end) held[j] = LOAD_STREAMING(from + (i - a.to + a.from));
  }
  u64 sum = 0;
  UNROLL
  for (int j = 0; j < STREAM_READ_IN_FLIGHT; ++j) {
    const u64 i = first + j * STREAM_READ_GROUP;
    if (i >= a.to && i < end) sum += stream_share(held[j], i);
  }
  shares[LOCAL_ID] = sum;
  BARRIER;
  if (LOCAL_ID >= STREAM_SUMS) return;
  for (u64 k = LOCAL_ID + STREAM_SUMS; k < STREAM_READ_GROUP; k += STREAM_SUMS) sum += shares[k];
  ATOMIC_ADD(sums + tile / a.region * STREAM_SUMS + LOCAL_ID, sum);
}

// The same for the whole pattern, computed and not read.
KERNEL stream_expect(GLOBAL u64* sums, StreamArguments a) {
  const MarchPattern pattern = {MARCH_HASH, a.key, 0, 0};
  u64 sum = 0;
  for (int j = 0; j < STREAM_READ_IN_FLIGHT; ++j) {
    const u64 i = GROUP_ID * STREAM_TILE + LOCAL_ID + j * STREAM_READ_GROUP;
    if (i < a.vectors) sum += stream_share(march_value(i, pattern), i);
  }
  ATOMIC_ADD(sums + GROUP_ID / a.region * STREAM_SUMS + LOCAL_ID % STREAM_SUMS, sum);
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

KERNEL stream_triad_fill(GLOBAL u32x4* b, GLOBAL u32x4* c, StreamArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (i >= a.vectors) return;
  b[i] = stream_operands(i, a.key);
  c[i] = stream_operands(i, ~a.key);
}

KERNEL stream_triad(GLOBAL u32x4* to, GLOBAL u32x4* b, GLOBAL u32x4* c, StreamArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (i >= a.vectors) return;
  STORE_STREAMING(to + a.to + i, stream_triad_of(LOAD_STREAMING(b + a.from + i), LOAD_STREAMING(c + a.from + i)));
}

// The a.vectors vectors from a.to on.
KERNEL stream_triad_verify(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, StreamArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
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
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
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
