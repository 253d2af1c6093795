// Parameters of suites: what a manifest declares and a run sets, typed and bounded.
#ifndef MUSTER_BASE_PARAMETER_H_
#define MUSTER_BASE_PARAMETER_H_

#include <google/protobuf/map.h>
#include <google/protobuf/struct.pb.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/suite.pb.h"

namespace muster::base {

// Whether the declaration makes sense: name, exactly one kind, bounds in order, a default that it would itself accept.
absl::Status ValidateParameter(const v1::Parameter& parameter);

// The value that `text` means for the declared parameter: a number (integers are exact up to 2^53), truth or text.
// InvalidArgument says what was expected.
absl::StatusOr<google::protobuf::Value> ParseParameter(const v1::Parameter& parameter, const std::string& text);

// Every declared parameter with its given or default value. InvalidArgument for a name that is not declared (the
// message lists those that are) and for a value that is not allowed. The manifest is a valid one.
absl::StatusOr<google::protobuf::Struct> ResolveParameters(
    const v1::SuiteManifest& manifest, const google::protobuf::Map<std::string, std::string>& given);

}  // namespace muster::base

#endif  // MUSTER_BASE_PARAMETER_H_
