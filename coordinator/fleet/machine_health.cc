#include "coordinator/fleet/machine_health.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxDevices = 1'024;
constexpr int kMaxConditions = 64;  // Of one device, and of the machine.
constexpr int kMaxEvents = 256;
constexpr int kMaxReadings = 4'096;  // Of one device.

absl::Status Bound(const char* what, size_t found, size_t limit) {
  if (found <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(found, " ", what, ", at most ", limit, " are taken"));
}

v1::HealthCondition Unknown(const char* code, std::string message, int64_t since_unix_ms, const char* clears_when,
                            const char* action) {
  v1::HealthCondition condition;
  condition.set_code(code);
  condition.set_state(v1::HEALTH_STATE_UNKNOWN);
  condition.set_message(std::move(message));
  condition.set_since_unix_ms(since_unix_ms);
  condition.set_clears_when(clears_when);
  condition.set_action(action);
  return condition;
}

// Why nothing is known of a device now.
v1::HealthCondition WhyUnknown(const v1::DeviceHealth* last, const Contact& contact) {
  if (!contact.connected) {
    return Unknown("machine.not-connected",
                   last == nullptr ? "the agent is not connected"
                                   : absl::StrCat("the agent is not connected; when it last reported, the device was ",
                                                  std::string(HealthName(last->state()))),
                   contact.last_seen_unix_ms, "the agent connects again",
                   "see that the machine runs, and muster-agent on it");
  }
  return Unknown("telemetry.silent",
                 contact.reported ? "the agent's health report does not name the device"
                                  : "the agent has reported no health since it connected",
                 contact.connected_unix_ms, "the agent reports the device's health",
                 "update the agent when it is older than the coordinator; otherwise see its log");
}

}  // namespace

absl::Status CheckHealth(const v1::HealthReport& report) {
  RETURN_IF_ERROR(Bound("bytes", report.ByteSizeLong(), kMaxBytes));
  RETURN_IF_ERROR(Bound("devices", report.devices_size(), kMaxDevices));
  RETURN_IF_ERROR(Bound("conditions of the machine", report.machine_conditions_size(), kMaxConditions));
  RETURN_IF_ERROR(Bound("events", report.events_size(), kMaxEvents));
  for (const v1::DeviceHealth& device : report.devices()) {
    RETURN_IF_ERROR(Bound("conditions of one device", device.conditions_size(), kMaxConditions));
  }
  return absl::OkStatus();
}

absl::Status CheckTelemetry(const v1::TelemetryReport& report) {
  RETURN_IF_ERROR(Bound("bytes", report.ByteSizeLong(), kMaxBytes));
  RETURN_IF_ERROR(Bound("samples", report.samples_size(), kMaxDevices));
  for (const v1::DeviceSample& sample : report.samples()) {
    RETURN_IF_ERROR(Bound("readings of one device", sample.readings_size(), kMaxReadings));
  }
  return absl::OkStatus();
}

const v1::DeviceHealth* FindDevice(const v1::HealthReport& report, std::string_view device_id) {
  const auto found = std::find_if(report.devices().begin(), report.devices().end(),
                                  [&](const v1::DeviceHealth& device) { return device.device_id() == device_id; });
  return found == report.devices().end() ? nullptr : &*found;
}

v1::HealthReport HealthNow(const v1::Machine& machine, const v1::HealthReport& last, const Contact& contact) {
  v1::HealthReport now;
  for (const v1::Device& device : machine.devices()) {
    const v1::DeviceHealth* known = FindDevice(last, device.id());
    v1::DeviceHealth& health = *now.add_devices();
    if (known != nullptr) health = *known;
    health.set_device_id(device.id());
    const bool current = contact.connected && contact.reported && known != nullptr;
    if (current && HealthName(known->state()) != "UNKNOWN") continue;
    health.set_state(v1::HEALTH_STATE_UNKNOWN);
    if (current) continue;
    const v1::HealthCondition why = WhyUnknown(known, contact);
    health.set_since_unix_ms(why.since_unix_ms());
    health.clear_conditions();
    *health.add_conditions() = why;
    if (known != nullptr) health.mutable_conditions()->MergeFrom(known->conditions());
  }
  *now.mutable_machine_conditions() = last.machine_conditions();
  *now.mutable_events() = last.events();
  now.set_time_unix_ms(last.time_unix_ms());
  return now;
}

bool NamesFailed(const v1::Machine& machine, const v1::HealthReport& report) {
  return std::any_of(machine.devices().begin(), machine.devices().end(), [&](const v1::Device& device) {
    const v1::DeviceHealth* health = FindDevice(report, device.id());
    return health != nullptr && health->state() == v1::HEALTH_STATE_FAILED;
  });
}

bool SameConditions(const v1::HealthReport& a, const v1::HealthReport& b) {
  v1::HealthReport first, second;
  *first.mutable_devices() = a.devices();
  *first.mutable_machine_conditions() = a.machine_conditions();
  *second.mutable_devices() = b.devices();
  *second.mutable_machine_conditions() = b.machine_conditions();
  return first.SerializeAsString() == second.SerializeAsString();
}

std::string_view HealthName(v1::HealthState state) {
  switch (state) {
    case v1::HEALTH_STATE_HEALTHY:
      return "HEALTHY";
    case v1::HEALTH_STATE_DEGRADED:
      return "DEGRADED";
    case v1::HEALTH_STATE_FAILED:
      return "FAILED";
    default:
      return "UNKNOWN";
  }
}

}  // namespace muster::coordinator
