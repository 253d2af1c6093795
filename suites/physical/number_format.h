// How a matrix keeps a number: the formats of operands and results, and their bits, for kernels and the host alike.
#ifndef MUSTER_SUITES_PHYSICAL_NUMBER_FORMAT_H_
#define MUSTER_SUITES_PHYSICAL_NUMBER_FORMAT_H_

#include "suites/physical/portable.h"

#define FORMAT_FP64 0
#define FORMAT_FP32 1
#define FORMAT_FP16 2
#define FORMAT_BF16 3
#define FORMAT_INT8 4
#define FORMAT_FP8 5    // E4M3.
#define FORMAT_INT32 6  // Of results.

// The number that the bits of a short floating-point format are; no infinity, no NaN. In steps that need no subnormal
// number of fp32: a device may take those as zero.
DEVICE_FUNCTION float number_widen(u32 bits, u32 exponent_bits, u32 mantissa_bits) {
  const u32 exponent = (bits >> mantissa_bits) & ((1u << exponent_bits) - 1);
  const u32 mantissa = bits & ((1u << mantissa_bits) - 1);
  const u32 negative = (bits >> (exponent_bits + mantissa_bits)) & 1;
  const u32 bias = (1u << (exponent_bits - 1)) - 1;
  if (exponent == 0) {
    const float magnitude = (float)mantissa * AS_FLOAT((128 - bias - mantissa_bits) << 23);
    return negative ? -magnitude : magnitude;
  }
  return AS_FLOAT(negative << 31 | (exponent + 127 - bias) << 23 | mantissa << (23 - mantissa_bits));
}

// The nearest number of such a format, as bits; `number` lies within its range.
DEVICE_FUNCTION u32 number_narrow(float number, u32 exponent_bits, u32 mantissa_bits) {
  const u32 word = FLOAT_BITS(number);
  const u32 magnitude = word & 0x7fffffffu;
  const u32 bias = (1u << (exponent_bits - 1)) - 1;
  const u32 sign = (word >> 31) << (exponent_bits + mantissa_bits);
  const u32 shift = 23 - mantissa_bits;
  // Under the format's normal numbers its steps are all of one size.
  if ((magnitude >> 23) + bias <= 127)
    return sign | (u32)(AS_FLOAT(magnitude) * AS_FLOAT((126 + bias + mantissa_bits) << 23) + 0.5f);
  const u32 rounded = magnitude + (1u << (shift - 1)) - 1 + ((magnitude >> shift) & 1);
  return sign | ((rounded >> shift) - ((127 - bias) << mantissa_bits));
}

// Entry `index` of a matrix that is not in double precision.
DEVICE_FUNCTION float number_load(GLOBAL const void* matrix, u64 index, u32 format) {
  if (format == FORMAT_FP32) return ((GLOBAL const float*)matrix)[index];
  if (format == FORMAT_BF16) return AS_FLOAT((u32)((GLOBAL const unsigned short*)matrix)[index] << 16);
  if (format == FORMAT_FP16) return number_widen(((GLOBAL const unsigned short*)matrix)[index], 5, 10);
  if (format == FORMAT_FP8) return number_widen(((GLOBAL const unsigned char*)matrix)[index], 4, 3);
  if (format == FORMAT_INT8) return (float)((GLOBAL const signed char*)matrix)[index];
  return (float)((GLOBAL const int*)matrix)[index];
}

DEVICE_FUNCTION void number_store(GLOBAL void* matrix, u64 index, u32 format, float number) {
  if (format == FORMAT_FP32) ((GLOBAL float*)matrix)[index] = number;
  if (format == FORMAT_BF16) ((GLOBAL unsigned short*)matrix)[index] = (unsigned short)number_narrow(number, 8, 7);
  if (format == FORMAT_FP16) ((GLOBAL unsigned short*)matrix)[index] = (unsigned short)number_narrow(number, 5, 10);
  if (format == FORMAT_FP8) ((GLOBAL unsigned char*)matrix)[index] = (unsigned char)number_narrow(number, 4, 3);
  if (format == FORMAT_INT8) ((GLOBAL signed char*)matrix)[index] = (signed char)number;
}

#endif  // MUSTER_SUITES_PHYSICAL_NUMBER_FORMAT_H_
