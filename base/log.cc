#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace muster::base {
namespace {

constexpr size_t kMaxLine = 4096;

struct LevelNames {
  const char* name;
  char initial;
  int syslog_priority;
};
constexpr LevelNames kLevels[] = {{"debug", 'D', 7}, {"info", 'I', 6}, {"warning", 'W', 4}, {"error", 'E', 3}};

std::atomic<LogLevel> lowest_level{LogLevel::kInfo};

const LevelNames& NamesOf(LogLevel level) { return kLevels[static_cast<int>(level)]; }

void AppendEscaped(std::string_view text, std::string& line) {
  for (const char c : text.substr(0, kMaxLine)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppendFormat(&line, "\\x%02x", byte);
    } else {
      line.push_back(c);
    }
  }
  if (text.size() > kMaxLine) line.append("…");
}

}  // namespace

void SetLogLevel(LogLevel level) { lowest_level = level; }
bool LogEnabled(LogLevel level) { return level >= lowest_level; }

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  for (int i = 0; i < 4; ++i) {
    if (text == kLevels[i].name) return static_cast<LogLevel>(i);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level \"", std::string(text), "\": expected debug, info, warning or error"));
}

std::string FormatLogLine(LogLevel level, std::string_view text, int64_t unix_ms, bool journal) {
  std::string line =
      journal
          ? absl::StrFormat("<%d>", NamesOf(level).syslog_priority)
          : absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ ", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone()),
                         std::string(1, NamesOf(level).initial), " ");
  AppendEscaped(text, line);
  line.push_back('\n');
  return line;
}

void WriteLogLine(LogLevel level, std::string_view text) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const int64_t unix_ms = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::string line = FormatLogLine(level, text, unix_ms, journal);
  // One write a line, so that lines of several threads do not mix. There is nowhere to report a failure.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace muster::base
