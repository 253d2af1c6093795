// What things may be called, and the ids that Muster makes.
//
// Names travel into paths, URIs, reports and metrics, so they are narrow; the rules are those of the protos' comments.
// A Check… function returns OK, or InvalidArgument with the rule and the name found (shortened, unprintable characters
// escaped).
#ifndef MUSTER_BASE_NAMES_H_
#define MUSTER_BASE_NAMES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::base {

// A machine's or user's name in the fleet: dot-separated labels of [a-z0-9-], none empty, none longer than 63 or with a
// dash at an end, 253 characters in all.
absl::Status CheckMachineName(std::string_view name);
// [a-z][a-z0-9-]{0,63}
absl::Status CheckSuiteName(std::string_view name);
absl::Status CheckPlanName(std::string_view name);
// [a-z][a-z0-9_]{0,63}
absl::Status CheckParameterName(std::string_view name);
// [A-Za-z0-9][A-Za-z0-9._-]{0,127}
absl::Status CheckCaseName(std::string_view name);
absl::Status CheckArtifactName(std::string_view name);
// [A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?: a label's key, as selectors name it.
absl::Status CheckLabelName(std::string_view name);

// The machine name that a host of this name gets when nobody says another: lower case, and what a name may not hold is
// a dash. Empty when nothing is left.
std::string MachineNameFromHost(std::string_view host_name);

// "r-" and 13 characters of [0-9a-hjkmnp-tv-z]: nine of the time, so that ids sort by it to the millisecond, four of
// `random`. Two ids of one millisecond are equal once in a million: the caller who keeps them looks and draws again.
std::string MakeRunId(int64_t unix_ms, uint64_t random);
absl::Status CheckRunId(std::string_view id);

// "RUN-ID/NUMBER", numbers from 1.
std::string MakeJobId(std::string_view run_id, uint32_t number);
struct JobIdParts {
  std::string run_id;
  uint32_t number = 0;
};
absl::StatusOr<JobIdParts> ParseJobId(std::string_view job_id);

// For messages: in quotes, cut to 80 characters, unprintable ones escaped.
std::string Quoted(std::string_view text);

}  // namespace muster::base

#endif  // MUSTER_BASE_NAMES_H_
