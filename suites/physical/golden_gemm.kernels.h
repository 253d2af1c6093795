// The kernels around a matrix product whose every bit is known: operands of small whole numbers, and the check of the
// result.
//
// c = a × b, a kept in rows, b and c in columns. Entries of a and b are whole numbers of at most `bound`, so that every
// partial sum is exact in the type of the sums, in whatever order it is formed: one right answer on every GPU. In
// scaled products each row of a and each column of b is multiplied by a power of two as well; all terms of one sum then
// have one scale, and the answer stays exact.
//
// b has GOLDEN_SHIFT more columns than a product uses: products take it by turns from its first and from a later
// column, so that each must write every entry anew.
//
// The check weighs each row of c, scales taken off, with random whole numbers and compares with the same of a × (b ×
// weights), computed from the generator and not from memory (R. Freivalds, "Probabilistic machines can use less running
// time", 1977). One wrong entry always shows; several in one row hide only when their weighted errors cancel.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_

#include "suites/physical/number_format.h"

#define GOLDEN_SHIFT 64
// Columns of b, or entries of a row of a, that one work item takes together.
#define GOLDEN_STRIP 256
// Of c: each ends in an atomic addition.
#define GOLDEN_RESULT_STRIP 128
#define GOLDEN_RECORDS 16
// In place of a column: what is wrong lies somewhere in the row, in one of four rows from it on.
#define GOLDEN_WHOLE_ROW 0xffffffffu
#define GOLDEN_FOUR_ROWS 0xfffffffeu

typedef struct {
  u32 rows;  // Multiples of 64, as columns and depth.
  u32 columns;
  u32 depth;
  u32 key_a;
  u32 key_b;
  u32 key_weights;
  u32 bound;         // 1 to 7.
  u32 input;         // FORMAT_…, of a and b.
  u32 result;        // FORMAT_FP64, FORMAT_FP32 or FORMAT_INT32.
  u32 first_column;  // Of b, in this product.
  u32 product;       // Its number in the round.
  u32 row;           // For golden_locate.
  u32 span;          // Powers of two to choose from; 0: not scaled.
  int low_a;         // The least exponent.
  int low_b;
} GoldenArguments;

#define GOLDEN_FLIP 0     // The bits are turned over,
#define GOLDEN_SET 1      // take the entry's place,
#define GOLDEN_STUCK 2    // or are ones.
#define GOLDEN_SAVE 3     // The entries are kept,
#define GOLDEN_RESTORE 4  // and put back.

// For the self-test: what happens to a square of `side` entries.
typedef struct {
  u32 rows;
  u32 row;
  u32 column;
  u32 side;
  u32 result;
  u32 action;
  u64 bits;
} GoldenFault;

typedef struct {
  u32 row;
  u32 column;  // Or GOLDEN_WHOLE_ROW, GOLDEN_FOUR_ROWS.
  u32 product;
  int exponent;  // Of two, with which the entry is scaled.
  i64 expected;  // Not scaled.
  u64 found;     // The bits of the entry.
} GoldenRecord;

typedef struct {
  u64 wrong_rows;
  u64 not_whole;  // Strips with an entry that is no whole number: NaN, infinite, rounded.
  u64 wrong_entries;
  u64 recorded;
  GoldenRecord records[GOLDEN_RECORDS];
} GoldenErrors;

// The divisors that are in use are constants: a division by others takes several times as long.
DEVICE_FUNCTION int golden_value(u32 key, u32 index, u32 bound) {
  const u32 bits = mix_bits(index ^ key) >> 8;
  if (bound == 7) return (int)(bits % 15) - 7;
  if (bound == 3) return (int)(bits % 7) - 3;
  return (int)(bits % (2 * bound + 1)) - (int)bound;
}

// 17 bits, of which none is lost in a product with an entry of c.
DEVICE_FUNCTION int golden_weight(u32 key, u32 column) { return 1 + (int)(mix_bits(column ^ key) & 0xffffu); }

