// What a suite's manifest means: whether it makes sense, which of its cases a request asks for, how long they may take.
//
// Agent and coordinator both use it, so that what the one accepts the other does. Parameters are in parameter.h, plans
// in plan.h.
#ifndef MUSTER_BASE_MANIFEST_H_
#define MUSTER_BASE_MANIFEST_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/parameter.h"
#include "muster/v1/suite.pb.h"

namespace muster::base {

inline constexpr int64_t kMaxTimeLimitMs = int64_t{7} * 24 * 3600 * 1000;

// InvalidArgument with the first thing that is wrong, e.g. "suite driver: case a.b: time_limit_ms: expected …".
absl::Status ValidateManifest(const v1::SuiteManifest& manifest);

// InvalidArgument unless the path is relative and stays in the folder that it starts from.
absl::Status CheckProgramPath(std::string_view path);

// The cases asked for, in the manifest's order; pointers into `manifest`, which is a valid one.
//
// Without patterns: those of `level` (UNSPECIFIED: QUICK) and below that are not destructive; may be none. With
// patterns, whatever the level: those that one of them names exactly or, being a regular expression, matches whole; a
// destructive case only by its exact name. NotFound for a pattern that fits no case (the message lists the closest
// names), InvalidArgument for a broken one.
absl::StatusOr<std::vector<const v1::Case*>> SelectCases(
    const v1::SuiteManifest& manifest, v1::Level level,
    const google::protobuf::RepeatedPtrField<std::string>& patterns);

// Which devices a job with the case leases: the case's own scope, or the suite's.
v1::DeviceScope ScopeOf(const v1::SuiteManifest& manifest, const v1::Case& one);

// The limits that hold, defaults filled in.
int64_t CaseTimeLimitMs(const v1::SuiteManifest& manifest, const v1::Case& one);
int64_t JobTimeLimitMs(const v1::SuiteManifest& manifest, const std::vector<const v1::Case*>& cases);
int64_t TerminationGraceMs(const v1::SuiteManifest& manifest);

// "quick", "medium", "long", "stress"; "level 7" for one that this version does not know.
std::string LevelName(v1::Level level);
// A name as above or 1 to 4.
absl::StatusOr<v1::Level> ParseLevel(std::string_view text);

}  // namespace muster::base

#endif  // MUSTER_BASE_MANIFEST_H_
