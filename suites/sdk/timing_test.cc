#include "suites/sdk/timing.h"

#include <gtest/gtest.h>

namespace muster::sdk {
namespace {

TEST(Timing, SummaryIsMedianAndRange) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  const Timing timing = Summarize({5, 1, 9});
  EXPECT_EQ(timing.median_seconds, 5);
  EXPECT_EQ(timing.shortest_seconds, 1);
  EXPECT_EQ(timing.longest_seconds, 9);
}

}  // namespace
}  // namespace muster::sdk