// Of a row of a or a column of b.
DEVICE_FUNCTION int golden_exponent(u32 key, u32 line, u32 span, int low) {
  return span == 0 ? 0 : low + (int)(mix_bits(line ^ mix_bits(key ^ 0x5ca1ab1eu)) % span);
}

DEVICE_FUNCTION float golden_power(int exponent) { return AS_FLOAT((u32)(127 + exponent) << 23); }

// The bits of a whole number to 7, times a power of two, in a format of that exponent bias and so many bits of
// mantissa, sign aside. Also where it is subnormal in the format.
DEVICE_FUNCTION u64 golden_scaled_bits(u32 magnitude, int exponent, u32 bias, u32 mantissa_bits) {
  const u32 top = magnitude >= 4 ? 2 : magnitude >= 2 ? 1 : 0;
  const int biased = (int)top + exponent + (int)bias;
  if (magnitude == 0) return 0;
  if (biased < 1) return (u64)magnitude << (exponent + (int)bias - 1 + (int)mantissa_bits);
  return ((u64)biased << mantissa_bits) | ((u64)(magnitude - (1u << top)) << (mantissa_bits - top));
}

// The a.rows lines of one operand, by a.key_a and a.low_a.
KERNEL golden_fill(GLOBAL void* matrix, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  for (u64 line = GROUP_ID; line < a.rows; line += GROUPS) {
    const int exponent = golden_exponent(a.key_a, (u32)line, a.span, a.low_a);
    for (u64 k = LOCAL_ID; k < a.depth; k += GROUP_SIZE) {
      const u64 i = line * a.depth + k;
      const int value = golden_value(a.key_a, (u32)i, a.bound);
      const u32 magnitude = value < 0 ? (u32)-value : (u32)value;
      const u32 negative = value < 0 ? 1 : 0;
      if (a.input == FORMAT_FP64)
        ((GLOBAL u64*)matrix)[i] = (u64)negative << 63 | golden_scaled_bits(magnitude, exponent, 1023, 52);
      if (a.input == FORMAT_FP32)
        ((GLOBAL u32*)matrix)[i] = negative << 31 | (u32)golden_scaled_bits(magnitude, exponent, 127, 23);
      if (a.input == FORMAT_BF16)
        ((GLOBAL unsigned short*)matrix)[i] =
            (unsigned short)(negative << 15 | golden_scaled_bits(magnitude, exponent, 127, 7));
      if (a.input == FORMAT_FP16)
        ((GLOBAL unsigned short*)matrix)[i] =
            (unsigned short)(negative << 15 | golden_scaled_bits(magnitude, exponent, 15, 10));
      if (a.input == FORMAT_INT8) ((GLOBAL signed char*)matrix)[i] = (signed char)(value * (1 << exponent));
      if (a.input == FORMAT_FP8)
        ((GLOBAL unsigned char*)matrix)[i] =
            (unsigned char)(negative << 7 | golden_scaled_bits(magnitude, exponent, 7, 3));
    }
  }
}

// sums[k] += the weighted sum over a strip of columns of b. One group column of work items along k, groups over strips.
KERNEL golden_weigh_b(GLOBAL u64* sums, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 k = (u32)(item % a.depth);
  const u64 first = item / a.depth * GOLDEN_STRIP;
  if (first >= a.columns) return;
  const u32 end = first + GOLDEN_STRIP < a.columns ? (u32)first + GOLDEN_STRIP : a.columns;
  i64 sum = 0;
  for (u32 j = (u32)first; j < end; ++j)
    sum += (i64)golden_weight(a.key_weights, j) * golden_value(a.key_b, (j + a.first_column) * a.depth + k, a.bound);
  ATOMIC_ADD(&sums[k], (u64)sum);
}

