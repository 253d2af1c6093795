// HealthMonitor's report: what it knows, as the coordinator and the exporter read it.
#include <algorithm>

#include "agent/health/health_monitor.h"

namespace muster::agent {
namespace {

int Badness(v1::HealthState state) {
  switch (state) {
    case v1::HEALTH_STATE_HEALTHY:
      return 0;
    case v1::HEALTH_STATE_DEGRADED:
      return 1;
    case v1::HEALTH_STATE_FAILED:
      return 3;
    default:
      return 2;
  }
}

}  // namespace

bool IsWorse(v1::HealthState a, v1::HealthState b) { return Badness(a) > Badness(b); }

v1::HealthReport HealthMonitor::Report(base::Time now) const {
  const auto add = [](const Conditions& conditions, google::protobuf::RepeatedPtrField<v1::HealthCondition>* out) {
    for (const auto& [code, condition] : conditions) {
      v1::HealthCondition& one = *out->Add();
      one.set_code(code);
      one.set_state(condition.state);
      one.set_message(condition.message);
      one.set_since_unix_ms(condition.since_unix_ms);
      one.set_clears_when(base::DescribeClears(*condition.kind));
      one.set_action(condition.kind->action());
    }
    std::stable_sort(out->begin(), out->end(), [](const v1::HealthCondition& a, const v1::HealthCondition& b) {
      return IsWorse(a.state(), b.state());
    });
  };
  v1::HealthReport report;
  for (const auto& [key, device] : devices_) {
    v1::DeviceHealth& health = *report.add_devices();
    health.set_device_id(device.device.id());
    health.set_state(device.state);
    health.set_since_unix_ms(device.state_since_unix_ms);
    add(device.conditions, health.mutable_conditions());
  }
  add(machine_conditions_, report.mutable_machine_conditions());
  const std::deque<v1::HealthEvent>& events = events_.events();
  const size_t first = events.size() > EventLog::kMaxReported ? events.size() - EventLog::kMaxReported : 0;
  for (size_t i = first; i < events.size(); ++i) *report.add_events() = events[i];
  report.set_time_unix_ms(now.unix_ms);
  return report;
}

}  // namespace muster::agent
