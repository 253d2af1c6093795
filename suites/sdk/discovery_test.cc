#include "suites/sdk/discovery.h"

#include <gtest/gtest.h>

namespace muster::sdk {
namespace {

TEST(IsVisible, TakesIndicesAndUuids) {
  EXPECT_TRUE(IsVisible(nullptr, 3, "GPU-abc"));
  EXPECT_FALSE(IsVisible("", 0, "GPU-abc"));
  EXPECT_TRUE(IsVisible("0, 2", 2, "GPU-abc"));
  EXPECT_FALSE(IsVisible("0,2", 1, "GPU-abc"));
  EXPECT_TRUE(IsVisible("GPU-ab", 1, "GPU-abc"));
  EXPECT_FALSE(IsVisible("GPU-abcd", 1, "GPU-abc"));
  EXPECT_FALSE(IsVisible("GPU-b", 1, "GPU-abc"));
}

}  // namespace
}  // namespace muster::sdk
