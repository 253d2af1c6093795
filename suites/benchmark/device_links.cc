#include "suites/benchmark/device_links.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/peak.h"

namespace muster::benchmark {
namespace {

using sdk::Nvml;

struct NvmlDevice {
  const Nvml* nvml = nullptr;
  Nvml::Handle handle = nullptr;
};

std::optional<NvmlDevice> FindNvml(const v1::Device& device) {
  const auto nvml = Nvml::Shared();
  if (!nvml.ok()) return std::nullopt;
  const auto handle = (*nvml)->DeviceByUuid(device.uuid());
  if (!handle.ok()) return std::nullopt;
  return NvmlDevice{*nvml, *handle};
}

const char* MeetingName(Nvml::Meeting meeting) {
  switch (meeting) {
    case Nvml::Meeting::kBoard:
      return "on one board";
    case Nvml::Meeting::kSwitch:
      return "through one switch";
    case Nvml::Meeting::kSwitches:
      return "through several switches";
    case Nvml::Meeting::kHostBridge:
      return "through a host bridge";
    case Nvml::Meeting::kNumaNode:
      return "through host bridges of one NUMA node";
    case Nvml::Meeting::kSystem:
      return "between NUMA nodes";
  }
  return "by an unknown way";
}

// The links' best state: they go down while idle.
Connection PciConnection(const NvmlDevice& from, const NvmlDevice& to) {
  Connection connection{.path = "PCIe"};
  const auto a = from.nvml->PciLink(from.handle);
  const auto b = to.nvml->PciLink(to.handle);
  if (a.ok() && b.ok()) {
    const auto rate = [](const Nvml::Link& link) {
      return sdk::PciBandwidthPeak(link.max_generation, link.max_width).value_or(0);
    };
    const Nvml::Link& slower = rate(*a) <= rate(*b) ? *a : *b;
    if (rate(slower) > 0) connection.bytes_per_second = rate(slower);
    absl::StrAppend(&connection.path, " ", slower.max_generation, " x", slower.max_width);
  }
  const auto meeting = from.nvml->WherePathsMeet(from.handle, to.handle);
  if (meeting.ok()) absl::StrAppend(&connection.path, " ", MeetingName(*meeting));
  return connection;
}

Connection NvidiaConnection(const v1::Device& from, const v1::Device& to) {
  const auto a = FindNvml(from);
  const auto b = FindNvml(to);
  if (!a || !b) return {.no_atomics = "NVML does not say what links the devices"};
  Connection connection = PciConnection(*a, *b);
  const auto links = a->nvml->NvLinks(a->handle);
  const auto remote_links = b->nvml->NvLinks(b->handle);
  const auto by_nvlink = a->nvml->CanPeer(a->handle, b->handle, Nvml::PeerAbility::kNvLink);
  if (links.ok() && remote_links.ok() && by_nvlink.value_or(false)) {
    connection = NvLinkConnection(*links, *remote_links, to.pci_address()).value_or(connection);
  }
  const auto atomics = a->nvml->CanPeer(a->handle, b->handle, Nvml::PeerAbility::kAtomics);
  if (!atomics.value_or(false))
    connection.no_atomics = absl::StrCat("the driver gives no atomic operations over ", connection.path);
  return connection;
}

struct FabricPort {
  zes_fabric_port_properties_t properties;
  zes_fabric_port_state_t state;
};

std::vector<FabricPort> FabricPorts(const v1::Device& device) {
  const auto ze = sdk::LevelZero::Shared();
  if (!ze.ok()) return {};
  const auto found = (*ze)->Find(device);
  if (!found.ok() || found->sysman == nullptr) return {};
  const auto enumerate = MUSTER_ZE(**ze, zesDeviceEnumFabricPorts);
  const auto get_properties = MUSTER_ZE(**ze, zesFabricPortGetProperties);
  const auto get_state = MUSTER_ZE(**ze, zesFabricPortGetState);
  if (enumerate == nullptr || get_properties == nullptr || get_state == nullptr) return {};
  uint32_t count = 0;
  if (enumerate(found->sysman, &count, nullptr) != ZE_RESULT_SUCCESS) return {};
  std::vector<zes_fabric_port_handle_t> handles(count);
  if (count == 0 || enumerate(found->sysman, &count, handles.data()) != ZE_RESULT_SUCCESS) return {};
  std::vector<FabricPort> ports;
  for (const zes_fabric_port_handle_t handle : handles) {
    FabricPort port{};
    port.properties.stype = ZES_STRUCTURE_TYPE_FABRIC_PORT_PROPERTIES;
    port.state.stype = ZES_STRUCTURE_TYPE_FABRIC_PORT_STATE;
    if (get_properties(handle, &port.properties) != ZE_RESULT_SUCCESS) continue;
    if (get_state(handle, &port.state) != ZE_RESULT_SUCCESS) continue;
    ports.push_back(port);
  }
  return ports;
}

bool IsUp(const FabricPort& port) {
  return port.state.status == ZES_FABRIC_PORT_STATUS_HEALTHY || port.state.status == ZES_FABRIC_PORT_STATUS_DEGRADED;
}

Connection IntelConnection(const v1::Device& from, const v1::Device& to) {
  Connection connection{.path = "PCIe", .no_atomics = "atomic operations between Intel's devices are not tried"};
  std::set<uint32_t> fabric_ids;
  for (const FabricPort& port : FabricPorts(to)) fabric_ids.insert(port.properties.portId.fabricId);
  size_t ports = 0;
  double rate = 0;
  for (const FabricPort& port : FabricPorts(from)) {
    if (!IsUp(port) || !fabric_ids.contains(port.state.remotePortId.fabricId)) continue;
    ++ports;
    rate += static_cast<double>(port.properties.maxTxSpeed.bitRate) * port.properties.maxTxSpeed.width / 8;
  }
  if (ports == 0) return connection;
  connection.path = absl::StrCat("Xe Link x", ports);
  connection.dedicated = true;
  if (rate > 0) connection.bytes_per_second = rate;
  return connection;
}

}  // namespace

std::optional<Connection> NvLinkConnection(const std::vector<Nvml::NvLink>& links,
                                           const std::vector<Nvml::NvLink>& remote_links,
                                           const std::string& remote_pci_address) {
  const auto usable = [](const std::vector<Nvml::NvLink>& all, bool to_switch, const std::string& address) {
    return std::count_if(all.begin(), all.end(), [&](const Nvml::NvLink& link) {
      return link.up && link.to_switch == to_switch && (to_switch || link.remote_pci_address == address);
    });
  };
  const auto direct = usable(links, false, remote_pci_address);
  const auto switched = std::min(usable(links, true, ""), usable(remote_links, true, ""));
  const auto count = direct != 0 ? direct : switched;
  if (count == 0) return std::nullopt;
  const auto first = std::find_if(links.begin(), links.end(), [](const Nvml::NvLink& link) { return link.up; });
  Connection connection{
      .path = absl::StrCat("NVLink ", first->generation, " x", count, direct != 0 ? "" : " through NVSwitch"),
      .dedicated = true};
  if (const auto rate = sdk::NvLinkBandwidthPeak(first->generation))
    connection.bytes_per_second = *rate * static_cast<double>(count);
  return connection;
}

Connection ConnectionOf(const v1::Device& from, const v1::Device& to) {
  if (from.vendor() == v1::VENDOR_NVIDIA) return NvidiaConnection(from, to);
  if (from.vendor() == v1::VENDOR_INTEL) return IntelConnection(from, to);
  return {.no_atomics = "nobody says what links the devices"};
}

size_t SwitchLinksUp(const std::vector<Nvml::NvLink>& links) {
  return static_cast<size_t>(
      std::count_if(links.begin(), links.end(), [](const Nvml::NvLink& link) { return link.up && link.to_switch; }));
}

size_t SwitchLinksUp(const v1::Device& device) {
  const auto found = device.vendor() == v1::VENDOR_NVIDIA ? FindNvml(device) : std::nullopt;
  if (!found) return 0;
  const auto links = found->nvml->NvLinks(found->handle);
  return links.ok() ? SwitchLinksUp(*links) : 0;
}

std::optional<double> SendingPeak(const v1::Device& device, const std::vector<v1::Device>& others) {
  double direct = 0;
  double shared = 0;
  for (const v1::Device& other : others) {
    const Connection connection = ConnectionOf(device, other);
    if (!connection.bytes_per_second) return std::nullopt;
    // Ways through switches and to the host are the same links each time.
    const bool own = connection.dedicated && connection.path.find("NVSwitch") == std::string::npos;
    if (own) {
      direct += *connection.bytes_per_second;
    } else {
      shared = std::max(shared, *connection.bytes_per_second);
    }
  }
  return direct + shared;
}

LinkErrorCounts AerErrors(const std::string& root, const std::string& pci_address) {
  LinkErrorCounts counts;
  const std::pair<const char*, const char*> files[] = {{"aer_dev_correctable", "pcie_correctable"},
                                                       {"aer_dev_nonfatal", "pcie_uncorrectable"},
                                                       {"aer_dev_fatal", "pcie_uncorrectable"}};
  for (const auto& [file, kind] : files) {
    std::ifstream lines(absl::StrCat(root, "/", pci_address, "/", file));
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      double count = 0;
      // "TOTAL_ERR_COR 0" closes each file.
      if (words.size() == 2 && words[0].rfind("TOTAL_", 0) == 0 && absl::SimpleAtod(words[1], &count))
        counts[kind] += count;
    }
  }
  return counts;
}

