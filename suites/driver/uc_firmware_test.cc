#include "suites/driver/uc_firmware.h"

#include <gtest/gtest.h>

#include "base/fixture_tree.h"

namespace muster::driver {
namespace {

constexpr char kOfI915[] =
    "GuC firmware: i915/dg2_guc_70.bin\n\tstatus: RUNNING\n\tversion: found 70.29.2\n\tuCode: 342848 bytes\n"
    "\tRSA: 384 bytes\n\nGuC status 0x800003ec:\n\tBootrom status = 0x76\n";
constexpr char kOfXe[] =
    "HuC firmware: xe/bmg_huc.bin\n\tstatus: LOAD FAIL\n\twanted release version 8.2.10\n"
    "\tfound release version 8.2.11\n\tuCode: 600000 bytes\n";

TEST(UcInfo, ReadsBothDrivers) {
  const auto guc = ParseUcInfo(kOfI915);
  ASSERT_TRUE(guc.has_value());
  EXPECT_EQ(guc->name, "GuC");
  EXPECT_EQ(guc->file, "i915/dg2_guc_70.bin");
  EXPECT_EQ(guc->version, "70.29.2");
  EXPECT_TRUE(guc->Runs());
  EXPECT_FALSE(guc->Failed());
  const auto huc = ParseUcInfo(kOfXe);
  ASSERT_TRUE(huc.has_value());
  EXPECT_EQ(huc->version, "8.2.11");
  EXPECT_TRUE(huc->Failed());
  EXPECT_EQ(ParseUcInfo("GuC firmware: a\n\tstatus: RUNNING\n\tversion: wanted 70.5.1, found 69.0.3\n")->version,
            "69.0.3");
}

TEST(UcInfo, IsNothingElse) {
  EXPECT_FALSE(ParseUcInfo("").has_value());
  EXPECT_FALSE(ParseUcInfo("GuC disabled\n").has_value());
  EXPECT_FALSE(ParseUcInfo("GSC firmware: x\n\tstatus: RUNNING\n").has_value());
  EXPECT_TRUE(ParseUcInfo("HuC firmware: (null)\n\tstatus: N/A\n")->Unused());
}

TEST(UcFirmwareFolder, IsTheDevicesByNumberOrAddress) {
  base::FixtureTree tree;
  const base::RootFolder root(tree.root());
  EXPECT_TRUE(ReadUcFirmware(root, "0000:03:00.0").empty());
  tree.Write("/sys/kernel/debug/dri/0/name", "i915 dev=0000:00:02.0 unique=0000:00:02.0\n");
  tree.Write("/sys/kernel/debug/dri/0/gt0/uc/guc_info", kOfXe);
  tree.Write("/sys/kernel/debug/dri/1/name", "i915 dev=0000:03:00.0 unique=0000:03:00.0\n");
  tree.Write("/sys/kernel/debug/dri/1/gt0/uc/guc_info", kOfI915);
  tree.Write("/sys/kernel/debug/dri/0000:07:00.0/tile0/gt1/uc/huc_info", kOfXe);
  ASSERT_EQ(ReadUcFirmware(root, "0000:03:00.0").size(), 1u);
  EXPECT_EQ(ReadUcFirmware(root, "0000:03:00.0")[0].name, "GuC");
  ASSERT_EQ(ReadUcFirmware(root, "0000:07:00.0").size(), 1u);
  EXPECT_EQ(ReadUcFirmware(root, "0000:07:00.0")[0].place, "tile0/gt1");
}

TEST(UcFirmwareLines, TheLastOfTheDeviceCounts) {
  KernelLog log;
  for (const char* text : {"i915 0000:03:00.0: [drm] GT0: GuC firmware i915/dg2_guc_70.bin version 70.5.1",
                           "xe 0000:07:00.0: [drm] Using GuC firmware from xe/bmg_guc_70.bin version 70.44.1",
                           "i915 0000:03:00.0: [drm] GT0: GuC firmware i915/dg2_guc_70.bin version 70.6.4",
                           "i915 0000:03:00.0: [drm] GT0: HuC firmware i915/dg2_huc_gsc.bin version 7.10.3",
                           "i915 0000:03:00.0: [drm] GuC firmware i915/dg2_guc_70.bin: fetch failed"}) {
    log.records.push_back({.text = text});
  }
  const auto arc = UcFirmwareInLog(log, "0000:03:00.0");
  ASSERT_EQ(arc.size(), 2u);
  EXPECT_EQ(arc[0].version, "70.6.4");
  EXPECT_EQ(arc[1].name, "HuC");
  const auto b60 = UcFirmwareInLog(log, "0000:07:00.0");
  ASSERT_EQ(b60.size(), 1u);
  EXPECT_EQ(b60[0].file, "xe/bmg_guc_70.bin");
}

}  // namespace
}  // namespace muster::driver
