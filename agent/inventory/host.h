// What a machine says of itself without its GPUs: names, operating system, processor, memory, NixOS.
#ifndef MUSTER_AGENT_INVENTORY_HOST_H_
#define MUSTER_AGENT_INVENTORY_HOST_H_

#include "base/root_folder.h"
#include "muster/v1/fleet.pb.h"

namespace muster::agent {

// Fills host_name, machine_id, boot_id, os, kernel, cpu_*, memory_bytes and nixos of `machine`; adds a note for each
// that the machine did not give.
void DescribeHost(const base::RootFolder& root, v1::Machine& machine);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_HOST_H_
