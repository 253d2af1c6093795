#include "suites/driver/requirement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "suites/driver/machine.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {

void Refuse(const std::string& what, const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnimplemented:
      throw sdk::DeviceSkipped(
          absl::StrCat("this device or driver does not report ", what, " (", status.message(), ")"));
    case absl::StatusCode::kPermissionDenied:
      throw sdk::DeviceSkipped(absl::StrCat("this user may not read ", what, " (", status.message(), "); run as root"));
    case absl::StatusCode::kUnavailable:
      throw sdk::DeviceFailure(
          absl::StrCat("the GPU is lost: reading ", what, " gave ", status.message(),
                       "; look for its faults in the kernel log (case log.faults), then restart the machine"));
    default:
      throw sdk::ToolError(absl::StrCat("cannot read ", what, ": ", status.message()));
  }
}

NvmlDevice RequireNvml(const v1::Device& device, const std::string& otherwise) {
  if (device.vendor() != v1::VENDOR_NVIDIA) throw sdk::DeviceSkipped(otherwise);
  const auto nvml = sdk::Nvml::Shared();
  if (!nvml.ok()) {
    throw sdk::DeviceFailure(absl::StrCat("expected NVML to serve the GPU at ", device.pci_address(),
                                          ", found: ", nvml.status().message(),
                                          "; install the driver's libraries in the version of its kernel module"));
  }
  const auto handle = (*nvml)->DeviceByUuid(device.uuid());
  if (!handle.ok()) {
    throw sdk::DeviceFailure(absl::StrCat("expected NVML to list ", device.uuid(), ", found: ",
                                          handle.status().message(), "; look for Xid lines in the kernel log"));
  }
  return {**nvml, *handle};
}

sdk::LevelZeroDeviceHandles RequireLevelZero(const v1::Device& device) {
  if (device.vendor() != v1::VENDOR_INTEL) throw sdk::DeviceSkipped("not an Intel device");
  return sdk::RequireInLevelZero(device);
}

void RequireDriver(const v1::Device& device) {
  if (device.vendor() == v1::VENDOR_NVIDIA) {
    RequireNvml(device);
  } else if (device.vendor() == v1::VENDOR_INTEL) {
    RequireLevelZero(device);
  } else {
    throw sdk::DeviceSkipped("neither an NVIDIA nor an Intel device");
  }
}

bool MachineHasNvidiaGpu() {
  const auto vendors = VendorsConcerned();
  return std::find(vendors.begin(), vendors.end(), v1::VENDOR_NVIDIA) != vendors.end();
}

}  // namespace muster::driver
