#include "suites/driver/kernel_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::driver {
namespace {

TEST(ParseXid, ReadsARecordOfDevKmsg) {
  const auto xid = ParseXid(
      "4,1234,987654321,-;NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the "
      "bus.\n"
      " SUBSYSTEM=pci\n");
  ASSERT_TRUE(xid.has_value());
  EXPECT_EQ(xid->pci_address, "0000:41:00.0");
  EXPECT_EQ(xid->number, 79);
  EXPECT_DOUBLE_EQ(xid->seconds, 987.654321);
  EXPECT_EQ(xid->detail, "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
  EXPECT_FALSE(xid->ByApplication());
}

TEST(ParseXid, ReadsALineOfDmesg) {
  const auto xid = ParseXid("[   12.500000] NVRM: Xid (PCI:0000:0A:00): 31, pid=42, name=python3, Ch 00000008");
  ASSERT_TRUE(xid.has_value());
  EXPECT_EQ(xid->pci_address, "0000:0a:00.0");
  EXPECT_EQ(xid->number, 31);
  EXPECT_DOUBLE_EQ(xid->seconds, 12.5);
  EXPECT_TRUE(xid->ByApplication());
}

TEST(ParseXid, ReadsANumberWithNothingAfterIt) {
  const auto xid = ParseXid("4,1,2,-;NVRM: Xid (PCI:0000:41:00): 62");
  ASSERT_TRUE(xid.has_value());
  EXPECT_EQ(xid->number, 62);
  EXPECT_EQ(xid->detail, "");
}

TEST(ParseXid, LeavesOtherLinesAlone) {
  EXPECT_FALSE(ParseXid("").has_value());
  EXPECT_FALSE(ParseXid("6,1,2,-;usb 1-1: new device").has_value());
  EXPECT_FALSE(ParseXid("4,1,2,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module").has_value());
  EXPECT_FALSE(ParseXid("4,1,2,-;NVRM: Xid (PCI:0000:41:00").has_value());
  EXPECT_FALSE(ParseXid("4,1,2,-;NVRM: Xid (PCI:0000:41:00): many").has_value());
  EXPECT_FALSE(ParseXid("4,1,2,-;NVRM: Xid (PCI:0000:41:00): 99999999999999, x").has_value());
}

TEST(ReadKernelLog, SaysWhenTheLogIsNotThere) {
  const auto log = ReadKernelLog("/nonexistent/kmsg");
  EXPECT_TRUE(absl::IsNotFound(log.status())) << log.status();
}

}  // namespace
}  // namespace muster::driver
