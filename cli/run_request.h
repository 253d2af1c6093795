// From what the user typed to the request that starts a run. Pure but for reading the plan's file.
#ifndef MUSTER_CLI_RUN_REQUEST_H_
#define MUSTER_CLI_RUN_REQUEST_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/control_service.pb.h"

namespace muster::cli {

struct RunRequestOptions {
  std::vector<std::string> names;   // A plan, a plan's file, or suites.
  std::vector<std::string> suites;  // --suite
  std::string on;
  std::string level;
  std::vector<std::string> parameters;  // --set
  std::vector<std::string> cases;       // --case
  std::optional<int> priority;
  bool on_quarantined = false;
  bool destructive = false;
};

// "quick", "medium", "long", "stress" or 1 to 4; empty: UNSPECIFIED.
absl::StatusOr<v1::Level> ParseLevel(const std::string& text);

// InvalidArgument says what was expected. One name that is no file is taken for a plan's; several, and those of
// --suite, are suites: the request then carries a plan of its own.
absl::StatusOr<v1::StartRunRequest> BuildRunRequest(const RunRequestOptions& options);

// A plan of these suites, as --suite makes it.
v1::Plan PlanOfSuites(const std::vector<std::string>& suites);
// Puts `cases` in the place of those of each suite.
void SetCases(const std::vector<std::string>& cases, v1::Plan& plan);

}  // namespace muster::cli

#endif  // MUSTER_CLI_RUN_REQUEST_H_
