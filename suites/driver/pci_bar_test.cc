#include "suites/driver/pci_bar.h"

#include <gtest/gtest.h>

#include "base/fixture_tree.h"

namespace muster::driver {
namespace {

// An Arc A770 with Resizable BAR: registers of 16 MiB, memory of 16 GiB, and the expansion ROM.
constexpr char kArc[] =
    "0x0000000084000000 0x0000000084ffffff 0x0000000000140204\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x0000004000000000 0x00000043ffffffff 0x000000000014220c\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x0000000000003000 0x000000000000307f 0x0000000000040101\n"
    "0x0000000000000000 0x0000ffffffffffff 0x0000000000046200\n";

TEST(LargestWindow, IsMemoryAndNotTheRom) {
  const auto window = LargestWindow(kArc);
  ASSERT_TRUE(window.has_value());
  EXPECT_EQ(window->index, 2);
  EXPECT_EQ(window->bytes, 16ull << 30);
  EXPECT_FALSE(LargestWindow("").has_value());
  EXPECT_FALSE(LargestWindow("nonsense\n").has_value());
  EXPECT_FALSE(LargestWindow("0x0 0x0 0x0\n").has_value());
}

TEST(PciBarTest, TellsWhatTheCardOffers) {
  base::FixtureTree tree;
  const base::RootFolder root(tree.root());
  EXPECT_FALSE(ReadPciBar(root, "0000:03:00.0").has_value());
  tree.Write("/sys/bus/pci/devices/0000:03:00.0/resource", kArc);
  EXPECT_FALSE(ReadPciBar(root, "0000:03:00.0")->possible_bytes.has_value());
  // 256 MiB to 16 GiB.
  tree.Write("/sys/bus/pci/devices/0000:03:00.0/resource2_resize", "0000000000007f00\n");
  EXPECT_EQ(ReadPciBar(root, "0000:03:00.0")->possible_bytes, 16ull << 30);
}

TEST(VirtualMachine, IsOneByTheProcessorsFlag) {
  base::FixtureTree tree;
  tree.Write("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n");
  EXPECT_FALSE(IsVirtualMachine(base::RootFolder(tree.root())));
  tree.Write("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n");
  EXPECT_TRUE(IsVirtualMachine(base::RootFolder(tree.root())));
}

}  // namespace
}  // namespace muster::driver
