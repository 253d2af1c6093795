// The machines that have enrolled, what they said of themselves, and the sessions they are in.
//
// Plain memory; owned by Core. A machine has at most one session that counts: the last that said Hello.
#ifndef MUSTER_COORDINATOR_FLEET_FLEET_TABLE_H_
#define MUSTER_COORDINATOR_FLEET_FLEET_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/event_loop.h"
#include "coordinator/fleet/machine_health.h"
#include "coordinator/store/store.h"
#include "muster/v1/agent_service.pb.h"

namespace muster::coordinator {

struct MachineEntry {
  MachineRecord record;
  uint64_t session = 0;  // That said Hello; 0: none.
  bool stated = false;   // An AgentState has come in this session.
  uint64_t outbox_bytes = 0;
  uint64_t outbox_limit_bytes = 0;
  // Of the session.
  base::Time connected;
  bool health_reported = false;
  bool warned = false;  // Something of it was not taken, and it was said.
  std::string samples;  // The newest TelemetryReport, packed: unpacked it takes ten times as much.
  bool changed = false;
  int64_t health_written_mono_ms = 0;

  // Said Hello once, now or before a restart.
  bool known() const { return record.last_seen_unix_ms > 0; }
  // The devices that can be given jobs.
  std::set<std::string, std::less<>> UsableDevices() const;
  Contact contact() const;
  // A device of it had FAILED, and its agent has not yet said in this session how it is now.
  bool AwaitsHealth(base::Time now, int64_t at_most_ms) const;
};

// A device that may be leased: its driver serves it, or does not say.
bool IsUsable(const v1::Device& device);

class FleetTable {
 public:
  static constexpr uint32_t kProtocolVersion = 1;
  static constexpr int kMaxDevices = 1'024;
  static constexpr int kMaxSuites = 1'024;
  // New events alone have a machine written no more often than this.
  static constexpr int64_t kWriteEventsMs = 60'000;

  explicit FleetTable(std::vector<MachineRecord> records);

  // The machine of that name; made when there is none.
  MachineEntry& Enrol(std::string_view name, base::Time now);
  MachineEntry* Find(std::string_view name);
  const MachineEntry* Find(std::string_view name) const;

  void Open(uint64_t session, std::string_view certificate_name);
  // The refusal that the Hello deserves, code UNSPECIFIED when it is taken. `replaced` gets the machine's session so
  // far, or 0.
  v1::Refusal Hello(uint64_t session, const v1::Hello& hello, base::Time now, uint64_t& replaced);
  // The machine whose session this is; null before its Hello, after its end, and when a newer one took over.
  MachineEntry* MachineOf(uint64_t session);
  bool IsOpen(uint64_t session) const { return sessions_.contains(session); }
  // What its agent says of its devices. InvalidArgument, and nothing is kept, when it is too much.
  absl::Status TakeHealth(MachineEntry& machine, v1::HealthReport& report, base::Time now);
  absl::Status TakeTelemetry(MachineEntry& machine, const v1::TelemetryReport& report);
  // The machine is no longer connected when it was its session.
  void Close(uint64_t session, base::Time now);

  // It must be written, and who shows it must look again.
  void Changed(MachineEntry& machine);
  std::vector<MachineRecord> TakeChanges();

  // By name.
  const std::map<std::string, MachineEntry, std::less<>>& machines() const { return machines_; }
  uint64_t connected() const { return connected_; }
  uint64_t devices() const { return devices_; }

 private:
  std::map<std::string, MachineEntry, std::less<>> machines_;
  absl::flat_hash_map<uint64_t, std::string> sessions_;  // To the certificate's name.
  std::vector<MachineEntry*> changed_;
  uint64_t connected_ = 0;
  uint64_t devices_ = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_FLEET_FLEET_TABLE_H_
