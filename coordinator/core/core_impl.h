// The inside of Core: its parts, and how inputs go through them. For the .cc files of this folder alone.
#ifndef MUSTER_COORDINATOR_CORE_CORE_IMPL_H_
#define MUSTER_COORDINATOR_CORE_CORE_IMPL_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coordinator/core/core.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/core/ledger.h"
#include "coordinator/core/outgoing.h"
#include "coordinator/core/request_memory.h"
#include "coordinator/core/token_table.h"
#include "coordinator/fleet/fleet_table.h"
#include "coordinator/fleet/quarantine_table.h"
#include "coordinator/ingest/ingest.h"
#include "coordinator/schedule/plan_expansion.h"

namespace muster::coordinator {

class Core::Impl final : public IngestSink {
 public:
  Impl(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random);

  void OnMessage(SessionId session, v1::AgentMessage& message, base::Time now);
  void OnHello(SessionId session, const v1::Hello& hello, base::Time now);
  void OnState(SessionId session, MachineEntry& machine, const v1::AgentState& state, base::Time now);
  void OnEvents(SessionId session, MachineEntry& machine, v1::EventBatch& events, base::Time now);
  // What is too much is left out, and said once a session.
  void NoteHealth(MachineEntry& machine, const absl::Status& taken);
  void Refuse(SessionId session, v1::Refusal::Code code, std::string_view why, base::Time now);
  void Restore(StoredRun run, base::Time now);
  void Want(std::string_view run_id, base::Time now);

  absl::StatusOr<v1::Run> StartRun(const v1::StartRunRequest& request, std::string_view by, base::Time now);
  absl::StatusOr<v1::Quarantine> SetQuarantine(const v1::SetQuarantineRequest& request, std::string_view author,
                                               base::Time now);
  absl::StatusOr<v1::Quarantine> ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request, base::Time now);
  // The machine's health or quarantines, or whether it is connected, may be others than before.
  void RefreshGate(const MachineEntry& machine, base::Time now);
  void CloseSession(SessionId session, base::Time now);

  void NoteKeptAway(Expansion& expansion) const;
  void NoteSimulated(Expansion& expansion) const;
  void NoteAbsentMachines(const v1::Plan& plan, Expansion& expansion) const;
  RunRecord& AddRun(v1::Plan plan, Expansion expansion, std::string_view by, base::Time now);
  absl::StatusOr<v1::Run> CancelRun(std::string_view run_id, std::string_view by, std::string_view reason,
                                    base::Time now);
  void ObserveResult(const JobRecord& job, const v1::CaseResult& result) const;
  Effects TakeEffects();
  v1::MachineStatus StatusOf(const MachineEntry& machine, Detail detail) const;

  // IngestSink.
  WriteBatch& batch() override { return ledger.batch(); }
  void OnMeasurement(const AttemptRecord& attempt, const v1::Measurement& measurement) override;
  void OnCaseStarted(AttemptRecord& attempt) override;
  void OnCaseFinished(AttemptRecord& attempt, v1::CaseResult result) override {
    ledger.Report(attempt, std::move(result));
  }
  void OnJobFinished(AttemptRecord& attempt) override { ended = true; }

  const CoreOptions options;
  const std::function<uint64_t()> random;
  base::Time last_time;  // Of the last input.
  FleetTable fleet;
  QuarantineTable quarantines;
  Ledger ledger;
  Outgoing outgoing;
  Dispatcher dispatcher;
  TokenTable tokens;
  RequestMemory requests;
  std::vector<std::string> wanted_runs;
  std::vector<std::string> warnings;
  absl::flat_hash_map<std::string, int64_t> asked;  // Run id to when it was asked for.
  std::function<void(const Observation&)> observer;
  uint64_t events_ingested = 0, measurements_ingested = 0, events_duplicate = 0;
  bool ended = false;  // The batch at hand held a JobFinished.
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_CORE_IMPL_H_
