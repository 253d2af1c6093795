#include "cli/demo/fault_kinds.h"

#include <algorithm>

namespace muster::cli {

const std::vector<FaultKind>& FaultKinds() {
  static const auto& kinds = *new std::vector<FaultKind>{
      {"fan-stopped", "a fan stands still", v1::VENDOR_INTEL, "fan_stopped {}", "fan.stopped"},
      {"ecc-corrected", "memory errors are corrected, many", v1::VENDOR_NVIDIA, "ecc_errors { per_second: 5 }",
       "ecc.corrected-rate"},
      {"link-trained-down", "the PCIe link trained down to generation 1", v1::VENDOR_UNSPECIFIED,
       "link_trained_down { generation: 1 }", "pcie.link-degraded"},
      {"throttle-thermal", "the clocks are held down by heat", v1::VENDOR_UNSPECIFIED,
       "throttle { reason: \"thermal\" clock_ratio: 0.5 }", "thermal.throttling"},
      {"power-brake", "an external power brake holds the clocks down", v1::VENDOR_NVIDIA,
       "throttle { reason: \"hw_power_brake\" clock_ratio: 0.3 }", "power.throttling"},
      {"pcie-replays", "the PCIe link sends packets again, many", v1::VENDOR_NVIDIA, "pcie_replays { per_second: 5 }",
       "pcie.replay-rate"},
      {"nvlink-down", "an NVLink is down", v1::VENDOR_NVIDIA, "interconnect_errors { link: 2 down: true }",
       "link.down"},
      {"call-hangs", "a call into the driver does not return", v1::VENDOR_NVIDIA,
       "call_hangs { function: \"nvmlDeviceGetTemperature\" }", "driver.call-hung"},
      {"device-lost", "the GPU is gone from the bus", v1::VENDOR_UNSPECIFIED, "device_lost {}", "device.lost"},
      {"engine-hang", "an engine hangs and is reset", v1::VENDOR_INTEL, "engine_hang { engine: \"rcs0\" }",
       "intel.gpu-hang", true},
      {"row-remap", "a memory row waits to be remapped", v1::VENDOR_NVIDIA,
       "row_remap { uncorrected: 1 pending: true }", "row-remap.pending", true},
      {"ecc-uncorrected", "a memory error could not be corrected", v1::VENDOR_NVIDIA,
       "ecc_errors { uncorrected: true count: 1 }", "ecc.uncorrected", true},
      {"xid-48", "Xid 48: a double-bit ECC error", v1::VENDOR_NVIDIA, "xid { number: 48 }", "nvidia.xid.48", true},
      {"wedged", "the driver gives the GPU up (wedged)", v1::VENDOR_INTEL, "engine_hang { wedged: true }",
       "intel.wedged", true},
      {"xid-79", "Xid 79: the GPU has fallen off the bus", v1::VENDOR_NVIDIA, "xid { number: 79 }", "nvidia.xid.79",
       true},
  };
  return kinds;
}

const FaultKind* FindFaultKind(std::string_view name) {
  const auto found =
      std::find_if(FaultKinds().begin(), FaultKinds().end(), [&](const FaultKind& kind) { return kind.name == name; });
  return found == FaultKinds().end() ? nullptr : &*found;
}

}  // namespace muster::cli
