#include "suites/physical/random_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "suites/physical/device_test_base.h"
#include "suites/physical/random_gemm.kernels.h"

namespace muster::physical {
namespace {

using enum sdk::MatrixType;

class RandomGemmOn : public DeviceTest {
 protected:
  RandomGemmReport Run(sdk::MatrixType type, bool inject = false) {
    const auto device = Device(64 << 20);
    const auto engine = MakePlainEngine(*device);
    return RunRandomGemm(*device, *engine,
                         {.product = {.type = type, .rows = 64, .columns = 64, .depth = 64},
                          .warm_up_seconds = 0,
                          .least_products = 1,
                          .seconds = 0,
                          .inject = inject});
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
