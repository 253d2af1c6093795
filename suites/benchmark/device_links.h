// What links the leased devices of a machine: which kind of link there is between each two, what it can carry, and its
// error counters. From NVML for NVIDIA's, from Level Zero's sysman for Intel's.
//
// Unchecked: on Intel nothing of it has ever run on a machine with Xe Link.
#ifndef MUSTER_SUITES_BENCHMARK_DEVICE_LINKS_H_
#define MUSTER_SUITES_BENCHMARK_DEVICE_LINKS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"
#include "suites/sdk/nvml.h"

namespace muster::benchmark {

struct Connection {
  // "NVLink 4 x18 through NVSwitch", "PCIe 5 x16 through a host bridge", "unknown".
  std::string path = "unknown";
  // One way at best; nothing when nobody says.
  std::optional<double> bytes_per_second;
  // Its own link, and not the way to the host that other traffic takes too.
  bool dedicated = false;
  // Why there are no atomic operations over it; empty when there are.
  std::string no_atomics;
};

// The connection of two devices of one vendor.
Connection ConnectionOf(const v1::Device& from, const v1::Device& to);
// One way at best, of all links of the device together; nothing when nobody says.
std::optional<double> SendingPeak(const v1::Device& device, const std::vector<v1::Device>& others);

// NVLinks to switches that are up; none where there is no switch.
size_t SwitchLinksUp(const v1::Device& device);

// Counts of errors by kind, of one device; only what it counts.
using LinkErrorCounts = std::map<std::string, double>;
LinkErrorCounts LinkErrorsOf(const v1::Device& device);

// The sum of the files aer_dev_* of a PCI device below `root` ("/sys/bus/pci/devices"): correctable and not. Empty
// where the kernel does not count.
LinkErrorCounts AerErrors(const std::string& root, const std::string& pci_address);

// Pure: NVML's links of one device as a connection to the device at `remote`, of whose links `remote_links` are up. Of
// two devices that NVLink does not connect, nothing.
std::optional<Connection> NvLinkConnection(const std::vector<sdk::Nvml::NvLink>& links,
                                           const std::vector<sdk::Nvml::NvLink>& remote_links,
                                           const std::string& remote_pci_address);

// Pure: of NVML's links of one device.
size_t SwitchLinksUp(const std::vector<sdk::Nvml::NvLink>& links);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_DEVICE_LINKS_H_
