#include "suites/physical/number_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace muster::physical {
namespace {

struct Short {
  u32 format;
  u32 exponent_bits;
  u32 mantissa_bits;
};
constexpr Short kShort[] = {{FORMAT_FP16, 5, 10}, {FORMAT_BF16, 8, 7}, {FORMAT_FP8, 4, 3}};

// Every finite number of the format, subnormal ones with it.
TEST(NumberFormat, WidensEachNumberAndNarrowsItBack) {
  for (const Short& format : kShort) {
    const u32 sign = 1u << (format.exponent_bits + format.mantissa_bits);
    const int bias = (1 << (format.exponent_bits - 1)) - 1;
    const u32 infinity = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
    for (u32 bits = 0; bits < infinity; ++bits) {
      const int exponent = static_cast<int>(bits >> format.mantissa_bits);
      const int mantissa = static_cast<int>(bits & ((1u << format.mantissa_bits) - 1));
      const double expected = std::ldexp(exponent == 0 ? mantissa : mantissa + (1 << format.mantissa_bits),
                                         std::max(exponent, 1) - bias - static_cast<int>(format.mantissa_bits));
      // Of bf16 those are subnormal in fp32 as well: no operand.
      if (format.format == FORMAT_BF16 && exponent == 0) continue;
      ASSERT_EQ(number_widen(bits, format.exponent_bits, format.mantissa_bits), expected) << bits;
      ASSERT_EQ(number_widen(bits | sign, format.exponent_bits, format.mantissa_bits), -expected) << bits;
      ASSERT_EQ(number_narrow(static_cast<float>(expected), format.exponent_bits, format.mantissa_bits), bits);
    }
  }
}

TEST(NumberFormat, NarrowsToTheNearest) {
  EXPECT_EQ(number_narrow(1.0f + 0x1p-11f, 5, 10), 0x3c00u) << "a tie goes to the even one";
  EXPECT_EQ(number_narrow(1.0f + 0x1.8p-10f, 5, 10), 0x3c02u);
  EXPECT_EQ(number_narrow(1.0f + 0x1.1p-11f, 5, 10), 0x3c01u);
  EXPECT_EQ(number_narrow(-2.0f + 0x1p-20f, 5, 10), 0xc000u) << "up into the next exponent";
  EXPECT_EQ(number_narrow(0x1.8p-25f, 5, 10), 1u);
}

TEST(NumberFormat, LoadsWhatItStored) {
  std::vector<double> memory(4);
  for (const u32 format : {FORMAT_FP32, FORMAT_FP16, FORMAT_BF16, FORMAT_INT8, FORMAT_FP8}) {
    number_store(memory.data(), 3, format, -5);
    number_store(memory.data(), 2, format, 6);
    EXPECT_EQ(number_load(memory.data(), 3, format), -5) << format;
    EXPECT_EQ(number_load(memory.data(), 2, format), 6) << format;
  }
}

}  // namespace
}  // namespace muster::physical