LinkErrorCounts LinkErrorsOf(const v1::Device& device) {
  LinkErrorCounts counts = AerErrors("/sys/bus/pci/devices", device.pci_address());
  if (device.vendor() == v1::VENDOR_INTEL) {
    for (const FabricPort& port : FabricPorts(device)) {
      const bool degraded = port.state.status == ZES_FABRIC_PORT_STATUS_DEGRADED;
      counts["fabric_ports_degraded"] += degraded || port.state.status == ZES_FABRIC_PORT_STATUS_FAILED ? 1 : 0;
    }
  }
  const auto found = device.vendor() == v1::VENDOR_NVIDIA ? FindNvml(device) : std::nullopt;
  if (!found) return counts;
  const Nvml::NvLinkErrors errors = found->nvml->NvLinkErrorCounts(found->handle);
  if (errors.replays) counts["nvlink_replays"] = static_cast<double>(*errors.replays);
  if (errors.recoveries) counts["nvlink_recoveries"] = static_cast<double>(*errors.recoveries);
  if (errors.crc) counts["nvlink_crc_errors"] = static_cast<double>(*errors.crc);
  const auto replays = found->nvml->PcieReplays(found->handle);
  if (replays.ok()) counts["pcie_replays"] = *replays;
  return counts;
}

}  // namespace muster::benchmark
