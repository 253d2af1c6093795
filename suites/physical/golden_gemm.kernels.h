// The kernels around a matrix product whose every bit is known: operands of small whole numbers, and the check of the
// result.
//
// c = a × b for square matrices of `size`, a kept in rows, b and c in columns. Entries of a and b are whole numbers of
// at most `bound`, so that every partial sum is exact in the type of the sums, in whatever order it is formed: one
// right answer on every GPU. The check weighs each row of c with random whole numbers and compares with the same of a ×
// (b × weights), computed from the generator and not from memory (R. Freivalds, "Probabilistic machines can use less
// running time", 1977). One wrong entry always shows; several in one row hide only when their weighted errors cancel.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_

#include "suites/physical/portable.h"

// How an entry is kept.
#define GOLDEN_FP64 0
#define GOLDEN_FP32 1
#define GOLDEN_FP16 2
#define GOLDEN_BF16 3
#define GOLDEN_INT8 4
#define GOLDEN_FP8 5    // E4M3.
#define GOLDEN_INT32 6  // Of results.

#define GOLDEN_STRIP 64
// Of c: fewer and longer, for each ends in an atomic addition.
#define GOLDEN_RESULT_STRIP 128
#define GOLDEN_RECORDS 16
// In place of a column: what is wrong lies somewhere in the row, in one of four rows from it on.
#define GOLDEN_WHOLE_ROW 0xffffffffu
#define GOLDEN_FOUR_ROWS 0xfffffffeu

typedef struct {
  u32 size;  // A multiple of 64.
  u32 key_a;
  u32 key_b;
  u32 key_weights;
  u32 bound;   // 1 to 7.
  u32 input;   // GOLDEN_…, of a and b.
  u32 result;  // GOLDEN_FP64, GOLDEN_FP32 or GOLDEN_INT32.
  u32 row;     // For golden_locate.
} GoldenArguments;

// For the self-test: `bits` are turned over in the words of a square of `side` entries.
typedef struct {
  u32 size;
  u32 row;
  u32 column;
  u32 side;
  u32 result;
  u32 set;  // Put `bits` there instead.
  u64 bits;
} GoldenFault;

typedef struct {
  u32 row;
  u32 column;  // Or GOLDEN_WHOLE_ROW, GOLDEN_FOUR_ROWS.
  i64 expected;
  u64 found;  // The bits of the entry.
} GoldenRecord;

typedef struct {
  u64 wrong_rows;
  u64 not_whole;  // Entries that are no whole number: NaN, infinite, rounded.
  u64 wrong_entries;
  u64 recorded;
  GoldenRecord records[GOLDEN_RECORDS];
} GoldenErrors;

DEVICE_FUNCTION int golden_value(u32 key, u32 index, u32 bound) {
  return (int)((mix_bits(index ^ key) >> 8) % (2 * bound + 1)) - (int)bound;
}

// 17 bits, of which none is lost in a product with an entry of c.
DEVICE_FUNCTION int golden_weight(u32 key, u32 column) { return 1 + (int)(mix_bits(column ^ key) & 0xffffu); }

// The bits of a whole number to 7 in a format of that exponent bias and so many bits of mantissa, sign aside.
DEVICE_FUNCTION u64 golden_small_bits(u32 magnitude, u32 bias, u32 mantissa_bits) {
  const u32 exponent = magnitude >= 4 ? 2 : magnitude >= 2 ? 1 : 0;
  if (magnitude == 0) return 0;
  return ((u64)(exponent + bias) << mantissa_bits) |
         ((u64)(magnitude - (1u << exponent)) << (mantissa_bits - exponent));
}

KERNEL golden_fill(GLOBAL void* matrix, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 count = (u64)a.size * a.size;
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < count; i += GROUPS * GROUP_SIZE) {
    const int value = golden_value(a.key_a, (u32)i, a.bound);
    const u32 magnitude = value < 0 ? (u32)-value : (u32)value;
    const u32 negative = value < 0 ? 1 : 0;
    if (a.input == GOLDEN_FP64) ((GLOBAL u64*)matrix)[i] = (u64)negative << 63 | golden_small_bits(magnitude, 1023, 52);
    if (a.input == GOLDEN_FP32) ((GLOBAL float*)matrix)[i] = (float)value;
    if (a.input == GOLDEN_BF16) ((GLOBAL unsigned short*)matrix)[i] = (unsigned short)(FLOAT_BITS((float)value) >> 16);
    if (a.input == GOLDEN_FP16)
      ((GLOBAL unsigned short*)matrix)[i] = (unsigned short)(negative << 15 | golden_small_bits(magnitude, 15, 10));
    if (a.input == GOLDEN_INT8) ((GLOBAL signed char*)matrix)[i] = (signed char)value;
    if (a.input == GOLDEN_FP8)
      ((GLOBAL unsigned char*)matrix)[i] = (unsigned char)(negative << 7 | golden_small_bits(magnitude, 7, 3));
  }
}

// sums[k] += the weighted sum over a strip of columns of b. One group column of work items along k, groups over strips.
KERNEL golden_weigh_b(GLOBAL u64* sums, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 k = (u32)(item % a.size);
  const u32 first = (u32)(item / a.size) * GOLDEN_STRIP;
  if (first >= a.size) return;
  i64 sum = 0;
  for (u32 j = first; j < first + GOLDEN_STRIP; ++j)
    sum += (i64)golden_weight(a.key_weights, j) * golden_value(a.key_b, j * a.size + k, a.bound);
  ATOMIC_ADD(&sums[k], (u64)sum);
}

