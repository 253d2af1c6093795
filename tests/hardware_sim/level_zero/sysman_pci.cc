// sysman: the PCI Express side of a device.
#include <algorithm>

#include "tests/hardware_sim/level_zero/sysman.h"

namespace muster::sim::ze {
namespace {

constexpr uint64_t kRegisterBarBytes = 16ull << 20;
// Where the bars of the first device lie; the others follow.
constexpr uint64_t kFirstBarAddress = 0x2000'0000'0000;
constexpr uint64_t kBarSpacing = 1ull << 40;

zes_pci_speed_t Speed(double generation, double lanes) {
  zes_pci_speed_t speed = {};
  // -1: not known.
  speed.gen = generation > 0 ? static_cast<int32_t>(generation) : -1;
  speed.width = lanes > 0 ? static_cast<int32_t>(lanes) : -1;
  const bool known = speed.gen > 0 && speed.width > 0;
  speed.maxBandwidth =
      known ? PcieBytesPerSecond(static_cast<uint32_t>(speed.gen), static_cast<uint32_t>(speed.width)) : -1;
  return speed;
}

bool Has(const Call& call, v1::TelemetryField field, const std::vector<std::string>& labels) {
  double ignored = 0;
  return call.Read(field, labels, ignored) != ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
}

}  // namespace

int64_t PcieBytesPerSecond(uint32_t generation, uint32_t lanes) {
  // One lane, after 8b/10b or 128b/130b coding.
  constexpr int64_t kLane[] = {0, 250'000'000, 500'000'000, 984'615'385, 1'969'230'769, 3'938'461'538, 7'563'000'000};
  return generation < std::size(kLane) ? kLane[generation] * lanes : 0;
}

ze_result_t zesDevicePciGetProperties(zes_device_handle_t handle, zes_pci_properties_t* properties) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const PciAddress address = ParsePciAddress(ToDevice(handle)->facts.device.pci_address());
  properties->address = {address.domain, address.bus, address.device, address.function};
  properties->maxSpeed =
      Speed(call.ReadOr(v1::PCIE_LINK_GENERATION_MAX, {}, -1), call.ReadOr(v1::PCIE_LINK_LANES_MAX, {}, -1));
  properties->haveBandwidthCounters = Has(call, v1::PCIE_BYTES, {"receive"});
  properties->havePacketCounters = false;
  properties->haveReplayCounters = Has(call, v1::PCIE_REPLAYS, {});
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDevicePciGetState(zes_device_handle_t handle, zes_pci_state_t* state) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (state == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double generation = -1;
  double lanes = -1;
  const ze_result_t result = call.Read(v1::PCIE_LINK_GENERATION, {}, generation);
  const ze_result_t lanes_result = call.Read(v1::PCIE_LINK_LANES, {}, lanes);
  if (result != ZE_RESULT_SUCCESS && lanes_result != ZE_RESULT_SUCCESS) return result;
  state->status = ZES_PCI_LINK_STATUS_UNKNOWN;  // Intel's driver says no more, either.
  state->qualityIssues = 0;
  state->stabilityIssues = 0;
  state->speed = Speed(generation, lanes);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zesDevicePciGetBars(zes_device_handle_t handle, uint32_t* count, zes_pci_bar_properties_t* bars) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  const Device& device = *ToDevice(handle);
  const uint64_t base = kFirstBarAddress + device.index * kBarSpacing;
  return ListItems(2, count, bars, [&](uint32_t i, zes_pci_bar_properties_t& bar) {
    bar.type = i == 0 ? ZES_PCI_BAR_TYPE_MMIO : ZES_PCI_BAR_TYPE_MEM;
    bar.index = 2 * i;  // Both are of 64 bits, which take two each.
    bar.base = base + i * (kBarSpacing / 2);
    bar.size = i == 0 ? kRegisterBarBytes : device.facts.device.memory_bytes();
  });
}

// What the device does not have is 0 here, and false in the properties.
ze_result_t zesDevicePciGetStats(zes_device_handle_t handle, zes_pci_stats_t* stats) {
  const Call call(ToDevice(handle), __func__);
  if (call.failed()) return call.result();
  if (stats == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  double receive = 0;
  double transmit = 0;
  double replays = 0;
  const ze_result_t receive_result = call.Read(v1::PCIE_BYTES, {"receive"}, receive);
  const ze_result_t replay_result = call.Read(v1::PCIE_REPLAYS, {}, replays);
  call.Read(v1::PCIE_BYTES, {"transmit"}, transmit);
  if (receive_result != ZE_RESULT_SUCCESS && replay_result != ZE_RESULT_SUCCESS) return receive_result;
  // One call gives both: a fault of one is a fault of the call.
  for (const ze_result_t result : {receive_result, replay_result}) {
    if (result != ZE_RESULT_SUCCESS && result != ZE_RESULT_ERROR_UNSUPPORTED_FEATURE) return result;
  }
  stats->timestamp = call.microseconds();
  stats->replayCounter = Whole(replays);
  stats->packetCounter = 0;
  stats->rxCounter = Whole(receive);
  stats->txCounter = Whole(transmit);
  stats->speed = Speed(call.ReadOr(v1::PCIE_LINK_GENERATION, {}, -1), call.ReadOr(v1::PCIE_LINK_LANES, {}, -1));
  return ZE_RESULT_SUCCESS;
}

}  // namespace muster::sim::ze
