#include "suites/sdk/unproven.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/selector.h"

namespace muster::sdk {

std::vector<std::string> UnprovenWarnings(const Environment& environment) {
  std::vector<std::string> warnings;
  for (const v1::Unproven& unproven : environment.unproven) {
    const auto selector = base::Selector::Parse(unproven.devices());
    if (!selector.ok()) continue;  // The agent refuses such a manifest.
    std::vector<std::string> devices;
    for (const v1::Device& device : environment.devices) {
      if (!device.simulated() && selector->Matches(device.labels(), environment.machine_labels))
        devices.push_back(absl::StrCat(device.model(), " ", device.pci_address()));
    }
    if (devices.empty()) continue;
    warnings.push_back(absl::StrCat("this suite is not proven on ", absl::StrJoin(devices, ", "), " (",
                                    unproven.devices(), "): ", unproven.reason()));
  }
  return warnings;
}

}  // namespace muster::sdk
