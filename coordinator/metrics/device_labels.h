// The labels by which a device is known in every family, the agents' and the coordinator's.
#ifndef MUSTER_COORDINATOR_METRICS_DEVICE_LABELS_H_
#define MUSTER_COORDINATOR_METRICS_DEVICE_LABELS_H_

#include <string>
#include <string_view>

#include "muster/v1/fleet.pb.h"

namespace muster::coordinator {

// `machine="…",gpu="0",uuid="…",pci="…",vendor="nvidia",model="…"`, and `,simulated="true"` where it is. `gpu`: its
// number in PCI order.
std::string DeviceLabels(std::string_view machine, const v1::Device& device, int gpu);

// "nvidia", "intel"; empty when unknown.
std::string VendorLabel(v1::Vendor vendor);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_DEVICE_LABELS_H_
