#include "agent/inventory/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "agent/inventory/nvml_library.h"
#include "agent/inventory/shared_library.h"

namespace muster::agent {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr milliseconds kPatience{60'000};

// The environment of one test's child.
class ProbeTest : public ::testing::Test {
 protected:
  ~ProbeTest() override {
    for (const char* name : {"PROBE_CHILD", "FAKE_NVML_INIT", "FAKE_NVML_NO_ECC", "FAKE_ZE_INIT", "LD_LIBRARY_PATH"})
      unsetenv(name);
  }

  static absl::StatusOr<GpuLibraryReport> Misbehave(const char* how, milliseconds timeout = kPatience) {
    setenv("PROBE_CHILD", how, 1);
    return ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kNvml, timeout);
  }
};

TEST_F(ProbeTest, ReadsNvmlInAChild) {
  setenv("LD_LIBRARY_PATH", MUSTER_FAKE_NVML_FOLDER, 1);
  const auto report = ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kNvml, kPatience);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->devices.size(), 1u);
  const v1::Device& device = report->devices[0];
  EXPECT_EQ(device.model(), "NVIDIA H200");
  EXPECT_EQ(device.uuid(), "GPU-1-2");
  EXPECT_EQ(device.serial(), std::string(256, '7'));
  EXPECT_EQ(device.vbios_version(), "96.00");
  EXPECT_EQ(device.firmware_version(), "");  // no such symbol there
  EXPECT_EQ(device.driver_version(), "580.159.04");
  EXPECT_EQ(device.pci_address(), "0000:41:00.0");
  EXPECT_EQ(device.pci_vendor_id(), 0x10deu);
  EXPECT_EQ(device.pci_device_id(), 0x2335u);
  EXPECT_EQ(device.memory_bytes(), uint64_t{143771} << 20);
  EXPECT_EQ(device.ecc_mode(), v1::ECC_MODE_ENABLED);
  EXPECT_EQ(device.compute_capability(), "9.0");
  EXPECT_EQ(device.pci_link().generation(), 1u);
  EXPECT_EQ(device.pci_link().max_generation(), 5u);
  EXPECT_EQ(device.pci_link().width(), 16u);
  EXPECT_FALSE(device.pci_link().has_max_width());
  EXPECT_EQ(device.device_nodes(0), "/dev/nvidia3");
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("does not open number 1: GPU is lost (15)")));
}

TEST_F(ProbeTest, GpuWithoutEccSaysSo) {
  setenv("LD_LIBRARY_PATH", MUSTER_FAKE_NVML_FOLDER, 1);
  setenv("FAKE_NVML_NO_ECC", "1", 1);
  const auto report = ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kNvml, kPatience);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->devices.at(0).ecc_mode(), v1::ECC_MODE_UNSUPPORTED);
}

TEST_F(ProbeTest, NvmlThatDoesNotInitialiseSaysWhy) {
  setenv("LD_LIBRARY_PATH", MUSTER_FAKE_NVML_FOLDER, 1);
  setenv("FAKE_NVML_INIT", "fails", 1);
  const auto report = ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kNvml, kPatience);
  EXPECT_TRUE(absl::IsFailedPrecondition(report.status()));
  EXPECT_EQ(report.status().message(), "nvmlInit failed: Driver/library version mismatch (18)");
}

TEST_F(ProbeTest, ReadsLevelZeroWithAndWithoutZesInit) {
  for (const char* folder : {MUSTER_FAKE_LEVEL_ZERO_OLD_FOLDER, MUSTER_FAKE_LEVEL_ZERO_FOLDER}) {
    setenv("LD_LIBRARY_PATH", folder, 1);
    const auto report = ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kLevelZero, kPatience);
    ASSERT_TRUE(report.ok()) << folder << ": " << report.status();
    ASSERT_EQ(report->devices.size(), 1u);  // the NPU is no GPU
    const v1::Device& device = report->devices[0];
    EXPECT_EQ(device.model(), "Intel(R) Arc(TM) A770 Graphics");
    EXPECT_EQ(device.uuid(), "8680a056-0800-0000-0300-000000000000");
    EXPECT_EQ(device.driver_version(), "1.3.24595");
    EXPECT_EQ(device.memory_bytes(), 16225243136u);
    EXPECT_EQ(device.pci_device_id(), 0x56a0u);
    EXPECT_EQ(device.xe_generation(), "Xe-HPG");
    EXPECT_EQ(device.serial(), "");  // "unknown"
    EXPECT_EQ(device.firmware_version(), "GFX DG02_1.3275");
    EXPECT_EQ(device.ecc_mode(), v1::ECC_MODE_UNSUPPORTED);
    EXPECT_EQ(device.pci_address(), "0000:03:00.0") << "from sysman, where core does not tell";
    EXPECT_EQ(device.pci_link().max_generation(), 4u);
    EXPECT_EQ(device.pci_link().width(), 8u);
    EXPECT_FALSE(device.pci_link().has_generation());
    EXPECT_FALSE(device.simulated());
  }
}

