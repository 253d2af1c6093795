// One case of another suite of the same installation, run as a program of its own with devices and parameters of the
// caller's choice.
#ifndef MUSTER_SUITES_DETECTION_SIBLING_RUN_H_
#define MUSTER_SUITES_DETECTION_SIBLING_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

namespace muster::detection {

struct SiblingCase {
  std::string suite;
  std::string case_name;
  int level = 1;
  // A JSON object; empty for the manifest's defaults.
  std::string parameters;
};

struct SiblingOutcome {
  // OCPTV's: "COMPLETE", "ERROR", "SKIP".
  std::string status;
  // Messages of FAIL diagnoses.
  std::vector<std::string> failures;
  // Messages of errors, and of UNKNOWN diagnoses: why it was skipped.
  std::vector<std::string> remarks;
};

// The suite's program lies in ../SUITE/SUITE, seen from this program's folder. NotFound when it does not; Internal when
// it ends without an answer for the case; ResourceExhausted when it says more than 64 MiB.
absl::StatusOr<SiblingOutcome> RunSibling(const SiblingCase& wanted, const std::vector<v1::Device>& devices);

}  // namespace muster::detection

#endif  // MUSTER_SUITES_DETECTION_SIBLING_RUN_H_
