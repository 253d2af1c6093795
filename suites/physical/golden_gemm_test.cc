#include "suites/physical/golden_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using enum sdk::MatrixType;

constexpr uint64_t kDigest = 13184243603013108795ull;    // Of size 192, seed 1, operands to 7.
constexpr uint64_t kDigestTo3 = 8389119645203325797ull;  // Of operands to 3, as fp8 has them.

// Multiplies on the host what lies on the device.
class HostEngine : public MatrixEngine {
 public:
  explicit HostEngine(ComputeDevice& device) : device_(device) {}
  std::string Name() const override { return "host"; }
  bool UsesMatrixUnits() const override { return false; }
  std::string Prepare(const MatrixProduct& product, const MatrixOperands&) override {
    shape_ = product;
    return "";
  }
  void Multiply(const MatrixOperands& operands) override {
    const std::vector<double> a = Read(operands.a, uint64_t{shape_.rows} * shape_.depth);
    const std::vector<double> b = Read(operands.b, uint64_t{shape_.columns} * shape_.depth);
    result_.clear();
    for (size_t j = 0; j < shape_.columns; ++j) {
      for (size_t i = 0; i < shape_.rows; ++i) {
        double sum = 0;
        for (size_t k = 0; k < shape_.depth; ++k) sum = Add(sum, a[i * shape_.depth + k] * b[j * shape_.depth + k]);
        if (shape_.type == kFp64) {
          Append(sum);
        } else if (shape_.type == kInt8) {
          Append(static_cast<int32_t>(sum));
        } else {
          Append(static_cast<float>(sum));
        }
      }
    }
    device_.Copy(operands.c, result_.data(), result_.size());
  }

 protected:
  virtual double Add(double sum, double term) { return sum + term; }

 private:
  template <typename Number>
  void Append(Number number) {
    const char* const bytes = reinterpret_cast<const char*>(&number);
    result_.insert(result_.end(), bytes, bytes + sizeof(number));
  }
  std::vector<double> Read(const void* matrix, uint64_t count) {
    std::vector<char> kept(count * BytesOfFormat(shape_.InputFormat()));
    device_.ReadBack(kept.data(), matrix, kept.size());
    std::vector<double> numbers;
    for (uint64_t i = 0; i < count; ++i) {
      numbers.push_back(shape_.type == kFp64 ? reinterpret_cast<const double*>(kept.data())[i]
                                             : number_load(kept.data(), i, shape_.InputFormat()));
    }
    return numbers;
  }

  ComputeDevice& device_;
  MatrixProduct shape_;
  std::vector<char> result_;
};

// Sums that are kept in fp16, as a library gives them that was asked for fast results.
class HalfSumsEngine final : public HostEngine {
 public:
  using HostEngine::HostEngine;

 private:
  double Add(double sum, double term) override {
    if (!std::isfinite(sum) || std::abs(sum + term) > 65504) return sum + (sum + term > 0 ? HUGE_VAL : -HUGE_VAL);
    return number_load(Half(static_cast<float>(sum + term)), 0, FORMAT_FP16);
  }
  const void* Half(float number) {
    number_store(&half_, 0, FORMAT_FP16, number);
    return &half_;
  }
  uint16_t half_ = 0;
};

// Adds one to the entry of row 3, column 5 of each product that `wrong` says.
class FaultyEngine final : public HostEngine {
 public:
  FaultyEngine(ComputeDevice& device, std::function<bool(int product)> wrong)
      : HostEngine(device), device_(device), wrong_(std::move(wrong)) {}
  void Multiply(const MatrixOperands& operands) override {
    HostEngine::Multiply(operands);
    if (!wrong_(products_++)) return;
    float* const entry = static_cast<float*>(operands.c) + 5 * 64 + 3;
    float number = 0;
    device_.ReadBack(&number, entry, sizeof(number));
    number += 1;
    device_.Copy(entry, &number, sizeof(number));
    device_.Wait();
  }

 private:
  ComputeDevice& device_;
  const std::function<bool(int product)> wrong_;
  int products_ = 0;
};

GoldenOptions Small(sdk::MatrixType type, uint32_t size, const std::string& injection = "") {
  return {.product = {.type = type, .rows = size, .columns = size, .depth = size},
          .seconds = 0,
          .least_rounds = 1,
          .products_per_round = 2,
          .unchecked_seconds = 0,
          .reference_size = 0,
          .injection = ParseGoldenInjection(injection, type)};
}

