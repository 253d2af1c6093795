// What agents say of the health of their devices: how much of it is taken, and how it reads now.
//
// A machine's last report stays when its agent goes and when the coordinator is started anew, but it then says nothing
// of the present: what is not reported in the session at hand is UNKNOWN, with what was last known beside it. Pure.
#ifndef MUSTER_COORDINATOR_FLEET_MACHINE_HEALTH_H_
#define MUSTER_COORDINATOR_FLEET_MACHINE_HEALTH_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "muster/v1/agent_service.pb.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/health.pb.h"

namespace muster::coordinator {

// How the coordinator stands with a machine's agent.
struct Contact {
  bool connected = false;
  bool reported = false;  // Its health, in this session.
  int64_t connected_unix_ms = 0;
  int64_t last_seen_unix_ms = 0;
};

// InvalidArgument, saying what is too much, for a report that is not kept.
absl::Status CheckHealth(const v1::HealthReport& report);
absl::Status CheckTelemetry(const v1::TelemetryReport& report);

// Each device of `machine` once, in its order, as `last` and `contact` leave it. A device that nothing is known of now
// has the reason as its first condition, and its last conditions behind it.
v1::HealthReport HealthNow(const v1::Machine& machine, const v1::HealthReport& last, const Contact& contact);

// Null when the report does not name the device.
const v1::DeviceHealth* FindDevice(const v1::HealthReport& report, std::string_view device_id);
// Whether a device of `machine` is FAILED by that report.
bool NamesFailed(const v1::Machine& machine, const v1::HealthReport& report);
// Whether both say the same of every device and of the machine; events and the report's time do not matter.
bool SameConditions(const v1::HealthReport& a, const v1::HealthReport& b);

// "HEALTHY"; a state of a newer release is "UNKNOWN".
std::string_view HealthName(v1::HealthState state);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_FLEET_MACHINE_HEALTH_H_
