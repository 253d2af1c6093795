// Watches this machine's GPUs: samplers and the kernel's log in; samples, health and the context of cases out.
//
//   SamplerProcess ──samples, status──► SampleHistory ──► Annotate(): what a case's devices did meanwhile
//        (a child each)                 HealthMonitor ──► health(): to the coordinator, to /metrics
//   KernelLogSource ──events────────────────┘
//
// Lives on the event loop: everything is called there, and so are the handlers. Samplers and the log have threads of
// their own, which post to the loop.
#ifndef MUSTER_AGENT_MONITOR_MONITOR_H_
#define MUSTER_AGENT_MONITOR_MONITOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/health/health_monitor.h"
#include "agent/health/kernel_log.h"
#include "agent/link/device_watch.h"
#include "agent/monitor/monitor_snapshot.h"
#include "agent/monitor/sample_history.h"
#include "agent/telemetry/sampler_process.h"
#include "base/event_loop.h"

namespace muster::agent {

class Monitor final : public DeviceWatch {
 public:
  struct Parts {
    // Starts a sampler. Null: no telemetry.
    std::function<std::unique_ptr<SamplerProcess>(SamplerKind, SamplerProcess::Callbacks)> start_sampler;
    // Opens the kernel's log. Null: it is not read.
    std::function<std::unique_ptr<KernelLogSource>(KernelLogSource::Callbacks)> open_kernel_log;
    // The PCI bridges above a device, nearest last. Null: none are known.
    std::function<std::vector<std::string>(const std::string& pci_address)> bridges_above;
    // Of the samplers.
    int64_t interval_ms = 1'000;
  };
  struct Handlers {
    // The health report is another; the receiver limits the rate.
    std::function<void()> on_health_changed;
    // A device that was served is lost, or one is back: the inventory should be looked at again. Said at most every
    // kLookAgainMs.
    std::function<void()> on_inventory_stale;
  };
  static constexpr int64_t kLookAgainMs = 5'000;
  // A machine with a device that is not served is looked at so often, whatever is noticed.
  static constexpr int64_t kLookForLostMs = 60'000;
  static constexpr int64_t kEventsBeforeCaseMs = 5'000;
  static constexpr int kMaxContextEvents = 32;
  static constexpr size_t kMaxContextReadings = 128;  // Of one device;
  static constexpr size_t kMaxContextReadingsInAll = 512;

  // Begins to read the kernel's log with the first machine; a vendor's sampler with the first that has a GPU of its.
  // The catalogue and the loop outlive the object.
  Monitor(base::EventLoop& loop, const base::EventCatalogue& catalogue, Parts parts, Handlers handlers);
  ~Monitor() override;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // What the inventory found, lost devices included (lost_devices.h).
  void SetMachine(const v1::Machine& machine);

  MonitorSnapshot Snapshot() const;
  const v1::HealthReport& health() const { return report_; }

  // DeviceWatch:
  v1::TelemetryReport Telemetry() const override;
  void Annotate(const std::set<std::string>& device_ids, int64_t to_unix_ms, v1::CaseResult& result) const override;

 private:
  struct DeviceState {
    v1::DeviceSample newest;
    int64_t arrived_mono_ms = -1;  // -1: never.
    SampleHistory history;
  };
  struct SamplerState {
    SamplerSnapshot snapshot;
    std::unique_ptr<SamplerProcess> process;
  };

  void OpenKernelLog();
  void StartSampler(SamplerKind kind, v1::Vendor vendor);
  void OnSamples(SamplerKind kind, std::vector<v1::DeviceSample> samples);
  void OnSampler(const SamplerStatus& status);
  void Tick();
  // After each input: takes the report when it has changed, and says what has to be said.
  void Refresh();
  void LogStates(const v1::HealthReport& report) const;
  v1::CaseContext Context(const std::set<std::string>& device_ids, int64_t from_unix_ms, int64_t to_unix_ms) const;
  v1::GpuActivity Activity(const std::set<std::string>& device_ids, int64_t from_unix_ms, int64_t to_unix_ms) const;
  const DeviceState* FindState(const std::string& device_id) const;

  base::EventLoop& loop_;
  const Parts parts_;
  const Handlers handlers_;
  HealthMonitor health_;
  v1::Machine machine_;
  v1::HealthReport report_;
  std::map<std::string, DeviceState> devices_;  // By PCI address.
  std::map<SamplerKind, SamplerState> samplers_;
  std::unique_ptr<KernelLogSource> kernel_log_;
  base::EventLoop::TimerId timer_ = 0;
  bool ticking_ = false;
  int64_t last_look_ms_ = INT64_MIN / 2;
  bool stale_ = false;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_MONITOR_MONITOR_H_
