// One line of OCPTV v2: from text to message, strictly.
//
// Protobuf's JSON mapping makes the message, but it alone is too lenient (single quotes, numbers in quotes, duplicate
// keys, unbounded depth, required fields that are absent). So the line is first checked, in one pass with bounded
// depth, against JSON's grammar, UTF-8 and the fields, types, required fields and enumerations of muster.v1.ocptv.
#ifndef MUSTER_AGENT_EXECUTOR_OCPTV_LINE_H_
#define MUSTER_AGENT_EXECUTOR_OCPTV_LINE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "muster/v1/ocptv.pb.h"

namespace muster::agent {

enum class OcptvMode {
  kStrict,
  // Also takes what the reference libraries print: null and "" for absent fields, unknown fields, ASIC_SUBSYSTEM, times
  // without zone.
  kCompatible,
};

constexpr int kMaxOcptvDepth = 32;

// An error says what was expected and where (byte offset) or at which field.
absl::StatusOr<v1::ocptv::Root> ParseOcptvLine(std::string_view line, OcptvMode mode);

// Milliseconds since 1970 of an OCPTV timestamp (RFC 3339). Without a zone: UTC in the compatible mode, nothing in the
// strict one.
std::optional<int64_t> ParseOcptvTime(std::string_view text, OcptvMode mode);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_OCPTV_LINE_H_
