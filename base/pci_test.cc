#include "base/pci.h"

#include <gtest/gtest.h>

#include "base/fixture_tree.h"
#include "base/xe_generation.h"

namespace muster::base {
namespace {

TEST(PciTest, AddressesHaveOneForm) {
  EXPECT_EQ(NormalisePciAddress("00000000:41:00.0"), "0000:41:00.0");
  EXPECT_EQ(NormalisePciAddress("0000:C1:1F.7"), "0000:c1:1f.7");
  EXPECT_EQ(NormalisePciAddress("10000:e1:00.0"), "10000:e1:00.0");
  for (const char* bad : {"", "41:00.0", "0000:41:00.8", "0000:141:00.0", "0000:41:20.0", "x:1:2.3", "0000:41:00.0 "}) {
    EXPECT_EQ(NormalisePciAddress(bad), "") << bad;
  }
}

TEST(PciTest, XeTellsItsMemoryInTiles) {
  FixtureTree tree;
  tree.AddPci("pci0000:00/0000:03:00.0", "0x8086", "0xe20b", "0x030000", "xe");
  tree.Write("/sys/devices/pci0000:00/0000:03:00.0/tile0/physical_vram_size_bytes", "0x300000000\n");
  const auto gpus = PciGpus(RootFolder(tree.root()));
  ASSERT_TRUE(gpus.ok());
  ASSERT_EQ(gpus->size(), 1u);
  EXPECT_EQ(gpus->front().memory_bytes(), uint64_t{12} << 30);
  EXPECT_EQ(gpus->front().xe_generation(), "Xe2");
  EXPECT_FALSE(gpus->front().has_pci_link());
}

TEST(PciTest, IntegratedGpuHasNoLink) {
  FixtureTree tree;
  tree.AddPci("pci0000:00/0000:00:02.0", "0x8086", "0x46a6", "0x030000", "i915");
  tree.SetLink("pci0000:00/0000:00:02.0", "Unknown", "0", "Unknown", "255");
  const auto gpus = PciGpus(RootFolder(tree.root()));
  ASSERT_EQ(gpus->size(), 1u);
  EXPECT_FALSE(gpus->front().has_pci_link());
}

TEST(PciTest, TellsTheBridgesAboveADevice) {
  FixtureTree tree;
  tree.AddPci("pci0000:40/0000:40:01.0/0000:41:00.0/0000:42:00.0", "0x10de", "0x2335", "0x030200", "nvidia");
  const RootFolder root(tree.root());
  EXPECT_EQ(PciBridgesAbove(root, "0000:42:00.0"), (std::vector<std::string>{"0000:40:01.0", "0000:41:00.0"}));
  EXPECT_TRUE(PciBridgesAbove(root, "0000:43:00.0").empty());
}

TEST(PciTest, XeGenerations) {
  EXPECT_EQ(XeGeneration(0x46a6), "Xe-LP");
  EXPECT_EQ(XeGeneration(0x7d55), "Xe-LPG");
  EXPECT_EQ(XeGeneration(0x56a0), "Xe-HPG");
  EXPECT_EQ(XeGeneration(0x56c0), "Xe-HPG");
  EXPECT_EQ(XeGeneration(0x0bd5), "Xe-HPC");
  EXPECT_EQ(XeGeneration(0x64a0), "Xe2");
  EXPECT_EQ(XeGeneration(0xe20b), "Xe2");
  EXPECT_EQ(XeGeneration(0xb080), "Xe3");
  EXPECT_EQ(XeGeneration(0x1912), "");
}

}  // namespace
}  // namespace muster::base
