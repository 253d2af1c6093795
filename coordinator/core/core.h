// The coordinator's mind: everything it decides, and no I/O.
//
// An input and the time go in; state changes in memory; what must be written and said gathers in Effects. The daemon's
// event loop owns the core, takes the effects, commits `batch` and only then sends `messages` and answers callers.
// After a restart the core is made again from the store's snapshot. The simulation (tests/simulation) drives the very
// same class.
#ifndef MUSTER_COORDINATOR_CORE_CORE_H_
#define MUSTER_COORDINATOR_CORE_CORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/event_loop.h"
#include "coordinator/store/store.h"
#include "muster/v1/agent_service.pb.h"
#include "muster/v1/control_service.pb.h"

namespace muster::coordinator {

// One agent stream; not 0, and never used again while the process lives.
using SessionId = uint64_t;

struct CoreOptions {
  int64_t heartbeat_interval_ms = 5'000;
  // A lease that no AgentState has named for so long is lost.
  int64_t lease_duration_ms = 60'000;
  uint32_t max_jobs_per_run = 100'000;
};

// Whether simulated GPUs take part in a run: a note says so from its start.
inline constexpr std::string_view kSimulatedNote = "simulated GPUs take part";
bool HasSimulatedGpus(const v1::Run& run);

// A case or measurement that became known, for /metrics; the coordinator's own MISSED, SKIPPED, … among them.
struct Observation {
  std::string machine;
  std::string device_id;  // Empty: of the machine.
  std::string suite;
  const v1::CaseResult* result = nullptr;        // One of the two;
  const v1::Measurement* measurement = nullptr;  // valid until the call returns.
};

struct Effects {
  WriteBatch batch;
  struct Message {
    SessionId session;
    v1::CoordinatorMessage message;
    bool then_close = false;  // End the stream after it.
  };
  std::vector<Message> messages;
  // Runs whose state changed, each once: watchers look again.
  std::vector<std::string> changed_runs;
  // Machines of which something that a MachineStatus shows changed, each once.
  std::vector<std::string> changed_machines;
  // For the log: what agents sent and was not taken.
  std::vector<std::string> warnings;
  // Runs that agents named and that are no longer here. When this batch is durable, give what Store::ReadRun has of
  // them to Core::Restore; leave it be when the store has none (the agent then keeps its attempt).
  std::vector<std::string> wanted_runs;
};

class Core {
 public:
  // `random` gives 64 random bits; ids are made of them and of the time.
  Core(const CoreOptions& options, Snapshot snapshot, base::Time now, std::function<uint64_t()> random);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Agent sessions. `machine` is the certificate's name.
  void SessionOpened(SessionId session, std::string_view machine, base::Time now);
  void OnAgentMessage(SessionId session, const v1::AgentMessage& message, base::Time now);
  // The same without copying what is stored: for the hot path.
  void OnAgentMessage(SessionId session, v1::AgentMessage&& message, base::Time now);
  void SessionClosed(SessionId session, base::Time now);

  // Expires leases and queue deadlines. Call at least when NextDeadline() has come.
  void Tick(base::Time now);
  // On the monotonic clock; INT64_MAX when nothing waits.
  int64_t NextDeadlineMonoMs() const;

  // A run of Effects::wanted_runs as the store has it. Ignored when it is here.
  void Restore(StoredRun run, base::Time now);

  // Control. `request.plan` is set: the API has looked the name up.
  absl::StatusOr<v1::Run> StartRun(const v1::StartRunRequest& request, std::string_view requested_by, base::Time now);
  // Cancels what waits and asks the agents to stop what runs. NotFound for runs that are not active.
  absl::StatusOr<v1::Run> CancelRun(std::string_view run_id, std::string_view by, std::string_view reason,
                                    base::Time now);

  // Quarantines. `author` is who asks. NotFound names what there is.
  absl::StatusOr<v1::Quarantine> SetQuarantine(const v1::SetQuarantineRequest& request, std::string_view author,
                                               base::Time now);
  absl::StatusOr<v1::Quarantine> ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request, base::Time now);

  // Enrolment tokens (checked and used up here so that a crash cannot give one away twice).
  void AddToken(TokenRecord token);
  // The token's role; marks it used by `name`. Unauthenticated when unknown, used, expired, or bound to another name.
  absl::StatusOr<v1::Role> UseToken(std::string_view token_id, std::string_view secret, std::string_view name,
                                    base::Time now);

  // Everything that came of the calls since the last one.
  Effects TakeEffects();
  // Called with each case result and measurement as it becomes known. May be null.
  void SetObserver(std::function<void(const Observation&)> observer);

  // Views for the API; copies, complete for active runs. Finished runs are in the store (and may still be here).
  absl::StatusOr<StoredRun> ReadRun(std::string_view run_id) const;
  // Cases that started and have not ended.
  std::vector<v1::RunningCase> RunningCases(std::string_view run_id) const;
  enum class Detail {
    kBrief,   // Without suites, events and samples.
    kSuites,  // With the suites.
    kWhole,
  };
  std::vector<v1::MachineStatus> Machines(Detail detail = Detail::kBrief) const;
  absl::StatusOr<v1::MachineStatus> FindMachine(std::string_view name, Detail detail = Detail::kWhole) const;

  struct Counts {
    uint64_t machines = 0, machines_connected = 0, devices = 0, active_runs = 0;
    uint64_t jobs_queued = 0, jobs_leased = 0, jobs_running = 0;
    uint64_t events_ingested = 0, measurements_ingested = 0, events_duplicate = 0, leases_lost = 0;
  };
  Counts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_CORE_H_
