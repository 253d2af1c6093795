#include "suites/physical/unit_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "suites/physical/device_test_base.h"

namespace muster::physical {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr uint32_t kLanes = 32;

class UnitMemoryTest : public DeviceTest {
 protected:
  UnitSweepReport Sweep(const UnitWork& work, const std::string& fault) {
    const auto device = Device(64 << 20);
    return SweepUnits(
        *device, work,
        {.seed = 3, .seconds = 0, .groups_per_unit = 4, .least_groups = 2, .fault = ParseUnitFault(fault)});
  }
  // All that is said of places.
  static std::string Places(const UnitSweepReport& report) {
    std::string places;
    for (const UnitError& error : report.errors) places += PlaceOf(error) + "\n";
    return places;
  }
};

TEST_P(UnitMemoryTest, HealthyMemoryHasNoErrors) {
  for (const UnitWork& work :
       {SharedMemoryWork(4096, kLanes), SharedMemoryWork(4096 + 20, kLanes), CacheTagsWork(4096, kLanes)}) {
    const UnitSweepReport report = Sweep(work, "");
    EXPECT_EQ(report.wrong_groups, 0u) << work.kernel;
    EXPECT_GT(report.groups, 0u);
    EXPECT_THAT(report.verdicts, testing::IsEmpty());
  }
}

TEST_P(UnitMemoryTest, ABitOfLocalMemoryThatFlipsIsFoundByTheLaneThatReadsIt) {
  const UnitSweepReport report = Sweep(SharedMemoryWork(4096, kLanes), "every:5:13");
  EXPECT_EQ(report.wrong_groups, report.groups);
  EXPECT_THAT(Places(report), HasSubstr("has bits 0x2000 wrong"));
  // Lane 5 wrote word 5 in the first element.
  EXPECT_THAT(Places(report), HasSubstr("word 5 has bits"));
}

TEST_P(UnitMemoryTest, ALostAddressBitIsFoundWithTheAddressThatAnswered) {
  const UnitSweepReport report = Sweep(CacheTagsWork(4096, kLanes), "every:7:9");
  EXPECT_EQ(report.wrong_groups, report.groups);
  // Of lane 7's words the first with bit 9 is 519; it reads 7 instead.
  EXPECT_THAT(Places(report), HasSubstr("word 519 holds the value of word 7\n"));
}

TEST_P(UnitMemoryTest, TheFaultyUnitIsNamed) {
  if (std::string(GetParam()) != "host") GTEST_SKIP() << "this device does not name its units";
  for (const UnitWork& work : {SharedMemoryWork(4096, kLanes), CacheTagsWork(4096, kLanes)}) {
    // Of the last bits neither a word has 64, nor the window's addresses.
    for (const char* fault : {"stuck:2:5:9", "stuck:2:5:31", "stuck:2:5:45"}) {
      const UnitSweepReport report = Sweep(work, fault);
      EXPECT_THAT(report.verdicts, Contains(HasSubstr("permanent: unit 2"))) << work.kernel << " " << fault;
      ASSERT_FALSE(report.errors.empty()) << work.kernel << " " << fault;
      EXPECT_EQ(report.errors.front().unit, 2u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(On, UnitMemoryTest, testing::Values("host", "opencl"), DeviceTestName);

}  // namespace
}  // namespace muster::physical
