#include "suites/physical/pointer_chase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using testing::HasSubstr;

class ChaseOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, ChaseOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(ChaseOn, EndsWhereItMust) {
  const auto device = Device(256 << 20);
  for (const bool in_host_memory : {false, true}) {
    for (const bool cold : {false, true}) {
      const ChaseReport report =
          Chase(*device,
                {.ring_bytes = 64 << 10, .steps = 1000, .repeats = 3, .in_host_memory = in_host_memory, .cold = cold});
      EXPECT_EQ(report.problem, "");
      EXPECT_EQ(report.steps, 3000u + (cold ? 0 : 512));
      EXPECT_GT(report.seconds_per_step, 0);
    }
  }
}

// A ring is one cycle: each link is on it.
TEST_P(ChaseOn, ALinkThatLeadsElsewhereIsNamed) {
  const auto device = Device(8 << 20);
  for (const uint64_t link : {1, 99, 511}) {
    const ChaseReport report =
        Chase(*device, {.ring_bytes = 64 << 10, .steps = 100, .repeats = 1, .broken_link = link});
    EXPECT_THAT(report.problem, HasSubstr("link " + std::to_string(link) + " at offset")) << report.problem;
    EXPECT_THAT(report.problem, HasSubstr("leads to 0, expected"));
  }
  EXPECT_THROW(Chase(*device, {.ring_bytes = 64 << 10, .steps = 1, .broken_link = 512}), sdk::ToolError);
}

TEST(ChaseSizes, GrowFromLevelToLevel) {
  for (const uint64_t cache : {0ull, 2ull << 20, 60ull << 20, 512ull << 20}) {
    const ChaseSizes sizes = ChaseSizesOf({.last_cache_bytes = cache});
    EXPECT_LT(sizes.l1, sizes.l2);
    EXPECT_LT(sizes.l2, sizes.memory);
    EXPECT_TRUE(cache == 0 || 2 * sizes.l2 <= cache);
  }
}

}  // namespace
}  // namespace muster::physical
