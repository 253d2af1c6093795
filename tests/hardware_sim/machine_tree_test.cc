#include "tests/hardware_sim/machine_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/inventory/host.h"
#include "base/fixture_tree.h"
#include "base/pci.h"
#include "base/root_folder.h"
#include "tests/hardware_sim/scenario_file.h"

namespace muster::sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A machine "m" of two devices, NVIDIA's before Intel's on the bus.
class MachineTreeTest : public ::testing::Test {
 protected:
  void Start(const std::string& faults) {
    const auto scenario = ParseScenario(
        "machines { name: 'm' devices { model: H100 " + faults + " } devices { model: ARC_A770 } }", "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    world_ = *World::Make(*scenario, "m");
    tree_ = std::make_unique<MachineTree>(folder_.root(), "m");
  }
  void Update(Seconds now) {
    const absl::Status updated = tree_->Update(*world_, now);
    ASSERT_TRUE(updated.ok()) << updated;
  }
  std::vector<v1::Device> Gpus() const { return *base::PciGpus(base::RootFolder(folder_.root())); }
  std::string Log() const { return base::RootFolder(folder_.root()).Read("/dev/kmsg"); }

  base::FixtureTree folder_;
  std::unique_ptr<World> world_;
  std::unique_ptr<MachineTree> tree_;
};

TEST_F(MachineTreeTest, TheAgentFindsTheDevices) {
  Start("");
  Update(0);
  const std::vector<v1::Device> gpus = Gpus();
  ASSERT_THAT(gpus, SizeIs(2));
  for (size_t i = 0; i < gpus.size(); ++i) {
    const v1::Device& told = world_->devices()[i].device;
    EXPECT_EQ(gpus[i].pci_address(), told.pci_address());
    EXPECT_EQ(gpus[i].pci_device_id(), told.pci_device_id());
    EXPECT_EQ(gpus[i].vendor(), told.vendor());
    EXPECT_EQ(gpus[i].kernel_driver(), told.kernel_driver());
    EXPECT_EQ(gpus[i].pci_link().SerializeAsString(), told.pci_link().SerializeAsString());
    EXPECT_THAT(gpus[i].device_nodes(), ::testing::ElementsAreArray(told.device_nodes()));
  }
  EXPECT_EQ(gpus[0].driver_version(), "580.95.05");
  for (const v1::Device& gpu : gpus) {
    for (const std::string& node : gpu.device_nodes()) {
      EXPECT_TRUE(std::filesystem::exists(folder_.root() + node)) << node;
    }
  }
}

TEST_F(MachineTreeTest, TheHostHasNoGaps) {
  Start("");
  Update(0);
  v1::Machine machine;
  agent::DescribeHost(base::RootFolder(folder_.root()), machine);
  EXPECT_THAT(machine.notes(), IsEmpty());
  EXPECT_EQ(machine.host_name(), "m");
  EXPECT_EQ(machine.machine_id().size(), 32u);
}

TEST_F(MachineTreeTest, ALostDeviceIsNotOnTheBus) {
  Start("faults { at_s: 10 until_s: 20 device_lost {} }");
  Update(0);
  Update(10);
  ASSERT_THAT(Gpus(), SizeIs(1));
  EXPECT_EQ(Gpus()[0].vendor(), v1::VENDOR_INTEL);
  Update(20);
  EXPECT_THAT(Gpus(), SizeIs(2));
}

TEST_F(MachineTreeTest, TheLinkTrainsDown) {
  Start("faults { at_s: 10 until_s: 20 link_trained_down { generation: 1 lanes: 8 } }");
  Update(0);
  EXPECT_EQ(Gpus()[0].pci_link().generation(), 5u);
  Update(10);
  EXPECT_EQ(Gpus()[0].pci_link().generation(), 1u);
  EXPECT_EQ(Gpus()[0].pci_link().width(), 8u);
  EXPECT_EQ(Gpus()[0].pci_link().max_width(), 16u);
  Update(20);
  EXPECT_EQ(Gpus()[0].pci_link().width(), 16u);
}

TEST_F(MachineTreeTest, TheKernelLogGrowsByRecords) {
  Start("faults { at_s: 12.5 xid { number: 31 } }");
  Update(1);
  const std::string before = Log();
  EXPECT_THAT(before, StartsWith("6,0,0,-;"));
  Update(12);
  EXPECT_EQ(Log(), before);
  Update(13);
  EXPECT_THAT(Log(), AllOf(StartsWith(before), HasSubstr(",12500000,-;NVRM: Xid (PCI:0000:19:00): 31, ")));
  const std::string after = Log();
  Update(14);
  EXPECT_EQ(Log(), after);
}

TEST_F(MachineTreeTest, ANewTreeBeginsAnew) {
  Start("faults { at_s: 1 xid { number: 13 } }");
  Update(2);
  const std::string before = Log();
  MachineTree again(folder_.root(), "m");
  ASSERT_TRUE(again.Update(*world_, 2).ok());
  EXPECT_EQ(Log(), before);
  EXPECT_THAT(Gpus(), SizeIs(2));
}

}  // namespace
}  // namespace muster::sim
