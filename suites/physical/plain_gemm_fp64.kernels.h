// The plain product in double precision: apart, for GPUs without it refuse a module that uses it anywhere.
#ifndef MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_FP64_KERNELS_H_

#include "suites/physical/plain_gemm.kernels.h"

#define PLAIN_LOAD_DOUBLE(matrix, index) (((GLOBAL double*)matrix)[index])

KERNEL plain_multiply_fp64(GLOBAL void* c, GLOBAL void* a, GLOBAL void* b, PlainArguments g LOCAL_PARAMETER) {
  PLAIN_MULTIPLY(double, PLAIN_LOAD_DOUBLE)
}

#endif  // MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_FP64_KERNELS_H_
