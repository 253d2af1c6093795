#include "suites/benchmark/device_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::benchmark {
namespace {

using Links = std::vector<sdk::Nvml::NvLink>;

Links ToSwitches(size_t up, size_t down) {
  Links links(up + down);
  for (size_t i = 0; i < links.size(); ++i)
    links[i] = {.number = static_cast<uint32_t>(i), .up = i < up, .generation = 4, .to_switch = true};
  return links;
}

TEST(NvLinkConnection, ThroughSwitchesIsAsWideAsTheNarrowerEnd) {
  const auto all = NvLinkConnection(ToSwitches(18, 0), ToSwitches(18, 0), "0000:02:00.0");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->path, "NVLink 4 x18 through NVSwitch");
  EXPECT_DOUBLE_EQ(all->bytes_per_second.value(), 450e9);
  EXPECT_TRUE(all->dedicated);
  const auto some = NvLinkConnection(ToSwitches(18, 0), ToSwitches(16, 2), "0000:02:00.0");
  EXPECT_EQ(some->path, "NVLink 4 x16 through NVSwitch");
  EXPECT_DOUBLE_EQ(some->bytes_per_second.value(), 400e9);
}

TEST(NvLinkConnection, OfDirectLinksThoseToThePeerCount) {
  Links links(4);
  for (size_t i = 0; i < 4; ++i)
    links[i] = {.up = true, .generation = 3, .remote_pci_address = i < 3 ? "0000:02:00.0" : "0000:03:00.0"};
  EXPECT_EQ(NvLinkConnection(links, {}, "0000:02:00.0")->path, "NVLink 3 x3");
  EXPECT_DOUBLE_EQ(NvLinkConnection(links, {}, "0000:03:00.0")->bytes_per_second.value(), 25e9);
  EXPECT_FALSE(NvLinkConnection(links, {}, "0000:04:00.0").has_value());
  EXPECT_FALSE(NvLinkConnection(ToSwitches(0, 18), ToSwitches(18, 0), "0000:02:00.0").has_value());
}

TEST(NvLinkConnection, OfAnUnknownGenerationNothingIsExpected) {
  Links links = ToSwitches(18, 0);
  for (auto& link : links) link.generation = 0;
  EXPECT_FALSE(NvLinkConnection(links, links, "")->bytes_per_second.has_value());
}

TEST(SwitchLinksUp, CountsNeitherThoseThatAreDownNorThoseToOtherDevices) {
  Links links = ToSwitches(16, 2);
  EXPECT_EQ(SwitchLinksUp(links), 16u);
  links[0].to_switch = false;
  EXPECT_EQ(SwitchLinksUp(links), 15u);
  EXPECT_EQ(SwitchLinksUp(Links()), 0u);
}

TEST(AerErrors, AreTheTotalsOfTheFiles) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(testing::TempDir()) / "aer";
  fs::create_directories(root / "0000:01:00.0");
  std::ofstream(root / "0000:01:00.0/aer_dev_correctable") << "RxErr 1\nBadTLP 2\nTOTAL_ERR_COR 3\n";
  std::ofstream(root / "0000:01:00.0/aer_dev_nonfatal") << "TLP 1\nTOTAL_ERR_NONFATAL 1\n";
  std::ofstream(root / "0000:01:00.0/aer_dev_fatal") << "TLP 4\nTOTAL_ERR_FATAL 4\n";
  const LinkErrorCounts expected = {{"pcie_correctable", 3}, {"pcie_uncorrectable", 5}};
  EXPECT_EQ(AerErrors(root, "0000:01:00.0"), expected);
  EXPECT_TRUE(AerErrors(root, "0000:02:00.0").empty());
  fs::remove_all(root);
}

}  // namespace
}  // namespace muster::benchmark
