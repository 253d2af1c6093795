// The kernels of the all-reduce over devices, for CUDA C++, OpenCL C and C++ (portable.h).
//
// What each device gives follows from its place among them and from the element's, and is a small integer: every order
// of adding gives the same sum, exactly. Memory is walked in words of 32 bits: one element, or two of bf16.
#ifndef MUSTER_SUITES_PHYSICAL_ALL_REDUCE_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_ALL_REDUCE_KERNELS_H_

#include "suites/physical/portable.h"

#define REDUCE_INT32 0
#define REDUCE_FP32 1
#define REDUCE_BF16 2
// Sums of so many are exact in each type: 16 × 8 <= 256, 16 × 2^19 <= 2^24, 16 × 2^25 < 2^31.
#define REDUCE_MOST_DEVICES 16

#define REDUCE_RECORDS 16
#define REDUCE_NOBODY 0xffffffffu

typedef struct {
  u64 words;
  u32 type;
  u32 key;
  u32 device;   // Who gives.
  u32 devices;  // How many do.
} ReduceArguments;

typedef struct {
  u64 count;
  u64 recorded;
  u64 word[REDUCE_RECORDS];
  u32 expected[REDUCE_RECORDS];
  u32 found[REDUCE_RECORDS];
} ReduceErrors;

// What the device gives at the element.
DEVICE_FUNCTION int reduce_given(u64 element, u32 device, ReduceArguments a) {
  const u32 of_device = mix_bits(a.key + 0x9e3779b1u * (device + 1));
  const u32 hash = mix_bits((u32)element ^ of_device) + (u32)(element >> 32) * 0x85ebca6bu;
  if (a.type == REDUCE_INT32) return (int)(hash >> 6) - (1 << 25);
  if (a.type == REDUCE_FP32) return (int)(hash >> 12) - (1 << 19);
  return (int)(hash >> 28) - 8;
}

// The sum over the devices, without `but`.
DEVICE_FUNCTION int reduce_sum(u64 element, u32 but, ReduceArguments a) {
  int sum = 0;
  for (u32 device = 0; device < a.devices; ++device) sum += device == but ? 0 : reduce_given(element, device, a);
  return sum;
}

// Two elements of bf16, the first in the lower half.
DEVICE_FUNCTION u32 reduce_halves(int first, int second) {
  return (FLOAT_BITS((float)first) >> 16) | (FLOAT_BITS((float)second) & 0xffff0000u);
}

DEVICE_FUNCTION u32 reduce_given_word(u64 word, u32 device, ReduceArguments a) {
  if (a.type == REDUCE_BF16)
    return reduce_halves(reduce_given(2 * word, device, a), reduce_given(2 * word + 1, device, a));
  const int given = reduce_given(word, device, a);
  return a.type == REDUCE_FP32 ? FLOAT_BITS((float)given) : (u32)given;
}

DEVICE_FUNCTION u32 reduce_sum_word(u64 word, u32 but, ReduceArguments a) {
  if (a.type == REDUCE_BF16) return reduce_halves(reduce_sum(2 * word, but, a), reduce_sum(2 * word + 1, but, a));
  const int sum = reduce_sum(word, but, a);
  return a.type == REDUCE_FP32 ? FLOAT_BITS((float)sum) : (u32)sum;
}

DEVICE_FUNCTION u32 reduce_add_words(u32 x, u32 y, u32 type) {
  if (type == REDUCE_INT32) return x + y;
  if (type == REDUCE_FP32) return FLOAT_BITS(AS_FLOAT(x) + AS_FLOAT(y));
  // Sums that bf16 holds exactly: nothing to round.
  return (FLOAT_BITS(AS_FLOAT(x << 16) + AS_FLOAT(y << 16)) >> 16) |
         FLOAT_BITS(AS_FLOAT(x & 0xffff0000u) + AS_FLOAT(y & 0xffff0000u));
}

KERNEL reduce_fill(GLOBAL u32* data, ReduceArguments a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.words; i += GROUPS * GROUP_SIZE)
    data[i] = reduce_given_word(i, a.device, a);
}

KERNEL reduce_verify(GLOBAL u32* data, GLOBAL ReduceErrors* errors, ReduceArguments a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.words; i += GROUPS * GROUP_SIZE) {
    const u32 expected = reduce_sum_word(i, REDUCE_NOBODY, a);
    const u32 found = data[i];
    if (found == expected) continue;
    ATOMIC_INCREMENT(&errors->count);
    const u64 slot = errors->recorded < REDUCE_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : REDUCE_RECORDS;
    if (slot >= REDUCE_RECORDS) continue;
    errors->word[slot] = i;
    errors->expected[slot] = expected;
    errors->found[slot] = found;
  }
}

// to += from
KERNEL reduce_add(GLOBAL u32* to, GLOBAL u32* from, ReduceArguments a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.words; i += GROUPS * GROUP_SIZE)
    to[i] = reduce_add_words(to[i], from[i], a.type);
}

#endif  // MUSTER_SUITES_PHYSICAL_ALL_REDUCE_KERNELS_H_
