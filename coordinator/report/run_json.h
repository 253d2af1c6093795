// A run as JSON: protobuf's mapping of GetRunResponse, with measurements.
#ifndef MUSTER_COORDINATOR_REPORT_RUN_JSON_H_
#define MUSTER_COORDINATOR_REPORT_RUN_JSON_H_

#include <string>

#include "coordinator/report/run_report.h"
#include "muster/v1/control_service.pb.h"

namespace muster::coordinator {

// What GetRun answers. Measurements of the attempts that count.
// With `all_attempts` the measurements of the attempts that do not count are there, too.
v1::GetRunResponse RunResponse(RunReport report, bool all_attempts = false);

std::string RunJson(RunReport report);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_RUN_JSON_H_
