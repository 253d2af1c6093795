// Bytes of unknown origin made fit for a protobuf string, which must be UTF-8.
#ifndef MUSTER_BASE_UTF8_H_
#define MUSTER_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace muster::base {

// Length of the UTF-8 sequence that `text` begins with; 0 when it begins with none (overlong, surrogate, cut off,
// beyond U+10FFFF) or is empty.
size_t Utf8SequenceLength(std::string_view text);

// `text` with U+FFFD for every byte that is of no valid sequence.
std::string ValidUtf8(std::string_view text);

}  // namespace muster::base

#endif  // MUSTER_BASE_UTF8_H_
