#include "agent/monitor/monitor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace muster::agent {
namespace {

constexpr int64_t kTickMs = 1'000;

bool HasGpuOf(const v1::Machine& machine, v1::Vendor vendor) {
  return std::any_of(machine.devices().begin(), machine.devices().end(),
                     [&](const v1::Device& device) { return device.vendor() == vendor; });
}

bool AllServed(const v1::Machine& machine) {
  return std::all_of(machine.devices().begin(), machine.devices().end(),
                     [](const v1::Device& device) { return device.driver_state() == v1::DRIVER_STATE_READY; });
}

}  // namespace

Monitor::Monitor(base::EventLoop& loop, const base::EventCatalogue& catalogue, Parts parts, Handlers handlers)
    : loop_(loop), parts_(std::move(parts)), handlers_(std::move(handlers)), health_(catalogue, parts_.interval_ms) {}

void Monitor::OpenKernelLog() {
  if (!parts_.open_kernel_log || kernel_log_ != nullptr) return;
  kernel_log_ = parts_.open_kernel_log({.on_events =
                                            [this](std::vector<KernelEvent> events) {
                                              health_.OnKernelEvents(events, loop_.Now());
                                              Refresh();
                                            },
                                        .on_status =
                                            [this](const KernelLogStatus& status) {
                                              health_.OnKernelLog(status, loop_.Now());
                                              Refresh();
                                            }});
}

Monitor::~Monitor() { loop_.Cancel(timer_); }

void Monitor::SetMachine(const v1::Machine& machine) {
  machine_ = machine;
  std::map<std::string, std::vector<std::string>> bridges;
  for (const v1::Device& device : machine_.devices()) {
    const std::string& address = device.pci_address();
    if (parts_.bridges_above && !address.empty()) bridges[address] = parts_.bridges_above(address);
  }
  health_.SetMachine(machine_, bridges, loop_.Now());
  OpenKernelLog();  // Not before: its lines are of devices, and there may be more of them than could be kept.
  StartSampler(SamplerKind::kNvml, v1::VENDOR_NVIDIA);
  StartSampler(SamplerKind::kIntel, v1::VENDOR_INTEL);
  // Only devices grow silent: a machine without any is left in peace.
  if (!std::exchange(ticking_, ticking_ || machine_.devices_size() > 0) && ticking_) Tick();
  Refresh();
}

// The inventory has asked the vendor's library, too: a machine that hides PCI still shows its GPUs.
void Monitor::StartSampler(SamplerKind kind, v1::Vendor vendor) {
  const auto it = samplers_.find(kind);
  if (it != samplers_.end()) {
    it->second.process->LookAgain();
    return;
  }
  if (!parts_.start_sampler || !HasGpuOf(machine_, vendor)) return;
  SamplerState& state = samplers_[kind];
  state.snapshot.status.kind = kind;
  state.process = parts_.start_sampler(
      kind, {.on_samples = [this, kind](std::vector<v1::DeviceSample> samples) { OnSamples(kind, std::move(samples)); },
             .on_status = [this](const SamplerStatus& status) { OnSampler(status); }});
}

void Monitor::OnSamples(SamplerKind kind, std::vector<v1::DeviceSample> samples) {
  const base::Time now = loop_.Now();
  int64_t duration_us = 0;
  for (v1::DeviceSample& sample : samples) {
    duration_us += sample.duration_us();
    const auto device = std::find_if(machine_.devices().begin(), machine_.devices().end(),
                                     [&](const v1::Device& one) { return one.pci_address() == sample.pci_address(); });
    health_.OnSample(sample, now);
    if (device == machine_.devices().end()) continue;
    sample.set_device_id(device->id());
    DeviceState& state = devices_[sample.pci_address()];
    state.history.Add(sample);
    state.newest = std::move(sample);
    state.arrived_mono_ms = now.mono_ms;
  }
  SamplerSnapshot& snapshot = samplers_[kind].snapshot;
  snapshot.last_duration_us = duration_us;
  ++snapshot.status.samples;
  Refresh();
}

void Monitor::OnSampler(const SamplerStatus& status) {
  SamplerSnapshot& snapshot = samplers_[status.kind].snapshot;
  const uint64_t turns = std::max(snapshot.status.samples, status.samples);
  snapshot.status = status;
  snapshot.status.samples = turns;
  health_.OnSampler(status, loop_.Now());
  Refresh();
}

void Monitor::Tick() {
  timer_ = loop_.RunAfter(kTickMs, [this] { Tick(); });
  const base::Time now = loop_.Now();
  health_.Tick(now);
  stale_ |= !AllServed(machine_) && now.mono_ms - last_look_ms_ >= kLookForLostMs;
  Refresh();
}

void Monitor::Refresh() {
  const base::Time now = loop_.Now();
  if (health_.TakeChanged()) {
    v1::HealthReport report = health_.Report(now);
    LogStates(report);
    report_ = std::move(report);
    if (handlers_.on_health_changed) handlers_.on_health_changed();
  }
  stale_ |= health_.TakeInventoryStale();
  if (!stale_ || machine_.name().empty() || now.mono_ms - last_look_ms_ < kLookAgainMs) return;
  stale_ = false;
  last_look_ms_ = now.mono_ms;
  if (handlers_.on_inventory_stale) handlers_.on_inventory_stale();
}

