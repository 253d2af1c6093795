// One JSON object, written from left to right into a string: what a line of OCPTV is made of.
//
// Protobuf's JSON mapping cannot write OCPTV: it quotes 64-bit integers and leaves out zeros, and the specification
// requires both as numbers. Keys are the caller's and are not escaped; text is, and bytes that are not UTF-8 become
// U+FFFD.
#ifndef MUSTER_SUITES_SDK_JSON_LINE_H_
#define MUSTER_SUITES_SDK_JSON_LINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster::sdk {

// `text` as a JSON string, with its quotes.
std::string JsonText(absl::string_view text);
// The shortest decimal that reads back as the same double. `value` must be finite.
std::string JsonNumber(double value);
// `items`, each already JSON, as an array.
std::string JsonArray(const std::vector<std::string>& items);

class JsonObject {
 public:
  JsonObject& Text(absl::string_view key, absl::string_view value) { return Raw(key, JsonText(value)); }
  // Leaves the key out when the value is empty: OCPTV's optional fields.
  JsonObject& OptionalText(absl::string_view key, absl::string_view value) {
    return value.empty() ? *this : Text(key, value);
  }
  JsonObject& Integer(absl::string_view key, int64_t value) { return Raw(key, std::to_string(value)); }
  JsonObject& Boolean(absl::string_view key, bool value) { return Raw(key, value ? "true" : "false"); }
  JsonObject& Object(absl::string_view key, const JsonObject& value) { return Raw(key, value.Close()); }
  // `json` as it is.
  JsonObject& Raw(absl::string_view key, absl::string_view json);

  std::string Close() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_JSON_LINE_H_