// rows[i] += the sum over a strip of k of a(i, k) × sums[k].
KERNEL golden_expect_rows(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u64* sums, GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 i = (u32)(item % a.rows);
  const u64 first = item / a.rows * GOLDEN_STRIP;
  if (first >= a.depth) return;
  const u32 end = first + GOLDEN_STRIP < a.depth ? (u32)first + GOLDEN_STRIP : a.depth;
  i64 sum = 0;
  for (u32 k = (u32)first; k < end; ++k) sum += golden_value(a.key_a, i * a.depth + k, a.bound) * (i64)sums[k];
  ATOMIC_ADD(&rows[i], (u64)sum);
}

DEVICE_FUNCTION void golden_record(GLOBAL GoldenErrors* errors, GoldenArguments a, u32 row, u32 column, int exponent,
                                   i64 expected, u64 found) {
  const u64 slot = errors->recorded < GOLDEN_RECORDS ? ATOMIC_INCREMENT(&errors->recorded) : GOLDEN_RECORDS;
  if (slot >= GOLDEN_RECORDS) return;
  errors->records[slot].row = row;
  errors->records[slot].column = column;
  errors->records[slot].product = a.product;
  errors->records[slot].exponent = exponent;
  errors->records[slot].expected = expected;
  errors->records[slot].found = found;
}

// weights[j], of the columns of c: the weight, and over it the column's exponent.
#define GOLDEN_PACKED_EXPONENT 2048
DEVICE_FUNCTION int golden_packed_weight(u32 packed) { return (int)(packed & 0xfffffu); }
DEVICE_FUNCTION int golden_packed_exponent(u32 packed) { return (int)(packed >> 20) - GOLDEN_PACKED_EXPONENT; }
KERNEL golden_weights(GLOBAL u32* weights, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j >= a.columns) return;
  const int exponent = golden_exponent(a.key_b, (u32)j + a.first_column, a.span, a.low_b);
  weights[j] = (u32)golden_weight(a.key_weights, (u32)j) | (u32)(exponent + GOLDEN_PACKED_EXPONENT) << 20;
}

// The whole number that a word of the result is, its scale taken off. Where it is none (a fraction, infinite, not a
// number) `*broken` is set. By the bits: a device may take subnormal numbers as zero.
DEVICE_FUNCTION int golden_whole(GoldenArguments a, u32 word, int exponent, int* broken) {
  if (a.result == FORMAT_INT32) {
    const int whole = (int)word >> exponent;
    *broken |= (u32)whole << exponent != word;
    return whole;
  }
  const int whole = FLOAT_TO_INT(a.span == 0 ? AS_FLOAT(word) : AS_FLOAT(word) * golden_power(-exponent));
  const u32 back = FLOAT_BITS(a.span == 0 ? (float)whole : (float)whole * golden_power(exponent));
  // Zero has two signs.
  *broken |= back != word && ((back | word) << 1) != 0;
  return whole;
}

// rows[i] += the weighted sum over a strip of columns of c. Each work item has four rows.
KERNEL golden_weigh_c(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u32x4* c, GLOBAL u32* weights,
                      GoldenArguments a) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  const u32 quads = a.rows / 4;
  const u32 quad = (u32)(item % quads);
  const u64 first = item / quads * GOLDEN_RESULT_STRIP;
  if (first >= a.columns) return;
  const u32 end = first + GOLDEN_RESULT_STRIP < a.columns ? (u32)first + GOLDEN_RESULT_STRIP : a.columns;
  int exponents[4];
  i64 sums[4] = {0, 0, 0, 0};
  int broken = 0;
  UNROLL
  for (u32 n = 0; n < 4; ++n) exponents[n] = golden_exponent(a.key_a, 4 * quad + n, a.span, a.low_a);
  for (u32 j = (u32)first; j < end; j += 8) {
    u32x4 held[8];
    UNROLL
    for (u32 n = 0; n < 8; ++n) held[n] = LOAD_STREAMING(c + (u64)(j + n) * quads + quad);
    UNROLL
    for (u32 n = 0; n < 8; ++n) {
      const u32 packed = weights[j + n];
      const int weight = golden_packed_weight(packed);
      const int exponent = golden_packed_exponent(packed);
      sums[0] += (i64)weight * golden_whole(a, held[n].x, exponent + exponents[0], &broken);
      sums[1] += (i64)weight * golden_whole(a, held[n].y, exponent + exponents[1], &broken);
      sums[2] += (i64)weight * golden_whole(a, held[n].z, exponent + exponents[2], &broken);
      sums[3] += (i64)weight * golden_whole(a, held[n].w, exponent + exponents[3], &broken);
    }
  }
  if (broken) {
    ATOMIC_INCREMENT(&errors->not_whole);
    golden_record(errors, a, 4 * quad, GOLDEN_FOUR_ROWS, 0, 0, 0);
  }
  for (u32 n = 0; n < 4; ++n) ATOMIC_ADD(&rows[4 * quad + n], (u64)sums[n]);
}

