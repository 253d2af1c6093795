// The devices of this machine, for a program that was started by hand and so leased none.
#ifndef MUSTER_SUITES_SDK_DISCOVERY_H_
#define MUSTER_SUITES_SDK_DISCOVERY_H_

#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::sdk {

// NVIDIA devices as NVML lists them, then Intel's as Level Zero does (which heeds ZE_AFFINITY_MASK itself); none of a
// vendor whose library does not load. `visible` is CUDA_VISIBLE_DEVICES: null for all, otherwise indices in PCI order
// and UUIDs, of which only those NVIDIA devices are kept.
std::vector<v1::Device> DiscoverDevices(const char* visible);

// Whether CUDA_VISIBLE_DEVICES shows the device with this index (in PCI order) and UUID.
bool IsVisible(const char* visible, size_t index, const std::string& uuid);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_DISCOVERY_H_
