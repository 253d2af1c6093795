// The golden product's kernels that compute in double precision: in a file, and so a SPIR-V module, of their own, for
// GPUs without it (Intel's Arc) refuse a module that uses it anywhere.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_

#include "suites/physical/golden_gemm.kernels.h"

// golden_weigh_c of a result in double precision, one row for each work item.
KERNEL golden_weigh_c_fp64(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL double* c, GLOBAL int* weights,
                           GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 i = (u32)(item % a.size);
  const u32 first = (u32)(item / a.size) * GOLDEN_RESULT_STRIP;
  if (first >= a.size) return;
  const u32 end = first + GOLDEN_RESULT_STRIP < a.size ? first + GOLDEN_RESULT_STRIP : a.size;
  i64 sum = 0;
  int broken = 0;
  for (u32 j = first; j < end; ++j) {
    const double number = c[(u64)j * a.size + i];
    const int integer = DOUBLE_TO_INT(number);
    broken |= (double)integer != number;
    sum += (i64)weights[j] * integer;
  }
  if (broken) {
    ATOMIC_INCREMENT(&errors->not_whole);
    golden_record(errors, i, GOLDEN_WHOLE_ROW, 0, 0);
  }
  ATOMIC_ADD(&rows[i], (u64)sum);
}

// golden_locate of such a result.
KERNEL golden_locate_fp64(GLOBAL double* c, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j >= a.size) return;
  const i64 expected = golden_entry(a, a.row, (u32)j);
  const double found = c[j * a.size + a.row];
  if (found == (double)expected) return;
  ATOMIC_INCREMENT(&errors->wrong_entries);
  golden_record(errors, a.row, (u32)j, expected, DOUBLE_BITS(found));
}

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_
