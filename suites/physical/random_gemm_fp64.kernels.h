// random_fill in double precision: apart, for GPUs without it refuse a module that uses it anywhere.
#ifndef MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_FP64_KERNELS_H_

#include "suites/physical/random_gemm.kernels.h"

DEVICE_FUNCTION double random_number_fp64(u32 key, u64 index) {
  return (double)random_sum(key, index) * (1 / 37837.2275);
}

KERNEL random_fill_fp64(GLOBAL double* matrix, RandomArguments a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.count; i += GROUPS * GROUP_SIZE)
    matrix[i] = random_number_fp64(a.key, i);
}

#endif  // MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_FP64_KERNELS_H_
