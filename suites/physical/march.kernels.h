// The kernels of the march over device memory, for CUDA C++, OpenCL C and C++ (portable.h).
//
// Memory is walked in vectors of 16 bytes, each work item holding MARCH_IN_FLIGHT of them, a group's width apart. What
// a vector should hold follows from its index in all the memory under test and from the pattern, so it is computed
// again and never kept. "Descending" walks the groups from the last to the first.
#ifndef MUSTER_SUITES_PHYSICAL_MARCH_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_MARCH_KERNELS_H_

#include "suites/physical/portable.h"

#define MARCH_IN_FLIGHT 4
#define MARCH_RECORDS 64

// What the words of a vector are.
#define MARCH_HASH 0     // A hash of index and key: no two vectors of a pass are the same.
#define MARCH_SOLID 1    // `key` everywhere.
#define MARCH_WALK 2     // `key` turned left by one more bit with each vector.
#define MARCH_CHECKER 3  // `key` and its inverse, changing every 2^shift vectors and from word to word.

typedef struct {
  u32 kind;
  u32 key;
  u32 shift;
  u32 inverted;  // All bits turned over.
} MarchPattern;

typedef struct {
  u64 vectors;     // In this buffer.
  u64 base;        // Index of its first vector.
  u64 alias_mask;  // For the self-test: these bits of the address do not arrive. Otherwise 0.
  u32 descending;
  u32 mirrored;  // The vectors lie in reverse order since the last march_mirror.
  MarchPattern expected;
  MarchPattern written;
} MarchArguments;

typedef struct {
  u64 index;
  u32 expected[4];
  u32 found[4];
  u32 again[4];  // Read once more, past the caches.
} MarchRecord;

typedef struct {
  u64 count;
  u64 recorded;
  MarchRecord records[MARCH_RECORDS];
} MarchErrors;

// For the self-test: what becomes of the vector at `vector` of the buffer.
typedef struct {
  u64 vector;
  u32 and_mask[4];
  u32 or_mask[4];
  u32 xor_mask[4];
} MarchFault;

DEVICE_FUNCTION u32 march_turn(u32 word, u32 by) { return (word << (by & 31)) | (word >> ((32 - by) & 31)); }

DEVICE_FUNCTION u32x4 march_value(u64 index, MarchPattern p) {
  const u32 low = (u32)index;
  u32x4 value;
  if (p.kind == MARCH_HASH) {
    // The first word tells the lower half of the index, the second with it the upper half.
    value.x = mix_bits(low ^ p.key);
    value.y = march_turn(value.x, 13) + (u32)(index >> 32) * 0x9e3779b1u + p.key;
    value.z = (value.x ^ march_turn(value.y, 7)) * 0x85ebca6bu;
    value.w = (value.y ^ (value.z >> 15)) * 0xc2b2ae35u;
  } else if (p.kind == MARCH_WALK) {
    value.x = march_turn(p.key, low);
    value.y = march_turn(p.key, low + 8);
    value.z = march_turn(p.key, low + 16);
    value.w = march_turn(p.key, low + 24);
  } else if (p.kind == MARCH_CHECKER) {
    const u32 word = (index >> p.shift) & 1 ? ~p.key : p.key;
    value = MAKE_U32X4(word, ~word, word, ~word);
  } else {
    value = MAKE_U32X4(p.key, p.key, p.key, p.key);
  }
  if (p.inverted) value = MAKE_U32X4(~value.x, ~value.y, ~value.z, ~value.w);
  return value;
}

// The index of the vector that lies at `i` of the buffer.
DEVICE_FUNCTION u64 march_index(u64 i, MarchArguments a) { return a.base + (a.mirrored ? a.vectors - 1 - i : i); }

DEVICE_FUNCTION u64 march_first(MarchArguments a) {
  const u64 group = a.descending ? GROUPS - 1 - GROUP_ID : GROUP_ID;
  return group * GROUP_SIZE * MARCH_IN_FLIGHT + LOCAL_ID;
}

