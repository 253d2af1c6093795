// Operands for products whose rate is measured: nearly normally distributed, for on zeros or few bits a GPU draws less
// power and clocks higher than on real data.
#ifndef MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_KERNELS_H_

#include "suites/physical/number_format.h"

typedef struct {
  u64 count;
  u32 key;
  u32 format;  // FORMAT_….
} RandomArguments;

// Of whole numbers, in place of 1.
#define RANDOM_INT8_DEVIATION 32

// Four uniform numbers of 16 bits together: their sum less its mean.
DEVICE_FUNCTION int random_sum(u32 key, u64 index) {
  const u32 first = mix_bits((u32)index ^ key);
  const u32 second = mix_bits(first ^ 0x9e3779b9u ^ (u32)(index >> 32));
  return (int)((first & 0xffffu) + (first >> 16) + (second & 0xffffu) + (second >> 16)) - 131070;
}

// With a mean of 0 and a deviation of 1 (the sum's is 37837.2: the root of 4 × (65536² - 1) / 12).
DEVICE_FUNCTION float random_number(u32 key, u64 index, u32 format) {
  const float scale = format == FORMAT_INT8 ? RANDOM_INT8_DEVIATION / 37837.2275f : 1 / 37837.2275f;
  return (float)random_sum(key, index) * scale;
}

KERNEL random_fill(GLOBAL void* matrix, RandomArguments a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.count; i += GROUPS * GROUP_SIZE)
    number_store(matrix, i, a.format, random_number(a.key, i, a.format));
}

#endif  // MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_KERNELS_H_
