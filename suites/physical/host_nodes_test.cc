#include "suites/physical/host_nodes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace muster::physical {
namespace {

class HostNodesTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(sys_ + path).parent_path());
    std::ofstream(sys_ + path) << text << "\n";
  }

  const std::string sys_ = testing::TempDir() + "/host_nodes";
};

TEST_F(HostNodesTest, NodesAreRangesAndSingles) {
  Write("/devices/system/node/has_memory", "0-2,5");
  EXPECT_EQ(NodesWithMemory(sys_), (std::vector<int>{0, 1, 2, 5}));
  Write("/devices/system/node/has_memory", "0");
  EXPECT_EQ(NodesWithMemory(sys_), std::vector<int>{0});
  for (const char* text : {"", "x", "0-99999", "3-"}) {
    Write("/devices/system/node/has_memory", text);
    EXPECT_TRUE(NodesWithMemory(sys_).empty()) << text;
  }
  EXPECT_TRUE(NodesWithMemory(sys_ + "/none").empty());
}

TEST_F(HostNodesTest, ADeviceOnNoNodeHasNone) {
  Write("/bus/pci/devices/0000:41:00.0/numa_node", "1");
  Write("/bus/pci/devices/0000:42:00.0/numa_node", "-1");
  EXPECT_EQ(NodeOfDevice("0000:41:00.0", sys_), 1);
  EXPECT_EQ(NodeOfDevice("0000:42:00.0", sys_), std::nullopt);
  EXPECT_EQ(NodeOfDevice("0000:43:00.0", sys_), std::nullopt);
  EXPECT_EQ(NodeOfDevice("", sys_), std::nullopt);
}

TEST(NodeScope, ANodeThatIsNotThereIsAProblem) {
  EXPECT_EQ(NodeScope(std::nullopt).problem(), "");
  EXPECT_NE(NodeScope(1000).problem(), "");
  PlainMemory memory(1 << 20);
  static_cast<char*>(memory.data())[memory.bytes() - 1] = 1;
}

}  // namespace
}  // namespace muster::physical
