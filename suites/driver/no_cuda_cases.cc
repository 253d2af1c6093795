// The case of runtime_version_case.cc in a build without the CUDA toolkit: it says so.
#include <gtest/gtest.h>

namespace {

constexpr char kReason[] = "this program was built without the CUDA toolkit; build where nvcc is found";

TEST(versions, runtime) { GTEST_SKIP() << kReason; }

}  // namespace