DEVICE_FUNCTION int march_same(u32x4 a, u32x4 b) {
  return ((a.x ^ b.x) | (a.y ^ b.y) | (a.z ^ b.z) | (a.w ^ b.w)) == 0;
}

DEVICE_FUNCTION void march_put(GLOBAL u32* to, u32x4 value) {
  to[0] = value.x;
  to[1] = value.y;
  to[2] = value.z;
  to[3] = value.w;
}

DEVICE_FUNCTION void march_record(GLOBAL MarchErrors* errors, GLOBAL u32x4* place, u64 index, u32x4 expected,
                                  u32x4 found) {
  ATOMIC_INCREMENT(&errors->count);
  const u64 slot = errors->recorded < MARCH_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : MARCH_RECORDS;
  if (slot >= MARCH_RECORDS) return;
  GLOBAL MarchRecord* record = &errors->records[slot];
  record->index = index;
  march_put(record->expected, expected);
  march_put(record->found, found);
  march_put(record->again, LOAD_PAST_CACHES(place));
}

KERNEL march_write(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, MarchArguments a) {
  const u64 first = march_first(a);
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) STORE_STREAMING(data + (i & ~a.alias_mask), march_value(march_index(i, a), a.written));
  }
}

KERNEL march_verify(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, MarchArguments a) {
  const u64 first = march_first(a);
  u32x4 found[MARCH_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) found[j] = LOAD_STREAMING(data + (i & ~a.alias_mask));
  }
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i >= a.vectors) continue;
    const u32x4 expected = march_value(march_index(i, a), a.expected);
    if (!march_same(expected, found[j]))
      march_record(errors, data + (i & ~a.alias_mask), a.base + i, expected, found[j]);
  }
}

KERNEL march_verify_write(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, MarchArguments a) {
  const u64 first = march_first(a);
  u32x4 found[MARCH_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i < a.vectors) found[j] = LOAD_STREAMING(data + (i & ~a.alias_mask));
  }
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i >= a.vectors) continue;
    const u64 index = march_index(i, a);
    const u32x4 expected = march_value(index, a.expected);
    if (!march_same(expected, found[j]))
      march_record(errors, data + (i & ~a.alias_mask), a.base + i, expected, found[j]);
    STORE_STREAMING(data + (i & ~a.alias_mask), march_value(index, a.written));
  }
}

// Every vector changes places with the one as far from the other end. For groups that cover half of the vectors.
KERNEL march_mirror(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, MarchArguments a) {
  const u64 first = march_first(a);
  const u64 middle = a.vectors / 2;
  u32x4 front[MARCH_IN_FLIGHT];
  u32x4 back[MARCH_IN_FLIGHT];
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i >= middle) continue;
    front[j] = LOAD_STREAMING(data + i);
    back[j] = LOAD_STREAMING(data + (a.vectors - 1 - i));
  }
  UNROLL
  for (int j = 0; j < MARCH_IN_FLIGHT; ++j) {
    const u64 i = first + j * GROUP_SIZE;
    if (i >= middle) continue;
    STORE_STREAMING(data + i, back[j]);
    STORE_STREAMING(data + (a.vectors - 1 - i), front[j]);
  }
}

// One work item.
KERNEL march_inject(GLOBAL u32x4* data, GLOBAL MarchErrors* errors, MarchFault f) {
  u32x4 value = data[f.vector];
  value = MAKE_U32X4(((value.x & f.and_mask[0]) | f.or_mask[0]) ^ f.xor_mask[0],
                     ((value.y & f.and_mask[1]) | f.or_mask[1]) ^ f.xor_mask[1],
                     ((value.z & f.and_mask[2]) | f.or_mask[2]) ^ f.xor_mask[2],
                     ((value.w & f.and_mask[3]) | f.or_mask[3]) ^ f.xor_mask[3]);
  data[f.vector] = value;
}

#endif  // MUSTER_SUITES_PHYSICAL_MARCH_KERNELS_H_
