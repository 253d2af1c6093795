#include "base/clean_text.h"

#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace muster::base {
namespace {

// Length of the UTF-8 sequence that `text` begins with; 0 when it begins with none.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;   // overlong
    if (first == 0xED) high = 0x9F;  // surrogates
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;   // overlong
    if (first == 0xF4) high = 0x8F;  // above U+10FFFF
  }
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool IsControl(absl::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1
}

}  // namespace

std::string CleanText(absl::string_view raw, size_t limit) {
  absl::string_view rest = absl::StripAsciiWhitespace(raw.substr(0, raw.find('\0')));
  std::string clean;
  while (!rest.empty()) {
    const size_t length = SequenceLength(rest);
    const absl::string_view sequence = length == 0 ? absl::string_view("?") : rest.substr(0, length);
    rest.remove_prefix(length == 0 ? 1 : length);
    if (IsControl(sequence)) continue;
    if (clean.size() + sequence.size() > limit) break;
    clean.append(sequence.data(), sequence.size());
  }
  absl::StripTrailingAsciiWhitespace(&clean);
  return clean;
}

std::optional<uint64_t> ParseNumber(absl::string_view text, int base) {
  if (base == 16 && !absl::ConsumePrefix(&text, "0x")) absl::ConsumePrefix(&text, "0X");
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace muster::base
