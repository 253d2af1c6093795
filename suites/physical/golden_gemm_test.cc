#include "suites/physical/golden_gemm.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "suites/physical/host_device.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

GoldenReport Multiplied(const std::string& injection, uint64_t seed = 1) {
  HostDevice device(64 << 20);
  const auto engine = MakePlainEngine(device);
  return RunGolden(device, *engine,
                   {.type = sdk::MatrixType::kFp32,
                    .size = 192,
                    .seed = seed,
                    .seconds = 0,
                    .products_per_round = 2,
                    .injection = ParseGoldenInjection(injection, sdk::MatrixType::kFp32)});
}

TEST(GoldenGemm, ARightProductPassesAndHasTheSameDigestEachTime) {
  const GoldenReport report = Multiplied("");
  EXPECT_EQ(report.wrong_rows, 0u);
  EXPECT_EQ(report.strips_not_whole, 0u);
  EXPECT_EQ(report.products, 2u);
  EXPECT_EQ(report.digest, 13184243603013108795ull) << "the digest is part of the contract: the same on every GPU";
  EXPECT_EQ(report.digest, Multiplied("").digest);
  EXPECT_NE(report.digest, Multiplied("", 2).digest);
}

// The lowest bit of the mantissa makes a whole number a broken one, the highest exponent bit an infinity.
TEST(GoldenGemm, EveryFlippedBitOfAnEntryIsFoundAndLocated) {
  for (int bit = 0; bit < 32; ++bit) {
    const GoldenReport report = Multiplied("bit:17:101:" + std::to_string(bit));
    EXPECT_TRUE(report.wrong_rows == 1 || report.strips_not_whole == 1) << bit;
    ASSERT_EQ(report.errors.size(), 1u) << bit;
    EXPECT_EQ(report.errors[0].row, 17u);
    EXPECT_EQ(report.errors[0].column, 101u);
    EXPECT_NE(report.errors[0].found, static_cast<double>(report.errors[0].expected));
  }
}

TEST(GoldenGemm, NeitherNaNNorInfinityPasses) {
  for (const char* what : {"nan:0:0", "inf:191:191"}) {
    const GoldenReport report = Multiplied(what);
    EXPECT_EQ(report.strips_not_whole, 1u) << what;
    EXPECT_EQ(report.wrong_rows, 1u) << what;
  }
}

TEST(GoldenGemm, AWrongTileIsFoundInEachOfItsRows) {
  const GoldenReport report = Multiplied("tile:64:128");
  EXPECT_EQ(report.wrong_rows, 16u);
  ASSERT_FALSE(report.errors.empty());
  for (const GoldenError& error : report.errors) {
    EXPECT_GE(error.row, 64u);
    EXPECT_LT(error.row, 80u);
    EXPECT_GE(error.column, 128u);
    EXPECT_LT(error.column, 144u);
    EXPECT_EQ(error.found, 0) << error.Describe();
  }
}

TEST(GoldenGemm, OperandsUseTheirWholeRangeAndBothSigns) {
  std::set<int> seen;
  for (u32 i = 0; i < 1000; ++i) seen.insert(golden_value(77, i, 7));
  EXPECT_EQ(seen.size(), 15u);
  EXPECT_EQ(*seen.begin(), -7);
  EXPECT_EQ(*seen.rbegin(), 7);
}

TEST(GoldenGemm, SmallNumbersHaveTheBitsOfTheirTypes) {
  EXPECT_EQ(golden_small_bits(0, 15, 10), 0u);
  EXPECT_EQ(golden_small_bits(1, 15, 10), 0x3c00u);
  EXPECT_EQ(golden_small_bits(3, 15, 10), 0x4200u);
  EXPECT_EQ(golden_small_bits(7, 15, 10), 0x4700u);
  EXPECT_EQ(golden_small_bits(1, 7, 3), 0x38u);
  EXPECT_EQ(golden_small_bits(5, 7, 3), 0x4au);
  EXPECT_EQ(golden_small_bits(7, 7, 3), 0x4eu);
}

TEST(GoldenGemm, RefusesWhatItCannotDo) {
  HostDevice device(64 << 20);
  const auto engine = MakePlainEngine(device);
  EXPECT_NE(RunGolden(device, *engine, {.type = sdk::MatrixType::kBf16, .size = 64}).unsupported, "");
  EXPECT_THROW(RunGolden(device, *engine, {.type = sdk::MatrixType::kFp32, .size = 100}), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:1:1:32"), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:192:0:1"), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:1:1"), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
