// Gives waiting jobs to machines, under leases, and settles what the machines say they hold.
//
// A job waits in its machine's queue, is granted with a new epoch when its devices are free and the machine is
// connected, and ends with its JobFinished or with its lease. Plain memory; owned by Core.
#ifndef MUSTER_COORDINATOR_CORE_DISPATCHER_H_
#define MUSTER_COORDINATOR_CORE_DISPATCHER_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/event_loop.h"
#include "coordinator/core/ledger.h"
#include "coordinator/core/outgoing.h"
#include "coordinator/fleet/fleet_table.h"
#include "coordinator/schedule/deadline_table.h"
#include "coordinator/schedule/gate.h"
#include "coordinator/schedule/machine_queue.h"

namespace muster::coordinator {

class Dispatcher {
 public:
  // All outlive the dispatcher. `last_epoch`: the last that was given away.
  Dispatcher(const CoreOptions& options, FleetTable& fleet, Ledger& ledger, Outgoing& outgoing, uint64_t last_epoch);

  // A job of a new run: to the queue of its machine.
  void Enqueue(JobRecord& job, base::Time now);
  // A job of the store, as it stood: back to the queue, or its lease anew.
  void Resume(JobRecord& job, base::Time now);
  // A job that never goes to a machine; ends it with an attempt of that fate.
  void EndUnstarted(JobRecord& job, v1::Fate fate, std::string_view detail, base::Time now);
  // Ends it when it waits, else asks its machine to stop it.
  void Cancel(JobRecord& job, std::string_view reason, base::Time now);

  // The machine said Hello: its devices may be others than before.
  void MachineChanged(const MachineEntry& machine);
  // What is kept away from the machine from now on: ends the waiting jobs that it keeps away. What runs goes on.
  void SetGate(const MachineEntry& machine, Gate gate, base::Time now);
  // Whether the job would be kept away now.
  Gate::Decision Decide(const v1::Job& job) const;
  // Settles the difference between what the machine holds and what it should run. Returns the ids of the runs that are
  // unknown.
  std::vector<std::string> Reconcile(MachineEntry& machine, const v1::AgentState& state, base::Time now);
  // The attempt's JobFinished has been taken.
  void AttemptClosed(AttemptRecord& attempt, base::Time now);
  // Gives the machine what it can run now. To be called when new jobs have been queued.
  void Dispatch(MachineEntry& machine, base::Time now);

  // Ends leases and waits whose time has come.
  void Tick(base::Time now);
  int64_t next_deadline() const { return deadlines_.next(); }

  std::vector<v1::Lease> LeasesOf(const MachineEntry& machine, base::Time now) const;
  uint64_t leases_lost() const { return leases_lost_; }

 private:
  struct Station {
    MachineQueue queue;
    Gate gate;
    std::set<JobRecord*, MoreUrgent> leased;
  };
  Station& StationOf(const JobRecord& job) { return stations_[job.job.machine()]; }

  void Grant(MachineEntry& machine, Station& station, JobRecord& job, base::Time now);
  void BeginLease(Station& station, JobRecord& job, base::Time now);
  void EndLease(Station& station, JobRecord& job);
  void LoseLease(JobRecord& job, std::string_view why, base::Time now);
  // The newest attempt has ended: another one, or the end of the job.
  void Settle(JobRecord& job, base::Time now);
  void Wait(JobRecord& job, base::Time now);
  // Ends the waiting job when the gate keeps it away.
  bool KeepAway(JobRecord& job, base::Time now);
  void SettleHeld(MachineEntry& machine, AttemptRecord& attempt, const v1::HeldAttempt& held, base::Time now);
  void SettleNotHeld(MachineEntry& machine, JobRecord& job, base::Time now);
  void Revive(Station& station, AttemptRecord& attempt, base::Time now);
  int64_t LeaseRemaining(const JobRecord& job, base::Time now) const;

  const CoreOptions options_;
  FleetTable& fleet_;
  Ledger& ledger_;
  Outgoing& outgoing_;
  uint64_t last_epoch_;
  absl::flat_hash_map<std::string, Station> stations_;  // By the machine's name.
  DeadlineTable deadlines_;
  uint64_t leases_lost_ = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_DISPATCHER_H_
