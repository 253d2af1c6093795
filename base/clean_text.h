// Strings from firmware, drivers and sysfs, made fit for a message: short, valid UTF-8, no control characters.
#ifndef MUSTER_BASE_CLEAN_TEXT_H_
#define MUSTER_BASE_CLEAN_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace muster::base {

inline constexpr size_t kMaxText = 256;

// `raw` up to its first NUL, without control characters and outer blanks, at most `limit` bytes. Bytes that are not
// UTF-8 become '?'.
std::string CleanText(absl::string_view raw, size_t limit = kMaxText);

// A whole string that is a number in `base` ("0x10de" with base 16, too); anything else is nothing.
std::optional<uint64_t> ParseNumber(absl::string_view text, int base = 10);

}  // namespace muster::base

#endif  // MUSTER_BASE_CLEAN_TEXT_H_
