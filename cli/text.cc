#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace muster::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Characters that take no column: combining marks, joiners, variation selectors.
constexpr std::array kZeroWidth = std::to_array<Range>({
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x0610, 0x061a},
    {0x064b, 0x065f},
    {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200f},
    {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff},
    {0xe0100, 0xe01ef},
});

// Characters that take two: East Asian wide and full-width, emoji.
constexpr std::array kWide = std::to_array<Range>({
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
});

template <size_t N>
bool Contains(const std::array<Range, N>& ranges, char32_t c) {
  const auto it =
      std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t v, const Range& r) { return v < r.first; });
  return it != ranges.begin() && c <= std::prev(it)->last;
}

size_t CharacterWidth(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return 0;
  if (c < 0x300) return 1;
  if (Contains(kZeroWidth, c)) return 0;
  return Contains(kWide, c) ? 2 : 1;
}

// One character from the front of `text`: its code point and its bytes. `length` 1 and `valid` false: that byte is not
// UTF-8.
struct Character {
  char32_t code = 0;
  size_t length = 1;
  bool valid = true;
};

Character Decode(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {lead, 1, false};
  char32_t code = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1, false};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= kSmallest[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? Character{code, length, true} : Character{lead, 1, false};
}

// Marks that turn or isolate the reading direction, and line separators.
bool IsTreacherous(char32_t c) {
  return c == 0x061c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xfeff;
}

void AppendSanitized(std::string& out, absl::string_view text, const Character& c) {
  if (!c.valid) {
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint32_t>(c.code));
  } else if (c.code == '\n') {
    out += "\\n";
  } else if (c.code == '\t') {
    out += ' ';
  } else if (c.code < 0x20 || (c.code >= 0x7f && c.code < 0xa0)) {
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint32_t>(c.code));
  } else if (IsTreacherous(c.code)) {
    absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(c.code));
  } else {
    out.append(text.data(), c.length);
  }
}

// The end of the longest front of `text` that fits into `width` columns; sets `taken` to its columns.
size_t FrontThatFits(absl::string_view text, size_t width, size_t& taken) {
  taken = 0;
  size_t end = 0;
  while (end < text.size()) {
    const Character c = Decode(text.substr(end));
    const size_t columns = c.valid ? CharacterWidth(c.code) : 1;
    if (taken + columns > width) break;
    taken += columns;
    end += c.length;
  }
  return end;
}

}  // namespace

std::string Sanitize(absl::string_view remote, size_t max_bytes) {
  const bool cut = remote.size() > max_bytes;
  if (cut) remote = remote.substr(0, max_bytes);
  std::string out;
  while (!remote.empty()) {
    const Character c = Decode(remote);
    // The cut may have gone through a character.
    if (cut && !c.valid && remote.size() < 4) break;
    AppendSanitized(out, remote, c);
    remote.remove_prefix(c.length);
  }
  if (cut) out += "…";
  return out;
}

std::string SanitizeLog(absl::string_view data) {
  std::string out;
  while (!data.empty()) {
    const Character c = Decode(data);
    if (c.code == '\n' || c.code == '\t') {
      out += static_cast<char>(c.code);
    } else if (c.code != '\r') {
      AppendSanitized(out, data, c);
    }
    data.remove_prefix(c.length);
  }
  return out;
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  FrontThatFits(text, SIZE_MAX, width);
  return width;
}

std::string Truncate(absl::string_view text, size_t width) {
  size_t taken = 0;
  if (FrontThatFits(text, width, taken) == text.size()) return std::string(text);
  if (width == 0) return "";
  const size_t end = FrontThatFits(text, width - 1, taken);
  return absl::StrCat(text.substr(0, end), "…");
}

std::string FitLeft(absl::string_view text, size_t width) {
  std::string out = Truncate(text, width);
  out.append(width - std::min(width, DisplayWidth(out)), ' ');
  return out;
}

std::string FitRight(absl::string_view text, size_t width) {
  std::string out = Truncate(text, width);
  return std::string(width - std::min(width, DisplayWidth(out)), ' ') + out;
}

std::vector<std::string> Wrap(absl::string_view text, size_t width) {
  std::vector<std::string> lines;
  width = std::max<size_t>(width, 2);
  size_t taken = 0;
  while (DisplayWidth(text) > width) {
    size_t end = FrontThatFits(text, width, taken);
    const size_t space = text.substr(0, end + 1).rfind(' ');
    if (space != absl::string_view::npos && space > 0) end = space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  }
  lines.emplace_back(text);
  return lines;
}

}  // namespace muster::cli
