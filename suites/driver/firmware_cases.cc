// The firmware that runs on the GPU's own processors, and what lies in the card's flash.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "suites/driver/device_records.h"
#include "suites/driver/kernel_log.h"
#include "suites/driver/machine.h"
#include "suites/driver/requirement.h"
#include "suites/driver/uc_firmware.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

void ExpectUcFirmware(const v1::Device& device, const UcFirmware& firmware) {
  const std::string name = firmware.place.empty() ? firmware.name : absl::StrCat(firmware.place, " ", firmware.name);
  if (!firmware.version.empty()) sdk::MeasureText("firmware.version", firmware.version).OfPart(name);
  sdk::MeasureText("firmware.status", firmware.status).OfPart(name);
  // Without GuC nothing is scheduled. HuC serves video alone, and of some cards another processor starts it later.
  const bool well = firmware.name == "GuC" ? firmware.Runs() || firmware.Unused() : !firmware.Failed();
  EXPECT_TRUE(well) << "expected " << name << " of " << device.pci_address() << " to run, found " << firmware.status
                    << " (" << firmware.file << "); install current linux-firmware and reload the driver";
}

// What the log has of it: that the driver took a file, and whether it complained later.
void CheckUcFirmwareInLog(const v1::Device& device) {
  const auto log = ReadKernelLog(RealPath("/dev/kmsg"));
  constexpr char kHidden[] = "/sys/kernel/debug/dri does not show the GPU to this user (root may read it)";
  if (!log.ok()) throw sdk::DeviceSkipped(absl::StrCat(kHidden, ", and ", log.status().message()));
  bool complained = false;
  for (const LogFault& fault : FaultsOf(*log, device, {})) {
    const std::string& code = fault.match.code;
    if (!fault.stands || (code != "intel.guc-failure" && code != "intel.huc-failure")) continue;
    complained = true;
    ADD_FAILURE() << "expected the firmware of " << device.pci_address() << " to load, found " << fault.text << "; "
                  << fault.match.kind->action();
  }
  const std::vector<UcFirmware> taken = UcFirmwareInLog(*log, device.pci_address());
  for (const UcFirmware& firmware : taken) {
    sdk::MeasureText("firmware.version", firmware.version).OfPart(firmware.name);
  }
  if (taken.empty() && !complained) {
    throw sdk::DeviceSkipped(absl::StrCat(kHidden, ", and the kernel log says nothing of GuC or HuC"));
  }
}

void CheckGsp(const v1::Device& device) {
  const NvmlDevice found = RequireNvml(device);
  const bool enabled = Need("the mode of its GSP", found.nvml.GspEnabled(found.handle));
  sdk::MeasureText("firmware.status", enabled ? "RUNNING" : "DISABLED").OfPart("GSP");
  if (!enabled) throw sdk::DeviceSkipped("the driver runs this GPU without its GSP");
  const std::string version = Need("the version of its GSP firmware", found.nvml.GspVersion(found.handle));
  sdk::MeasureText("firmware.version", version).OfPart("GSP");
  EXPECT_EQ(version, Need("the driver's version", found.nvml.DriverVersion()))
      << "expected the GSP's firmware to be of the driver's version, found " << version
      << "; reinstall the driver with its firmware";
}

TEST(firmware, loaded) {
  sdk::ForEachDevice([](const v1::Device& device) {
    if (device.vendor() != v1::VENDOR_INTEL) return CheckGsp(device);
    const std::vector<UcFirmware> all = ReadUcFirmware(Root(), device.pci_address());
    if (all.empty()) return CheckUcFirmwareInLog(device);
    for (const UcFirmware& firmware : all) ExpectUcFirmware(device, firmware);
  });
}

TEST(firmware, flashed) {
  sdk::ForEachDevice([](const v1::Device& device) {
    for (const Firmware& firmware : Need("its firmware's versions", DeviceRecords::Open(device)->FlashedFirmware())) {
      sdk::MeasureText("firmware.version", firmware.version).OfPart(firmware.name);
      EXPECT_NE(firmware.version, "") << "expected a version of " << firmware.name << ", found none";
    }
    if (device.vendor() != v1::VENDOR_NVIDIA) return;
    const NvmlDevice found = RequireNvml(device);
    const absl::Status inforom = found.nvml.ValidateInforom(found.handle);
    EXPECT_FALSE(absl::IsDataLoss(inforom)) << "expected the InfoROM's checksums to hold, found: " << inforom.message()
                                            << "; its record of errors is lost: have the board looked at";
  });
}

}  // namespace
}  // namespace muster::driver
