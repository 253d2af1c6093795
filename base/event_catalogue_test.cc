#include "base/event_catalogue.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/textproto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const EventCatalogue& Catalogue() { return EventCatalogue::Embedded(); }

// Code and address that a line gives, "CODE@ADDRESS"; empty when it is no event.
std::string Read(const std::string& line) {
  const auto match = Catalogue().Classify(line);
  return match ? match->code + "@" + match->pci_address : "";
}

TEST(EventCatalogueTest, ReadsXidsOfAllForms) {
  EXPECT_EQ(Read("NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."),
            "nvidia.xid.79@0000:41:00.0");
  EXPECT_EQ(Read("NVRM: Xid (0000:03:00): 14, Channel 00000001"), "nvidia.xid.14@0000:03:00.0");
  EXPECT_EQ(Read("NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7194, Contained: CE User Channel (0x9)"),
            "nvidia.xid.94@0000:01:00.0");
  EXPECT_EQ(Read("NVRM: Xid (PCI:0001:C1:00.0): 13, pid=1, Graphics Exception"), "nvidia.xid.13@0001:c1:00.0");
  EXPECT_EQ(Read("NVRM: Xid (PCI:0000:41:00): nothing"), "");
  EXPECT_EQ(Read("NVRM: GPU at PCI:0000:41:00: GPU-0"), "");
}

TEST(EventCatalogueTest, ReadsSxids) {
  EXPECT_EQ(Read("nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error"),
            "nvidia.sxid.12028@0000:05:00.0");
  const auto fatal =
      Catalogue().Classify("nvidia-nvswitch0: SXid (PCI:0000:00:07.0): 20034, Fatal, Link 30 LTSSM Fault");
  ASSERT_TRUE(fatal);
  EXPECT_EQ(fatal->code, "nvidia.sxid.20034");
  EXPECT_EQ(fatal->kind->severity(), v1::EVENT_SEVERITY_CRITICAL);
  EXPECT_EQ(Catalogue().Find("nvidia.sxid.20034")->severity(), v1::EVENT_SEVERITY_WARNING);
}

TEST(EventCatalogueTest, ReadsIntelsDrivers) {
  const std::string i915 = "i915 0000:03:00.0: [drm] ";
  const std::string xe = "xe 0000:03:00.0: [drm] ";
  for (const std::string& line :
       {i915 + "GPU HANG: ecode 12:1:85dffffb, in gemm [4242]", xe + "Xe device coredump has been created",
        xe + "*ERROR* GT0: Timedout job: seqno=1"}) {
    EXPECT_EQ(Read(line), "intel.gpu-hang@0000:03:00.0") << line;
  }
  for (const std::string& line :
       {i915 + "Resetting rcs0 for stopped heartbeat on rcs0", i915 + "Resetting chip for GuC failed to respond",
        xe + "GT0: Engine reset: engine_class=ccs, logical_mask: 0x1, guc_id=2", xe + "GT0: reset started"}) {
    EXPECT_THAT(Read(line), StartsWith("intel.gpu-")) << line;
  }
  for (const std::string& line :
       {i915 + "*ERROR* Failed to reset chip", i915 + "*ERROR* Failed to initialise HW, declaring wedged",
        xe + "*ERROR* GT0: reset failed (-ETIMEDOUT)",
        xe + "CRITICAL: Xe has declared device 0000:03:00.0 as wedged."}) {
    EXPECT_EQ(Read(line), "intel.wedged@0000:03:00.0") << line;
  }
  EXPECT_EQ(Read(i915 + "*ERROR* GT0: GuC initialization failed -ETIMEDOUT"), "intel.guc-failure@0000:03:00.0");
  EXPECT_EQ(Read(xe + "*ERROR* GT0: GuC load failed: status = 0x40000056"), "intel.guc-failure@0000:03:00.0");
  EXPECT_EQ(Read(i915 + "HuC firmware i915/dg2_huc_gsc.bin: fetch failed -ENOENT"), "intel.huc-failure@0000:03:00.0");
  EXPECT_EQ(Read(i915 + "GuC firmware i915/dg2_guc_70.bin version 70.5.1"), "");
  EXPECT_EQ(Read(i915 + "HuC authenticated via GSC"), "");
  EXPECT_EQ(Read("amdgpu 0000:03:00.0: [drm] GPU HANG"), "");
}

