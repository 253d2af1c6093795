// Labels: what selectors match. Derived from the inventory, then overlaid with what the machine's configuration says.
//
// They keep to Kubernetes' rules, so that a selector never needs quotes: a key is NAME or PREFIX/NAME, a name and a
// value are at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit; a value may be
// empty.
#ifndef MUSTER_AGENT_INVENTORY_LABELS_H_
#define MUSTER_AGENT_INVENTORY_LABELS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "muster/v1/fleet.pb.h"

namespace muster::agent {

using Labels = std::map<std::string, std::string>;

// Of a device; what is not known has no label.
//   vendor              intel, nvidia
//   model               NVIDIA-H200, Intel-Arc-A770-Graphics
//   memory_gib          whole GiB, see MemoryGib
//   architecture        NVIDIA: volta, turing, ampere, ada, hopper, blackwell
//   compute_capability  9.0
//   xe_generation       Xe-HPG
//   driver_version      580.159.04
//   kernel_driver       nvidia, i915, xe, vfio-pci
//   driver_state        ready, unbound, no-library, not-listed
//   pci_generation      that the link can have at most: 5
//   simulated           true, false
Labels DeviceLabels(const v1::Device& device);

// Of a machine: name, os ("Debian-GNU-Linux-12-bookworm"), kernel, arch (x86_64), gpus, nvidia_gpus, intel_gpus
// (numbers of devices in any state), nixos (true, false), nixpkgs_revision.
Labels MachineLabels(const v1::Machine& machine);

// InvalidArgument names the first key or value that breaks the rules, and the rule.
absl::Status ValidateLabels(const Labels& labels);

// The nearest whole number of GiB: drivers keep a little of what the card is sold with. 143,771 MiB (H200) is 140,
// 24,564 MiB (a card of 24 GiB) is 24, 81,559 MiB (of 80 GiB) is 80.
uint64_t MemoryGib(uint64_t bytes);

// `text` as a label value: "(R)" and "(TM)" dropped, each run of other characters one '-', cut to 63.
std::string LabelValue(absl::string_view text);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_LABELS_H_
