#include "cli/device_names.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/text.h"

namespace muster::cli {

std::string ModelOf(const v1::Device& device) {
  constexpr char kMark[] = "(simulated)";
  std::string model = Sanitize(device.model(), 128);
  // Most say so themselves.
  if (device.simulated() && !absl::StrContains(model, kMark)) absl::StrAppend(&model, model.empty() ? "" : " ", kMark);
  return model;
}

void DeviceNames::Add(const v1::Machine& machine) {
  int index = 0;
  for (const v1::Device& device : machine.devices()) {
    devices_[device.id()] = {
        .index = index++, .model = ModelOf(device), .pci_address = Sanitize(device.pci_address(), 32)};
  }
}

std::string DeviceNames::Short(const std::string& device_id) const {
  const auto it = devices_.find(device_id);
  if (it == devices_.end()) return Truncate(Sanitize(device_id, 64), 12);
  return absl::StrCat("GPU ", it->second.index);
}

std::string DeviceNames::Long(const std::string& device_id) const {
  const auto it = devices_.find(device_id);
  if (it == devices_.end()) return Sanitize(device_id, 64);
  return absl::StrCat("GPU ", it->second.index, "  ", it->second.model, "  ", it->second.pci_address);
}

std::string DeviceNames::Join(const std::vector<std::string>& device_ids) const {
  if (device_ids.empty()) return "";
  if (device_ids.size() == 1) return Short(device_ids.front());
  std::vector<int> indices;
  for (const std::string& id : device_ids) {
    const auto it = devices_.find(id);
    if (it != devices_.end()) indices.push_back(it->second.index);
  }
  if (indices.size() != device_ids.size() || indices.size() > 4) return absl::StrCat(device_ids.size(), " GPUs");
  return absl::StrCat("GPU ", absl::StrJoin(indices, ","));
}

}  // namespace muster::cli
