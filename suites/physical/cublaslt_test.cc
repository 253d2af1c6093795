#include "suites/physical/cublaslt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::physical {
namespace {

using testing::HasSubstr;

TEST(CublasLt, SaysWhatWasTried) {
  const auto loaded = CublasLt::Load({"/nonexistent/libcublasLt.so.13"});
  EXPECT_TRUE(absl::IsNotFound(loaded.status()));
  EXPECT_THAT(loaded.status().ToString(), HasSubstr("/nonexistent/libcublasLt.so.13"));
}

}  // namespace
}  // namespace muster::physical
