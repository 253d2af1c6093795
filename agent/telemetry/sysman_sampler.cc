#include "agent/telemetry/sysman_sampler.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "agent/inventory/level_zero_library.h"
#include "base/pci.h"
#include "base/status_macros.h"

namespace muster::agent {

SysmanSampler::SysmanSampler(const SysmanCalls& calls, CallMarker& marker, std::function<int64_t()> now_us)
    : calls_(calls), marker_(marker), now_us_(std::move(now_us)) {}

absl::Status SysmanSampler::Start() {
  ASSIGN_OR_RETURN(const std::vector<zes_device_handle_t> devices, StartSysman(calls_, marker_));
  for (zes_device_handle_t device : devices) AddCard(device);
  if (cards_.empty()) return absl::NotFoundError("Level Zero lists devices, and sysman knows none of Intel's GPUs");
  return absl::OkStatus();
}

// A device whose sysman does not answer these two has none (Intel's driver without a device): the rest is not asked.
void SysmanSampler::AddCard(zes_device_handle_t handle) {
  SysmanDevice device{.calls = calls_, .marker = marker_, .now_us = now_us_, .handle = handle};
  zes_pci_properties_t pci = {};
  pci.stype = ZES_STRUCTURE_TYPE_PCI_PROPERTIES;
  SysmanMemo pci_memo;
  if (device.Ask(pci_memo, MUSTER_SYSMAN(device, zesDevicePciGetProperties), handle, &pci)) return;
  device.pci_address = base::NormalisePciAddress(
      absl::StrFormat("%x:%x:%x.%x", pci.address.domain, pci.address.bus, pci.address.device, pci.address.function));
  zes_device_properties_t properties = {};
  properties.stype = ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES;
  properties.core.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
  SysmanMemo properties_memo;
  if (device.Ask(properties_memo, MUSTER_SYSMAN(device, zesDeviceGetProperties), handle, &properties)) return;
  // Some drivers leave type and vendor empty here; what is another's, or an NPU, says so.
  if (properties.core.vendorId != 0 && properties.core.vendorId != base::kPciVendorIntel) return;
  if (properties.core.type != 0 && properties.core.type != ZE_DEVICE_TYPE_GPU) return;
  if (device.pci_address.empty() || cards_.count(device.pci_address) > 0) return;
  auto card = std::make_unique<Card>(device);
  const std::string uuid = FormatUuid(properties.core.uuid.id);
  if (UuidIdentifies(uuid, properties.core.deviceId & 0xFFFF)) card->uuid = uuid;
  cards_[device.pci_address] = std::move(card);
}

std::vector<std::string> SysmanSampler::Devices() const {
  std::vector<std::string> addresses;
  for (const auto& [address, card] : cards_) addresses.push_back(address);
  return addresses;
}

std::string SysmanSampler::Uuid(const std::string& pci_address) const {
  const auto it = cards_.find(pci_address);
  return it == cards_.end() ? std::string() : it->second->uuid;
}

bool SysmanSampler::Prepare(const std::string& pci_address) {
  const auto it = cards_.find(pci_address);
  if (it == cards_.end()) return false;
  Card& card = *it->second;
  if (card.device.lost) card.parts.clear();
  if (!card.parts.empty()) return false;
  card.device.lost = false;
  card.parts = MakeSysmanParts(card.device);
  for (const auto& part : card.parts) part->Prepare();
  return !card.device.lost;
}

ReadingSet SysmanSampler::Read(const std::string& pci_address) {
  const auto it = cards_.find(pci_address);
  if (it == cards_.end()) return ReadingSet();
  TileReadings readings;
  for (const auto& part : it->second->parts) part->Read(readings);
  return readings.Combined();
}

}  // namespace muster::agent
