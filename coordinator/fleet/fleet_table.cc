#include "coordinator/fleet/fleet_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

v1::Refusal Refuse(v1::Refusal::Code code, std::string message) {
  v1::Refusal refusal;
  refusal.set_code(code);
  refusal.set_message(std::move(message));
  return refusal;
}

// Empty when all is well.
std::string FirstDuplicate(const v1::Hello& hello) {
  std::set<std::string_view> ids;
  for (const v1::Device& device : hello.machine().devices()) {
    if (device.id().empty()) return "a device has no id";
    if (!ids.insert(device.id()).second) return absl::StrCat("two devices have the id ", device.id());
  }
  std::set<std::string_view> names;
  for (const v1::SuiteManifest& suite : hello.suites()) {
    if (!names.insert(suite.name()).second) return absl::StrCat("two suites have the name '", suite.name(), "'");
  }
  return "";
}

v1::Refusal Check(const v1::Hello& hello, std::string_view certificate_name) {
  constexpr uint32_t kOurs = FleetTable::kProtocolVersion;
  if (hello.protocol_version() + 1 < kOurs || hello.protocol_version() > kOurs + 1 || hello.protocol_version() == 0) {
    return Refuse(
        v1::Refusal::PROTOCOL_VERSION,
        absl::StrCat("the agent speaks protocol version ", hello.protocol_version(), ", this coordinator ", kOurs,
                     ": install an agent of the coordinator's release, or of the one before or after"));
  }
  if (hello.machine().name() != certificate_name) {
    return Refuse(v1::Refusal::NAME_MISMATCH,
                  absl::StrCat("the agent says that it is '", hello.machine().name(), "', its certificate that it is '",
                               std::string(certificate_name), "': enrol it under the name it is to have"));
  }
  if (hello.machine().devices_size() > FleetTable::kMaxDevices || hello.suites_size() > FleetTable::kMaxSuites) {
    return Refuse(
        v1::Refusal::TOO_LARGE,
        absl::StrCat("the machine lists ", hello.machine().devices_size(), " devices and ", hello.suites_size(),
                     " suites, at most ", FleetTable::kMaxDevices, " and ", FleetTable::kMaxSuites, " are taken"));
  }
  if (std::string problem = FirstDuplicate(hello); !problem.empty()) {
    return Refuse(v1::Refusal::MALFORMED, std::move(problem));
  }
  return v1::Refusal();
}

}  // namespace

bool IsUsable(const v1::Device& device) {
  return device.driver_state() == v1::DRIVER_STATE_READY || device.driver_state() == v1::DRIVER_STATE_UNSPECIFIED;
}

std::set<std::string, std::less<>> MachineEntry::UsableDevices() const {
  std::set<std::string, std::less<>> ids;
  for (const v1::Device& device : record.machine.devices()) {
    if (IsUsable(device)) ids.insert(device.id());
  }
  return ids;
}

Contact MachineEntry::contact() const {
  return {.connected = session != 0,
          .reported = health_reported,
          .connected_unix_ms = connected.unix_ms,
          .last_seen_unix_ms = record.last_seen_unix_ms};
}

bool MachineEntry::AwaitsHealth(base::Time now, int64_t at_most_ms) const {
  return session != 0 && !health_reported && now.mono_ms - connected.mono_ms < at_most_ms &&
         NamesFailed(record.machine, record.health);
}

FleetTable::FleetTable(std::vector<MachineRecord> records) {
  for (MachineRecord& record : records) {
    devices_ += record.machine.devices_size();
    std::string name = record.machine.name();
    machines_[std::move(name)].record = std::move(record);
  }
}

MachineEntry& FleetTable::Enrol(std::string_view name, base::Time now) {
  MachineEntry& machine = machines_[std::string(name)];
  machine.record.machine.set_name(std::string(name));
  machine.record.enrolled_unix_ms = now.unix_ms;
  Changed(machine);
  return machine;
}

MachineEntry* FleetTable::Find(std::string_view name) {
  const auto it = machines_.find(name);
  return it == machines_.end() ? nullptr : &it->second;
}

const MachineEntry* FleetTable::Find(std::string_view name) const {
  const auto it = machines_.find(name);
  return it == machines_.end() ? nullptr : &it->second;
}

void FleetTable::Open(uint64_t session, std::string_view certificate_name) {
  sessions_.emplace(session, certificate_name);
}

v1::Refusal FleetTable::Hello(uint64_t session, const v1::Hello& hello, base::Time now, uint64_t& replaced) {
  replaced = 0;
  const std::string& name = sessions_.at(session);
  v1::Refusal refusal = Check(hello, name);
  if (refusal.code() != v1::Refusal::CODE_UNSPECIFIED) return refusal;
  MachineEntry* machine = Find(name);
  if (machine == nullptr) machine = &Enrol(name, now);
  if (machine->session == 0) {
    ++connected_;
  } else if (machine->session != session) {
    replaced = machine->session;
    sessions_.erase(replaced);
  }
  devices_ += hello.machine().devices_size() - machine->record.machine.devices_size();
  machine->session = session;
  machine->stated = false;
  machine->connected = now;
  machine->health_reported = false;
  machine->warned = false;
  machine->samples.clear();
  machine->record.machine = hello.machine();
  machine->record.suites.assign(hello.suites().begin(), hello.suites().end());
  machine->record.suite_problems.assign(hello.suite_problems().begin(), hello.suite_problems().end());
  machine->record.last_seen_unix_ms = now.unix_ms;
  Changed(*machine);
  return refusal;
}

MachineEntry* FleetTable::MachineOf(uint64_t session) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end()) return nullptr;
  MachineEntry* machine = Find(it->second);
  return machine != nullptr && machine->session == session ? machine : nullptr;
}

absl::Status FleetTable::TakeHealth(MachineEntry& machine, v1::HealthReport& report, base::Time now) {
  RETURN_IF_ERROR(CheckHealth(report));
  v1::HealthReport& known = machine.record.health;
  const auto newest = [](const v1::HealthReport& r) {
    return r.events().empty() ? 0 : r.events().rbegin()->sequence();
  };
  const bool first = !std::exchange(machine.health_reported, true);
  const bool write_events =
      newest(known) != newest(report) && now.mono_ms - machine.health_written_mono_ms >= kWriteEventsMs;
  if (first || write_events || !SameConditions(known, report)) {
    machine.health_written_mono_ms = now.mono_ms;
    Changed(machine);
  }
  known.Swap(&report);
  return absl::OkStatus();
}

absl::Status FleetTable::TakeTelemetry(MachineEntry& machine, const v1::TelemetryReport& report) {
  RETURN_IF_ERROR(CheckTelemetry(report));
  report.SerializeToString(&machine.samples);
  return absl::OkStatus();
}

void FleetTable::Close(uint64_t session, base::Time now) {
  if (MachineEntry* machine = MachineOf(session)) {
    machine->session = 0;
    machine->stated = false;
    machine->samples.clear();
    machine->record.last_seen_unix_ms = now.unix_ms;
    --connected_;
    Changed(*machine);
  }
  sessions_.erase(session);
}

void FleetTable::Changed(MachineEntry& machine) {
  if (std::exchange(machine.changed, true)) return;
  changed_.push_back(&machine);
}

std::vector<MachineRecord> FleetTable::TakeChanges() {
  std::vector<MachineRecord> records;
  for (MachineEntry* machine : changed_) {
    machine->changed = false;
    records.push_back(machine->record);
  }
  changed_.clear();
  return records;
}

}  // namespace muster::coordinator
