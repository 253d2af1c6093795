// A machine with a GPU of each vendor, one of them simulated, and one without a driver: for the exporter's tests.
#ifndef MUSTER_AGENT_EXPORTER_SNAPSHOT_FIXTURE_H_
#define MUSTER_AGENT_EXPORTER_SNAPSHOT_FIXTURE_H_

#include <list>
#include <string>
#include <vector>

#include "agent/exporter/metrics_text.h"

namespace muster::agent {

// Owns what its snapshot points to.
class SnapshotFixture {
 public:
  SnapshotFixture() {
    machine_.set_name("node-1");
    machine_.set_host_name("node-1.example");
    snapshot_.machine = &machine_;
    snapshot_.health = &report_;
    AddNvidia();
    AddIntel();
    AddUnbound();
    AddMachine();
    AddSamplers();
  }

  MonitorSnapshot snapshot_;
  v1::Machine machine_;
  v1::HealthReport report_;
  std::list<v1::Device> devices_;
  std::list<v1::DeviceSample> samples_;
  std::list<v1::DeviceHealth> healths_;
  AgentFacts facts_{.machine = "node-1",
                    .version = "1.2.3",
                    .connected = true,
                    .jobs_running = 2,
                    .process = {.resident_bytes = 9 << 20, .cpu_seconds = 1.25, .start_unix_ms = 1'795'000'000'500}};

  void Read(v1::TelemetryField field, const std::vector<std::string>& labels, double value) {
    v1::Reading& reading = AddReading(field, labels);
    reading.set_value(value);
  }
  void Absent(v1::TelemetryField field, const std::vector<std::string>& labels, v1::Absence absence) {
    AddReading(field, labels).set_absence(absence);
  }

 private:
  v1::Reading& AddReading(v1::TelemetryField field, const std::vector<std::string>& labels) {
    v1::Reading& reading = *samples_.back().add_readings();
    reading.set_field(field);
    for (const std::string& label : labels) reading.add_labels(label);
    return reading;
  }

  v1::Device& AddDevice(const std::string& id, const std::string& pci, v1::HealthState state) {
    v1::Device& device = devices_.emplace_back();
    device.set_id(id);
    device.set_pci_address(pci);
    v1::DeviceHealth& health = healths_.emplace_back();
    health.set_device_id(id);
    health.set_state(state);
    snapshot_.devices.push_back({.device = &device, .health = &health});
    return device;
  }
  void AddSample(int64_t age_ms) {
    v1::DeviceSample& sample = samples_.emplace_back();
    sample.set_device_id(devices_.back().id());
    sample.set_time_unix_ms(1'795'000'100'250);
    snapshot_.devices.back().sample = &sample;
    snapshot_.devices.back().sample_age_ms = age_ms;
  }
  void AddEvent(const std::string& device, const std::string& code, v1::EventSeverity severity, uint64_t count) {
    snapshot_.event_counts.push_back({device, code, severity, count});
    v1::HealthEvent& event = *report_.add_events();
    event.set_device_id(device);
    event.set_code(code);
    event.set_severity(severity);
  }
  static void AddCondition(v1::HealthCondition& condition, const std::string& code, v1::HealthState state) {
    condition.set_code(code);
    condition.set_state(state);
  }

