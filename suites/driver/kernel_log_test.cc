#include "suites/driver/kernel_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/fixture_tree.h"

namespace muster::driver {
namespace {

using testing::HasSubstr;

class KernelLogTest : public testing::Test {
 protected:
  void Add(double seconds, const std::string& text, int prefix = 4) {
    absl::StrAppend(&records_, prefix, ",", next_++, ",", static_cast<int64_t>(seconds * 1e6), ",-;", text, "\n");
  }
  // Codes of the device's lines, "+" before those that stand.
  std::string Faults(v1::Vendor vendor, const std::string& address, std::vector<std::string> bridges = {}) {
    tree_.Write("/dev/kmsg", records_);
    auto log = ReadKernelLog(tree_.root() + "/dev/kmsg");
    EXPECT_TRUE(log.ok()) << log.status();
    if (!log.ok()) return "";
    if (now_seconds_ > 0) log->now_seconds = now_seconds_;
    v1::Device device;
    device.set_vendor(vendor);
    device.set_pci_address(address);
    std::string codes;
    for (const LogFault& fault : FaultsOf(*log, device, bridges)) {
      absl::StrAppend(&codes, codes.empty() ? "" : " ", fault.stands ? "+" : "", fault.match.code);
    }
    return codes;
  }
  std::string OfNvidia() { return Faults(v1::VENDOR_NVIDIA, "0000:41:00.0"); }
  std::string OfIntel() { return Faults(v1::VENDOR_INTEL, "0000:03:00.0"); }

  base::FixtureTree tree_;
  double now_seconds_ = 0;

 private:
  std::string records_;
  int next_ = 0;
};

TEST_F(KernelLogTest, AnXidStandsAndAProgramsMistakeDoesNot) {
  Add(0.5, "Linux version 6.12");
  Add(12.5, "NVRM: Xid (PCI:0000:41:00): 31, pid=42, name=python3, Ch 00000008");
  Add(13, "NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
  Add(14, "NVRM: Xid (PCI:0000:C1:00): 79, GPU has fallen off the bus.");
  EXPECT_EQ(OfNvidia(), "nvidia.xid.31 +nvidia.xid.79");
  EXPECT_EQ(OfIntel(), "");
}

TEST_F(KernelLogTest, AResetEndsWhatItHeals) {
  Add(10, "NVRM: Xid (PCI:0000:41:00): 48, pid=1, DBE");
  Add(11, "NVRM: Xid (PCI:0000:41:00): 54, power");
  EXPECT_EQ(OfNvidia(), "+nvidia.xid.48 +nvidia.xid.54");
  Add(20, "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  580.95.05");
  EXPECT_EQ(OfNvidia(), "nvidia.xid.48 +nvidia.xid.54");
  Add(30, "NVRM: Xid (PCI:0000:41:00): 48, pid=1, DBE");
  EXPECT_EQ(OfNvidia(), "nvidia.xid.48 +nvidia.xid.54 +nvidia.xid.48");
}

TEST_F(KernelLogTest, AHangIsOverAfterTenMinutesAndAWedgeIsNot) {
  Add(10, "i915 0000:03:00.0: [drm] GPU HANG: ecode 12:1:85dffffb, in python3 [4711]");
  Add(11, "i915 0000:03:00.0: [drm] *ERROR* Failed to initialize GPU, declaring it wedged!");
  now_seconds_ = 100;
  EXPECT_EQ(OfIntel(), "+intel.gpu-hang +intel.wedged");
  now_seconds_ = 1'000;
  EXPECT_EQ(OfIntel(), "intel.gpu-hang +intel.wedged");
  Add(900, "[drm] Initialized i915 1.6.0 for 0000:03:00.0 on minor 0");
  EXPECT_EQ(OfIntel(), "intel.gpu-hang intel.wedged");
}

TEST_F(KernelLogTest, PcieErrorsOnTheWayAreTheDevices) {
  for (int i = 0; i < 10; ++i) {
    Add(100 + i, "pcieport 0000:00:01.0: AER: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)");
  }
  now_seconds_ = 200;
  EXPECT_EQ(OfIntel(), "");
  const std::string all = Faults(v1::VENDOR_INTEL, "0000:03:00.0", {"0000:00:01.0"});
  EXPECT_THAT(all, HasSubstr("pcie.aer.corrected +pcie.aer.corrected")) << "the tenth within a minute, and no other";
  EXPECT_EQ(std::count(all.begin(), all.end(), '+'), 1) << all;
}

TEST_F(KernelLogTest, WhatAProgramWroteIsNotTheKernels) {
  Add(13, "NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.", 12);
  EXPECT_EQ(OfNvidia(), "");
}

TEST(ReadKernelLog, SaysWhenTheLogIsNotThere) {
  const auto log = ReadKernelLog("/nonexistent/kmsg");
  EXPECT_TRUE(absl::IsNotFound(log.status())) << log.status();
}

}  // namespace
}  // namespace muster::driver
