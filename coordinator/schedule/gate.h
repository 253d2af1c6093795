// What keeps jobs away from a machine and its devices: quarantine, and devices that have failed.
//
// A quarantine is somebody's decision: what it keeps away is SKIPPED. A device whose health is FAILED is a finding:
// what it keeps away is MISSED, so that the run is red. Pure.
#ifndef MUSTER_COORDINATOR_SCHEDULE_GATE_H_
#define MUSTER_COORDINATOR_SCHEDULE_GATE_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "coordinator/fleet/fleet_table.h"
#include "muster/v1/health.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

struct Gate {
  struct Decision {
    v1::Fate fate = v1::FATE_UNSPECIFIED;  // FATE_QUARANTINED, FATE_WITHHELD, or UNSPECIFIED: the job may go.
    std::string why;
  };
  // A job with several devices is kept away by each of them.
  Decision Decide(const v1::Job& job) const;
  bool operator==(const Gate&) const = default;

  // Why, in a sentence.
  std::string machine_quarantined;  // Empty: it is not.
  std::map<std::string, std::string, std::less<>> quarantined;
  std::map<std::string, std::string, std::less<>> failed;
};

// As the machine and its quarantines stand. A device of a machine that is not connected, or has not said how it is, is
// not known to have failed.
Gate GateOf(const MachineEntry& machine, const std::vector<v1::Quarantine>& quarantines);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SCHEDULE_GATE_H_
