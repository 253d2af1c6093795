#include "coordinator/schedule/gate.h"

#include "absl/strings/str_cat.h"
#include "coordinator/fleet/device_name.h"
#include "coordinator/fleet/machine_health.h"

namespace muster::coordinator {
namespace {

std::string WhyFailed(const v1::Machine& machine, const v1::DeviceHealth& health) {
  std::string why =
      absl::StrCat(DescribeDevice(machine, health.device_id()), " of machine ", machine.name(), " has FAILED");
  for (const v1::HealthCondition& condition : health.conditions()) {
    if (condition.state() != v1::HEALTH_STATE_FAILED) continue;
    absl::StrAppend(&why, ": ", condition.code(), condition.message().empty() ? "" : ", ", condition.message());
    break;
  }
  return absl::StrCat(why, "; only suites that diagnose run on it");
}

}  // namespace

Gate::Decision Gate::Decide(const v1::Job& job) const {
  if (!job.on_quarantined()) {
    if (!machine_quarantined.empty()) return {v1::FATE_QUARANTINED, machine_quarantined};
    for (const std::string& id : job.spec().device_ids()) {
      if (const auto found = quarantined.find(id); found != quarantined.end())
        return {v1::FATE_QUARANTINED, found->second};
    }
  }
  if (!job.diagnostic()) {
    for (const std::string& id : job.spec().device_ids()) {
      if (const auto found = failed.find(id); found != failed.end()) return {v1::FATE_WITHHELD, found->second};
    }
  }
  return {};
}

Gate GateOf(const MachineEntry& entry, const std::vector<v1::Quarantine>& quarantines) {
  Gate gate;
  const v1::Machine& machine = entry.record.machine;
  for (const v1::Quarantine& quarantine : quarantines) {
    const std::string because =
        absl::StrCat(" is in quarantine: ", quarantine.reason(), " (", quarantine.author(), ")");
    if (quarantine.device_id().empty()) {
      gate.machine_quarantined = absl::StrCat("machine ", machine.name(), because);
    } else {
      gate.quarantined[quarantine.device_id()] =
          absl::StrCat(DescribeDevice(machine, quarantine.device_id()), " of machine ", machine.name(), because);
    }
  }
  if (entry.session == 0 || !entry.health_reported) return gate;
  for (const v1::DeviceHealth& health : entry.record.health.devices()) {
    if (health.state() == v1::HEALTH_STATE_FAILED) gate.failed[health.device_id()] = WhyFailed(machine, health);
  }
  return gate;
}

}  // namespace muster::coordinator
