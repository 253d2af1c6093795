#include "coordinator/metrics/device_labels.h"

#include "absl/strings/str_cat.h"
#include "base/prometheus_text.h"

namespace muster::coordinator {

std::string VendorLabel(v1::Vendor vendor) {
  switch (vendor) {
    case v1::VENDOR_NVIDIA:
      return "nvidia";
    case v1::VENDOR_INTEL:
      return "intel";
    default:
      return "";
  }
}

std::string DeviceLabels(std::string_view machine, const v1::Device& device, int gpu) {
  std::string labels = base::PrometheusLabels({{"machine", machine},
                                               {"gpu", absl::StrCat(gpu)},
                                               {"uuid", device.uuid()},
                                               {"pci", device.pci_address()},
                                               {"vendor", VendorLabel(device.vendor())},
                                               {"model", device.model()}});
  if (device.simulated()) base::AppendPrometheusLabel(labels, "simulated", "true");
  return labels;
}

}  // namespace muster::coordinator