TEST(EventCatalogueTest, ReadsPcieAndMachineChecks) {
  EXPECT_EQ(Read("nvidia 0000:41:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)"),
            "pcie.aer.corrected@0000:41:00.0");
  EXPECT_EQ(
      Read("pcieport 0000:40:01.0: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer"),
      "pcie.aer.nonfatal@0000:40:01.0");
  EXPECT_EQ(Read("pcieport 0000:40:01.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Data Link Layer"),
            "pcie.aer.fatal@0000:40:01.0");
  EXPECT_EQ(Read("mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 5: be00000000800400"), "machine-check@");
  const auto corrected = Catalogue().Classify("mce: [Hardware Error]: Machine check events logged");
  ASSERT_TRUE(corrected);
  EXPECT_EQ(corrected->kind->severity(), v1::EVENT_SEVERITY_WARNING);
}

TEST(EventCatalogueTest, ReadsANewBeginning) {
  const auto intel = Catalogue().Classify("[drm] Initialized i915 1.6.0 20201103 for 0000:03:00.0 on minor 0");
  ASSERT_TRUE(intel);
  EXPECT_EQ(intel->kind->starts_anew(), v1::VENDOR_INTEL);
  EXPECT_EQ(intel->pci_address, "0000:03:00.0");
  const auto nvidia = Catalogue().Classify("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15");
  ASSERT_TRUE(nvidia);
  EXPECT_EQ(nvidia->kind->starts_anew(), v1::VENDOR_NVIDIA);
  const auto asks = Catalogue().Classify(
      "NVRM: Xid (PCI:0000:41:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)");
  ASSERT_TRUE(asks);
  EXPECT_EQ(asks->kind->effect(), v1::HEALTH_STATE_DEGRADED);
  const auto done = Catalogue().Classify(
      "NVRM: Xid (PCI:0000:41:00): 154, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->kind->starts_anew(), v1::VENDOR_NVIDIA);
}

TEST(EventCatalogueTest, KnowsXidsAndFallsBack) {
  const auto effect = [](int number) { return Catalogue().Find("nvidia.xid." + std::to_string(number))->effect(); };
  for (const int failed : {48, 54, 62, 64, 79, 95, 119, 120, 140, 143, 158}) {
    EXPECT_EQ(effect(failed), v1::HEALTH_STATE_FAILED) << failed;
  }
  for (const int degraded : {74, 94, 109, 136, 145, 154}) EXPECT_EQ(effect(degraded), v1::HEALTH_STATE_DEGRADED);
  for (const int of_the_program : {13, 31, 32, 43, 45, 69}) {
    EXPECT_EQ(effect(of_the_program), v1::HEALTH_STATE_UNSPECIFIED) << of_the_program;
    EXPECT_EQ(Catalogue().Find("nvidia.xid." + std::to_string(of_the_program))->severity(), v1::EVENT_SEVERITY_WARNING);
  }
  EXPECT_EQ(Catalogue().Find("nvidia.xid.9999")->title(), "Unknown Xid");
  EXPECT_EQ(Catalogue().Find("nvidia.xid.9999")->severity(), v1::EVENT_SEVERITY_WARNING);
  EXPECT_EQ(Catalogue().Find("nvidia.xid.x"), nullptr);
  EXPECT_EQ(Catalogue().Find("no.such"), nullptr);
  EXPECT_EQ(Catalogue().Find(""), nullptr);
}

TEST(EventCatalogueTest, HasEveryCodeOfTheContract) {
  for (const char* code : {"intel.gpu-hang",        "intel.gpu-reset",
                           "intel.wedged",          "intel.guc-failure",
                           "intel.huc-failure",     "pcie.aer.corrected",
                           "pcie.aer.nonfatal",     "pcie.aer.fatal",
                           "machine-check",         "ecc.corrected-rate",
                           "ecc.uncorrected",       "row-remap.pending",
                           "row-remap.failed",      "pages.retirement-pending",
                           "thermal.throttling",    "power.throttling",
                           "thermal.limit",         "pcie.link-degraded",
                           "pcie.replay-rate",      "link.down",
                           "link.errors",           "fan.stopped",
                           "device.lost",           "driver.unbound",
                           "driver.call-hung",      "driver.crashed",
                           "telemetry.silent",      "ras.uncorrected",
                           "kernel-log.unreadable", "kernel-log.records-lost"}) {
    const EventKind* kind = Catalogue().Find(code);
    ASSERT_NE(kind, nullptr) << code;
    EXPECT_NE(kind->effect(), v1::HEALTH_STATE_UNSPECIFIED) << code;
    EXPECT_NE(DescribeClears(*kind), "") << code;
  }
}

TEST(EventCatalogueTest, SaysWhenItClears) {
  EXPECT_THAT(DescribeClears(*Catalogue().Find("nvidia.xid.54")), HasSubstr("restart of the machine"));
  EXPECT_THAT(DescribeClears(*Catalogue().Find("nvidia.xid.48")), HasSubstr("reset"));
  EXPECT_EQ(DescribeClears(*Catalogue().Find("intel.gpu-hang")), "10 min without another one");
  EXPECT_EQ(DescribeClears(*Catalogue().Find("machine-check")), "24 h without another one");
  EXPECT_EQ(DescribeClears(*Catalogue().Find("nvidia.xid.13")), "");
}

std::string Problem(const std::string& text) {
  EventCatalogueProto entries;
  const absl::Status status = ParseTextProto(text, "test", &entries);
  if (!status.ok()) return std::string(status.message());
  return std::string(EventCatalogue::Make(entries).status().message());
}

TEST(EventCatalogueTest, RefusesEntriesThatAreNotInOrder) {
  const std::string rest = " severity: EVENT_SEVERITY_INFO title: 't' meaning: 'm' action: 'a' source: 's' }";
  EXPECT_EQ(Problem("kinds { code: 'a'" + rest), "");
  EXPECT_THAT(Problem("kinds { code: 'A b'" + rest), HasSubstr("expected a code"));
  EXPECT_THAT(Problem("kinds { code: 'a' title: 't' }"), HasSubstr("severity"));
  EXPECT_THAT(Problem("kinds { code: 'a' severity: EVENT_SEVERITY_INFO title: 't' }"), HasSubstr("title, meaning"));
  EXPECT_THAT(Problem("kinds { code: 'a'" + rest + "kinds { code: 'a'" + rest), HasSubstr("second entry"));
  EXPECT_THAT(Problem("kinds { code: 'a'" + rest + "kinds { code: 'a' numbers: [1, 1]" + rest), HasSubstr("number 1"));
  EXPECT_THAT(Problem("kinds { code: 'a' numbers: [1]" + rest), HasSubstr("without numbers"));
  EXPECT_THAT(Problem("kinds { code: 'a' expressions: '('" + rest), HasSubstr("expression ("));
  EXPECT_THAT(Problem("kinds { code: 'a' expressions: '(a)'" + rest), HasSubstr("without a name"));
  EXPECT_THAT(Problem("kinds { code: 'a' expressions: '(?P<x>a)'" + rest), HasSubstr("group 'x'"));
  EXPECT_THAT(Problem("kinds { code: 'a' effect: HEALTH_STATE_FAILED" + rest), HasSubstr("clears"));
  EXPECT_THAT(Problem("kinds { code: 'a' clears { by: RESET }" + rest), HasSubstr("clears"));
  EXPECT_THAT(Problem("kinds { code: 'a' effect: HEALTH_STATE_FAILED clears { by: VALUE }" + rest), HasSubstr("words"));
  EXPECT_THAT(Problem("kinds { code: 'a' effect: HEALTH_STATE_HEALTHY clears { by: RESET }" + rest),
              HasSubstr("HEALTHY"));
}

// "39-41, 70": what a person reads.
std::string Ranges(const EventKind& kind) {
  std::string text;
  for (int i = 0; i < kind.numbers_size();) {
    int last = i;
    while (last + 1 < kind.numbers_size() && kind.numbers(last + 1) == kind.numbers(last) + 1) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ", ", kind.numbers(i));
    if (last > i) absl::StrAppend(&text, "-", kind.numbers(last));
    i = last + 1;
  }
  return text;
}

