// The suite detection on a simulated Intel GPU: a case passes where the physical case finds all its faults, and fails
// where that case is red without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/physical/simulated_suite.h"

namespace muster::physical {
namespace {

using sdk::testing::Step;
using testing::HasSubstr;

constexpr char kArc[] = "model: ARC_A770";

class Detection : public SimulatedSuite {
 protected:
  Detection() : SimulatedSuite(MUSTER_DETECTION_SUITE, R"("gemm_size": 128)") {}

  // How many faults were found.
  static int Found(const Step& step) {
    int found = 0;
    for (const auto& one : step.measurements) {
      found += one.name() == "detection.found" && one.value().bool_value() ? 1 : 0;
    }
    return found;
  }
};

TEST_F(Detection, PassesWhereEachFaultIsFound) {
  const Step march = Run("memory.march", ArcWithMemory(128 << 20));
  EXPECT_EQ(march.status, "COMPLETE");
  EXPECT_EQ(Said(march), "");
  EXPECT_EQ(Found(march), 4);
  const Step product = Run("compute.golden_fp32", kArc);
  EXPECT_EQ(Said(product), "");
  EXPECT_GE(Found(product), 1);
}

TEST_F(Detection, FailsWhereTheCaseIsRedWithoutAFaultOfItsOwn) {
  const Step step = Run("memory.march", ArcWithMemory(128 << 20),
                        "faults { at_s: 1 wrong_results { kernel: 'march_write' byte_offset: 4660 bit: 3 } }");
  EXPECT_THAT(Said(step), HasSubstr("memory.march fails without a fault of its own making"));
}

TEST_F(Detection, IsSkippedWhereTheCaseIs) {
  const Step step = Run("compute.tensor_units", kArc);
  EXPECT_EQ(step.status, "SKIP") << Said(step);
}

}  // namespace
}  // namespace muster::physical
