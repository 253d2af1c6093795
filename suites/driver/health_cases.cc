// What the driver's own records say of each GPU: memory errors, temperature, settings, the kernel log.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "suites/driver/kernel_log.h"
#include "suites/driver/requirement.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

// NVML's NVML_COMPUTEMODE_PROHIBITED.
constexpr uint32_t kProhibited = 2;

void Note(const std::string& message) { sdk::Session::Current().report().Log(sdk::Severity::kInfo, message); }

TEST(ecc, mode) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const sdk::Nvml::Ecc ecc = Need("the ECC mode", found.nvml.EccState(found.handle));
    sdk::MeasureTruth("ecc.enabled", ecc.enabled);
    EXPECT_EQ(ecc.enabled, ecc.pending) << "expected the ECC mode that is set (" << (ecc.pending ? "on" : "off")
                                        << ") to be in force, found it " << (ecc.enabled ? "on" : "off")
                                        << "; it changes with the next reset of the GPU";
  });
}

TEST(ecc, errors) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const sdk::Nvml::Ecc ecc = Need("ECC errors", found.nvml.EccState(found.handle));
    if (!ecc.enabled) throw sdk::DeviceSkipped("ECC is off: memory errors are not counted");
    sdk::Measure("ecc.volatile_corrected", static_cast<double>(ecc.volatile_corrected), "1");
    sdk::Measure("ecc.volatile_uncorrected", static_cast<double>(ecc.volatile_uncorrected), "1").ExpectEqual(0);
  });
}

TEST(memory, remapped_rows) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const sdk::Nvml::RemappedRows rows = Need("remapped rows", found.nvml.Remapped(found.handle));
    sdk::Measure("memory.remapped_rows_corrected", rows.corrected, "1");
    sdk::Measure("memory.remapped_rows_uncorrected", rows.uncorrected, "1");
    EXPECT_FALSE(rows.pending) << "expected no row remapping to be pending, found one; reset the GPU to apply it";
    EXPECT_FALSE(rows.failed) << "expected no failed row remapping, found one: the spare rows of a bank are used up; "
                                 "have the GPU replaced";
  });
}

TEST(memory, retired_pages) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const sdk::Nvml::RetiredPages pages = Need("retired pages", found.nvml.Retired(found.handle));
    sdk::Measure("memory.retired_pages_single_bit", pages.single_bit, "1");
    // NVIDIA replaces a board with more than 60.
    sdk::Measure("memory.retired_pages", pages.single_bit + pages.double_bit, "1").LessThan(60);
    EXPECT_FALSE(pages.pending) << "expected no page retirement to be pending, found one; reset the GPU to apply it";
  });
}

TEST(thermal, temperature) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const double celsius = Need("the temperature", found.nvml.TemperatureCelsius(found.handle));
    const double slowdown = Need("the slowdown temperature", found.nvml.SlowdownTemperatureCelsius(found.handle));
    sdk::Measure("temperature.slowdown", slowdown, "Cel");
    sdk::Measure("temperature.gpu", celsius, "Cel").LessThan(slowdown);
  });
}

TEST(settings, modes) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    const uint32_t mode = Need("the compute mode", found.nvml.ComputeMode(found.handle));
    sdk::MeasureText("settings.compute_mode", mode == 0 ? "default" : mode == kProhibited ? "prohibited" : "exclusive");
    EXPECT_NE(mode, kProhibited) << "expected programs to be allowed on the GPU, found compute mode \"prohibited\"; "
                                    "nvidia-smi -c DEFAULT allows them";
    const auto persistence = found.nvml.PersistenceMode(found.handle);
    if (persistence.ok()) sdk::MeasureTruth("settings.persistence", *persistence);
  });
}

TEST(log, xid) {
  if (sdk::LeasedDevices().empty()) GTEST_SKIP() << "no GPU is leased to this run, and none was found";
  const auto log = ReadKernelLog("/dev/kmsg");
  if (!log.ok()) GTEST_SKIP() << log.status().message();
  // The kernel's first record is of its first second.
  if (log->begins_seconds > 1) {
    Note(absl::StrFormat("the kernel log begins %.0f s after boot: older lines are lost", log->begins_seconds));
  }
  sdk::ForEachDevice([&](const v1::Device& device) {
    size_t faults = 0;
    for (const Xid& xid : log->xids) {
      if (xid.pci_address != device.pci_address()) continue;
      const std::string words = absl::StrFormat("Xid %d at %.0f s after boot: %s", xid.number, xid.seconds, xid.detail);
      if (xid.ByApplication()) {
        Note(absl::StrCat("a program's fault, not the GPU's: ", words));
        continue;
      }
      ++faults;
      ADD_FAILURE() << "expected no fault in the kernel log since boot, found " << words;
    }
    sdk::Measure("log.xid_faults", static_cast<double>(faults), "1");
  });
}

}  // namespace
}  // namespace muster::driver
