#include "suites/sdk/sensors.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace muster::sdk {

absl::StatusOr<std::unique_ptr<Sensors>> Sensors::Open(const v1::Device& device) {
  switch (device.vendor()) {
    case v1::VENDOR_NVIDIA:
      return OpenNvmlSensors(device);
    case v1::VENDOR_INTEL:
      return OpenSysmanSensors(device);
    default:
      return absl::UnimplementedError(absl::StrCat("no sensors of a device of ", v1::Vendor_Name(device.vendor())));
  }
}

std::string ClockReasonNames(const std::vector<ClockReason>& reasons, uint64_t bits) {
  std::vector<std::string> names;
  for (const ClockReason& reason : reasons) {
    if ((bits & reason.bit) != 0) names.push_back(reason.name);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

}  // namespace muster::sdk
