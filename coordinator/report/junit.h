// A run as JUnit XML, as Jenkins, GitLab and their kin read it.
//
// A testsuite is a job, a testcase a case. FAILED and VACUOUS are failures; ERROR, CRASHED, TIMED_OUT, CANCELLED,
// MISSED and what this version does not know are errors; SKIPPED and KNOWN_ISSUE are skipped. The element's `type` is
// the verdict itself. Machine, devices, versions and driver are the testsuite's properties; measurements stand in the
// testcase's system-out.
#ifndef MUSTER_COORDINATOR_REPORT_JUNIT_H_
#define MUSTER_COORDINATOR_REPORT_JUNIT_H_

#include <string>

#include "coordinator/report/run_report.h"

namespace muster::coordinator {

// Well-formed XML 1.0 in UTF-8, whatever bytes the names and reasons hold.
std::string JunitXml(const RunReport& report);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_JUNIT_H_
