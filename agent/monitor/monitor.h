// Watches this machine's GPUs: samplers and the kernel's log in, samples, health and the context of cases out.
//
//   SamplerProcess ──samples, status──► sample_history ──► Context(), Activity(): what devices did during a case
//        (a child each)                 health_monitor ──► health report: to the coordinator, to /metrics
//   KernelLog ──records──────────────────────┘
//
// Lives on the event loop: everything is called there, and so are the handlers. Samplers and the log have threads of
// their own, which post to the loop.
#ifndef MUSTER_AGENT_MONITOR_MONITOR_H_
#define MUSTER_AGENT_MONITOR_MONITOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/health/health_monitor.h"
#include "agent/health/kernel_log.h"
#include "agent/monitor/monitor_snapshot.h"
#include "agent/monitor/sample_history.h"
#include "agent/telemetry/sampler_process.h"
#include "base/event_loop.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

class Monitor {
 public:
  struct Parts {
    // Starts a sampler; a fake in tests. Null: no telemetry.
    std::function<std::unique_ptr<SamplerProcess>(SamplerKind, SamplerProcess::Callbacks)> start_sampler;
    // Opens the kernel's log. Null: it is not read.
    std::function<std::unique_ptr<KernelLogSource>(KernelLogSource::Callbacks)> open_kernel_log;
    // Whether a vendor's devices may be there though PCI shows none (some containers): its library is installed.
    std::function<bool(SamplerKind)> library_present;
  };
  struct Handlers {
    // The health report differs from the one before; rate-limited by whoever sends it.
    std::function<void()> on_health_changed;
    // A device that was served is lost, or one is back: the inventory should be looked at again.
    std::function<void()> on_devices_changed;
  };

  // Begins at once to read the kernel's log; samplers start with the first SetMachine(). The catalogue and the loop
  // outlive the object.
  Monitor(base::EventLoop& loop, const EventCatalogue& catalogue, Parts parts, Handlers handlers);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // What the inventory found. Devices that are gone are expected in it still (inventory/lost_devices.h).
  void SetMachine(const v1::Machine& machine);

  MonitorSnapshot Snapshot() const;
  const v1::HealthReport& health() const { return report_; }
  // The newest sample of each device.
  v1::TelemetryReport Telemetry() const;

  // What a case's devices did from `from_unix_ms` to `to_unix_ms`: summaries, and the events from 5 s before. Bounded.
  v1::CaseContext Context(const std::vector<std::string>& device_ids, int64_t from_unix_ms, int64_t to_unix_ms) const;
  // Whether any of them worked meanwhile. UNSPECIFIED unless samples cover the time.
  v1::GpuActivity Activity(const std::vector<std::string>& device_ids, int64_t from_unix_ms, int64_t to_unix_ms) const;

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

  void StartSamplers();
  void OnSamples(SamplerKind kind, std::vector<v1::DeviceSample> samples);
  void OnStatus(const SamplerStatus& status);
  void OnRecords(std::vector<KernelRecord> records);
  // Takes the report from the health monitor when it has changed.
  void Refresh();
  void Watch();
  const v1::Device* FindDevice(const std::string& pci_address) const;

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
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_MONITOR_MONITOR_H_