std::string DocumentedRow(const EventKind& kind) {
  std::string effect =
      kind.effect() == v1::HEALTH_STATE_UNSPECIFIED ? "" : v1::HealthState_Name(kind.effect()).substr(13);
  const std::string cells[] = {absl::StrCat("`", kind.code(), "`", kind.numbers().empty() ? "" : " " + Ranges(kind),
                                            kind.variant().empty() ? "" : " (" + kind.variant() + ")"),
                               v1::EventSeverity_Name(kind.severity()).substr(15),
                               effect,
                               DescribeClears(kind),
                               absl::StrCat(kind.title(), ". ", kind.meaning()),
                               kind.action()};
  std::string row = "|";
  for (const std::string& cell : cells) absl::StrAppend(&row, cell.empty() ? "" : " ", cell, " |");
  return row + "\n";
}

TEST(EventCatalogueTest, TheDocumentsShowTheCatalogue) {
  const auto document = ReadFile(MUSTER_DOCS "/operations.md", 1 << 20);
  ASSERT_TRUE(document.ok()) << document.status();
  for (const EventKind& kind : Catalogue().kinds()) {
    if (kind.starts_anew() != v1::VENDOR_UNSPECIFIED) continue;
    EXPECT_THAT(*document, HasSubstr(DocumentedRow(kind)));
  }
}

}  // namespace
}  // namespace muster::base
