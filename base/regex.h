// Regular expressions that arrive from outside: RE2, so matching takes linear time, in bounded memory.
#ifndef MUSTER_BASE_REGEX_H_
#define MUSTER_BASE_REGEX_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace muster::base {

using Regex = std::shared_ptr<const re2::RE2>;

// InvalidArgument: what RE2 says of the pattern. Safe to use from any thread.
absl::StatusOr<Regex> CompileRegex(std::string_view pattern);

// Whether the whole text matches.
bool FullMatch(const Regex& regex, const std::string& text);

}  // namespace muster::base

#endif  // MUSTER_BASE_REGEX_H_
