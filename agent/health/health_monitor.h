// The health of a machine's GPUs: a state machine, time and facts in, a health report out, no I/O.
//
// Conditions come from four sides and stand until what brought them is over:
//
//   inventory  ── not served, gone                    ──► device.lost, driver.unbound        until it is served again
//   samples    ── DeviceRules; none for 10 s          ──► ecc.uncorrected, …, telemetry.silent        until they do not
//   samplers   ── a call hangs, the library crashes   ──► driver.call-hung, driver.crashed     until samples come again
//   kernel log ── the catalogue's entries             ──► nvidia.xid.79, …   until a reset, a time, as the entry says
//
// A device's state is that of its worst condition: FAILED before UNKNOWN before DEGRADED; a device of which nothing is
// known is never HEALTHY. Each condition's beginning is an event, too. On the event loop.
#ifndef MUSTER_AGENT_HEALTH_HEALTH_MONITOR_H_
#define MUSTER_AGENT_HEALTH_HEALTH_MONITOR_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/health/device_rules.h"
#include "agent/health/event_log.h"
#include "agent/health/kernel_log.h"
#include "agent/telemetry/sampler_process.h"
#include "base/event_catalogue.h"
#include "base/event_loop.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/health.pb.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

class HealthMonitor {
 public:
  // A READY device without a sample for so long is UNKNOWN; longer where samples are to come more seldom.
  static constexpr int64_t kSilentMs = 10'000;
  // After so long without one it may be lost: the inventory is asked. Again longer.
  static constexpr int64_t kMissedMs = 3'000;
  // Lines of the kernel's log that are kept until the inventory is known.
  static constexpr size_t kMaxEarlyEvents = 4'096;
  // Of one device and of the machine; what the kernel's log would add beyond is an event alone.
  static constexpr size_t kMaxConditions = 48;

  // The catalogue outlives the object. `interval_ms`: from one sample to the next.
  explicit HealthMonitor(const base::EventCatalogue& catalogue, int64_t interval_ms = 1'000)
      : catalogue_(catalogue),
        silent_ms_(std::max(kSilentMs, 4 * interval_ms)),
        missed_ms_(std::max(kMissedMs, 3 * interval_ms)) {}

  int64_t silent_ms() const { return silent_ms_; }

  // `bridges`: of each device, by PCI address, the bridges above it. A device that is no longer in the machine is lost.
  void SetMachine(const v1::Machine& machine, const std::map<std::string, std::vector<std::string>>& bridges,
                  base::Time now);
  // A sample without a single value counts as none.
  void OnSample(const v1::DeviceSample& sample, base::Time now);
  void OnSampler(const SamplerStatus& status, base::Time now);
  void OnKernelEvents(const std::vector<KernelEvent>& events, base::Time now);
  void OnKernelLog(const KernelLogStatus& status, base::Time now);
  // What time alone changes; once a second while there are devices.
  void Tick(base::Time now);

  v1::HealthReport Report(base::Time now) const;
  const EventLog& events() const { return events_; }
  // True once after a change of the report.
  bool TakeChanged() { return std::exchange(changed_, false); }
  // True once after something that makes the inventory stale: a driver began anew, a device's samples ended or came
  // back.
  bool TakeInventoryStale() { return std::exchange(inventory_stale_, false); }

 private:
  struct Condition {
    const base::EventKind* kind = nullptr;
    v1::HealthState state = v1::HEALTH_STATE_UNKNOWN;
    std::string message;
    int64_t since_unix_ms = 0;
    int64_t last_event_unix_ms = 0;  // Of those that a line of the kernel's log brought.
    int64_t ends_mono_ms = INT64_MAX;
    bool until_reset = false;
    bool by_rules = false;  // While the samples' rules find it.
  };
  using Conditions = std::map<std::string, Condition>;  // By code.
  struct DeviceState {
    v1::Device device;
    std::vector<std::string> bridges;
    bool was_ready = false;
    int64_t watched_since_ms = 0;
    int64_t last_value_ms = -1;  // -1: no sample with a value yet.
    bool missed_told = false;
    bool silence_told = false;
    DeviceRules rules;
    Conditions conditions;
    std::map<std::string, std::deque<int64_t>> recent;  // Times of events that count only in numbers.
    v1::HealthState state = v1::HEALTH_STATE_UNKNOWN;
    int64_t state_since_unix_ms = 0;
  };

  // `device` is null for the machine.
  void Begin(DeviceState* device, std::string_view code, v1::HealthState state, std::string message, base::Time now,
             bool with_event = true);
  void End(DeviceState* device, std::string_view code);
  void AddEvent(const DeviceState* device, std::string_view code, const base::EventKind& kind, std::string detail,
                int64_t unix_ms, const std::string& pci_address);
  // Ends what a reset ends, of what happened before that time.
  void BeginsAnew(DeviceState& device, int64_t before_unix_ms = INT64_MAX);
  void ApplyDriverState(DeviceState& device, base::Time now);
  void ApplyRules(DeviceState& device, base::Time now);
  void ApplyKernelEvent(const KernelEvent& event, base::Time now);
  void ApplyEffect(DeviceState* device, const KernelEvent& event, base::Time now);
  void CheckSilence(DeviceState& device, base::Time now);
  void EndTimed(Conditions& conditions, base::Time now);
  void UpdateState(DeviceState& device, base::Time now);
  void UpdateStates(base::Time now);
  // The devices that the address is of, or above which the bridge is.
  std::vector<DeviceState*> FindDevices(const std::string& pci_address);
  Conditions& ConditionsOf(DeviceState* device) { return device == nullptr ? machine_conditions_ : device->conditions; }

  const base::EventCatalogue& catalogue_;
  const int64_t silent_ms_;
  const int64_t missed_ms_;
  std::map<std::string, DeviceState> devices_;  // By PCI address; by id where there is none.
  Conditions machine_conditions_;
  EventLog events_;
  std::map<SamplerKind, SamplerStatus> samplers_;
  uint64_t lost_records_ = 0;
  bool inventory_known_ = false;
  std::vector<KernelEvent> early_;
  bool changed_ = true;
  bool inventory_stale_ = false;
};

// Of two states the worse: FAILED, UNKNOWN, DEGRADED, HEALTHY.
bool IsWorse(v1::HealthState a, v1::HealthState b);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_HEALTH_MONITOR_H_