class GoldenOn : public DeviceTest {
 protected:
  GoldenReport Multiplied(const GoldenOptions& options) {
    const auto device = Device(64 << 20);
    HostEngine engine(*device);
    return RunGolden(*device, engine, options);
  }
  GoldenReport Faulty(const std::function<bool(int product)>& wrong) {
    const auto device = Device(64 << 20);
    FaultyEngine engine(*device, wrong);
    return RunGolden(*device, engine, Small(kFp32, 64));
  }
};
INSTANTIATE_TEST_SUITE_P(Device, GoldenOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(GoldenOn, ARightProductPassesAndHasTheSameDigestEachTime) {
  const GoldenReport report = Multiplied(Small(kFp32, 192));
  EXPECT_EQ(report.wrong_rows, 0u);
  EXPECT_EQ(report.strips_not_whole, 0u);
  EXPECT_EQ(report.products, 2u);
  EXPECT_EQ(report.verdict, GoldenVerdict::kNone);
  EXPECT_EQ(report.digest, kDigest) << "the digest is part of the contract: the same on every GPU";
  GoldenOptions other = Small(kFp32, 192);
  EXPECT_EQ(Multiplied(other).digest, kDigest);
  other.seed = 2;
  EXPECT_NE(Multiplied(other).digest, kDigest);
}

// The second round is scaled.
TEST_P(GoldenOn, EveryTypeOfTheSameOperandsHasTheSameDigestAndNoErrorScaledOrNot) {
  for (const sdk::MatrixType type : {kFp64, kFp32, kTf32, kFp16, kBf16, kInt8, kFp8}) {
    GoldenOptions options = Small(type, 64);
    options.reference_size = 192;
    options.least_rounds = 4;
    const GoldenReport report = Multiplied(options);
    EXPECT_EQ(report.products, 8u) << MatrixTypeName(type) << " " << report.first_wrong;
    EXPECT_EQ(report.wrong_rows, 0u) << MatrixTypeName(type);
    EXPECT_EQ(report.strips_not_whole, 0u) << MatrixTypeName(type);
    EXPECT_EQ(report.digest, type == kFp8 ? kDigestTo3 : kDigest) << MatrixTypeName(type);
  }
}

TEST_P(GoldenOn, PlainKernelsMultiplyEveryType) {
  const auto device = Device(64 << 20);
  const auto engine = MakePlainEngine(*device);
  for (const sdk::MatrixType type : {kFp64, kFp32, kTf32, kFp16, kBf16, kInt8, kFp8}) {
    GoldenOptions options = Small(type, 64);
    options.product.columns = 128;
    options.least_rounds = 2;
    const GoldenReport report = RunGolden(*device, *engine, options);
    EXPECT_EQ(report.unsupported, "");
    EXPECT_EQ(report.products, 4u) << MatrixTypeName(type);
    EXPECT_EQ(report.wrong_rows, 0u) << MatrixTypeName(type);
  }
}

TEST_P(GoldenOn, ShapesNeedNotBeSquare) {
  GoldenOptions options = Small(kInt8, 64);
  options.product.columns = 128;
  options.product.depth = 320;
  options.least_rounds = 2;
  EXPECT_EQ(Multiplied(options).wrong_rows, 0u);
  options.injection = ParseGoldenInjection("bit:63:127:0", kInt8);
  const GoldenReport report = Multiplied(options);
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_EQ(report.errors[0].row, 63u);
  EXPECT_EQ(report.errors[0].column, 127u);
}

TEST_P(GoldenOn, TheDigestIsThatOfTheReference) {
  GoldenOptions options = Small(kBf16, 64);
  options.reference_size = 192;
  EXPECT_EQ(Multiplied(options).digest, kDigest);
}

// What the device expects of a product of 8192² and seed 1, without the product: the digests that an H200 had of bf16
// to int8, and of fp8 (docs/hardware-runs, 2026-11-22).
TEST_P(GoldenOn, ExpectsOfALargeProductTheDigestThatAGpuHad) {
  constexpr uint32_t kSize = 8192;
  const auto device = Device(16 << 20);
  void* const errors = device->Allocate(sizeof(GoldenErrors));
  void* const sums = device->Allocate(kSize * sizeof(u64));
  void* const rows = device->Allocate(kSize * sizeof(u64));
  const u32 base = mix_bits(1);
  for (const auto& [bound, expected] : {std::pair(7u, 0x71f5e73aeb244cd8ull), std::pair(3u, 0x99b21bd300cf8179ull)}) {
    const GoldenArguments arguments = {.rows = kSize,
                                       .columns = kSize,
                                       .depth = kSize,
                                       .key_a = mix_bits(base),
                                       .key_b = mix_bits(base + 1),
                                       .key_weights = mix_bits(base + 2),
                                       .bound = bound};
    const auto launch = [&](const char* kernel, const std::vector<void*>& buffers) {
      device->Launch({.kernel = kernel,
                      .groups = kSize / GOLDEN_STRIP * kSize / 256,
                      .group_size = 256,
                      .buffers = buffers,
                      .arguments = &arguments,
                      .arguments_size = sizeof(arguments)});
    };
    device->Zero(sums, kSize * sizeof(u64));
    device->Zero(rows, kSize * sizeof(u64));
    launch("golden_weigh_b", {sums, errors});
    launch("golden_expect_rows", {rows, errors, sums});
    std::vector<u64> seen(kSize);
    device->ReadBack(seen.data(), rows, kSize * sizeof(u64));
    uint64_t digest = 0xcbf29ce484222325ull;  // FNV-1a.
    for (const u64 row : seen) {
      for (int byte = 0; byte < 8; ++byte) digest = (digest ^ ((row >> (8 * byte)) & 0xff)) * 0x100000001b3ull;
    }
    EXPECT_EQ(digest, expected) << bound;
  }
}

// The lowest bit of the mantissa makes a whole number a broken one, the highest exponent bit an infinity.
TEST_P(GoldenOn, FlippedBitsOfAnEntryAreFoundAndLocated) {
  for (const auto& [type, bits] : {std::pair(kFp32, 32), std::pair(kInt8, 32), std::pair(kFp64, 64)}) {
    for (int bit = 0; bit < bits; bit += bit < bits - 12 ? 5 : 1) {
      const GoldenReport report = Multiplied(Small(type, 64, absl::StrCat("bit:17:63:", bit)));
      EXPECT_TRUE(report.wrong_rows == 1 || report.strips_not_whole == 1) << MatrixTypeName(type) << " " << bit;
      ASSERT_EQ(report.errors.size(), 1u) << MatrixTypeName(type) << " " << bit;
      EXPECT_EQ(report.errors[0].row, 17u);
      EXPECT_EQ(report.errors[0].column, 63u);
      EXPECT_NE(report.errors[0].found, report.errors[0].expected);
      EXPECT_EQ(report.verdict, GoldenVerdict::kOnce);
      EXPECT_EQ(report.first_wrong, "round 0, product 1");
    }
  }
}

TEST_P(GoldenOn, NeitherNaNNorInfinityPasses) {
  for (const char* what : {"nan:0:0", "inf:191:191"}) {
    const GoldenReport report = Multiplied(Small(kFp32, 192, what));
    EXPECT_EQ(report.strips_not_whole, 1u) << what;
    EXPECT_EQ(report.wrong_rows, 1u) << what;
  }
}

TEST_P(GoldenOn, AWrongTileIsFoundInEachOfItsRows) {
  const GoldenReport report = Multiplied(Small(kFp32, 192, "tile:64:128"));
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

// Unchecked products come between the checked ones and must not overwrite the last.
TEST_P(GoldenOn, AFaultIsLocatedBesideUncheckedProductsToo) {
  for (const uint32_t products : {2u, 5u, 8u}) {
    GoldenOptions options = Small(kFp32, 64, "drop:9:33:1");
    options.products_per_round = products;
    options.unchecked_seconds = 1e9;
    const GoldenReport report = Multiplied(options);
    EXPECT_EQ(report.products, products);
    EXPECT_GT(report.unchecked_per_second, 0);
    EXPECT_GT(report.compared_per_second, 0);
    ASSERT_EQ(report.errors.size(), 1u) << products;
    EXPECT_EQ(report.errors[0].column, 33u) << products;
  }
}

TEST_P(GoldenOn, AWriteThatIsLostOnceIsFoundAndLocated) {
  for (const sdk::MatrixType type : {kFp32, kInt8, kFp64}) {
    const GoldenReport one = Multiplied(Small(type, 64, "drop:9:33:1"));
    ASSERT_EQ(one.errors.size(), 1u) << MatrixTypeName(type);
    EXPECT_EQ(one.errors[0].Describe().substr(0, 24), "row 9, column 33: expect");
    EXPECT_EQ(one.verdict, GoldenVerdict::kOnce);
    EXPECT_EQ(Multiplied(Small(type, 64, "drop:32:0:32")).wrong_rows, 32u) << MatrixTypeName(type);
  }
}

TEST_P(GoldenOn, TheSameProductAgainTellsOnceFromIntermittentFromPermanent) {
  EXPECT_EQ(Faulty([](int) { return false; }).verdict, GoldenVerdict::kNone);
  EXPECT_EQ(Faulty([](int product) { return product == 1; }).verdict, GoldenVerdict::kOnce);
  // Retests are every second product after the round's two.
  EXPECT_EQ(Faulty([](int product) { return product == 1 || product == 5; }).verdict, GoldenVerdict::kIntermittent);
  const GoldenReport permanent = Faulty([](int) { return true; });
  EXPECT_EQ(permanent.verdict, GoldenVerdict::kPermanent);
  EXPECT_EQ(permanent.retests, 4u);
  EXPECT_EQ(permanent.wrong_retests, 4u);
  EXPECT_EQ(Multiplied(Small(kInt8, 64, "stuck:3:6:30")).verdict, GoldenVerdict::kPermanent);
}

// Product 0 is overwritten by product 1: its row is known, and, where the fault comes back, the entry.
TEST_P(GoldenOn, WhatWasOverwrittenIsLocatedOnlyWhereItComesBack) {
  const GoldenReport gone = Faulty([](int product) { return product == 0; });
  ASSERT_EQ(gone.errors.size(), 1u);
  EXPECT_EQ(gone.first_wrong, "round 0, product 0");
  EXPECT_EQ(gone.errors[0].Describe(), "row 3: an entry of it was wrong; the product is overwritten");
  const GoldenReport back = Faulty([](int product) { return product == 0 || product == 5; });
  ASSERT_EQ(back.errors.size(), 1u);
  EXPECT_EQ(back.errors[0].column, 5u);
}

TEST_P(GoldenOn, SumsInHalfPrecisionAreFoundWhereOperandsAreLarge) {
  const auto device = Device(64 << 20);
  HalfSumsEngine engine(*device);
  GoldenOptions options = Small(kFp16, 64);
  EXPECT_EQ(RunGolden(*device, engine, options).wrong_rows, 0u) << "small whole numbers are exact in fp16, too";
  options.least_rounds = 2;
  const GoldenReport report = RunGolden(*device, engine, options);
  EXPECT_EQ(report.first_wrong.substr(0, 16), "round 1 (scaled)");
  EXPECT_GT(report.strips_not_whole, 0u);
  bool overflows = false;
  for (const GoldenError& error : report.errors) overflows |= !std::isfinite(error.found);
  EXPECT_TRUE(overflows);
}

TEST(GoldenGemm, OperandsUseTheirWholeRangeAndBothSigns) {
  std::set<int> seen;
  for (u32 i = 0; i < 1000; ++i) seen.insert(golden_value(77, i, 7));
  EXPECT_EQ(seen.size(), 15u);
  EXPECT_EQ(*seen.begin(), -7);
  EXPECT_EQ(*seen.rbegin(), 7);
}

TEST(GoldenGemm, SmallNumbersHaveTheBitsOfTheirTypes) {
  EXPECT_EQ(golden_scaled_bits(0, 0, 15, 10), 0u);
  EXPECT_EQ(golden_scaled_bits(1, 0, 15, 10), 0x3c00u);
  EXPECT_EQ(golden_scaled_bits(3, 0, 15, 10), 0x4200u);
  EXPECT_EQ(golden_scaled_bits(7, 0, 15, 10), 0x4700u);
  EXPECT_EQ(golden_scaled_bits(7, 13, 15, 10), 0x7b00u) << "57344";
  EXPECT_EQ(golden_scaled_bits(7, -24, 15, 10), 7u) << "subnormal";
  EXPECT_EQ(golden_scaled_bits(5, 0, 7, 3), 0x4au);
  EXPECT_EQ(golden_scaled_bits(3, 7, 7, 3), 0x7cu) << "384";
  EXPECT_EQ(golden_scaled_bits(3, -9, 7, 3), 3u);
}

TEST_P(GoldenOn, RefusesWhatItCannotDo) {
  EXPECT_THROW(Multiplied(Small(kFp32, 100)), sdk::ToolError);
  for (const char* injection : {"bit:1:1:32", "bit:1:1", "drop:1:1:0", "flip:1:1:1"}) {
    EXPECT_THROW(Small(kFp32, 64, injection), sdk::ToolError) << injection;
  }
  EXPECT_THROW(Multiplied(Small(kFp32, 64, "bit:64:0:1")), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
