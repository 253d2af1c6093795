// What the driver's own records say of each GPU: memory errors, temperature, settings, the kernel log.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/pci.h"
#include "suites/driver/device_records.h"
#include "suites/driver/kernel_log.h"
#include "suites/driver/machine.h"
#include "suites/driver/pci_bar.h"
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
    const EccMode ecc = Need("the ECC mode", DeviceRecords::Open(device)->Ecc());
    sdk::MeasureTruth("ecc.enabled", ecc.enabled);
    EXPECT_EQ(ecc.enabled, ecc.pending) << "expected the ECC mode that is set (" << (ecc.pending ? "on" : "off")
                                        << ") to be in force, found it " << (ecc.enabled ? "on" : "off")
                                        << "; it changes with the next reset of the GPU";
  });
}

TEST(ecc, errors) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const ErrorCounts counts = Need("ECC errors", DeviceRecords::Open(device)->MemoryErrors());
    sdk::Measure("ecc.volatile_corrected", counts.corrected, "1");
    sdk::Measure("ecc.volatile_uncorrected", counts.uncorrected, "1").ExpectEqual(0);
  });
}

TEST(memory, remapped_rows) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device, "Level Zero has no record of remapped rows");
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
    const NvmlDevice found = RequireNvml(device, "Level Zero has no record of retired pages");
    const sdk::Nvml::RetiredPages pages = Need("retired pages", found.nvml.Retired(found.handle));
    sdk::Measure("memory.retired_pages_single_bit", pages.single_bit, "1");
    // NVIDIA replaces a board with more than 60.
    sdk::Measure("memory.retired_pages", pages.single_bit + pages.double_bit, "1").LessThan(60);
    EXPECT_FALSE(pages.pending) << "expected no page retirement to be pending, found one; reset the GPU to apply it";
  });
}

// Too small a window, and nobody to say that the card could have a larger one.
[[noreturn]] void RefuseWindow(const v1::Device& device, uint64_t bytes) {
  const std::string found = absl::StrFormat("a window of %.0f MiB", static_cast<double>(bytes) / (1 << 20));
  if (IsVirtualMachine(Root())) {
    throw sdk::DeviceSkipped(absl::StrCat("the hypervisor of this virtual machine shows ", found));
  }
  if (device.vendor() == v1::VENDOR_NVIDIA) {
    throw sdk::DeviceSkipped(absl::StrCat("this card has ", found, " and offers no larger one"));
  }
  throw sdk::DeviceFailure(absl::StrCat("expected the host to reach all of the memory, found ", found,
                                        "; switch Resizable BAR (and Above 4G Decoding) on in the machine's firmware"));
}

TEST(memory, host_window) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireMemoryOfItsOwn(device);
    if (device.memory_bytes() == 0) throw sdk::DeviceSkipped("nobody says how much memory this GPU has of its own");
    const auto bar = ReadPciBar(Root(), device.pci_address());
    uint64_t bytes = bar ? bar->bytes : 0;
    if (!bar) bytes = Need("the size of its PCI windows", DeviceRecords::Open(device)->HostVisibleBytes());
    sdk::Measure("memory.host_window_bytes", static_cast<double>(bytes), "B");
    if (bytes >= device.memory_bytes()) return;
    if (!bar || bar->possible_bytes.value_or(0) < device.memory_bytes()) RefuseWindow(device, bytes);
    throw sdk::DeviceFailure(absl::StrFormat(
        "expected the host to reach all of the memory, found a window of %.0f MiB, though the card offers %.0f MiB; "
        "switch Resizable BAR (and Above 4G Decoding) on in the machine's firmware",
        static_cast<double>(bytes) / (1 << 20), static_cast<double>(*bar->possible_bytes) / (1 << 20)));
  });
}

TEST(thermal, temperature) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const Temperature heat = Need("the temperature", DeviceRecords::Open(device)->Heat());
    if (!heat.slowdown_celsius) {
      sdk::Measure("temperature.gpu", heat.celsius, "Cel");
      throw sdk::DeviceSkipped("the driver does not say at which temperature the GPU slows itself down");
    }
    sdk::Measure("temperature.slowdown", *heat.slowdown_celsius, "Cel");
    sdk::Measure("temperature.gpu", heat.celsius, "Cel").LessThan(*heat.slowdown_celsius);
  });
}

TEST(settings, modes) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device, "Intel's GPUs have no compute mode");
    const uint32_t mode = Need("the compute mode", found.nvml.ComputeMode(found.handle));
    sdk::MeasureText("settings.compute_mode", mode == 0 ? "default" : mode == kProhibited ? "prohibited" : "exclusive");
    EXPECT_NE(mode, kProhibited) << "expected programs to be allowed on the GPU, found compute mode \"prohibited\"; "
                                    "nvidia-smi -c DEFAULT allows them";
    const auto persistence = found.nvml.PersistenceMode(found.handle);
    if (persistence.ok()) sdk::MeasureTruth("settings.persistence", *persistence);
  });
}

TEST(device, reset_need) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const std::string need = Need("whether it must be reset", DeviceRecords::Open(device)->NeedOfReset());
    EXPECT_EQ(need, "") << "expected the driver to ask for no reset or repair, found: " << need;
  });
}

TEST(log, faults) {
  if (sdk::LeasedDevices().empty()) GTEST_SKIP() << "no GPU is leased to this run, and none was found";
  const auto log = ReadKernelLog(RealPath("/dev/kmsg"));
  if (!log.ok()) GTEST_SKIP() << log.status().message();
  // The kernel's first record is of its first second.
  if (log->BeginsSeconds() > 1) {
    Note(absl::StrFormat("the kernel log begins %.0f s after boot: older lines are lost", log->BeginsSeconds()));
  }
  sdk::ForEachDevice([&](const v1::Device& device) {
    size_t standing = 0;
    for (const LogFault& fault : FaultsOf(*log, device, base::PciBridgesAbove(Root(), device.pci_address()))) {
      const std::string words = absl::StrFormat("%s (%s) at %.0f s after boot: %s", fault.match.code,
                                                fault.match.kind->title(), fault.seconds, fault.text);
      standing += fault.stands;
      if (!fault.stands) {
        Note(absl::StrCat("a program's fault, or over by now: ", words));
        continue;
      }
      ADD_FAILURE() << "expected no fault of the GPU to stand in the kernel log, found " << words << "; "
                    << fault.match.kind->action();
    }
    sdk::Measure("log.faults", static_cast<double>(standing), "1");
  });
}

}  // namespace
}  // namespace muster::driver
