#include "tests/hardware_sim/world.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "tests/hardware_sim/kernel_lines.h"
#include "tests/hardware_sim/readings.h"
#include "tests/hardware_sim/scenario_file.h"

namespace muster::sim {
namespace {

constexpr char kNvidiaDriver[] = "580.95.05";
constexpr char kIntelDriver[] = "1.6.33578";  // Of Level Zero.

// FNV-1a: the same everywhere and for ever, unlike std::hash.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string MakeUuid(const std::string& seed, bool nvidia) {
  const uint64_t high = Hash(absl::StrCat(seed, "/high"));
  const uint64_t low = Hash(absl::StrCat(seed, "/low"));
  return absl::StrFormat("%s%08x-%04x-%04x-%04x-%012x", nvidia ? "GPU-" : "", high >> 32, (high >> 16) & 0xFFFF,
                         high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFF);
}

void FillFaults(bool nvidia, Device& device) {
  for (Fault& fault : *device.mutable_faults()) {
    if (fault.has_ecc_errors() && fault.ecc_errors().location().empty()) {
      fault.mutable_ecc_errors()->set_location("dram");
    }
    if (fault.has_engine_hang() && fault.engine_hang().engine().empty()) {
      fault.mutable_engine_hang()->set_engine("rcs0");
    }
    if (fault.has_interconnect_errors() && fault.interconnect_errors().kind().empty()) {
      fault.mutable_interconnect_errors()->set_kind(nvidia ? "crc_flit" : "flap");
    }
  }
}

void FillLink(const DeviceFacts& facts, v1::Device& device) {
  v1::PciLink& link = *device.mutable_pci_link();
  link.set_generation(facts.model.pcie_generation());
  link.set_width(facts.model.pcie_lanes());
  link.set_max_generation(facts.model.pcie_generation());
  link.set_max_width(facts.model.pcie_lanes());
}

// `place` numbers the devices of one vendor, as its driver does.
void FillDevice(const Machine& machine, int place, DeviceFacts& facts) {
  const bool nvidia = facts.model.pci_vendor_id() == kNvidia;
  const std::string& given = nvidia ? machine.nvidia_driver_version() : machine.intel_driver_version();
  v1::Device& device = facts.device;
  device.set_vendor(nvidia ? v1::VENDOR_NVIDIA : v1::VENDOR_INTEL);
  device.set_model(facts.model.name());
  device.set_pci_address(facts.scenario.pci_address());
  FillLink(facts, device);
  device.set_uuid(facts.scenario.uuid());
  device.set_serial(facts.scenario.serial());
  device.set_vbios_version(std::string(facts.traits.vbios_version));
  device.set_firmware_version(std::string(facts.traits.firmware_version));
  device.set_driver_version(!given.empty() ? given : nvidia ? kNvidiaDriver : kIntelDriver);
  device.set_memory_bytes(facts.model.memory_bytes());
  device.set_ecc_mode(facts.model.ecc() ? v1::ECC_MODE_ENABLED : v1::ECC_MODE_UNSUPPORTED);
  if (nvidia) {
    device.set_compute_capability(
        absl::StrCat(facts.traits.compute_capability_major, ".", facts.traits.compute_capability_minor));
    for (const std::string& node :
         {absl::StrCat("/dev/nvidia", place), std::string("/dev/nvidiactl"), std::string("/dev/nvidia-uvm")}) {
      device.add_device_nodes(node);
    }
  } else {
    device.set_xe_generation(std::string(facts.traits.xe_generation));
    device.add_device_nodes(absl::StrCat("/dev/dri/card", place));
    device.add_device_nodes(absl::StrCat("/dev/dri/renderD", 128 + place));
  }
  device.set_driver_state(v1::DRIVER_STATE_READY);
  device.set_pci_vendor_id(facts.model.pci_vendor_id());
  device.set_pci_device_id(facts.model.pci_device_id());
  device.set_numa_node(0);
  device.set_simulated(true);
  device.set_kernel_driver(std::string(facts.traits.kernel_driver));
}

DeviceFacts MakeFacts(const Machine& machine, int place) {
  DeviceFacts facts;
  facts.scenario = machine.devices(place);
  ModelFacts model = FactsOf(facts.scenario);
  facts.model = std::move(model.model);
  facts.traits = model.traits;
  const bool nvidia = facts.model.pci_vendor_id() == kNvidia;
  const std::string seed = absl::StrCat(machine.name(), "/", place);
  Device& device = facts.scenario;
  device.set_pci_address(PciAddressOf(device, place));
  if (device.uuid().empty()) device.set_uuid(MakeUuid(seed, nvidia));
  if (device.serial().empty()) device.set_serial(absl::StrFormat("SIM%010u", Hash(seed) % 10000000000));
  FillFaults(nvidia, device);
  facts.bends = BendsOf(device, facts.model);
  return facts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<World>> World::Make(const Scenario& scenario, std::string_view machine) {
  RETURN_IF_ERROR(CheckScenario(scenario));
  const auto found = std::find_if(scenario.machines().begin(), scenario.machines().end(),
                                  [machine](const Machine& candidate) { return candidate.name() == machine; });
  if (found == scenario.machines().end()) {
    return absl::InvalidArgumentError(absl::StrCat("machines: expected one called '", std::string(machine), "', found ",
                                                   scenario.machines_size(), " others, the first called '",
                                                   scenario.machines(0).name(), "'"));
  }
  std::unique_ptr<World> world(new World);
  for (int i = 0; i < found->devices_size(); ++i) world->devices_.push_back(MakeFacts(*found, i));
  std::sort(world->devices_.begin(), world->devices_.end(), [](const DeviceFacts& a, const DeviceFacts& b) {
    return a.scenario.pci_address() < b.scenario.pci_address();
  });
  int nvidia = 0;
  int intel = 0;
  for (DeviceFacts& facts : world->devices_) {
    FillDevice(*found, facts.model.pci_vendor_id() == kNvidia ? nvidia++ : intel++, facts);
    for (LogLine& line : KernelLinesOf(facts)) world->log_.push_back(std::move(line));
  }
  std::stable_sort(world->log_.begin(), world->log_.end(),
                   [](const LogLine& a, const LogLine& b) { return a.at < b.at; });
  return world;
}

v1::Reading World::Read(size_t device, v1::TelemetryField field, const std::vector<std::string>& labels,
                        Seconds now) const {
  return Readings(devices_.at(device), now).Read(field, labels);
}

std::vector<std::vector<std::string>> World::LabelsOf(size_t device, v1::TelemetryField field) const {
  return Readings(devices_.at(device), 0).LabelsOf(field);
}

bool World::IsLost(size_t device, Seconds now) const { return sim::IsLost(devices_.at(device).scenario, now); }

std::optional<CallFault> World::FaultOfCall(size_t device, std::string_view function, Seconds now) const {
  for (const Fault& fault : devices_.at(device).scenario.faults()) {
    if (!IsActive(fault, now)) continue;
    if (fault.has_call_hangs() && fault.call_hangs().function() == function) {
      const Seconds until = fault.until_s() == 0 ? std::numeric_limits<double>::infinity() : fault.until_s();
      return CallFault{.hangs = true, .until = until};
    }
    if (fault.has_call_fails() && fault.call_fails().function() == function) {
      return CallFault{.result = fault.call_fails().result()};
    }
  }
  return std::nullopt;
}

std::optional<WrongResults> World::WrongResultsOf(size_t device, std::string_view kernel, Seconds now) const {
  for (const Fault& fault : devices_.at(device).scenario.faults()) {
    if (!fault.has_wrong_results() || !IsActive(fault, now)) continue;
    const std::string& named = fault.wrong_results().kernel();
    if (named.empty() || named == kernel) return fault.wrong_results();
  }
  return std::nullopt;
}

std::vector<World::LogLine> World::KernelLog(Seconds after, Seconds until) const {
  std::vector<LogLine> lines;
  for (const LogLine& line : log_) {
    if (line.at > after && line.at <= until) lines.push_back(line);
  }
  return lines;
}

}  // namespace muster::sim
