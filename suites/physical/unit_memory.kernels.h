// Memory that belongs to a unit of the device, on every unit (unit_work.h): the local memory of a group, and the tags
// of the caches between it and global memory. For CUDA C++, OpenCL C and C++ (portable.h).
//
// Each element gives two results a lane: the first wrong word, as (word + 1) << 32 | differing bits, or 0; and a digest
// of all that it read.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_KERNELS_H_

#include "suites/physical/unit_work.h"

#define UNIT_SHARED_ELEMENTS 6
#define UNIT_TAG_ELEMENTS 4

// Of each word another, in a round another again: the place can be told from it.
DEVICE_FUNCTION u32 unit_word(u32 key, u32 word, u32 inverse) {
  return inverse ? ~mix_bits(key + word) : mix_bits(key + word);
}

typedef struct {
  u64 place;
  u64 digest;
} UnitReading;

DEVICE_FUNCTION void unit_read(UnitReading* reading, u32 i, u32 word, u32 expected, u32 found) {
  if (found != expected && reading->place == 0) reading->place = (u64)(word + 1) << 32 | (found ^ expected);
  reading->digest += (u64)found * (2 * i + 1);
}

// Element 0 writes, 1 to 4 read and write the inverse, 5 reads; 3 to 5 go downwards (March C-, memory_march.h).
DEVICE_FUNCTION u32 unit_shared_reads(u32 element) { return element != 0; }
DEVICE_FUNCTION u32 unit_shared_writes(u32 element) { return element != UNIT_SHARED_ELEMENTS - 1; }
DEVICE_FUNCTION u32 unit_shared_word(u32 element, u32 words, u32 i) { return element >= 3 ? words - 1 - i : i; }
// From element to element another lane has a word, and another bank serves the lane.
DEVICE_FUNCTION u32 unit_shared_first(u32 element, u32 lane, u32 lanes) { return (lane + element * 33) % lanes; }

// inputs[0]: words of local memory.
KERNEL unit_shared_memory(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                          GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
  LOCAL_POINTER(memory);
  UnitLane me = unit_begin(a);
  const u32 words = (u32)inputs[0];
  for (u32 element = 0; element < UNIT_SHARED_ELEMENTS; ++element) {
    UnitReading reading = {0, 0};
    // In the first word that the lane writes.
    u32 fault = unit_fault32(me, a, 2 * element);
    for (u32 i = unit_shared_first(element, me.lane, (u32)GROUP_SIZE); i < words; i += (u32)GROUP_SIZE) {
      const u32 word = unit_shared_word(element, words, i);
      if (unit_shared_reads(element)) {
        unit_read(&reading, i, word, unit_word(a.key, word, (element - 1) & 1), memory[word]);
      }
      if (unit_shared_writes(element)) memory[word] = unit_word(a.key, word, element & 1) ^ fault;
      fault = 0;
    }
    unit_check(&me, expected, errors, 2 * element, reading.place);
    unit_check(&me, expected, errors, 2 * element + 1, reading.digest);
    BARRIER;
  }
  unit_end(me, groups);
}

// Elements 0 and 2 read a window in order, which brings its lines into the cache; 1 and 3 read it over again in an
// order that jumps from line to line. Between 1 and 2 the window is written anew: what is stale shows.
DEVICE_FUNCTION u32 unit_tags_word(u32 element, u32 words, u32 key, u32 i) {
  return (element & 1) != 0 ? (i * 0x9e3779b1u + key) & (words - 1) : i;
}

// inputs[0]: words of a group's window, a power of two; the window is the group's scratch.
KERNEL unit_cache_tags(GLOBAL u64* inputs, GLOBAL u64* expected, GLOBAL UnitGroup* groups, GLOBAL UnitErrors* errors,
                       GLOBAL u32* scratch, UnitArguments a LOCAL_PARAMETER) {
  UnitLane me = unit_begin(a);
  const u32 words = (u32)inputs[0];
  GLOBAL u32* const window = scratch + GROUP_ID * words;
  // No two windows hold the same values.
  const u32 own = mix_bits((u32)GROUP_ID + a.key + 1);
  for (u32 element = 0; element < UNIT_TAG_ELEMENTS; ++element) {
    const u32 inverse = element >> 1;
    if ((element & 1) == 0) {
      for (u32 i = me.lane; i < words; i += (u32)GROUP_SIZE) window[i] = unit_word(a.key, i, inverse) ^ own;
    }
    BARRIER;
    // Address bits that the lane's reads lose; the lowest for those that the window has not.
    const u32 bits = unit_fault32(me, a, 2 * element);
    const u32 fault = (bits & (words - 1)) | (bits >= words ? 1u : 0u);
    UnitReading reading = {0, 0};
    for (u32 i = me.lane; i < words; i += (u32)GROUP_SIZE) {
      const u32 word = unit_tags_word(element, words, a.key, i);
      unit_read(&reading, i, word, unit_word(a.key, word, inverse), window[word & ~fault] ^ own);
    }
    unit_check(&me, expected, errors, 2 * element, reading.place);
    unit_check(&me, expected, errors, 2 * element + 1, reading.digest);
    BARRIER;
  }
  unit_end(me, groups);
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_KERNELS_H_
