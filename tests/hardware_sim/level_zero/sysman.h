// What the sysman side's files share: components as handles, and the enumerations of them that the device's table
// holds.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SYSMAN_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SYSMAN_H_

#include <level_zero/zes_api.h>

#include <cstdint>
#include <vector>

#include "tests/hardware_sim/level_zero/simulation.h"

namespace muster::sim::ze {

template <typename Handle>
const Component* ToComponent(Handle handle, Part part) {
  const auto* component = reinterpret_cast<const Component*>(handle);
  return component != nullptr && component->part == part ? component : nullptr;
}

// `function` is the API's name of the calling function: __func__.
template <typename Handle>
ze_result_t EnumerateComponents(zes_device_handle_t handle, Part part, const char* function, uint32_t* count,
                                Handle* handles) {
  const Call call(ToDevice(handle), function);
  if (call.failed()) return call.result();
  const auto& components = ToDevice(handle)->components[static_cast<size_t>(part)];
  return ListItems(components.size(), count, handles,
                   [&](uint32_t i, Handle& out) { out = reinterpret_cast<Handle>(components[i].get()); });
}

// For what the simulated devices have none of.
template <typename Handle>
ze_result_t EnumerateNone(zes_device_handle_t handle, const char* function, uint32_t* count, Handle* handles) {
  const Call call(ToDevice(handle), function);
  if (call.failed()) return call.result();
  return ListItems(0, count, handles, [](uint32_t, Handle&) {});
}

// The entry of a list of {word, number}; none for a word that is not in it.
template <typename Entry, size_t kSize>
const Entry* FindWord(const Entry (&entries)[kSize], std::string_view word) {
  for (const Entry& entry : entries) {
    if (entry.word == word) return &entry;
  }
  return nullptr;
}

void CopyText(const std::string& text, char* out, size_t size);

// In sysman_pci.cc.
ze_result_t zesDevicePciGetProperties(zes_device_handle_t device, zes_pci_properties_t* properties);
ze_result_t zesDevicePciGetState(zes_device_handle_t device, zes_pci_state_t* state);
ze_result_t zesDevicePciGetBars(zes_device_handle_t device, uint32_t* count, zes_pci_bar_properties_t* bars);
ze_result_t zesDevicePciGetStats(zes_device_handle_t device, zes_pci_stats_t* stats);

// Each in the file of its part.
ze_result_t zesDeviceEnumEngineGroups(zes_device_handle_t device, uint32_t* count, zes_engine_handle_t* engines);
ze_result_t zesDeviceEnumFabricPorts(zes_device_handle_t device, uint32_t* count, zes_fabric_port_handle_t* ports);
ze_result_t zesDeviceEnumFans(zes_device_handle_t device, uint32_t* count, zes_fan_handle_t* fans);
ze_result_t zesDeviceEnumFirmwares(zes_device_handle_t device, uint32_t* count, zes_firmware_handle_t* firmwares);
ze_result_t zesDeviceEnumFrequencyDomains(zes_device_handle_t device, uint32_t* count, zes_freq_handle_t* domains);
ze_result_t zesDeviceEnumMemoryModules(zes_device_handle_t device, uint32_t* count, zes_mem_handle_t* modules);
ze_result_t zesDeviceEnumPowerDomains(zes_device_handle_t device, uint32_t* count, zes_pwr_handle_t* domains);
ze_result_t zesDeviceGetCardPowerDomain(zes_device_handle_t device, zes_pwr_handle_t* domain);
ze_result_t zesDeviceEnumRasErrorSets(zes_device_handle_t device, uint32_t* count, zes_ras_handle_t* sets);
ze_result_t zesDeviceEnumTemperatureSensors(zes_device_handle_t device, uint32_t* count, zes_temp_handle_t* sensors);

// In device.cc: the core properties, which sysman's hold, too. `properties` keeps stype and pNext.
void FillDeviceProperties(const Device& device, ze_device_properties_t& properties);
// Bytes per second, one way, of a PCIe link; 0 for a generation that there is not.
int64_t PcieBytesPerSecond(uint32_t generation, uint32_t lanes);
struct PciAddress {
  uint32_t domain = 0, bus = 0, device = 0, function = 0;
};
PciAddress ParsePciAddress(const std::string& address);

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SYSMAN_H_
