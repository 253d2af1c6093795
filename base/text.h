// Text put together from parts, as absl::StrCat does it.
//
// Debian's Abseil is built for C++14, where absl::string_view is a type of its own: its StrCat does not take a
// std::string_view, and this one does, with any Abseil.
#ifndef MUSTER_BASE_TEXT_H_
#define MUSTER_BASE_TEXT_H_

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace muster::base {

inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }

template <typename Part>
const Part& TextPart(const Part& part) {
  return part;
}
inline absl::string_view TextPart(const std::string_view& part) { return AbslView(part); }

// Arguments are anything absl::StrCat takes, and std::string_view.
template <typename... Parts>
std::string Text(const Parts&... parts) {
  return absl::StrCat(TextPart(parts)...);
}

}  // namespace muster::base

#endif  // MUSTER_BASE_TEXT_H_
