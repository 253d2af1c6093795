"""What each fault of tests/hardware_sim/scenarios/each_fault.textproto has to show as: in health, event, metric and alert."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Fault:
    machine: str
    gpu: int
    what: str
    state: str  # Health of the device.
    code: str  # Of a condition and an event; "" where there is none.
    metric: str  # Returns something while the fault is there; DEVICE stands for the device's labels.
    alert: str  # "" where none may fire.
    also: tuple = ()  # Alerts that may fire beside it.
    condition: str = ""  # Where it is not `code`.

    def expression(self):
        return self.metric.replace("DEVICE", f'machine="{self.machine}", gpu="{self.gpu}"')


def xid(gpu, number, state, severity, also=(), condition=""):
    return Fault("nvidia-xid", gpu, f"Xid {number}", state, f"nvidia.xid.{number}",
                 f'muster_gpu_events_total{{DEVICE, code="nvidia.xid.{number}"}} > 0', f"MusterXid{severity}", also, condition)


def more(counter, labels=""):
    return f"increase({counter}{{DEVICE{labels}}}[1m]) > 0"


ECC = "muster_gpu_ecc_errors_total"
ABSENT = "muster_gpu_reading_absent"

FAULTS = [
    Fault("nvidia-memory", 0, "corrected ECC", "DEGRADED", "ecc.corrected-rate", more(ECC, ', kind="corrected"'), "MusterGpuCorrectedErrors"),
    Fault("nvidia-memory", 1, "uncorrectable ECC", "FAILED", "ecc.uncorrected", more(ECC, ', kind="uncorrected"'), "MusterGpuUncorrectableEcc"),
    Fault("nvidia-memory", 2, "row remap pending", "DEGRADED", "row-remap.pending", "muster_gpu_row_remap_pending{DEVICE} == 1",
          "MusterGpuRowRemapPending"),
    Fault("nvidia-memory", 3, "row remap failed", "FAILED", "row-remap.failed", "muster_gpu_row_remap_failed{DEVICE} == 1",
          "MusterGpuRowRemapFailed"),
    xid(0, 13, "HEALTHY", "Warning"),
    xid(1, 31, "HEALTHY", "Warning"),
    xid(2, 48, "FAILED", "Critical", ("MusterGpuUncorrectableEcc",)),
    xid(3, 63, "DEGRADED", "Warning", ("MusterGpuRowRemapPending",), "row-remap.pending"),
    xid(4, 74, "DEGRADED", "Error", ("MusterGpuLinkDown", "MusterGpuLinkErrors")),
    xid(5, 79, "FAILED", "Critical", ("MusterGpuLost", "MusterGpuNoData", "MusterGpuReadingFailing")),
    xid(6, 94, "FAILED", "Error", ("MusterGpuUncorrectableEcc", "MusterGpuRowRemapPending")),
    xid(7, 95, "FAILED", "Critical", ("MusterGpuUncorrectableEcc", "MusterGpuRowRemapPending")),
    xid(8, 119, "FAILED", "Critical"),
    Fault("nvidia-speed", 0, "thermal throttling", "DEGRADED", "thermal.throttling",
          'muster_gpu_throttled{DEVICE, reason="thermal"} == 1', "MusterGpuThermalThrottling", ("MusterGpuOverTemperature",)),
    Fault("nvidia-speed", 1, "thermal throttling by hardware", "DEGRADED", "thermal.throttling",
          'muster_gpu_throttled{DEVICE, reason="hw_thermal"} == 1', "MusterGpuThermalThrottling", ("MusterGpuOverTemperature",)),
    Fault("nvidia-speed", 2, "at the power limit, as is usual", "HEALTHY", "", 'muster_gpu_throttled{DEVICE, reason="power"} == 1', ""),
    Fault("nvidia-speed", 3, "power brake", "DEGRADED", "power.throttling", 'muster_gpu_throttled{DEVICE, reason="hw_power_brake"} == 1',
          "MusterGpuPowerThrottling"),
    Fault("nvidia-speed", 4, "PCIe link of 4 lanes", "DEGRADED", "pcie.link-degraded", "muster_gpu_pcie_link_lanes{DEVICE} == 4",
          "MusterPcieLinkDegraded"),
    Fault("nvidia-speed", 5, "PCIe link of generation 1", "DEGRADED", "pcie.link-degraded", "muster_gpu_pcie_link_generation{DEVICE} == 1",
          "MusterPcieLinkDegraded"),
    Fault("nvidia-speed", 6, "PCIe replays", "DEGRADED", "pcie.replay-rate", more("muster_gpu_pcie_replays_total"), "MusterPcieReplays"),
    Fault("nvidia-speed", 7, "a few NVLink CRC errors", "HEALTHY", "", more("muster_gpu_link_errors_total", ', kind="crc_flit"'), ""),
    Fault("nvidia-speed", 8, "NVLink down", "DEGRADED", "link.down", 'muster_gpu_link_up{DEVICE, link="4"} == 0', "MusterGpuLinkDown",
          ("MusterGpuLinkErrors",)),
    Fault("nvidia-driver", 0, "a driver call hangs", "FAILED", "driver.call-hung", 'muster_gpu_health_condition{DEVICE, code="driver.call-hung"}',
          "MusterDriverCallHung", ("MusterGpuNoData", "MusterGpuReadingFailing")),
    Fault("nvidia-driver", 1, "a driver call fails", "HEALTHY", "", f'{ABSENT}{{DEVICE, reason="failing"}}', "MusterGpuReadingFailing"),
    Fault("nvidia-driver", 2, "a driver call is not permitted", "HEALTHY", "", "absent(muster_gpu_ecc_errors_total{DEVICE, location=\"total\"})", ""),
    Fault("nvidia-driver", 3, "device lost", "FAILED", "device.lost", 'muster_gpu_health_condition{DEVICE, code="device.lost"}', "MusterGpuLost",
          ("MusterGpuNoData", "MusterGpuReadingFailing")),
    Fault("intel-memory", 0, "corrected errors", "DEGRADED", "ecc.corrected-rate", more("muster_gpu_ras_errors_total", ', kind="corrected"'),
          "MusterGpuCorrectedErrors"),
    Fault("intel-memory", 1, "uncorrected errors", "FAILED", "ras.uncorrected", more("muster_gpu_ras_errors_total", ', kind="uncorrected"'),
          "MusterGpuUncorrectedRas"),
    Fault("intel-memory", 2, "wrong results, which telemetry cannot see", "HEALTHY", "", "muster_gpu_info{DEVICE}", ""),
    Fault("intel-speed", 0, "fan stopped", "DEGRADED", "fan.stopped", "muster_gpu_fan_speed_rpm{DEVICE} == 0", "MusterGpuFanStopped",
          ("MusterGpuOverTemperature", "MusterGpuThermalThrottling")),
    Fault("intel-speed", 1, "thermal throttling", "DEGRADED", "thermal.throttling", 'muster_gpu_throttled{DEVICE, reason="thermal"} == 1',
          "MusterGpuThermalThrottling", ("MusterGpuOverTemperature",)),
    Fault("intel-speed", 2, "at the power limit, as is usual", "HEALTHY", "", 'muster_gpu_throttled{DEVICE, reason="power"} == 1', ""),
    Fault("intel-speed", 3, "PCIe link slow", "DEGRADED", "pcie.link-degraded", "muster_gpu_pcie_link_generation{DEVICE} == 1",
          "MusterPcieLinkDegraded"),
    Fault("intel-speed", 4, "PCIe replays", "DEGRADED", "pcie.replay-rate", more("muster_gpu_pcie_replays_total"), "MusterPcieReplays"),
    Fault("intel-speed", 5, "Xe Link down", "DEGRADED", "link.down", 'muster_gpu_link_up{DEVICE, link="2"} == 0', "MusterGpuLinkDown",
          ("MusterGpuLinkErrors",)),
    Fault("intel-driver", 0, "i915 resets an engine", "DEGRADED", "intel.gpu-hang", 'muster_gpu_events_total{DEVICE, code="intel.gpu-hang"} > 0',
          "MusterGpuHang"),
    Fault("intel-driver", 1, "xe resets an engine", "DEGRADED", "intel.gpu-hang", 'muster_gpu_events_total{DEVICE, code="intel.gpu-hang"} > 0',
          "MusterGpuHang"),
    Fault("intel-driver", 2, "xe gives the device up", "FAILED", "intel.wedged", 'muster_gpu_health_condition{DEVICE, code="intel.wedged"}',
          "MusterGpuWedged", ("MusterGpuHang",)),
    Fault("intel-driver", 3, "a driver call hangs", "FAILED", "driver.call-hung", 'muster_gpu_health_condition{DEVICE, code="driver.call-hung"}',
          "MusterDriverCallHung", ("MusterGpuNoData", "MusterGpuReadingFailing")),
    Fault("intel-driver", 4, "a driver call fails", "HEALTHY", "", f'{ABSENT}{{DEVICE, reason="failing"}}', "MusterGpuReadingFailing"),
    Fault("intel-driver", 5, "device lost", "FAILED", "device.lost", 'muster_gpu_health_condition{DEVICE, code="device.lost"}', "MusterGpuLost",
          ("MusterGpuNoData", "MusterGpuReadingFailing")),
    Fault("intel-driver", 6, "a corrected PCIe error", "HEALTHY", "pcie.aer.corrected",
          'muster_gpu_events_total{DEVICE, code="pcie.aer.corrected"} > 0', ""),
]
# The state itself has an alert.
ALERT_OF_STATE = {"FAILED": {"MusterGpuFailed"}, "DEGRADED": {"MusterGpuDegraded"}, "UNKNOWN": {"MusterGpuUnknown"}, "HEALTHY": set()}
