// How the machines and devices of the fleet are, for /metrics, and where Prometheus finds their agents, for service
// discovery.
//
// The event loop tells it of each machine that changed; a scrape writes from what it was told. A leaf class: any
// thread.
#ifndef MUSTER_COORDINATOR_METRICS_FLEET_SERIES_H_
#define MUSTER_COORDINATOR_METRICS_FLEET_SERIES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "muster/v1/control_service.pb.h"

namespace muster::coordinator {

class FleetSeries {
 public:
  // Replaces what was said of the machine before.
  void MachineChanged(const v1::MachineStatus& status);
  // A message of its agent has come.
  void Heard(const std::string& machine, int64_t now_unix_ms);

  // Appends the families in Prometheus' text format.
  void Write(std::string& out) const;
  // As Prometheus' http_sd wants it: [{"targets": ["HOST:PORT"], "labels": {…}}, …], a group for each machine whose
  // agent serves metrics.
  std::string ServiceDiscovery() const;

 private:
  struct DeviceNotes {
    std::string labels;  // `machine="…",gpu="0",…`, escaped once.
    std::string state;
    std::set<std::pair<std::string, std::string>> conditions;  // Code, state.
    bool quarantined = false;
  };
  struct MachineNotes {
    std::string labels;  // `machine="…"`, and `simulated="true"` where it has simulated GPUs.
    bool connected = false;
    bool quarantined = false;
    int64_t last_seen_unix_ms = 0;
    std::vector<DeviceNotes> devices;
    std::string discovery;  // Its group; empty when it has no address.
  };

  mutable base::Mutex mutex_;
  std::map<std::string, MachineNotes> machines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_FLEET_SERIES_H_
