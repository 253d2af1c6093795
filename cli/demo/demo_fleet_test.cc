#include "cli/demo/demo_fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace muster::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DemoFleet, HasBothVendorsInTurns) {
  const DemoFleet fleet(3, 1);
  ASSERT_EQ(fleet.machines().size(), 3u);
  EXPECT_EQ(fleet.machines()[0].name, "demo-intel-1");
  EXPECT_EQ(fleet.machines()[1].name, "demo-nvidia-1");
  EXPECT_EQ(fleet.machines()[2].name, "demo-intel-2");
  EXPECT_NE(fleet.machines()[0].model, fleet.machines()[2].model);
}

TEST(DemoFleet, EveryKindComesOnceAndThoseThatLastComeLast) {
  DemoFleet fleet(4, 7);
  std::set<std::string_view> seen;
  bool lasting = false;
  for (size_t i = 0; i < FaultKinds().size(); ++i) {
    const FaultKind& kind = fleet.NextKind();
    EXPECT_TRUE(seen.insert(kind.name).second) << kind.name;
    EXPECT_LE(lasting, kind.lasts) << kind.name;
    lasting = kind.lasts;
  }
  EXPECT_TRUE(lasting);
  EXPECT_FALSE(fleet.NextKind().lasts);  // And again.
}

TEST(DemoFleet, TheSeedDecides) {
  const auto story = [](uint64_t seed) {
    DemoFleet fleet(4, seed);
    std::string told;
    for (int i = 0; i < 10; ++i) {
      const FaultKind& kind = fleet.NextKind();
      const DemoFleet::Target target = fleet.Choose(kind, {});
      told += std::string(kind.name) + std::to_string(target.machine) + std::to_string(target.gpu) + " ";
    }
    return told;
  };
  EXPECT_EQ(story(3), story(3));
  EXPECT_NE(story(3), story(4));
}

TEST(DemoFleet, AFleetOfOneVendorHasNoFaultsOfTheOther) {
  DemoFleet fleet(1, 1);
  for (size_t i = 0; i < 2 * FaultKinds().size(); ++i) EXPECT_NE(fleet.NextKind().vendor, v1::VENDOR_NVIDIA);
}

TEST(DemoFleet, BreaksWhatIsWellWhileThereIsSome) {
  DemoFleet fleet(4, 1);
  const FaultKind& xid = *FindFaultKind("xid-79");
  const std::set<DemoFleet::Target> broken = {{1, 0}, {1, 1}, {3, 0}};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(fleet.Choose(xid, broken), (DemoFleet::Target{3, 1}));
  const DemoFleet::Target any = fleet.Choose(xid, {{1, 0}, {1, 1}, {3, 0}, {3, 1}});
  EXPECT_EQ(any.machine % 2, 1u);  // Still one of NVIDIA's.
}

TEST(DemoFleet, AFaultIsInTheScenarioOnItsDevice) {
  DemoFleet fleet(2, 1);
  EXPECT_THAT(fleet.ScenarioText(), Not(HasSubstr("faults")));
  fleet.Inject(*FindFaultKind("fan-stopped"), {0, 1}, 12.5, 30);
  const std::string text = fleet.ScenarioText();
  EXPECT_THAT(text, HasSubstr("faults { at_s: 12.5 until_s: 30 fan_stopped {} }"));
  EXPECT_LT(text.find("demo-intel-1"), text.find("faults"));
  EXPECT_LT(text.find("faults"), text.find("demo-nvidia-1"));
  EXPECT_THAT(text, HasSubstr("SIMULATED"));
}

// Days of it stay within what the simulation takes.
TEST(DemoFleet, OldFaultsGo) {
  DemoFleet fleet(1, 1);
  for (int i = 0; i < 1'000; ++i) fleet.Inject(*FindFaultKind("fan-stopped"), {0, 0}, i, i + 1);
  const std::string text = fleet.ScenarioText();
  EXPECT_THAT(text, Not(HasSubstr("at_s: 0 ")));
  EXPECT_THAT(text, HasSubstr("at_s: 999 "));
  EXPECT_LT(text.size(), 20'000u);
}

}  // namespace
}  // namespace muster::cli
