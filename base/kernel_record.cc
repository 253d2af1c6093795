#include "base/kernel_record.h"

#include <charconv>
#include <limits>

#include "base/names.h"
#include "base/text.h"
#include "base/utf8.h"

namespace muster::base {
namespace {

// The number that `text` begins with, up to `end`, which is taken too.
bool TakeNumber(std::string_view& text, char end, uint64_t& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop == text.data() + text.size() || *stop != end) return false;
  text.remove_prefix(static_cast<size_t>(stop - text.data()) + 1);
  return true;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "\x1b" is the byte 27; a backslash itself comes as "\x5c".
std::string Unescape(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
      const int high = HexDigit(text[i + 2]);
      const int low = HexDigit(text[i + 3]);
      if (high >= 0 && low >= 0) {
        bytes.push_back(static_cast<char>(high * 16 + low));
        i += 3;
        continue;
      }
    }
    bytes.push_back(text[i]);
  }
  return bytes;
}

// Fit for a message and a line of a log.
std::string Clean(std::string_view raw) {
  std::string text = ValidUtf8(Unescape(raw.substr(0, 4 * kMaxKernelTextBytes)));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() > kMaxKernelTextBytes) {
    size_t end = kMaxKernelTextBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // Not within a character.
    text.resize(end);
  }
  return text;
}

}  // namespace

absl::StatusOr<KernelRecord> ParseKernelRecord(std::string_view record) {
  constexpr uint64_t kMaxPrefix = 1'023;  // Ten bits: seven of the facility, three of the severity.
  std::string_view rest = record.substr(0, record.find('\n'));
  uint64_t prefix = 0;
  uint64_t sequence = 0;
  uint64_t time_us = 0;
  bool good = TakeNumber(rest, ',', prefix) && TakeNumber(rest, ',', sequence) && prefix <= kMaxPrefix;
  // Flags may be none, and more fields may come before the semicolon.
  std::string_view times = rest.substr(0, rest.find(';'));
  good = good && times.size() < rest.size();
  const std::string_view text = good ? rest.substr(times.size() + 1) : "";
  times = rest.substr(0, times.size() + 1);
  good = good && (TakeNumber(times, ',', time_us) || TakeNumber(times, ';', time_us));
  if (!good || time_us > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return absl::InvalidArgumentError(
        Text("expected a record of the kernel's log, PREFIX,SEQUENCE,MICROSECONDS,FLAGS;TEXT, found ", Quoted(record)));
  }
  return KernelRecord{.severity = static_cast<int>(prefix & 7),
                      .facility = static_cast<int>(prefix >> 3),
                      .sequence = sequence,
                      .since_boot_us = static_cast<int64_t>(time_us),
                      .text = Clean(text)};
}

}  // namespace muster::base
