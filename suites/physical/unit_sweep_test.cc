#include "suites/physical/unit_sweep.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>

#include "suites/physical/device_test_base.h"
#include "suites/physical/unit_arithmetic.h"
#include "suites/physical/unit_float.kernels.h"
#include "suites/physical/unit_float_fp64.kernels.h"
#include "suites/physical/unit_integer.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMemory = 16 << 20;

class UnitSweepOn : public DeviceTest {
 protected:
  UnitSweepReport Swept(UnitWork work, const std::string& fault = "", double seconds = 0) {
    work.group_size = 32;
    work.steps = 8;
    const auto device = Device(kMemory);
    return SweepUnits(*device, work,
                      {.seed = 5, .seconds = seconds, .groups_per_unit = 8, .fault = ParseUnitFault(fault)});
  }
  static bool NamesUnits() { return std::string(GetParam()) == "host"; }
  // OpenCL has no word for the unit: all that runs there counts as unit 0.
  static std::string Unit(const std::string& unit) { return NamesUnits() ? unit : "0"; }
};
INSTANTIATE_TEST_SUITE_P(Device, UnitSweepOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(UnitSweepOn, GoodUnitsAreAllSeenAndClean) {
  const UnitSweepReport report = Swept(IntegerWork(), "", 0.02);
  EXPECT_EQ(report.wrong_groups, 0u) << (report.errors.empty() ? "" : report.errors[0].Describe());
  EXPECT_TRUE(report.verdicts.empty());
  EXPECT_EQ(report.units_seen, NamesUnits() ? report.units : 0);
  EXPECT_EQ(report.groups, report.launches * report.units * 8);
}

TEST_P(UnitSweepOn, ArithmeticIsTheSameToTheLastBit) {
  const bool exact_division = Device(kMemory)->Traits().exact_division;
  for (const UnitWork& work : {FloatWork(false), FloatWork(exact_division), DoubleWork()}) {
    const UnitSweepReport report = Swept(work, "", 0.05);
    EXPECT_EQ(report.wrong_groups, 0u) << (report.errors.empty() ? "" : report.errors[0].Describe());
    EXPECT_EQ(Swept(work, "stuck:" + Unit("1") + ":31:52").verdicts.at(0).find("permanent"), 0u);
  }
}

TEST_P(UnitSweepOn, AStuckLaneIsNamedWithItsUnitOperationAndOperands) {
  const UnitSweepReport report = Swept(IntegerWork(), "stuck:" + Unit("2") + ":5:40");
  ASSERT_EQ(report.verdicts.size(), 1u);
  ASSERT_FALSE(report.errors.empty());
  const UnitError& error = report.errors[0];
  EXPECT_EQ(error.lane, 5u);
  EXPECT_EQ(error.operation, "add32") << "the first of all, which are all wrong there";
  EXPECT_EQ(error.steps, 1u) << "the shortest chain that fails";
  EXPECT_NE(error.input, "");
  EXPECT_EQ(report.unnoticed_groups, 0u);
  if (NamesUnits()) {
    EXPECT_EQ(report.verdicts[0], "permanent: unit 2 fails 10 of 10, others 0 of 30");
    EXPECT_EQ(error.unit, 2u);
    EXPECT_NE(error.Describe().find("unit 2, group"), std::string::npos) << error.Describe();
  } else {
    EXPECT_NE(report.verdicts[0].find("permanent: 10 of 10 launches fail again"), std::string::npos);
    EXPECT_NE(error.Describe().find("unit unknown"), std::string::npos) << error.Describe();
  }
}

TEST_P(UnitSweepOn, EveryBitOfAResultCounts) {
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_GT(Swept(IntegerWork(), "once:" + Unit("1") + ":31:" + std::to_string(bit)).wrong_groups, 0u) << bit;
  }
}

TEST_P(UnitSweepOn, TellsWhatComesAlwaysSometimesAndOnce) {
  const std::string sometimes = Swept(IntegerWork(), "sometimes:" + Unit("3") + ":0:0").verdicts.at(0);
  EXPECT_EQ(sometimes.find("intermittent: "), 0u) << sometimes;
  const std::string once = Swept(IntegerWork(), "once:" + Unit("3") + ":0:0").verdicts.at(0);
  EXPECT_EQ(once.find("once, not again: "), 0u) << once;
  if (!NamesUnits()) return;
  EXPECT_EQ(sometimes, "intermittent: unit 3 fails 3 of 10, others 0 of 30");
  EXPECT_EQ(Swept(IntegerWork(), "every:0:0").verdicts.at(0),
            "every unit fails (4 of 4): the expectation, the kernel, its compiler or what all units share is at fault");
}

TEST_P(UnitSweepOn, RefusesFaultsThatItDoesNotKnow) {
  for (const char* fault : {"stuck:1:1", "stuck:x:1:1", "stuck:1:1:64", "melt:1:1:1", "every:1", "slow:", "slow:1:2"}) {
    EXPECT_THROW(ParseUnitFault(fault), sdk::ToolError) << fault;
  }
  EXPECT_FALSE(ParseUnitFault("").has_value());
  const auto full = Device(1024);
  EXPECT_THROW(SweepUnits(*full, IntegerWork(), {}), sdk::ToolError);
}

