// The golden product's kernels that compute in double precision: in a file, and so a SPIR-V module, of their own, for
// GPUs without it (Intel's Arc) refuse a module that uses it anywhere.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_

#include "suites/physical/golden_gemm.kernels.h"

DEVICE_FUNCTION double golden_power_fp64(int exponent) { return AS_DOUBLE((u64)(1023 + exponent) << 52); }

// golden_whole of such a result.
DEVICE_FUNCTION int golden_whole_fp64(u64 word, int exponent, int* broken) {
  const int whole = DOUBLE_TO_INT(AS_DOUBLE(word) * golden_power_fp64(-exponent));
  const u64 back = DOUBLE_BITS((double)whole * golden_power_fp64(exponent));
  *broken |= back != word && ((back | word) << 1) != 0;
  return whole;
}

// golden_weigh_c of such a result, one row for each work item.
KERNEL golden_weigh_c_fp64(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u64* c, GLOBAL u32* weights,
                           GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 i = (u32)(item % a.rows);
  const u64 first = item / a.rows * GOLDEN_RESULT_STRIP;
  if (first >= a.columns) return;
  const u32 end = first + GOLDEN_RESULT_STRIP < a.columns ? (u32)first + GOLDEN_RESULT_STRIP : a.columns;
  const int exponent = golden_exponent(a.key_a, i, a.span, a.low_a);
  i64 sum = 0;
  int broken = 0;
  for (u32 j = (u32)first; j < end; ++j) {
    const u32 packed = weights[j];
    sum += (i64)golden_packed_weight(packed) *
           golden_whole_fp64(c[(u64)j * a.rows + i], exponent + golden_packed_exponent(packed), &broken);
  }
  if (broken) {
    ATOMIC_INCREMENT(&errors->not_whole);
    golden_record(errors, a, i, GOLDEN_WHOLE_ROW, 0, 0, 0);
  }
  ATOMIC_ADD(&rows[i], (u64)sum);
}

// golden_locate of such a result.
KERNEL golden_locate_fp64(GLOBAL u64* c, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j >= a.columns) return;
  const i64 expected = golden_entry(a, a.row, (u32)j);
  const int exponent = golden_entry_exponent(a, a.row, (u32)j);
  const u64 found = c[j * a.rows + a.row];
  int broken = 0;
  if (golden_whole_fp64(found, exponent, &broken) == expected && !broken) return;
  ATOMIC_INCREMENT(&errors->wrong_entries);
  golden_record(errors, a, a.row, (u32)j, exponent, expected, found);
}

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_FP64_KERNELS_H_
