// What users call a run, and what the store and the core have of it. Functions for workers: they read the store and
// block.
#ifndef MUSTER_COORDINATOR_API_RUN_LOOKUP_H_
#define MUSTER_COORDINATOR_API_RUN_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/report/run_report.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

// The whole id of the run meant: "last" is the newest; otherwise an id, or what one run's alone begins with, with or
// without "r-". NotFound; InvalidArgument when several are meant, or the text can be none.
absl::StatusOr<std::string> ResolveRun(Store& store, const std::string& text);

// "JOB" of the run meant: the text before the slash may be short. The whole job id.
absl::StatusOr<std::string> ResolveJob(Store& store, const std::string& text);

// All but the machines.
absl::StatusOr<RunReport> ReadReport(Store& store, const std::string& run_id);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_RUN_LOOKUP_H_
