// Work in which lanes need each other, and functions whose bits are the device's own, on good and on faulty units.
#include "suites/physical/unit_exchange.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "suites/physical/device_test_base.h"
#include "suites/physical/unit_special.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMemory = 16 << 20;

class UnitExchangeOn : public DeviceTest {
 protected:
  // A good device, then one with a stuck lane in unit 2 (OpenCL has no word for the unit: all count as unit 0).
  void ExpectGoodThenFaulty(UnitWork work) {
    // On the host lanes that wait for each other are threads: few of them.
    work.group_size = 16;
    work.steps = 3;
    const auto device = Device(kMemory);
    UnitSweepOptions options = {.seed = 5, .seconds = 0, .groups_per_unit = 1, .least_groups = 1};
    const UnitSweepReport good = SweepUnits(*device, work, options);
    EXPECT_EQ(good.wrong_groups, 0u) << (good.errors.empty() ? "" : good.errors[0].Describe());
    EXPECT_TRUE(good.wrong_common.empty()) << good.wrong_common[0];
    options.fault = ParseUnitFault(device->Traits().names_units ? "stuck:2:3:33" : "stuck:0:3:33");
    const UnitSweepReport faulty = SweepUnits(*device, work, options);
    EXPECT_EQ(faulty.verdicts.at(0).find("permanent"), 0u);
    EXPECT_EQ(faulty.errors.at(0).unit.value_or(2), 2u);
  }
};
INSTANTIATE_TEST_SUITE_P(Device, UnitExchangeOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(UnitExchangeOn, Shuffles) {
  ExpectGoodThenFaulty(ShuffleWork(8));
  ExpectGoodThenFaulty(ShuffleWork(16));
}

TEST_P(UnitExchangeOn, Reductions) { ExpectGoodThenFaulty(ReductionWork()); }

TEST_P(UnitExchangeOn, Atomics) {
  ExpectGoodThenFaulty(AtomicsWork());
  if (Device(kMemory)->Traits().atomics_64) ExpectGoodThenFaulty(Atomics64Work());
}

// What each group has is right, and what they have together is not: the way to memory lost something.
TEST_P(UnitExchangeOn, ASumOfAllGroupsThatIsWrongIsTold) {
  UnitWork work = ReductionWork();
  work.group_size = 16;
  work.steps = 3;
  work.expect_common = [right = work.expect_common](const UnitWork& shape, const std::vector<uint64_t>& expected,
                                                    uint64_t groups) { return right(shape, expected, groups + 1); };
  const auto device = Device(kMemory);
  const UnitSweepReport report = SweepUnits(*device, work, {.seconds = 0, .groups_per_unit = 1, .least_groups = 1});
  EXPECT_EQ(report.wrong_groups, 0u);
  EXPECT_EQ(report.wrong_common.size(), 2u);
  EXPECT_TRUE(report.verdicts.empty()) << report.verdicts[0];
}

TEST_P(UnitExchangeOn, FunctionsAgreeAndLieWithinTheirBounds) {
  const auto device = Device(kMemory);
  SpecialReport special;
  for (UnitWork work : {SpecialWork(*device, SpecialDocument::kOpenCl, special),
                        SpecialDoubleWork(*device, SpecialDocument::kOpenCl, special)}) {
    work.group_size = 32;
    work.steps = 4;
    UnitSweepOptions options = {.seed = 5, .seconds = 0, .groups_per_unit = 1, .least_groups = 1};
    const UnitSweepReport report = SweepUnits(*device, work, options);
    EXPECT_EQ(report.wrong_groups, 0u) << (report.errors.empty() ? "" : report.errors[0].Describe());
    options.fault = ParseUnitFault(device->Traits().names_units ? "stuck:3:9:1" : "stuck:0:9:1");
    const UnitSweepReport faulty = SweepUnits(*device, work, options);
    EXPECT_EQ(faulty.verdicts.at(0).find("permanent"), 0u);
    EXPECT_EQ(faulty.errors.at(0).lane, 9u);
  }
  EXPECT_EQ(special.wrong_values, 0u) << special.wrong[0];
  EXPECT_EQ(special.disputed_values, 0u);
  EXPECT_EQ(special.worst_ulp.size(), 24u);
}

TEST(UnitSpecial, AValueBeyondItsBoundIsTold) {
  const auto word = [](float value) { return uint64_t{std::bit_cast<u32>(value)}; };
  const auto check = [&](uint64_t value, SpecialDocument document) {
    SpecialReport report;
    CheckSpecial(false, 0, document, {word(0.5f)}, {value}, report);
    return report;
  };
  const uint64_t sine = word(0.47942554f);
  EXPECT_LE(check(sine, SpecialDocument::kCuda).worst_ulp.at("sin"), 0.5);
  EXPECT_EQ(check(sine + 2, SpecialDocument::kCuda).wrong_values, 0u);
  EXPECT_EQ(check(sine + 3, SpecialDocument::kCuda).wrong_values, 1u);
  EXPECT_EQ(check(sine + 3, SpecialDocument::kOpenCl).wrong_values, 0u);
  EXPECT_EQ(check(0x7fc00000, SpecialDocument::kOpenCl).wrong_values, 1u) << "no number is no value";
  const SpecialReport far = check(sine ^ 1u << 20, SpecialDocument::kCuda);
  EXPECT_EQ(far.wrong.at(0).find("sin of 0x000000003f000000 (0.5): expected 0.479425"), 0u) << far.wrong.at(0);
}

}  // namespace
}  // namespace muster::physical