// One line for each device whose state has changed; what brought it is its first condition.
void Monitor::LogStates(const v1::HealthReport& report) const {
  for (const v1::DeviceHealth& device : report.devices()) {
    v1::HealthState before = v1::HEALTH_STATE_UNSPECIFIED;
    for (const v1::DeviceHealth& known : report_.devices()) {
      if (known.device_id() == device.device_id()) before = known.state();
    }
    if (before == device.state()) continue;
    const std::string state = v1::HealthState_Name(device.state()).substr(sizeof "HEALTH_STATE_" - 1);
    if (device.conditions().empty()) {
      base::LogInfo(device.device_id(), " is ", state);
    } else {
      const v1::HealthCondition& why = device.conditions(0);
      base::LogWarning(device.device_id(), " is ", state, ": ", why.code(), ": ", why.message());
    }
  }
}

MonitorSnapshot Monitor::Snapshot() const {
  MonitorSnapshot snapshot;
  snapshot.machine = &machine_;
  snapshot.health = &report_;
  snapshot.event_counts = health_.events().Counts();
  for (const auto& [kind, sampler] : samplers_) snapshot.samplers.push_back(sampler.snapshot);
  static const v1::DeviceHealth& unknown = *[] {
    auto* health = new v1::DeviceHealth;
    health->set_state(v1::HEALTH_STATE_UNKNOWN);
    return health;
  }();
  const int64_t now_ms = loop_.Now().mono_ms;
  for (const v1::Device& device : machine_.devices()) {
    DeviceSnapshot& one = snapshot.devices.emplace_back();
    one.device = &device;
    one.health = &unknown;
    for (const v1::DeviceHealth& health : report_.devices()) {
      if (health.device_id() == device.id()) one.health = &health;
    }
    const auto state = devices_.find(device.pci_address());
    if (state == devices_.end()) continue;
    one.sample = &state->second.newest;
    one.sample_age_ms = now_ms - state->second.arrived_mono_ms;
  }
  std::stable_sort(snapshot.devices.begin(), snapshot.devices.end(),
                   [](const auto& a, const auto& b) { return a.device->pci_address() < b.device->pci_address(); });
  return snapshot;
}

v1::TelemetryReport Monitor::Telemetry() const {
  v1::TelemetryReport report;
  const int64_t now_ms = loop_.Now().mono_ms;
  for (const auto& [address, state] : devices_) {
    // What is old is no news: the coordinator shows its absence.
    if (now_ms - state.arrived_mono_ms <= health_.silent_ms()) *report.add_samples() = state.newest;
  }
  return report;
}

const Monitor::DeviceState* Monitor::FindState(const std::string& device_id) const {
  for (const auto& [address, state] : devices_) {
    if (state.newest.device_id() == device_id) return &state;
  }
  return nullptr;
}

void Monitor::Annotate(const std::set<std::string>& device_ids, int64_t to_unix_ms, v1::CaseResult& result) const {
  result.clear_context();
  result.set_gpu_activity(Activity(device_ids, result.started_unix_ms(), to_unix_ms));
  if (result.outcome() == v1::PASSED || result.outcome() == v1::SKIPPED) return;
  v1::CaseContext context = Context(device_ids, result.started_unix_ms(), to_unix_ms);
  if (context.devices_size() + context.events_size() > 0) *result.mutable_context() = std::move(context);
}

v1::CaseContext Monitor::Context(const std::set<std::string>& device_ids, int64_t from_unix_ms,
                                 int64_t to_unix_ms) const {
  v1::CaseContext context;
  size_t left = kMaxContextReadingsInAll;
  for (const std::string& id : device_ids) {
    const DeviceState* state = FindState(id);
    if (state == nullptr || left == 0) continue;
    std::vector<v1::ReadingSummary> summaries =
        state->history.Summaries(from_unix_ms, to_unix_ms, std::min(left, kMaxContextReadings));
    if (summaries.empty()) continue;
    left -= summaries.size();
    v1::CaseContext::DeviceContext& device = *context.add_devices();
    device.set_device_id(id);
    for (v1::ReadingSummary& summary : summaries) *device.add_readings() = std::move(summary);
  }
  std::vector<const v1::HealthEvent*> events;
  for (const v1::HealthEvent& event : health_.events().events()) {
    if (!event.device_id().empty() && !device_ids.contains(event.device_id())) continue;
    if (event.last_unix_ms() < from_unix_ms - kEventsBeforeCaseMs || event.time_unix_ms() > to_unix_ms) continue;
    events.push_back(&event);
  }
  const size_t first = events.size() > kMaxContextEvents ? events.size() - kMaxContextEvents : 0;
  for (size_t i = first; i < events.size(); ++i) *context.add_events() = *events[i];
  return context;
}

v1::GpuActivity Monitor::Activity(const std::set<std::string>& device_ids, int64_t from_unix_ms,
                                  int64_t to_unix_ms) const {
  bool none = !device_ids.empty();
  for (const std::string& id : device_ids) {
    const DeviceState* state = FindState(id);
    const v1::GpuActivity activity =
        state == nullptr ? v1::GPU_ACTIVITY_UNSPECIFIED : state->history.Activity(from_unix_ms, to_unix_ms);
    if (activity == v1::GPU_ACTIVITY_SEEN) return v1::GPU_ACTIVITY_SEEN;
    none &= activity == v1::GPU_ACTIVITY_NONE;
  }
  return none ? v1::GPU_ACTIVITY_NONE : v1::GPU_ACTIVITY_UNSPECIFIED;
}

}  // namespace muster::agent