  void AddNvidia() {
    v1::Device& device = AddDevice("GPU-1", "0000:41:00.0", v1::HEALTH_STATE_DEGRADED);
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_model("NVIDIA H200");
    device.set_uuid("GPU-1");
    device.set_serial("165\"0\\1");
    device.set_vbios_version("96.00");
    device.set_driver_version("570.86.15");
    device.add_device_nodes("/dev/nvidiactl");
    device.add_device_nodes("/dev/nvidia3");
    AddSample(400);
    Read(v1::TEMPERATURE, {"core"}, 41);
    Read(v1::TEMPERATURE, {"memory"}, 52.5);
    Read(v1::TEMPERATURE, {"core"}, 99);  // A sampler at fault: said twice, and taken once.
    Read(v1::POWER, {"card"}, 118.251);
    Read(v1::ENERGY, {"card"}, 1234.567);
    Read(v1::CLOCK, {"sm"}, 1'980'000'000);
    Read(v1::CLOCK, {"memory"}, 3'201'000'000);
    Read(v1::THROTTLED, {"power"}, 0);
    Read(v1::UTILIZATION, {"gpu"}, 0);  // Zero is a value.
    Read(v1::UTILIZATION, {"memory"}, 0.07);
    Absent(v1::UTILIZATION, {"jpeg"}, v1::ABSENCE_UNSUPPORTED);  // Others of the field have values.
    Read(v1::MEMORY_SIZE, {}, 150'754'820'096);
    Read(v1::MEMORY_USED, {}, 1'073'741'824);
    Read(v1::PCIE_THROUGHPUT, {"transmit"}, 1'000'000);
    Read(v1::PCIE_REPLAYS, {}, 3);
    Read(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 12);
    Read(v1::ECC_ERRORS, {"corrected", "total", "volatile"}, 12);
    Read(v1::ROW_REMAPS, {"uncorrected"}, 1);
    Absent(v1::RETIRED_PAGES, {"single_bit"}, v1::ABSENCE_UNSUPPORTED);
    Absent(v1::RETIRED_PAGES, {"double_bit"}, v1::ABSENCE_FAILING);
    Absent(v1::FAN_SPEED_RATIO, {}, v1::ABSENCE_UNSUPPORTED);
    Absent(v1::PROCESSES, {"compute"}, v1::ABSENCE_NOT_PERMITTED);
    Read(v1::LINK_ERRORS, {"0", "crc_flit"}, 0);
    AddCondition(*healths_.back().add_conditions(), "row-remap.pending", v1::HEALTH_STATE_DEGRADED);
    AddCondition(*healths_.back().add_conditions(), "row-remap.pending", v1::HEALTH_STATE_DEGRADED);
    AddEvent("GPU-1", "nvidia.xid.63", v1::EVENT_SEVERITY_ERROR, 1);
    AddEvent("GPU-1", "nvidia.xid.13", v1::EVENT_SEVERITY_WARNING, 4);
  }
  void AddIntel() {
    v1::Device& device = AddDevice("00000000-0000-0004-8086-56a000000000", "0000:4d:00.0", v1::HEALTH_STATE_HEALTHY);
    device.set_vendor(v1::VENDOR_INTEL);
    device.set_model("Intel(R) Arc(TM) A770 Graphics (simulated)");
    device.set_uuid("00000000-0000-0004-8086-56a000000000");
    device.set_firmware_version("gfx DG02_1.3267");
    device.set_driver_version("1.3.26918");
    device.set_pci_device_id(0x56a0);
    device.add_device_nodes("/dev/dri/renderD129");
    device.add_device_nodes("/dev/dri/card1");
    device.set_simulated(true);
    AddSample(900);
    Read(v1::TEMPERATURE, {"core"}, 61);
    Read(v1::CLOCK, {"graphics"}, 2'400'000'000);
    Read(v1::POWER, {"card"}, 190);
    Read(v1::ENERGY, {"card"}, 77'000.5);
    Read(v1::UTILIZATION, {"gpu"}, 0.93);
    Read(v1::UTILIZATION, {"compute"}, 0.91);
    Read(v1::MEMORY_SIZE, {}, 16'225'243'136);
    Read(v1::MEMORY_USED, {}, 8'112'621'568);
    Read(v1::FAN_SPEED_RPM, {"0"}, 1'500);
    Read(v1::PCIE_BYTES, {"receive"}, 5e12);
    Read(v1::RAS_ERRORS, {"uncorrected", "reset"}, 0);
    Read(v1::WEDGED, {}, 0);
    Absent(v1::MEMORY_READ_BYTES, {}, v1::ABSENCE_NOT_PERMITTED);
    Absent(v1::MEMORY_WRITTEN_BYTES, {}, v1::ABSENCE_FAILING);
    Absent(v1::LINK_UP, {}, v1::ABSENCE_UNSUPPORTED);
    AddEvent(device.id(), "intel.gpu-hang", v1::EVENT_SEVERITY_ERROR, 2);
  }
  void AddUnbound() {
    v1::Device& device = AddDevice("node-1/0000:c1:00.0", "0000:c1:00.0", v1::HEALTH_STATE_UNKNOWN);
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_model("10de:2335");
    AddCondition(*healths_.back().add_conditions(), "driver.unbound", v1::HEALTH_STATE_UNKNOWN);
  }
  void AddMachine() {
    AddEvent("", "machine-check", v1::EVENT_SEVERITY_ERROR, 1);
    AddEvent("GPU-that-was", "device.lost", v1::EVENT_SEVERITY_CRITICAL, 1);
    AddCondition(*report_.add_machine_conditions(), "machine-check", v1::HEALTH_STATE_DEGRADED);
  }
  void AddSamplers() {
    snapshot_.samplers.push_back({.status = {.kind = SamplerKind::kNvml,
                                             .state = SamplerStatus::State::kRunning,
                                             .hangs = 1,
                                             .crashes = 2,
                                             .samples = 345},
                                  .last_duration_us = 18'500});
    snapshot_.samplers.push_back({.status = {.kind = SamplerKind::kIntel, .state = SamplerStatus::State::kStarting}});
  }
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_SNAPSHOT_FIXTURE_H_
