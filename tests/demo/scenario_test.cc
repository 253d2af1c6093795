#include <gtest/gtest.h>

#include "cli/demo/demo_fleet.h"
#include "tests/hardware_sim/scenario_file.h"
#include "tests/hardware_sim/world.h"

namespace muster {
namespace {

TEST(DemoScenario, TheSimulationTakesEveryFaultOnEveryGpuThatCanHaveIt) {
  for (const cli::FaultKind& kind : cli::FaultKinds()) {
    cli::DemoFleet fleet(4, 1);
    std::set<cli::DemoFleet::Target> done;
    // Each of those that can have it once: all are to be avoided when Choose() comes back to one.
    for (auto target = fleet.Choose(kind, done); done.insert(target).second; target = fleet.Choose(kind, done)) {
      fleet.Inject(kind, target, 3, kind.lasts ? 0 : 40);
    }
    EXPECT_GE(done.size(), 4u) << kind.name;
    const auto scenario = sim::ParseScenario(fleet.ScenarioText(), "demo");
    ASSERT_TRUE(scenario.ok()) << kind.name << ": " << scenario.status();
    for (const cli::DemoFleet::Machine& machine : fleet.machines()) {
      const auto world = sim::World::Make(*scenario, machine.name);
      ASSERT_TRUE(world.ok()) << world.status();
      EXPECT_EQ((*world)->devices().size(), cli::DemoFleet::kGpusPerMachine);
      for (const sim::DeviceFacts& device : (*world)->devices()) EXPECT_EQ(device.device.vendor(), machine.vendor);
    }
  }
}

// As many as a long demonstration makes.
TEST(DemoScenario, TheSimulationTakesALongStory) {
  cli::DemoFleet fleet(2, 5);
  for (int i = 0; i < 2'000; ++i) {
    const cli::FaultKind& kind = fleet.NextKind();
    fleet.Inject(kind, fleet.Choose(kind, {}), i, i + 0.5);
  }
  const auto scenario = sim::ParseScenario(fleet.ScenarioText(), "demo");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
}

}  // namespace
}  // namespace muster
