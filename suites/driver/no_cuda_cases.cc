// The cases of work_cases.cc and runtime_version_case.cc in a build without the CUDA toolkit: they say so.
#include <gtest/gtest.h>

namespace {

constexpr char kReason[] = "this program was built without the CUDA toolkit; build where nvcc is found";

TEST(clocks, throttle) { GTEST_SKIP() << kReason; }
TEST(versions, runtime) { GTEST_SKIP() << kReason; }

}  // namespace
