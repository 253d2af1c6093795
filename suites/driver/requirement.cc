#include "suites/driver/requirement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "suites/driver/system.h"
#include "suites/sdk/devices.h"
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
      throw sdk::DeviceFailure(absl::StrCat("the GPU is lost: reading ", what, " gave ", status.message(),
                                            "; look for Xid lines in the kernel log, then restart the machine"));
    default:
      throw sdk::ToolError(absl::StrCat("cannot read ", what, ": ", status.message()));
  }
}

NvmlDevice RequireNvml(const v1::Device& device) {
  if (device.vendor() != v1::VENDOR_NVIDIA) throw sdk::DeviceSkipped("not an NVIDIA device");
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

bool MachineHasGpu() {
  const auto gpus = ReadPciGpus("");
  if (gpus.ok() && !gpus->empty()) return true;
  const auto& leased = sdk::LeasedDevices();
  return std::any_of(leased.begin(), leased.end(),
                     [](const v1::Device& device) { return device.vendor() == v1::VENDOR_NVIDIA; });
}

}  // namespace muster::driver
