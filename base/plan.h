// What a plan means: whether it makes sense, and the defaults of what it leaves open.
#ifndef MUSTER_BASE_PLAN_H_
#define MUSTER_BASE_PLAN_H_

#include <cstdint>

#include "absl/status/status.h"
#include "muster/v1/plan.pb.h"

namespace muster::base {

// InvalidArgument with the first thing that is wrong. Whether its suites, cases and parameters exist only the machines'
// manifests say.
absl::Status ValidatePlan(const v1::Plan& plan);

// The suite's level, else the plan's, else QUICK.
v1::Level LevelOf(const v1::Plan& plan, const v1::PlanSuite& suite);
int64_t QueueTimeLimitMs(const v1::Plan& plan);
uint32_t MaxAttempts(const v1::Plan& plan);

}  // namespace muster::base

#endif  // MUSTER_BASE_PLAN_H_
