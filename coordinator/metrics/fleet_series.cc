#include "coordinator/metrics/fleet_series.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "base/prometheus_text.h"
#include "coordinator/fleet/device_name.h"
#include "coordinator/fleet/machine_health.h"
#include "coordinator/metrics/device_labels.h"

namespace muster::coordinator {
namespace {

bool IsQuarantined(const v1::MachineStatus& status, const std::string& device_id) {
  return std::any_of(status.quarantines().begin(), status.quarantines().end(),
                     [&](const v1::Quarantine& quarantine) { return quarantine.device_id() == device_id; });
}

// KEY of __meta_muster_label_KEY.
std::string LabelName(std::string_view key) {
  std::string name(key);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

bool HasSimulated(const v1::Machine& machine) {
  return std::any_of(machine.devices().begin(), machine.devices().end(),
                     [](const v1::Device& device) { return device.simulated(); });
}

std::string DiscoveryGroup(const v1::MachineStatus& status) {
  const v1::Machine& machine = status.machine();
  if (machine.metrics_address().empty()) return "";
  std::map<std::string, std::string> labels = {{"machine", machine.name()},
                                               {"__meta_muster_connected", status.connected() ? "true" : "false"},
                                               {"__meta_muster_simulated", HasSimulated(machine) ? "true" : "false"}};
  const std::map<std::string, std::string> own(machine.labels().begin(), machine.labels().end());
  for (const auto& [key, value] : own) labels["__meta_muster_label_" + LabelName(key)] = value;
  const auto pair = [](std::string* out, const std::pair<const std::string, std::string>& label) {
    absl::StrAppend(out, base::JsonString(label.first), ": ", base::JsonString(label.second));
  };
  return absl::StrCat("{\"targets\": [", base::JsonString(machine.metrics_address()), "], \"labels\": {",
                      absl::StrJoin(labels, ", ", pair), "}}");
}

}  // namespace

void FleetSeries::MachineChanged(const v1::MachineStatus& status) {
  MachineNotes notes;
  notes.labels = base::PrometheusLabels({{"machine", status.machine().name()}});
  if (HasSimulated(status.machine())) base::AppendPrometheusLabel(notes.labels, "simulated", "true");
  notes.connected = status.connected();
  notes.quarantined = IsQuarantined(status, "");
  notes.last_seen_unix_ms = status.last_seen_unix_ms();
  notes.discovery = DiscoveryGroup(status);
  int gpu = 0;
  for (const v1::Device* device : InPciOrder(status.machine())) {
    DeviceNotes& one = notes.devices.emplace_back();
    one.labels = DeviceLabels(status.machine().name(), *device, gpu++);
    one.quarantined = !device->id().empty() && IsQuarantined(status, device->id());
    const v1::DeviceHealth* health = FindDevice(status.health(), device->id());
    one.state = HealthName(health == nullptr ? v1::HEALTH_STATE_UNKNOWN : health->state());
    if (health == nullptr) continue;
    for (const v1::HealthCondition& condition : health->conditions()) {
      one.conditions.emplace(condition.code(), HealthName(condition.state()));
    }
  }
  base::MutexLock lock(mutex_);
  MachineNotes& known = machines_[status.machine().name()];
  notes.last_seen_unix_ms = std::max(notes.last_seen_unix_ms, known.last_seen_unix_ms);
  known = std::move(notes);
}

void FleetSeries::Heard(const std::string& machine, int64_t now_unix_ms) {
  base::MutexLock lock(mutex_);
  const auto found = machines_.find(machine);
  if (found != machines_.end()) found->second.last_seen_unix_ms = now_unix_ms;
}

void FleetSeries::Write(std::string& out) const {
  using base::MetricType;
  std::string seen_text, quarantined_text, health_text, conditions_text, devices_text;
  base::PrometheusFamily connected(out, "muster_machine_connected", MetricType::kGauge,
                                   "1 while the machine's agent is connected.");
  base::PrometheusFamily seen(seen_text, "muster_machine_last_seen_timestamp_seconds", MetricType::kGauge,
                              "When its agent was last heard of.");
  base::PrometheusFamily quarantined(quarantined_text, "muster_machine_quarantined", MetricType::kGauge,
                                     "1 while the whole machine is in quarantine.");
  base::PrometheusFamily health(health_text, "muster_device_health", MetricType::kGauge,
                                "1 for the state that the GPU's health is in.");
  base::PrometheusFamily conditions(conditions_text, "muster_device_health_condition", MetricType::kGauge,
                                    "1 for each reason why a GPU is not HEALTHY.");
  base::PrometheusFamily devices(devices_text, "muster_device_quarantined", MetricType::kGauge,
                                 "1 while the GPU is in quarantine.");
  std::string last;
  for (bool first = true;; first = false) {
    base::MutexLock lock(mutex_);  // For one machine at a time: the event loop waits for it.
    const auto found = first ? machines_.begin() : machines_.upper_bound(last);
    if (found == machines_.end()) break;
    last = found->first;
    const MachineNotes& machine = found->second;
    connected.Add(machine.labels, machine.connected ? 1 : 0);
    if (machine.last_seen_unix_ms > 0) seen.Add(machine.labels, static_cast<double>(machine.last_seen_unix_ms) / 1e3);
    if (machine.quarantined) quarantined.Add(machine.labels, 1);
    for (const DeviceNotes& device : machine.devices) {
      health.Add(device.labels, base::PrometheusLabels({{"state", device.state}}), 1);
      for (const auto& [code, state] : device.conditions) {
        conditions.Add(device.labels, base::PrometheusLabels({{"code", code}, {"state", state}}), 1);
      }
      if (device.quarantined) devices.Add(device.labels, 1);
    }
  }
  out.append(seen_text).append(quarantined_text).append(health_text).append(conditions_text).append(devices_text);
}

std::string FleetSeries::ServiceDiscovery() const {
  std::vector<std::string> groups;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [name, machine] : machines_) {
      if (!machine.discovery.empty()) groups.push_back(machine.discovery);
    }
  }
  return absl::StrCat("[", absl::StrJoin(groups, ",\n "), "]\n");
}

}  // namespace muster::coordinator
