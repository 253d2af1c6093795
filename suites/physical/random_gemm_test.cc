#include "suites/physical/random_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "suites/physical/device_memory.h"
#include "suites/physical/device_test_base.h"
#include "suites/physical/random_gemm.kernels.h"

namespace muster::physical {
namespace {

using enum sdk::MatrixType;

// The plain kernel as an engine that takes a in columns: turns it over on the host.
class ColumnsEngine final : public MatrixEngine {
 public:
  // With `turns` false it takes columns for rows.
  ColumnsEngine(ComputeDevice& device, bool turns)
      : device_(device), turns_(turns), plain_(MakePlainEngine(device)), rows_(device, 1 << 20) {}
  std::string Name() const override { return "columns"; }
  bool UsesMatrixUnits() const override { return false; }
  bool TakesColumnsOfA(sdk::MatrixType) const override { return true; }
  std::string Prepare(const MatrixProduct& product, const MatrixOperands& operands) override {
    shape_ = product;
    MatrixProduct in_rows = product;
    in_rows.a_in_columns = false;
    return plain_->Prepare(in_rows, operands);
  }
  void Multiply(const MatrixOperands& operands) override {
    if (!shape_.a_in_columns || !turns_) return plain_->Multiply(operands);
    const size_t bytes = BytesOfFormat(shape_.InputFormat());
    std::vector<char> columns(shape_.BytesOfA());
    device_.ReadBack(columns.data(), operands.a, columns.size());
    std::vector<char> rows(columns.size());
    for (size_t i = 0; i < shape_.rows; ++i) {
      for (size_t k = 0; k < shape_.depth; ++k)
        memcpy(&rows[(i * shape_.depth + k) * bytes], &columns[(k * shape_.rows + i) * bytes], bytes);
    }
    device_.Copy(rows_.data(), rows.data(), rows.size());
    plain_->Multiply({rows_.data(), operands.b, operands.c});
    device_.Wait();
  }
  const MatrixProduct& shape() const { return shape_; }

 private:
  ComputeDevice& device_;
  const bool turns_;
  const std::unique_ptr<MatrixEngine> plain_;
  const DeviceMemory rows_;
  MatrixProduct shape_;
};

RandomGemmReport RunOn(ComputeDevice& device, MatrixEngine& engine, sdk::MatrixType type, bool inject = false) {
  return RunRandomGemm(device, engine,
                       {.product = {.type = type, .rows = 128, .columns = 64, .depth = 192},
                        .warm_up_seconds = 0,
                        .least_products = 1,
                        .seconds = 0,
                        .inject = inject});
}

class RandomGemmOn : public DeviceTest {
 protected:
  RandomGemmReport Run(sdk::MatrixType type, bool inject = false) {
    const auto device = Device(64 << 20);
    const auto engine = MakePlainEngine(*device);
    return RunOn(*device, *engine, type, inject);
  }
};
INSTANTIATE_TEST_SUITE_P(Device, RandomGemmOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(RandomGemmOn, ARightProductPassesAndABitShowsInEveryType) {
  for (const sdk::MatrixType type : {kFp64, kFp32, kTf32, kFp16, kBf16, kInt8, kFp8}) {
    const RandomGemmReport right = Run(type);
    EXPECT_EQ(right.unsupported, "");
    EXPECT_EQ(right.checked, 1024u) << MatrixTypeName(type);
    EXPECT_EQ(right.wrong, 0u) << MatrixTypeName(type) << ": " << right.first_wrong;
    EXPECT_GT(right.operations_per_second, 0) << MatrixTypeName(type);
    const RandomGemmReport wrong = Run(type, true);
    EXPECT_EQ(wrong.wrong, 1u) << MatrixTypeName(type);
    EXPECT_NE(wrong.first_wrong, "");
  }
}

TEST_P(RandomGemmOn, AOfTheSlowTypesLiesInColumnsWhereTheEngineTakesThem) {
  const auto device = Device(64 << 20);
  ColumnsEngine engine(*device, true);
  ColumnsEngine confused(*device, false);
  for (const sdk::MatrixType type : {kFp64, kFp32, kTf32, kBf16, kInt8}) {
    const RandomGemmReport right = RunOn(*device, engine, type);
    EXPECT_EQ(engine.shape().a_in_columns, type == kFp64 || type == kFp32);
    EXPECT_EQ(right.checked, 1024u);
    EXPECT_EQ(right.wrong, 0u) << MatrixTypeName(type) << ": " << right.first_wrong;
    EXPECT_EQ(RunOn(*device, engine, type, true).wrong, 1u) << MatrixTypeName(type);
    const RandomGemmReport wrong = RunOn(*device, confused, type);
    EXPECT_EQ(wrong.wrong > 1000, confused.shape().a_in_columns) << MatrixTypeName(type) << ": " << wrong.wrong;
  }
}

TEST_P(RandomGemmOn, ThePlainKernelRefusesColumns) {
  const auto device = Device(64 << 20);
  EXPECT_EQ(MakePlainEngine(*device)->Prepare(
                {.type = kFp32, .rows = 64, .columns = 64, .depth = 64, .a_in_columns = true}, MatrixOperands()),
            "the plain kernel's first operand lies in rows");
}

TEST(RandomGemm, OperandsAreNearlyNormal) {
  double sum = 0;
  double squares = 0;
  int within = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const double number = random_sum(5, static_cast<u64>(i)) / 37837.2275;
    sum += number;
    squares += number * number;
    within += std::abs(number) < 1 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.02);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
  EXPECT_NEAR(static_cast<double>(within) / kCount, 0.683, 0.02);
}

}  // namespace
}  // namespace muster::physical
