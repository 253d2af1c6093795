// The agent's metrics in Prometheus' text format. Pure: what the monitor knows in, text out. Names and labels are a
// contract (docs/operations.md, "The agent's metrics"); the GPU's own families are the rows of base/telemetry_field.h.
//
// Unsupported, not permitted, failing and zero stay four things: a reading without a value has no sample, and its field
// one in muster_gpu_reading_absent.
#ifndef MUSTER_AGENT_EXPORTER_METRICS_TEXT_H_
#define MUSTER_AGENT_EXPORTER_METRICS_TEXT_H_

#include <cstdint>
#include <string>

#include "agent/exporter/process_stats.h"
#include "agent/monitor/monitor_snapshot.h"

namespace muster::agent {

// What the monitor does not know.
struct AgentFacts {
  std::string machine;  // Name in the fleet.
  std::string version;
  bool connected = false;  // A session with the coordinator stands.
  uint64_t jobs_running = 0;
  ProcessStats process;
  // Samples older than this are no longer shown: a sampler that hangs must not look like a GPU that stands still.
  int64_t stale_after_ms = 15'000;
};

std::string MetricsText(const MonitorSnapshot& snapshot, const AgentFacts& facts);

// The device's newest sample; null when none has come, or not for so long that it says nothing of now.
const v1::DeviceSample* CurrentSample(const DeviceSnapshot& device, const AgentFacts& facts);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_METRICS_TEXT_H_