UnitTallies Ran(std::initializer_list<uint64_t> groups) {
  UnitTallies tallies;
  for (const uint64_t count : groups) tallies[static_cast<uint32_t>(tallies.size())].groups = count;
  return tallies;
}

TEST(UnitVerdict, TheSlowestUnitIsFirstAsAShareOfTheMedian) {
  const auto paces = UnitPaces(Ran({100, 100, 40, 101, 99}));
  ASSERT_EQ(paces.size(), 5u);
  EXPECT_EQ(paces[0].unit, 2u);
  EXPECT_EQ(paces[0].share, 0.4);
  EXPECT_TRUE(UnitPaces(Ran({100, 40})).empty()) << "of two nobody knows which is right";
  EXPECT_TRUE(UnitPaces(Ran({10, 10, 4, 10})).empty()) << "too few to say";
}

TEST(UnitVerdict, NamesEachOfSeveralBadUnits) {
  UnitTallies tallies;
  for (uint32_t unit = 0; unit < 132; ++unit) tallies[unit] = {.groups = 8, .retests = 10};
  EXPECT_TRUE(UnitVerdicts(tallies, true).empty());
  tallies[17] = {.groups = 8, .wrong_groups = 8, .retests = 10, .retests_failed = 10};
  EXPECT_EQ(UnitVerdicts(tallies, true),
            std::vector<std::string>{"permanent: unit 17 fails 10 of 10, others 0 of 1310"});
  tallies[3] = {.groups = 8, .wrong_groups = 1, .retests = 10};
  tallies[4] = {.groups = 8, .retests = 10, .retests_failed = 1};
  const auto verdicts = UnitVerdicts(tallies, true);
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0], "once, not again: unit 3 fails 0 of 10, others 0 of 1290");
  EXPECT_EQ(verdicts[1], "intermittent: unit 4 fails 1 of 10, others 0 of 1290");
}

// Beside the source that the devices share: what the operations are, told once more.
TEST(UnitInteger, OperationsAreWhatTheirNamesSay) {
  EXPECT_EQ(integer_add32(0xffffffff'00000001, 0x00000001'00000002, 0), 3u) << "no carry from half to half";
  EXPECT_EQ(integer_add64(0xffffffff'ffffffff, 2, 0), 1u);
  EXPECT_EQ(integer_multiply_high_u32(0xffffffff, 0xffffffff, 0), 0xfffffffeu);
  EXPECT_EQ(integer_multiply_high_i32(0xffffffff, 0xffffffff, 0), 0u) << "-1 times -1";
  EXPECT_EQ(integer_multiply_high_u64(~0ull, ~0ull, 0), ~0ull - 1);
  EXPECT_EQ(integer_multiply_wide(0xffffffff, 0xffffffff, 0), 0xfffffffe'00000001u);
  EXPECT_EQ(integer_shift_arithmetic32(0x80000000'80000000, 4, 0), 0x80000000'f8000000u);
  EXPECT_EQ(integer_divide_i32(0xfffffff9, 6, 0), 0xfffffffeu) << "-7 / 3 towards zero";
  EXPECT_EQ(integer_popcount64(~0ull, 1, 0), 63u);
  EXPECT_EQ(integer_leading_zeros32(0, 0, 0), 0x20'00000020u);
  EXPECT_EQ(integer_leading_zeros64(0, 0, 0), 64u);
  EXPECT_EQ(integer_minimum_i64(~0ull, 5, 0), ~0ull);
  EXPECT_EQ(integer_maximum_u64(~0ull, 5, 0), ~0ull);
}

TEST(UnitInteger, FloatsAreThoseOfIeee754) {
  const auto bits = [](float value) { return uint64_t{std::bit_cast<u32>(value)}; };
  EXPECT_EQ(float_add(bits(1), bits(0x1p-24f), 0), bits(1)) << "a tie goes to the even one";
  EXPECT_EQ(float_add(bits(0x1.000002p0f), bits(0x1p-24f), 0), bits(0x1.000004p0f));
  EXPECT_EQ(float_multiply(1, bits(0.5f), 0), 0u) << "half of the smallest is a tie, too";
  EXPECT_EQ(float_multiply(3, bits(0.5f), 0), 2u) << "subnormal numbers are not flushed";
  EXPECT_EQ(float_fma(bits(0x1.000002p0f), bits(0x1.000002p0f), bits(-0x1.000004p0f)), bits(0x1p-46f))
      << "rounded once";
  EXPECT_EQ(static_cast<u32>(float_divide(bits(1), bits(-0.0f), 0)), bits(-HUGE_VALF));
  EXPECT_EQ(float_sqrt(bits(-1), 0, 0), 0x7fc00000u);
  EXPECT_EQ(float_sqrt(bits(-0.0f), 0, 0), bits(-0.0f));
  EXPECT_EQ(double_sqrt(DOUBLE_BITS(2.0), 0, 0), DOUBLE_BITS(0x1.6a09e667f3bcdp+0));
}

}  // namespace
}  // namespace muster::physical
