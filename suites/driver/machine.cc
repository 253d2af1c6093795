#include "suites/driver/machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/pci.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

constexpr char kIntegratedGpu[] = "0000:00:02.0";

const std::string& RootPath() { return sdk::Session::Current().environment().root; }

bool HasVendor(const std::vector<v1::Device>& devices, v1::Vendor vendor) {
  return std::any_of(devices.begin(), devices.end(), [&](const auto& device) { return device.vendor() == vendor; });
}

}  // namespace

base::RootFolder Root() { return base::RootFolder(RootPath()); }

std::string RealPath(const std::string& path) { return RootPath() == "/" ? path : RootPath() + path; }

absl::StatusOr<std::vector<v1::Device>> PciGpusOf(v1::Vendor vendor) {
  auto gpus = base::PciGpus(Root());
  if (!gpus.ok()) return gpus.status();
  std::erase_if(*gpus,
                [&](const v1::Device& gpu) { return gpu.vendor() != vendor || gpu.kernel_driver() == "vfio-pci"; });
  return gpus;
}

bool IsIntegrated(const v1::Device& device) {
  return device.vendor() == v1::VENDOR_INTEL && device.pci_address() == kIntegratedGpu;
}

void RequireMemoryOfItsOwn(const v1::Device& device) {
  if (IsIntegrated(device)) throw sdk::DeviceSkipped("this GPU is part of the processor and shares its memory");
}

std::vector<v1::Vendor> VendorsConcerned(const std::vector<v1::Device>& leased,
                                         const absl::StatusOr<std::vector<v1::Device>>& on_pci) {
  std::vector<v1::Device> seen;
  if (on_pci.ok()) seen = *on_pci;
  const bool others = HasVendor(leased, v1::VENDOR_NVIDIA) || HasVendor(seen, v1::VENDOR_NVIDIA);
  if (others) std::erase_if(seen, IsIntegrated);
  std::vector<v1::Vendor> vendors;
  for (const v1::Vendor vendor : {v1::VENDOR_INTEL, v1::VENDOR_NVIDIA}) {
    if (HasVendor(leased, vendor) || HasVendor(seen, vendor)) vendors.push_back(vendor);
  }
  return vendors;
}

std::vector<v1::Vendor> VendorsConcerned() { return VendorsConcerned(sdk::LeasedDevices(), base::PciGpus(Root())); }

const char* NameOf(v1::Vendor vendor) { return vendor == v1::VENDOR_INTEL ? "Intel" : "NVIDIA"; }

void ForEachVendor(const std::function<void(v1::Vendor)>& check) {
  const std::vector<v1::Vendor> vendors = VendorsConcerned();
  if (vendors.empty()) GTEST_SKIP() << "no GPU of Intel or NVIDIA: PCI shows none and none is leased";
  std::vector<std::string> reasons;
  for (const v1::Vendor vendor : vendors) {
    try {
      check(vendor);
    } catch (const sdk::DeviceSkipped& skipped) {
      reasons.push_back(absl::StrCat(NameOf(vendor), ": ", skipped.what()));
    } catch (const std::exception& error) {
      const std::string what = error.what();
      const bool marked = what.rfind(sdk::kToolErrorMark, 0) == 0 || what.rfind(sdk::kDeviceFailureMark, 0) == 0;
      ADD_FAILURE_AT("", 0) << (marked ? "" : sdk::kToolErrorMark) << what;
    }
  }
  if (reasons.size() == vendors.size()) GTEST_SKIP() << absl::StrJoin(reasons, "; ");
  for (const std::string& reason : reasons) {
    sdk::Session::Current().report().Diagnose(
        {.type = sdk::DiagnosisType::kUnknown, .verdict = "vendor-skipped", .message = reason});
  }
}

}  // namespace muster::driver
