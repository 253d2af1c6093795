#include "agent/health/health_monitor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"

namespace muster::agent {
namespace {

// Intel's drivers say last of all that they have started: what failed meanwhile stands before that line.
constexpr int64_t kDriverStartMs = 10'000;

const std::string& KeyOf(const v1::Device& device) {
  return device.pci_address().empty() ? device.id() : device.pci_address();
}

bool HasValue(const v1::DeviceSample& sample) {
  return std::any_of(sample.readings().begin(), sample.readings().end(),
                     [](const v1::Reading& reading) { return reading.has_value(); });
}

bool HasVendorsDriver(const v1::Device& device) {
  const std::string& driver = device.kernel_driver();
  if (device.vendor() == v1::VENDOR_NVIDIA) return driver == "nvidia";
  return driver == "i915" || driver == "xe";
}

v1::Vendor VendorOf(SamplerKind kind) { return kind == SamplerKind::kNvml ? v1::VENDOR_NVIDIA : v1::VENDOR_INTEL; }

std::string NameOf(SamplerKind kind) { return kind == SamplerKind::kNvml ? "nvml" : "intel"; }

std::string CallName(const SamplerStatus& status) {
  return status.hung_call.empty() ? "a call of the driver" : status.hung_call;
}

bool IsSkipped(const SamplerStatus& status, const std::string& pci_address) {
  if (status.state == SamplerStatus::State::kHung && status.hung_device == pci_address) return true;
  return std::find(status.skipped.begin(), status.skipped.end(), pci_address) != status.skipped.end();
}

}  // namespace

void HealthMonitor::Begin(DeviceState* device, std::string_view code, v1::HealthState state, std::string message,
                          base::Time now, bool with_event) {
  Conditions& conditions = ConditionsOf(device);
  const auto it = conditions.find(std::string(code));
  if (it != conditions.end() && it->second.state == state) return;
  const base::EventKind* kind = catalogue_.Find(code);
  const int64_t since_unix_ms = it == conditions.end() ? now.unix_ms : it->second.since_unix_ms;
  if (with_event) {
    AddEvent(device, code, *kind, message, now.unix_ms, device == nullptr ? "" : device->device.pci_address());
  }
  const uint32_t seconds = kind->clears().after_seconds();
  conditions[std::string(code)] = {.kind = kind,
                                   .state = state,
                                   .message = std::move(message),
                                   .since_unix_ms = since_unix_ms,
                                   .ends_mono_ms = seconds > 0 ? now.mono_ms + 1'000 * int64_t{seconds} : INT64_MAX};
  changed_ = true;
}

void HealthMonitor::End(DeviceState* device, std::string_view code) {
  if (ConditionsOf(device).erase(std::string(code)) > 0) changed_ = true;
}

void HealthMonitor::AddEvent(const DeviceState* device, std::string_view code, const base::EventKind& kind,
                             std::string detail, int64_t unix_ms, const std::string& pci_address) {
  v1::HealthEvent event;
  event.set_time_unix_ms(unix_ms);
  event.set_code(std::string(code));
  event.set_severity(kind.severity());
  if (device != nullptr) event.set_device_id(device->device.id());
  event.set_pci_address(pci_address);
  event.set_title(kind.title());
  event.set_action(kind.action());
  event.set_detail(std::move(detail));
  events_.Add(std::move(event));
  changed_ = true;
}

void HealthMonitor::SetMachine(const v1::Machine& machine,
                               const std::map<std::string, std::vector<std::string>>& bridges, base::Time now) {
  std::set<std::string> shown;
  for (const v1::Device& device : machine.devices()) {
    const std::string& key = KeyOf(device);
    shown.insert(key);
    const auto [it, is_new] = devices_.try_emplace(key);
    DeviceState& state = it->second;
    if (is_new) {
      state.watched_since_ms = now.mono_ms;
      state.state_since_unix_ms = now.unix_ms;
      changed_ = true;
    }
    state.device = device;
    if (const auto above = bridges.find(key); above != bridges.end()) state.bridges = above->second;
    ApplyDriverState(state, now);
  }
  for (auto& [key, state] : devices_) {
    if (shown.contains(key)) continue;
    state.device.set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
    state.device.set_driver_problem("PCI no longer shows the device.");
    ApplyDriverState(state, now);
  }
  inventory_known_ = true;
  for (const KernelEvent& event : std::exchange(early_, {})) ApplyKernelEvent(event, now);
  UpdateStates(now);
}

void HealthMonitor::ApplyDriverState(DeviceState& device, base::Time now) {
  const std::string& problem = device.device.driver_problem();
  switch (device.device.driver_state()) {
    case v1::DRIVER_STATE_READY:
      if (device.conditions.contains("device.lost") || device.conditions.contains("driver.unbound")) {
        BeginsAnew(device);
        // What was known of it before says nothing of it now.
        device.watched_since_ms = now.mono_ms;
        device.last_value_ms = -1;
        device.silence_told = false;
      }
      End(&device, "device.lost");
      End(&device, "driver.unbound");
      device.was_ready = true;
      CheckSilence(device, now);
      return;
    case v1::DRIVER_STATE_NOT_LISTED:
      if (HasVendorsDriver(device.device) || device.was_ready) {
        Begin(&device, "device.lost", v1::HEALTH_STATE_FAILED, problem, now);
        End(&device, "driver.unbound");
        End(&device, "telemetry.silent");
        return;
      }
      [[fallthrough]];
    case v1::DRIVER_STATE_UNBOUND:
      Begin(&device, "driver.unbound", device.was_ready ? v1::HEALTH_STATE_FAILED : v1::HEALTH_STATE_UNKNOWN, problem,
            now);
      End(&device, "device.lost");
      End(&device, "telemetry.silent");
      return;
    default:
      Begin(&device, "telemetry.silent", v1::HEALTH_STATE_UNKNOWN, problem, now, false);
  }
}

void HealthMonitor::OnSample(const v1::DeviceSample& sample, base::Time now) {
  const auto it = devices_.find(sample.pci_address());
  if (it == devices_.end()) {
    inventory_stale_ = true;  // A device that the inventory does not have.
    return;
  }
  if (!HasValue(sample)) return;
  DeviceState& device = it->second;
  device.last_value_ms = now.mono_ms;
  device.missed_told = false;
  device.silence_told = false;
  if (device.device.driver_state() != v1::DRIVER_STATE_READY) inventory_stale_ = true;
  End(&device, "telemetry.silent");
  const bool skipped = std::any_of(samplers_.begin(), samplers_.end(),
                                   [&](const auto& entry) { return IsSkipped(entry.second, it->first); });
  if (!skipped) End(&device, "driver.call-hung");
  device.rules.Update(sample, now.mono_ms);
  if (device.rules.began_anew()) BeginsAnew(device);
  ApplyRules(device, now);
  UpdateState(device, now);
}

// What the rules find is a condition while they do. The kernel's log may have brought the same code (intel.wedged).
void HealthMonitor::ApplyRules(DeviceState& device, base::Time now) {
  const std::map<std::string, std::string>& standing = device.rules.standing();
  for (const auto& [code, message] : standing) {
    Begin(&device, code, catalogue_.Find(code)->effect(), message, now);
    device.conditions[code].by_rules = true;
  }
  const auto over = [&](const auto& entry) { return entry.second.by_rules && !standing.contains(entry.first); };
  if (std::erase_if(device.conditions, over) > 0) changed_ = true;
}

void HealthMonitor::OnSampler(const SamplerStatus& status, base::Time now) {
  const SamplerStatus before = std::exchange(samplers_[status.kind], status);
  for (auto& [key, device] : devices_) {
    if (!IsSkipped(status, key)) continue;
    Begin(&device, "driver.call-hung", v1::HEALTH_STATE_FAILED,
          status.detail.empty() ? base::Text(CallName(status), " has not returned") : status.detail, now);
  }
  using State = SamplerStatus::State;
  const std::string name = NameOf(status.kind);
  const auto tell = [&](std::string_view code, bool stands, bool with_event) {
    // Of the two samplers one may stand while the other does not.
    const bool others = std::any_of(samplers_.begin(), samplers_.end(), [&](const auto& entry) {
      if (entry.first == status.kind) return false;
      if (code == "driver.crashed") return entry.second.state == State::kBroken;
      return code == "driver.call-hung" && entry.second.state == State::kHung;
    });
    if (stands) {
      Begin(nullptr, code, v1::HEALTH_STATE_UNKNOWN, base::Text("sampler ", name, ": ", status.detail), now,
            with_event);
    } else if (!others) {
      End(nullptr, code);
    }
  };
  const bool of_no_device = status.state == State::kHung && status.hung_device.empty();
  tell("driver.call-hung", of_no_device, true);
  if (status.crashes > before.crashes) {
    AddEvent(nullptr, "driver.crashed", *catalogue_.Find("driver.crashed"),
             base::Text("sampler ", name, ": ", status.detail), now.unix_ms, "");
  }
  if (status.state != State::kStarting && status.state != State::kHung) {
    tell("driver.crashed", status.state == State::kBroken, false);
  }
  const bool needed = std::any_of(devices_.begin(), devices_.end(), [&](const auto& entry) {
    return entry.second.device.vendor() == VendorOf(status.kind) &&
           entry.second.device.driver_state() == v1::DRIVER_STATE_READY;
  });
  if (status.state == State::kAbsent && needed) {
    Begin(nullptr, "telemetry.silent", v1::HEALTH_STATE_UNKNOWN, base::Text("sampler ", name, ": ", status.detail), now,
          false);
  } else if (status.state == State::kRunning) {
    End(nullptr, "telemetry.silent");
  }
  UpdateStates(now);
}

void HealthMonitor::OnKernelLog(const KernelLogStatus& status, base::Time now) {
  if (status.readable) {
    End(nullptr, "kernel-log.unreadable");
  } else {
    Begin(nullptr, "kernel-log.unreadable", v1::HEALTH_STATE_UNKNOWN,
          base::Text(status.problem,
                     "; without it Xids, hangs and resets are not seen, and health is judged by the "
                     "samples alone"),
          now, false);
  }
  if (status.lost > lost_records_) {
    End(nullptr, "kernel-log.records-lost");  // Begins anew, and so does its time.
    Begin(nullptr, "kernel-log.records-lost", v1::HEALTH_STATE_UNKNOWN,
          base::Text(status.lost, " lines of the kernel's log were gone before they could be read"), now);
  }
  lost_records_ = std::max(lost_records_, status.lost);
}

void HealthMonitor::OnKernelEvents(const std::vector<KernelEvent>& events, base::Time now) {
  for (const KernelEvent& event : events) {
    if (inventory_known_) {
      ApplyKernelEvent(event, now);
    } else if (early_.size() < kMaxEarlyEvents) {
      early_.push_back(event);
    }
  }
  UpdateStates(now);
}

std::vector<HealthMonitor::DeviceState*> HealthMonitor::FindDevices(const std::string& pci_address) {
  std::vector<DeviceState*> found;
  if (pci_address.empty()) return found;
  if (const auto it = devices_.find(pci_address); it != devices_.end()) return {&it->second};
  for (auto& [key, device] : devices_) {
    const std::vector<std::string>& above = device.bridges;
    if (std::find(above.begin(), above.end(), pci_address) != above.end()) found.push_back(&device);
  }
  return found;
}

void HealthMonitor::ApplyKernelEvent(const KernelEvent& event, base::Time now) {
  const base::EventKind& kind = *event.match.kind;
  const std::vector<DeviceState*> devices = FindDevices(event.match.pci_address);
  if (kind.starts_anew() != v1::VENDOR_UNSPECIFIED) {
    inventory_stale_ = true;
    for (auto& [key, device] : devices_) {
      const bool meant = event.match.pci_address.empty() ? device.device.vendor() == kind.starts_anew()
                                                         : event.match.pci_address == key;
      const bool says_so_last = kind.starts_anew() == v1::VENDOR_INTEL;
      if (meant) BeginsAnew(device, says_so_last ? event.time_unix_ms - kDriverStartMs : INT64_MAX);
    }
    if (event.match.pci_address.empty()) {
      std::erase_if(machine_conditions_, [](const auto& entry) { return entry.second.until_reset; });
    }
    return;
  }
  if (kind.gpu_path_only() && devices.empty()) return;
  // A bridge above several devices says nothing of one of them.
  DeviceState* device = devices.size() == 1 ? devices.front() : nullptr;
  AddEvent(device, event.match.code, kind, event.text, event.time_unix_ms, event.match.pci_address);
  if (kind.effect() != v1::HEALTH_STATE_UNSPECIFIED) ApplyEffect(device, event, now);
}

void HealthMonitor::ApplyEffect(DeviceState* device, const KernelEvent& event, base::Time now) {
  const base::EventKind& kind = *event.match.kind;
  const std::string& code = event.match.code;
  if (kind.effect_count() > 1 && device != nullptr) {
    std::deque<int64_t>& recent = device->recent[code];
    recent.push_back(event.time_unix_ms);
    const int64_t oldest = event.time_unix_ms - 1'000 * int64_t{kind.effect_window_seconds()};
    while (!recent.empty() && recent.front() < oldest) recent.pop_front();
    if (recent.size() > kind.effect_count()) recent.pop_front();
    if (recent.size() < kind.effect_count()) return;
  } else if (kind.effect_count() > 1) {
    return;
  }
  int64_t ends_mono_ms = INT64_MAX;
  if (const int64_t seconds = kind.clears().after_seconds(); seconds > 0) {
    ends_mono_ms = now.mono_ms + event.time_unix_ms + 1'000 * seconds - now.unix_ms;
    if (ends_mono_ms <= now.mono_ms) return;  // Over since before the agent's start.
  }
  Conditions& conditions = ConditionsOf(device);
  if (conditions.size() >= kMaxConditions && !conditions.contains(code)) return;
  Condition& condition = conditions[code];
  if (condition.kind == nullptr) condition.since_unix_ms = event.time_unix_ms;
  condition.kind = &kind;
  condition.state = kind.effect();
  condition.last_event_unix_ms = event.time_unix_ms;
  condition.message = event.text;
  condition.ends_mono_ms = ends_mono_ms;
  condition.until_reset = kind.clears().by() == base::Clears::RESET;
  changed_ = true;
}

void HealthMonitor::BeginsAnew(DeviceState& device, int64_t before_unix_ms) {
  const auto over = [&](const auto& entry) {
    return entry.second.until_reset && entry.second.last_event_unix_ms < before_unix_ms;
  };
  if (std::erase_if(device.conditions, over) > 0) changed_ = true;
}

void HealthMonitor::CheckSilence(DeviceState& device, base::Time now) {
  if (device.device.driver_state() != v1::DRIVER_STATE_READY) return;
  // Until something is known of it, it is not well: but that is no event yet.
  if (device.last_value_ms < 0) {
    Begin(&device, "telemetry.silent", v1::HEALTH_STATE_UNKNOWN, "no sample has come yet", now, false);
  }
  const int64_t since_ms = std::max(device.last_value_ms, device.watched_since_ms);
  if (device.last_value_ms >= 0 && now.mono_ms - since_ms > missed_ms_ && !std::exchange(device.missed_told, true)) {
    inventory_stale_ = true;
  }
  if (now.mono_ms - since_ms <= silent_ms_ || device.silence_told) return;
  device.silence_told = true;
  inventory_stale_ = true;
  End(&device, "telemetry.silent");
  Begin(&device, "telemetry.silent", v1::HEALTH_STATE_UNKNOWN,
        base::Text("no sample for more than ", silent_ms_ / 1'000, " s"), now);
}

void HealthMonitor::EndTimed(Conditions& conditions, base::Time now) {
  if (std::erase_if(conditions, [&](const auto& entry) { return entry.second.ends_mono_ms <= now.mono_ms; }) > 0) {
    changed_ = true;
  }
}

void HealthMonitor::Tick(base::Time now) {
  EndTimed(machine_conditions_, now);
  for (auto& [key, device] : devices_) {
    EndTimed(device.conditions, now);
    CheckSilence(device, now);
  }
  UpdateStates(now);
}

void HealthMonitor::UpdateState(DeviceState& device, base::Time now) {
  v1::HealthState state = v1::HEALTH_STATE_HEALTHY;
  for (const auto& [code, condition] : device.conditions) {
    if (IsWorse(condition.state, state)) state = condition.state;
  }
  if (state == device.state) return;
  device.state = state;
  device.state_since_unix_ms = now.unix_ms;
  changed_ = true;
}

void HealthMonitor::UpdateStates(base::Time now) {
  for (auto& [key, device] : devices_) UpdateState(device, now);
}

}  // namespace muster::agent