// Compares the weighed rows and makes them zero for the next product.
KERNEL golden_compare(GLOBAL u64* rows, GLOBAL GoldenErrors* errors, GLOBAL u64* expected, GLOBAL u64* kept,
                      GoldenArguments a) {
  const u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (i >= a.rows) return;
  const u64 found = rows[i];
  if (a.product == 0) kept[i] = found;
  rows[i] = 0;
  if (found == expected[i]) return;
  ATOMIC_INCREMENT(&errors->wrong_rows);
  golden_record(errors, a, (u32)i, GOLDEN_WHOLE_ROW, 0, (i64)expected[i], found);
}

// What an entry of the product should be, its scale aside.
DEVICE_FUNCTION i64 golden_entry(GoldenArguments a, u32 row, u32 column) {
  i64 sum = 0;
  for (u32 k = 0; k < a.depth; ++k)
    sum += (i64)golden_value(a.key_a, row * a.depth + k, a.bound) *
           golden_value(a.key_b, (column + a.first_column) * a.depth + k, a.bound);
  return sum;
}

DEVICE_FUNCTION int golden_entry_exponent(GoldenArguments a, u32 row, u32 column) {
  return golden_exponent(a.key_a, row, a.span, a.low_a) +
         golden_exponent(a.key_b, column + a.first_column, a.span, a.low_b);
}

// Every entry of row a.row computed anew, one for each work item.
KERNEL golden_locate(GLOBAL u32* c, GLOBAL GoldenErrors* errors, GoldenArguments a) {
  const u64 j = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (j >= a.columns) return;
  const i64 expected = golden_entry(a, a.row, (u32)j);
  const int exponent = golden_entry_exponent(a, a.row, (u32)j);
  const u32 found = c[j * a.rows + a.row];
  int broken = 0;
  if (golden_whole(a, found, exponent, &broken) == expected && !broken) return;
  ATOMIC_INCREMENT(&errors->wrong_entries);
  golden_record(errors, a, a.row, (u32)j, exponent, expected, found);
}

// One work item for each entry of the square; `saved` has as many.
KERNEL golden_inject(GLOBAL void* c, GLOBAL u64* saved, GoldenFault f) {
  const u64 item = GROUP_ID * GROUP_SIZE + LOCAL_ID;
  if (item >= (u64)f.side * f.side) return;
  const u64 place = (f.column + item / f.side) * f.rows + f.row + item % f.side;
  const u64 held = f.result == FORMAT_FP64 ? ((GLOBAL u64*)c)[place] : ((GLOBAL u32*)c)[place];
  if (f.action == GOLDEN_SAVE) saved[item] = held;
  if (f.action == GOLDEN_SAVE) return;
  const u64 word = f.action == GOLDEN_FLIP    ? held ^ f.bits
                   : f.action == GOLDEN_STUCK ? held | f.bits
                   : f.action == GOLDEN_SET   ? f.bits
                                              : saved[item];
  if (f.result == FORMAT_FP64)
    ((GLOBAL u64*)c)[place] = word;
  else
    ((GLOBAL u32*)c)[place] = (u32)word;
}

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_KERNELS_H_
