// A plan and the fleet in, jobs out.
//
// Every suite of the plan becomes, on every machine that the plan is for, jobs by the device scope of its cases. What
// cannot run there is a job too, with its results from the start: SKIPPED where a requirement is not met, FAILED where
// the device is there and its driver does not serve it, ERROR where the machine's manifest is broken. So nothing is
// green by being left out. Pure.
#ifndef MUSTER_COORDINATOR_SCHEDULE_PLAN_EXPANSION_H_
#define MUSTER_COORDINATOR_SCHEDULE_PLAN_EXPANSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/store/store.h"
#include "muster/v1/control_service.pb.h"

namespace muster::coordinator {

struct PlannedJob {
  // Machine, spec and expected cases; and not_runnable_reason, when it cannot run.
  v1::Job job;
  // Outcomes of the cases, when it cannot run.
  std::vector<v1::CaseResult> results;
  // It cannot run because the machine has no device that fits.
  bool lacks_device = false;
  // It cannot run because the machine has no such suite.
  bool lacks_suite = false;
};

struct Expansion {
  std::vector<PlannedJob> jobs;
  // For Run.notes.
  std::vector<std::string> notes;
};

using Machines = std::vector<const MachineRecord*>;

// The request's plan with the request's overrides in it. `fleet` says what parameters there are.
absl::StatusOr<v1::Plan> PlanOf(const v1::StartRunRequest& request, const Machines& fleet);

// InvalidArgument when the plan asks for what no machine declares, is for no machine, or names a destructive case and
// `destructive` does not allow that.
absl::StatusOr<Expansion> Expand(const v1::Plan& plan, const Machines& fleet, uint32_t max_jobs,
                                 bool destructive = false);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SCHEDULE_PLAN_EXPANSION_H_
