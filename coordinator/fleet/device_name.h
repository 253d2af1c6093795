// Which device of a machine somebody means, and what to call it. Pure.
#ifndef MUSTER_COORDINATOR_FLEET_DEVICE_NAME_H_
#define MUSTER_COORDINATOR_FLEET_DEVICE_NAME_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

namespace muster::coordinator {

// The machine's devices by PCI address; a device's place in it is its number ("GPU 0").
std::vector<const v1::Device*> InPciOrder(const v1::Machine& machine);

// The device's id, from its id, its UUID, its PCI address (with or without the domain 0000) or its number. NotFound
// names the devices that there are.
absl::StatusOr<std::string> ResolveDevice(const v1::Machine& machine, std::string_view name);

// "GPU 0 (NVIDIA H200 at 0000:41:00.0)"; "device ID" of one that is not there.
std::string DescribeDevice(const v1::Machine& machine, std::string_view device_id);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_FLEET_DEVICE_NAME_H_
