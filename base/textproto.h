// Text that people write (manifests, plans, configuration) into messages, with errors that lead to the place.
#ifndef MUSTER_BASE_TEXTPROTO_H_
#define MUSTER_BASE_TEXTPROTO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace muster::base {

inline constexpr uint64_t kMaxTextProtoBytes = 1 << 20;

// Reads `text` into `message`, which is cleared first. Unknown fields are errors, nesting is bounded. InvalidArgument
// with "SOURCE:LINE:COLUMN: what is wrong" for each of the first five errors; lines and columns count from 1.
absl::Status ParseTextProto(std::string_view text, std::string_view source, google::protobuf::Message* message,
                            uint64_t max_bytes = kMaxTextProtoBytes);

// The same for a file of at most kMaxTextProtoBytes; SOURCE is its path.
absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message);

}  // namespace muster::base

#endif  // MUSTER_BASE_TEXTPROTO_H_
