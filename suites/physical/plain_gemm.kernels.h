// Matrix products by a device's plain units: c = a × b, a kept in rows, b and c in columns, sums in fp32, of int8 in
// int32. For devices without a library, and to test the units that a library's product leaves idle.
//
// A group of 256 work items makes a tile of c, each of them 4 × 4 entries, from strips of a and b in local memory.
#ifndef MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_KERNELS_H_

#include "suites/physical/number_format.h"

#define PLAIN_TILE 64
#define PLAIN_STEP 16
// Entries from one k to the next in local memory: 4 more than a tile, for other banks.
#define PLAIN_STRIDE 68
#define PLAIN_LOCAL_BYTES(number_bytes) (2 * PLAIN_STEP * PLAIN_STRIDE * (number_bytes))

typedef struct {
  u32 rows;  // A multiple of 64, as is columns; depth of 16.
  u32 columns;
  u32 depth;
  u32 format;  // FORMAT_…, of a and b.
} PlainArguments;

// The whole kernel, for sums in Number; LOAD(matrix, index) gives an entry of an operand.
#define PLAIN_MULTIPLY(Number, LOAD)                                                                          \
  LOCAL_POINTER(memory);                                                                                      \
  LOCAL Number* const strip_a = (LOCAL Number*)memory;                                                        \
  LOCAL Number* const strip_b = strip_a + PLAIN_STEP * PLAIN_STRIDE;                                          \
  const u32 tiles = g.rows / PLAIN_TILE;                                                                      \
  const u32 row = (u32)(GROUP_ID % tiles) * PLAIN_TILE;                                                       \
  const u32 column = (u32)(GROUP_ID / tiles) * PLAIN_TILE;                                                    \
  const u32 item = (u32)LOCAL_ID;                                                                             \
  const u32 across = item % 16 * 4;                                                                           \
  const u32 down = item / 16 * 4;                                                                             \
  Number sums[4][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};                               \
  for (u32 first = 0; first < g.depth; first += PLAIN_STEP) {                                                 \
    const u32 line = item / 4;                                                                                \
    const u32 step = item % 4 * 4;                                                                            \
    UNROLL                                                                                                    \
    for (u32 n = 0; n < 4; ++n) {                                                                             \
      strip_a[(step + n) * PLAIN_STRIDE + line] = LOAD(a, (u64)(row + line) * g.depth + first + step + n);    \
      strip_b[(step + n) * PLAIN_STRIDE + line] = LOAD(b, (u64)(column + line) * g.depth + first + step + n); \
    }                                                                                                         \
    BARRIER;                                                                                                  \
    UNROLL                                                                                                    \
    for (u32 k = 0; k < PLAIN_STEP; ++k) {                                                                    \
      Number of_a[4];                                                                                         \
      Number of_b[4];                                                                                         \
      UNROLL                                                                                                  \
      for (u32 n = 0; n < 4; ++n) of_a[n] = strip_a[k * PLAIN_STRIDE + across + n];                           \
      UNROLL                                                                                                  \
      for (u32 n = 0; n < 4; ++n) of_b[n] = strip_b[k * PLAIN_STRIDE + down + n];                             \
      UNROLL                                                                                                  \
      for (u32 j = 0; j < 4; ++j) {                                                                           \
        UNROLL                                                                                                \
        for (u32 i = 0; i < 4; ++i) sums[j][i] += of_a[i] * of_b[j];                                          \
      }                                                                                                       \
    }                                                                                                         \
    BARRIER;                                                                                                  \
  }                                                                                                           \
  UNROLL                                                                                                      \
  for (u32 j = 0; j < 4; ++j) {                                                                               \
    UNROLL                                                                                                    \
    for (u32 i = 0; i < 4; ++i)                                                                               \
      ((GLOBAL Number*)c)[(u64)(column + down + j) * g.rows + row + across + i] = sums[j][i];                 \
  }

#define PLAIN_LOAD_FLOAT(matrix, index) number_load(matrix, index, g.format)
#define PLAIN_LOAD_INT(matrix, index) ((int)((GLOBAL signed char*)matrix)[index])

KERNEL plain_multiply(GLOBAL void* c, GLOBAL void* a, GLOBAL void* b,
                      PlainArguments g LOCAL_PARAMETER){PLAIN_MULTIPLY(float, PLAIN_LOAD_FLOAT)}

KERNEL plain_multiply_int8(GLOBAL void* c, GLOBAL void* a, GLOBAL void* b, PlainArguments g LOCAL_PARAMETER) {
  PLAIN_MULTIPLY(int, PLAIN_LOAD_INT)
}

#endif  // MUSTER_SUITES_PHYSICAL_PLAIN_GEMM_KERNELS_H_
