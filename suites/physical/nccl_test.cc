#include "suites/physical/nccl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::physical {
namespace {

TEST(Nccl, SaysWhatWasTried) {
  const auto made = MakeNcclReducer({"/nonexistent/libnccl.so.2", "libm.so.6"}, {});
  EXPECT_TRUE(absl::IsNotFound(made.status()));
  EXPECT_THAT(made.status().ToString(), testing::HasSubstr("/nonexistent/libnccl.so.2, libm.so.6"));
}

}  // namespace
}  // namespace muster::physical
