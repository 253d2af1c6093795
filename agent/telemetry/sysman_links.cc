// The PCIe link and Xe Link.
#include "absl/strings/str_cat.h"
#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

class PciPart final : public SysmanPart {
 public:
  explicit PciPart(SysmanDevice& device)
      : SysmanPart(device, {v1::PCIE_LINK_GENERATION, v1::PCIE_LINK_GENERATION_MAX, v1::PCIE_LINK_LANES,
                            v1::PCIE_LINK_LANES_MAX, v1::PCIE_THROUGHPUT, v1::PCIE_BYTES, v1::PCIE_REPLAYS}) {}

 private:
  Missing Enumerate() override {
    properties_ = {};
    properties_.stype = ZES_STRUCTURE_TYPE_PCI_PROPERTIES;
    SysmanMemo memo;
    if (Missing missing =
            device_.Ask(memo, MUSTER_SYSMAN(device_, zesDevicePciGetProperties), device_.handle, &properties_)) {
      return missing;
    }
    ReadStats(nullptr);
    return std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    zes_pci_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_PCI_STATE;
    const Missing missing = device_.Ask(state_, MUSTER_SYSMAN(device_, zesDevicePciGetState), device_.handle, &state);
    PutSpeed(readings, v1::PCIE_LINK_GENERATION, state.speed.gen, missing);
    PutSpeed(readings, v1::PCIE_LINK_LANES, state.speed.width, missing);
    PutSpeed(readings, v1::PCIE_LINK_GENERATION_MAX, properties_.maxSpeed.gen, std::nullopt);
    PutSpeed(readings, v1::PCIE_LINK_LANES_MAX, properties_.maxSpeed.width, std::nullopt);
    ReadStats(&readings);
  }

  // -1 is "not known", and there is no generation 0.
  static void PutSpeed(TileReadings& readings, v1::TelemetryField field, int32_t value, Missing missing) {
    if (missing || value <= 0) {
      return readings.Absent(kCardRank, field, {}, missing.value_or(v1::ABSENCE_UNSUPPORTED));
    }
    readings.Value(kCardRank, field, {}, Combine::kMax, value);
  }

  void ReadStats(TileReadings* readings) {
    Missing missing = v1::ABSENCE_UNSUPPORTED;
    zes_pci_stats_t stats = {};
    if (properties_.haveBandwidthCounters || properties_.haveReplayCounters) {
      missing = device_.Ask(stats_, MUSTER_SYSMAN(device_, zesDevicePciGetStats), device_.handle, &stats);
    }
    // Counters that the device does not have are 0 there.
    Missing no_traffic = missing;
    Missing no_replays = missing;
    if (!properties_.haveBandwidthCounters) no_traffic = v1::ABSENCE_UNSUPPORTED;
    if (!properties_.haveReplayCounters || stats.replayCounter == UINT64_MAX) no_replays = v1::ABSENCE_UNSUPPORTED;
    ReadDirection("receive", received_, stats.rxCounter, stats.timestamp, no_traffic, readings);
    ReadDirection("transmit", transmitted_, stats.txCounter, stats.timestamp, no_traffic, readings);
    if (readings == nullptr) return;
    if (no_replays) return readings->Absent(kCardRank, v1::PCIE_REPLAYS, {}, *no_replays);
    readings->Value(kCardRank, v1::PCIE_REPLAYS, {}, Combine::kMax, static_cast<double>(stats.replayCounter));
  }

  static void ReadDirection(const char* direction, CounterRate& rate, uint64_t bytes, uint64_t timestamp,
                            Missing missing, TileReadings* readings) {
    if (!missing && bytes == UINT64_MAX) missing = v1::ABSENCE_UNSUPPORTED;
    const auto bytes_per_us = missing ? std::nullopt : rate.Update(bytes, timestamp);
    if (readings == nullptr) return;
    if (missing) {
      readings->Absent(kCardRank, v1::PCIE_BYTES, {direction}, *missing);
    } else {
      readings->Value(kCardRank, v1::PCIE_BYTES, {direction}, Combine::kMax, static_cast<double>(bytes));
    }
    if (bytes_per_us) {
      readings->Value(kCardRank, v1::PCIE_THROUGHPUT, {direction}, Combine::kMax, *bytes_per_us * 1e6);
    } else {
      readings->Absent(kCardRank, v1::PCIE_THROUGHPUT, {direction}, missing.value_or(v1::ABSENCE_FAILING));
    }
  }

