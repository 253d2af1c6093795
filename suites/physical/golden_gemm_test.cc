#include "suites/physical/golden_gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kDigest = 13184243603013108795ull;    // Of size 192, seed 1, operands to 7.
constexpr uint64_t kDigestTo3 = 8389119645203325797ull;  // Of operands to 3, as fp8 has them.

// Multiplies on the host what lies on the device, in every type: the plain kernel has fp32 alone.
class HostEngine final : public MatrixEngine {
 public:
  explicit HostEngine(ComputeDevice& device) : device_(device) {}
  std::string Name() const override { return "host"; }
  std::string Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c) override {
    type_ = type;
    size_ = size;
    a_ = a;
    b_ = b;
    c_ = c;
    return "";
  }
  void Multiply() override {
    const std::vector<double> a = Read(a_);
    const std::vector<double> b = Read(b_);
    product_.clear();
    for (size_t j = 0; j < size_; ++j) {
      for (size_t i = 0; i < size_; ++i) {
        double sum = 0;
        for (size_t k = 0; k < size_; ++k) sum += a[i * size_ + k] * b[j * size_ + k];
        if (type_ == sdk::MatrixType::kFp64) {
          Append(sum);
        } else if (type_ == sdk::MatrixType::kInt8) {
          Append(static_cast<int32_t>(sum));
        } else {
          Append(static_cast<float>(sum));
        }
      }
    }
    device_.Copy(c_, product_.data(), product_.size());
  }

 private:
  template <typename Number>
  void Append(Number number) {
    const char* const bytes = reinterpret_cast<const char*>(&number);
    product_.insert(product_.end(), bytes, bytes + sizeof(number));
  }
  template <typename Kept>
  std::vector<double> ReadAs(const void* matrix, const std::function<double(Kept)>& number) {
    std::vector<Kept> kept(size_t{size_} * size_);
    device_.ReadBack(kept.data(), matrix, kept.size() * sizeof(Kept));
    std::vector<double> numbers;
    for (const Kept one : kept) numbers.push_back(number(one));
    return numbers;
  }
  // IEEE 754's shape: sign, exponent, mantissa.
  static double Small(uint32_t bits, int exponent_bits, int mantissa_bits) {
    const int exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
    const int mantissa = static_cast<int>(bits) & ((1 << mantissa_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
    const double magnitude = std::ldexp(whole, std::max(exponent, 1) - bias - mantissa_bits);
    return (bits >> (exponent_bits + mantissa_bits)) & 1 ? -magnitude : magnitude;
  }
  std::vector<double> Read(const void* matrix) {
    switch (type_) {
      case sdk::MatrixType::kFp64:
        return ReadAs<double>(matrix, [](double x) { return x; });
      case sdk::MatrixType::kFp32:
      case sdk::MatrixType::kTf32:
        return ReadAs<float>(matrix, [](float x) { return x; });
      case sdk::MatrixType::kFp16:
        return ReadAs<uint16_t>(matrix, [](uint16_t x) { return Small(x, 5, 10); });
      case sdk::MatrixType::kBf16:
        return ReadAs<uint16_t>(matrix, [](uint16_t x) { return Small(x, 8, 7); });
      case sdk::MatrixType::kInt8:
        return ReadAs<int8_t>(matrix, [](int8_t x) { return x; });
      case sdk::MatrixType::kFp8:
        return ReadAs<uint8_t>(matrix, [](uint8_t x) { return Small(x, 4, 3); });
    }
    return {};
  }

  ComputeDevice& device_;
  sdk::MatrixType type_ = sdk::MatrixType::kFp32;
  uint32_t size_ = 0;
  void* a_ = nullptr;
  void* b_ = nullptr;
  void* c_ = nullptr;
  std::vector<char> product_;
};

class GoldenOn : public DeviceTest {
 protected:
  GoldenReport Multiplied(const std::string& injection, uint64_t seed = 1) {
    const auto device = Device(64 << 20);
    const auto engine = MakePlainEngine(*device);
    return RunGolden(*device, *engine,
                     {.type = sdk::MatrixType::kFp32,
                      .size = 192,
                      .seed = seed,
                      .seconds = 0,
                      .products_per_round = 2,
                      .injection = ParseGoldenInjection(injection, sdk::MatrixType::kFp32)});
  }

  GoldenReport MultipliedByHost(sdk::MatrixType type, const std::string& injection) {
    const auto device = Device(64 << 20);
    HostEngine engine(*device);
    return RunGolden(*device, engine,
                     {.type = type,
                      .size = 192,
                      .seed = 1,
                      .seconds = 0,
                      .products_per_round = 1,
                      .injection = ParseGoldenInjection(injection, type)});
  }
};
INSTANTIATE_TEST_SUITE_P(Device, GoldenOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(GoldenOn, ARightProductPassesAndHasTheSameDigestEachTime) {
  const GoldenReport report = Multiplied("");
  EXPECT_EQ(report.wrong_rows, 0u);
  EXPECT_EQ(report.strips_not_whole, 0u);
  EXPECT_EQ(report.products, 2u);
  EXPECT_EQ(report.digest, kDigest) << "the digest is part of the contract: the same on every GPU";
  EXPECT_EQ(report.digest, Multiplied("").digest);
  EXPECT_NE(report.digest, Multiplied("", 2).digest);
}

TEST_P(GoldenOn, EveryTypeOfTheSameOperandsHasTheSameDigest) {
  using enum sdk::MatrixType;
  for (const sdk::MatrixType type : {kFp64, kFp32, kTf32, kFp16, kBf16, kInt8, kFp8}) {
    const GoldenReport report = MultipliedByHost(type, "");
    EXPECT_EQ(report.wrong_rows, 0u) << MatrixTypeName(type);
    EXPECT_EQ(report.strips_not_whole, 0u) << MatrixTypeName(type);
    EXPECT_EQ(report.digest, type == kFp8 ? kDigestTo3 : kDigest) << MatrixTypeName(type);
  }
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
    const GoldenArguments arguments = {.size = kSize,
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

TEST_P(GoldenOn, FlippedBitsOfDoublesAndIntegersAreFoundAndLocated) {
  for (const auto& [type, bits] : {std::pair(sdk::MatrixType::kFp64, 64), std::pair(sdk::MatrixType::kInt8, 32)}) {
    for (const int bit : {0, bits / 2, bits - 2, bits - 1}) {
      const GoldenReport report = MultipliedByHost(type, absl::StrCat("bit:191:3:", bit));
      EXPECT_GT(report.wrong_rows + report.strips_not_whole, 0u) << MatrixTypeName(type) << " " << bit;
      ASSERT_EQ(report.errors.size(), 1u) << MatrixTypeName(type) << " " << bit;
      EXPECT_EQ(report.errors[0].row, 191u);
      EXPECT_EQ(report.errors[0].column, 3u);
    }
  }
}

// The lowest bit of the mantissa makes a whole number a broken one, the highest exponent bit an infinity.
TEST_P(GoldenOn, EveryFlippedBitOfAnEntryIsFoundAndLocated) {
  for (int bit = 0; bit < 32; ++bit) {
    const GoldenReport report = Multiplied("bit:17:101:" + std::to_string(bit));
    EXPECT_TRUE(report.wrong_rows == 1 || report.strips_not_whole == 1) << bit;
    ASSERT_EQ(report.errors.size(), 1u) << bit;
    EXPECT_EQ(report.errors[0].row, 17u);
    EXPECT_EQ(report.errors[0].column, 101u);
    EXPECT_NE(report.errors[0].found, static_cast<double>(report.errors[0].expected));
  }
}

TEST_P(GoldenOn, NeitherNaNNorInfinityPasses) {
  for (const char* what : {"nan:0:0", "inf:191:191"}) {
    const GoldenReport report = Multiplied(what);
    EXPECT_EQ(report.strips_not_whole, 1u) << what;
    EXPECT_EQ(report.wrong_rows, 1u) << what;
  }
}

TEST_P(GoldenOn, AWrongTileIsFoundInEachOfItsRows) {
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

TEST_P(GoldenOn, RefusesWhatItCannotDo) {
  const auto device = Device(64 << 20);
  const auto engine = MakePlainEngine(*device);
  EXPECT_NE(RunGolden(*device, *engine, {.type = sdk::MatrixType::kBf16, .size = 64}).unsupported, "");
  EXPECT_THROW(RunGolden(*device, *engine, {.type = sdk::MatrixType::kFp32, .size = 100}), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:1:1:32"), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:192:0:1"), sdk::ToolError);
  EXPECT_THROW(Multiplied("bit:1:1"), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
