// What the agent's core asks of whoever watches the GPUs: the monitor; in tests and on a machine without one, nobody.
#ifndef MUSTER_AGENT_LINK_DEVICE_WATCH_H_
#define MUSTER_AGENT_LINK_DEVICE_WATCH_H_

#include <cstdint>
#include <set>
#include <string>

#include "muster/v1/agent_service.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

// On the event loop.
class DeviceWatch {
 public:
  virtual ~DeviceWatch() = default;

  // The newest sample of each device.
  virtual v1::TelemetryReport Telemetry() const = 0;
  // Adds to a case's result what these devices' own counters showed from its start to `to_unix_ms`: `gpu_activity`, and
  // for a case that is neither PASSED nor SKIPPED its `context`.
  virtual void Annotate(const std::set<std::string>& device_ids, int64_t to_unix_ms, v1::CaseResult& result) const = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_DEVICE_WATCH_H_