// rows[i] += the sum over a strip of k of a(i, k) × sums[k].
KERNEL golden_expect_rows(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u64* sums, GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 i = (u32)(item % a.size);
  const u32 first = (u32)(item / a.size) * GOLDEN_STRIP;
  if (first >= a.size) return;
  i64 sum = 0;
  for (u32 k = first; k < first + GOLDEN_STRIP; ++k)
    sum += golden_value(a.key_a, i * a.size + k, a.bound) * (i64)sums[k];
  ATOMIC_ADD(&rows[i], (u64)sum);
}

DEVICE_FUNCTION void golden_record(GLOBAL GoldenErrors* errors, u32 row, u32 column, i64 expected, u64 found) {
  const u64 slot = errors->recorded < GOLDEN_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : GOLDEN_RECORDS;
  if (slot >= GOLDEN_RECORDS) return;
  errors->records[slot].row = row;
  errors->records[slot].column = column;
  errors->records[slot].expected = expected;
  errors->records[slot].found = found;
}

// weights[j], for the columns.
KERNEL golden_weights(GLOBAL int* weights, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j < a.size) weights[j] = golden_weight(a.key_weights, (u32)j);
}

// The whole number that a word of the result is. Where it is none (a fraction, infinite, not a number) `*broken` is
// set.
DEVICE_FUNCTION int golden_whole(u32 result, u32 word, int* broken) {
  if (result == GOLDEN_INT32) return (int)word;
  const int integer = FLOAT_TO_INT(AS_FLOAT(word));
  *broken |= (float)integer != AS_FLOAT(word);
  return integer;
}

// rows[i] += the weighted sum over a strip of columns of c. Each work item has four rows.
KERNEL golden_weigh_c(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u32x4* c, GLOBAL int* weights,
                      GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 quads = a.size / 4;
  const u32 quad = (u32)(item % quads);
  const u32 first = (u32)(item / quads) * GOLDEN_RESULT_STRIP;
  if (first >= a.size) return;
  const u32 end = first + GOLDEN_RESULT_STRIP < a.size ? first + GOLDEN_RESULT_STRIP : a.size;
  i64 sums[4] = {0, 0, 0, 0};
  int broken = 0;
  for (u32 j = first; j < end; j += 8) {
    u32x4 held[8];
    UNROLL
    for (u32 n = 0; n < 8; ++n) held[n] = LOAD_STREAMING(c + (u64)(j + n) * quads + quad);
    UNROLL
    for (u32 n = 0; n < 8; ++n) {
      const int weight = weights[j + n];
      sums[0] += (i64)weight * golden_whole(a.result, held[n].x, &broken);
      sums[1] += (i64)weight * golden_whole(a.result, held[n].y, &broken);
      sums[2] += (i64)weight * golden_whole(a.result, held[n].z, &broken);
      sums[3] += (i64)weight * golden_whole(a.result, held[n].w, &broken);
    }
  }
  if (broken) {
    ATOMIC_INCREMENT(&errors->not_whole);
    golden_record(errors, 4 * quad, GOLDEN_FOUR_ROWS, 0, 0);
  }
  for (u32 n = 0; n < 4; ++n) ATOMIC_ADD(&rows[4 * quad + n], (u64)sums[n]);
}

// Compares the weighed rows and makes them zero for the next product.
KERNEL golden_compare(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u64* expected, GLOBAL u64* kept,
                      GoldenArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (i >= a.size) return;
  const u64 found = rows[i];
  kept[i] = found;
  rows[i] = 0;
  if (found == expected[i]) return;
  ATOMIC_INCREMENT(&errors->wrong_rows);
  golden_record(errors, (u32)i, GOLDEN_WHOLE_ROW, (i64)expected[i], found);
}

// What an entry of the product should be.
DEVICE_FUNCTION i64 golden_entry(GoldenArguments a, u32 row, u32 column) {
  i64 sum = 0;
  for (u32 k = 0; k < a.size; ++k)
    sum += (i64)golden_value(a.key_a, row * a.size + k, a.bound) * golden_value(a.key_b, column * a.size + k, a.bound);
  return sum;
}

// Every entry of row a.row computed anew, one for each work item.
KERNEL golden_locate(GLOBAL u32* c, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j >= a.size) return;
  const i64 expected = golden_entry(a, a.row, (u32)j);
  const u32 found = c[j * a.size + a.row];
  if (a.result == GOLDEN_INT32 ? (i64)(int)found == expected : AS_FLOAT(found) == (float)expected) return;
  ATOMIC_INCREMENT(&errors->wrong_entries);
  golden_record(errors, a.row, (u32)j, expected, found);
}

// One work item for each entry of the square.
KERNEL golden_inject(GLOBAL void* c, GLOBAL GoldenErrors* errors, GoldenFault f) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (item >= (u64)f.side * f.side) return;
  const u64 place = (f.column + item / f.side) * f.size + f.row + item % f.side;
  if (f.result == GOLDEN_FP64)
    ((GLOBAL u64*)c)[place] = f.set ? f.bits : ((GLOBAL u64*)c)[place] ^ f.bits;
  else
    ((GLOBAL u32*)c)[place] = f.set ? (u32)f.bits : ((GLOBAL u32*)c)[place] ^ (u32)f.bits;
}

// The product by the plainest means, one work item for each entry: for devices without a library, and the tests.
// Operands in fp32.
KERNEL golden_multiply(GLOBAL float* c, GLOBAL GoldenErrors* errors, GLOBAL float* a, GLOBAL float* b,
                       GoldenArguments g) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (item >= (u64)g.size * g.size) return;
  const u64 i = item % g.size;
  const u64 j = item / g.size;
  float sum = 0;
  for (u32 k = 0; k < g.size; ++k) sum += a[i * g.size + k] * b[j * g.size + k];
  c[item] = sum;
}

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_