TEST_F(ProbeTest, NothingFollowsAFailedZeInit) {
  setenv("LD_LIBRARY_PATH", MUSTER_FAKE_LEVEL_ZERO_FOLDER, 1);
  setenv("FAKE_ZE_INIT", "fails", 1);
  const auto report = ProbeInChild(MUSTER_PROBE_CHILD, ProbeKind::kLevelZero, kPatience);
  EXPECT_TRUE(absl::IsFailedPrecondition(report.status())) << report.status();
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("zeInit failed (0x78000001)"));
}

TEST_F(ProbeTest, CrashIsReportedWithItsLastWords) {
  const auto report = Misbehave("crash");
  EXPECT_TRUE(absl::IsUnavailable(report.status()));
  EXPECT_THAT(std::string(report.status().message()),
              AllOf(HasSubstr("crashed with SIGABRT"), HasSubstr("last words")));
}

TEST_F(ProbeTest, HangEndsInTime) {
  const auto begin = std::chrono::steady_clock::now();
  const auto report = Misbehave("hang", milliseconds(200));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(30'000));
  EXPECT_TRUE(absl::IsUnavailable(report.status()));
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("hung: no answer within 200 ms"));
}

TEST_F(ProbeTest, WhatIsNoAnswerIsAnError) {
  EXPECT_TRUE(absl::IsDataLoss(Misbehave("garbage").status()));
  EXPECT_TRUE(absl::IsDataLoss(Misbehave("half").status()));
  EXPECT_TRUE(absl::IsDataLoss(Misbehave("silent").status()));
  EXPECT_TRUE(absl::IsResourceExhausted(Misbehave("flood").status()));
  EXPECT_THAT(std::string(Misbehave("exit").status().message()), HasSubstr("ended with exit status 7"));
}

TEST_F(ProbeTest, CompleteAnswerOfAProcessThatStaysIsTaken) { EXPECT_TRUE(Misbehave("linger").ok()); }

TEST_F(ProbeTest, ProgramThatIsNotThere) {
  EXPECT_FALSE(ProbeInChild("/nonexistent/muster-agent", ProbeKind::kNvml, kPatience).ok());
}

TEST_F(ProbeTest, StatusSurvivesTheFrame) {
  const auto decoded = DecodeProbe(EncodeProbe(absl::NotFoundError("found none of a, b")));
  EXPECT_EQ(decoded.status(), absl::NotFoundError("found none of a, b"));
  for (const char* bad : {"", "muster-probe 1 0 0", "muster-probe 1 0\n", "muster-probe 2 0 0\n",
                          "muster-probe 1 99 0\n", "muster-probe 1 0 1\n", "muster-probe 1 0 -0\n"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeProbe(bad).status())) << bad;
  }
}

TEST_F(ProbeTest, NamesAreParsed) {
  EXPECT_EQ(ParseProbeName("nvml"), ProbeKind::kNvml);
  EXPECT_EQ(ParseProbeName("level-zero"), ProbeKind::kLevelZero);
  EXPECT_EQ(ParseProbeName(""), std::nullopt);
}

TEST(SharedLibraryTest, AbsentAndBrokenDiffer) {
  EXPECT_TRUE(absl::IsNotFound(SharedLibrary::Open({"libmuster-none.so.1", "/nonexistent/lib.so"}).status()));
  const auto broken = SharedLibrary::Open({"libmuster-none.so.1", "/etc/passwd"});
  EXPECT_TRUE(absl::IsFailedPrecondition(broken.status())) << broken.status();
  EXPECT_TRUE(absl::IsNotFound(NvmlLibrary({"libmuster-none.so.1"}).List().status()));
}

}  // namespace
}  // namespace muster::agent
