// Messages in protobuf's JSON mapping: for the environment of suite programs, OCPTV, and scripts.
#ifndef MUSTER_BASE_JSON_H_
#define MUSTER_BASE_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace muster::base {

enum class JsonStyle {
  kCompact,  // One line, no line break in or after it.
  kIndented,
};

// lowerCamelCase names; unset fields and zeros are left out. The same message gives the same bytes. Never fails for
// messages without google.protobuf.Any; a message that cannot be written (a NaN in a Value) gives "{}".
std::string ToJson(const google::protobuf::Message& message, JsonStyle style = JsonStyle::kCompact);

enum class UnknownFields { kRefuse, kIgnore };

// Reads one JSON value into `message`, which is cleared first. Nesting is bounded (100). InvalidArgument says what is
// wrong.
absl::Status FromJson(std::string_view json, UnknownFields unknown, google::protobuf::Message* message);

// A JSON string literal, quotes included.
std::string JsonString(std::string_view text);

}  // namespace muster::base

#endif  // MUSTER_BASE_JSON_H_