  zes_pci_properties_t properties_ = {};
  SysmanMemo state_;
  SysmanMemo stats_;
  CounterRate received_;
  CounterRate transmitted_;
};

// A port has a number of its own on the whole card: that of its place in the driver's list.
class FabricPart final : public SysmanPart {
 public:
  explicit FabricPart(SysmanDevice& device)
      : SysmanPart(device, {v1::LINK_UP, v1::LINK_BANDWIDTH, v1::LINK_BYTES, v1::LINK_ERRORS}) {}

 private:
  struct Port {
    zes_fabric_port_handle_t handle = nullptr;
    std::string number;
    SysmanMemo state;
    SysmanMemo throughput;
    SysmanMemo errors;
  };

  Missing Enumerate() override {
    ports_.clear();
    std::vector<zes_fabric_port_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumFabricPorts), handles)) return missing;
    for (zes_fabric_port_handle_t handle : handles) {
      ports_.push_back({.handle = handle, .number = absl::StrCat(ports_.size())});
    }
    return std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Port& port : ports_) {
      ReadState(port, readings);
      ReadThroughput(port, readings);
      ReadErrors(port, readings);
    }
  }

  static void Put(TileReadings& readings, v1::TelemetryField field, const ReadingLabels& labels, double value,
                  Missing missing) {
    if (missing) return readings.Absent(kCardRank, field, labels, *missing);
    readings.Value(kCardRank, field, labels, Combine::kMax, value);
  }

  void ReadState(Port& port, TileReadings& readings) {
    zes_fabric_port_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_FABRIC_PORT_STATE;
    const Missing missing = device_.Ask(port.state, MUSTER_SYSMAN(device_, zesFabricPortGetState), port.handle, &state);
    const bool up = state.status == ZES_FABRIC_PORT_STATUS_HEALTHY || state.status == ZES_FABRIC_PORT_STATUS_DEGRADED;
    Missing no_status = missing;
    if (!missing && state.status == ZES_FABRIC_PORT_STATUS_UNKNOWN) no_status = v1::ABSENCE_FAILING;
    Put(readings, v1::LINK_UP, {port.number}, up ? 1 : 0, no_status);
    // Bits per second of each lane; -1 is "not known".
    Missing no_speed = missing;
    if (!missing && (state.rxSpeed.bitRate < 0 || state.rxSpeed.width < 0)) no_speed = v1::ABSENCE_UNSUPPORTED;
    Put(readings, v1::LINK_BANDWIDTH, {port.number},
        static_cast<double>(state.rxSpeed.bitRate) * state.rxSpeed.width / 8, no_speed);
  }

  void ReadThroughput(Port& port, TileReadings& readings) {
    zes_fabric_port_throughput_t throughput = {};
    Missing missing =
        device_.Ask(port.throughput, MUSTER_SYSMAN(device_, zesFabricPortGetThroughput), port.handle, &throughput);
    if (!missing && (throughput.rxCounter == UINT64_MAX || throughput.txCounter == UINT64_MAX)) {
      missing = v1::ABSENCE_UNSUPPORTED;
    }
    Put(readings, v1::LINK_BYTES, {port.number, "receive"}, static_cast<double>(throughput.rxCounter), missing);
    Put(readings, v1::LINK_BYTES, {port.number, "transmit"}, static_cast<double>(throughput.txCounter), missing);
  }

  void ReadErrors(Port& port, TileReadings& readings) {
    SysmanFabricErrors errors = {};
    errors.stype = kStypeFabricPortErrorCounters;
    const Missing missing =
        device_.Ask(port.errors, MUSTER_SYSMAN(device_, zesFabricPortGetFabricErrorCounters), port.handle, &errors);
    const auto put = [&](const char* kind, uint64_t count) {
      Missing none = missing;
      if (!missing && count == UINT64_MAX) none = v1::ABSENCE_UNSUPPORTED;
      Put(readings, v1::LINK_ERRORS, {port.number, kind}, static_cast<double>(count), none);
    };
    put("fw_error", errors.firmware_errors);
    put("fw_comm_error", errors.firmware_communication_errors);
    if (missing) return;
    put("flap", errors.link_failures);
    put("degrade", errors.link_degrades);
  }

  std::vector<Port> ports_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakePciPart(SysmanDevice& device) { return std::make_unique<PciPart>(device); }
std::unique_ptr<SysmanPart> MakeFabricPart(SysmanDevice& device) { return std::make_unique<FabricPart>(device); }

}  // namespace muster::agent
