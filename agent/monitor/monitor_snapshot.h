// What the monitor knows at one moment, for whoever shows it: the exporter of metrics.
//
// Made and read on the event loop; the pointers are the monitor's and good until the loop turns to something else.
#ifndef MUSTER_AGENT_MONITOR_MONITOR_SNAPSHOT_H_
#define MUSTER_AGENT_MONITOR_MONITOR_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "agent/health/event_log.h"
#include "agent/telemetry/sampler_process.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/health.pb.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

struct DeviceSnapshot {
  const v1::Device* device = nullptr;  // As the inventory has it; never null.
  // The newest sample, device_id filled; null when none has come since the agent's start.
  const v1::DeviceSample* sample = nullptr;
  int64_t sample_age_ms = 0;                 // Since it came, on the monotonic clock.
  const v1::DeviceHealth* health = nullptr;  // Never null.
};

struct SamplerSnapshot {
  SamplerStatus status;
  int64_t last_duration_us = 0;  // Of the last turn, all devices together; 0 before the first.
};

struct MonitorSnapshot {
  const v1::Machine* machine = nullptr;
  // All devices of the machine in the order of their PCI addresses: the index is the label "gpu".
  std::vector<DeviceSnapshot> devices;
  const v1::HealthReport* health = nullptr;  // Has machine_conditions, too.
  std::vector<EventCount> event_counts;      // By device, code and severity; bounded.
  // Only those that were started: a machine without GPUs of a vendor has no sampler for it.
  std::vector<SamplerSnapshot> samplers;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_MONITOR_MONITOR_SNAPSHOT_H_
