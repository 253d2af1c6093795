// The coordinator's metrics: one declaration here and one line where it changes.
//
// Everything is told to this class as it happens and none of it asks back, so a scrape costs the event loop nothing. A
// leaf class: any thread.
#ifndef MUSTER_COORDINATOR_METRICS_METRICS_H_
#define MUSTER_COORDINATOR_METRICS_METRICS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "coordinator/core/core.h"
#include "coordinator/metrics/device_series.h"
#include "coordinator/metrics/fleet_series.h"
#include "coordinator/metrics/plan_series.h"
#include "muster/v1/control_service.pb.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace muster::coordinator {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The core's own counts, after each turn of its loop.
  void Count(const Core::Counts& counts);
  // A case result or measurement, as it is ingested.
  void Observe(const Observation& observation, int64_t now_unix_ms);
  // A batch that is durable: how long the commit took, its rows, and in it the jobs that got their lease.
  void Committed(const WriteBatch& batch, double seconds);
  void StoreFailed();
  // How a machine stands: when the coordinator starts, and whenever that changed.
  void MachineChanged(const v1::MachineStatus& status);
  // The newest finished run of a plan, when the coordinator starts; Committed() tells of those that end.
  void RunEnded(const v1::Run& run) { plans_.RunEnded(run); }
  void AgentMessage(const std::string& machine, size_t bytes, int64_t now_unix_ms);

  // All of it, in Prometheus' text format.
  std::string Text() const;
  // For Prometheus' HTTP service discovery: JSON.
  std::string ServiceDiscovery() const { return fleet_series_.ServiceDiscovery(); }
  // For the index page.
  Core::Counts counts() const;

 private:
  // The labels of muster_devices.
  struct DeviceKind {
    std::string vendor, model, driver_state;
    bool simulated = false;
    auto operator<=>(const DeviceKind&) const = default;
  };
  void AppendDevices(std::string& out) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteLease(const v1::Attempt& attempt, const std::map<std::string_view, int64_t>& queued_unix_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& cases_;
  prometheus::Histogram& queue_seconds_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& batch_rows_;
  prometheus::Counter& commit_failures_;
  prometheus::Counter& agent_messages_;
  prometheus::Counter& agent_bytes_;
  mutable std::atomic<size_t> last_bytes_ = 0;  // Of a scrape, and a little more.
  DeviceSeries series_;
  FleetSeries fleet_series_;
  PlanSeries plans_;

  mutable base::Mutex mutex_;
  Core::Counts counts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<DeviceKind>> fleet_ ABSL_GUARDED_BY(mutex_);
  std::map<DeviceKind, int64_t> kinds_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> suites_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> leased_ ABSL_GUARDED_BY(mutex_);  // "JOB#ATTEMPT" that wait no longer and go on.
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_METRICS_H_
