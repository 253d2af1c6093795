// What the helpers of a running suite program share: its environment and its report. One at a time; run_suite.cc makes
// it.
#ifndef MUSTER_SUITES_SDK_SESSION_H_
#define MUSTER_SUITES_SDK_SESSION_H_

#include "suites/sdk/environment.h"
#include "suites/sdk/report.h"

namespace muster::sdk {

class Session {
 public:
  // Both outlive the session.
  Session(const Environment& environment, Report& report);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Throws ToolError when there is none.
  static Session& Current();

  const Environment& environment() const { return environment_; }
  Report& report() { return report_; }

 private:
  const Environment& environment_;
  Report& report_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_SESSION_H_
