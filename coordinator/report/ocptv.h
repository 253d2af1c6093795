// A run as OCPTV v2: what the suites reported, out of the store, as strict JSON lines.
//
// One test run a job, one test step a case. A whole run is one stream: schemaVersion once, then the jobs' test runs one
// after the other, the sequence going on. A single job is a stream that any strict reader of OCPTV takes.
//
// A verdict is told as OCPTV knows it: FAILED and VACUOUS by a FAIL diagnosis, SKIPPED and KNOWN_ISSUE by status SKIP
// with an UNKNOWN diagnosis, what could not be told by status ERROR with an error artifact whose symptom is the
// verdict.
#ifndef MUSTER_COORDINATOR_REPORT_OCPTV_H_
#define MUSTER_COORDINATOR_REPORT_OCPTV_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "coordinator/report/run_report.h"

namespace muster::coordinator {

std::string OcptvLines(const RunReport& report);
// NotFound when the run has no such job.
absl::StatusOr<std::string> OcptvLinesOfJob(const RunReport& report, std::string_view job_id);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_OCPTV_H_
