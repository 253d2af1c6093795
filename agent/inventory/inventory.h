// What a machine is and which GPUs it holds: its own files first, then PCI, then the vendors' libraries.
//
// Called at the agent's start and when it looks again; blocks for as long as the libraries do (probe.h bounds that), so
// not on the event loop. A source that is missing costs its fields and leaves a note, nothing else.
#ifndef MUSTER_AGENT_INVENTORY_INVENTORY_H_
#define MUSTER_AGENT_INVENTORY_INVENTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/inventory/gpu_library.h"
#include "agent/inventory/labels.h"
#include "muster/v1/fleet.pb.h"

namespace muster::agent {

struct InventoryOptions {
  // Name in the fleet.
  std::string machine_name;
  std::string agent_version;
  // Where /proc, /sys, /etc and /run are; a fixture tree in tests.
  std::string root = "/";
  // `root` is not this machine's: every device on it is a simulation, whether a library says so or not.
  bool simulated = false;
  // Overlay the machine's derived labels.
  Labels labels;
};

// A GPU that PCI shows and its driver does not is kept, its driver_state and driver_problem say so; one that a library
// lists and PCI does not (in some containers) is kept too, from the library's data, with a note. Each device has a
// stable id of its own. A library may be null: it then counts as not installed. Fails only with InvalidArgument, for
// bad labels.
absl::StatusOr<v1::Machine> CollectInventory(const InventoryOptions& options, GpuLibrary* nvml, GpuLibrary* level_zero);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_INVENTORY_H_
