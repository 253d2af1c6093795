// The daemons' own log: one line an event, on standard error.
//
// Under systemd (JOURNAL_STREAM is set) lines begin with the syslog priority, "<6>", and the journal adds the time;
// elsewhere with time and level. Any thread. Arguments are anything absl::StrCat takes; line breaks and control
// characters are escaped, so that nothing that arrives over the wire can forge a line.
#ifndef MUSTER_BASE_LOG_H_
#define MUSTER_BASE_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace muster::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Lines below `level` are dropped from now on; kInfo at first.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
// "debug", "info", "warning", "error".
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);

// Writes one line. Use the functions below.
void WriteLogLine(LogLevel level, std::string_view text);
// What WriteLogLine writes, with its line break.
std::string FormatLogLine(LogLevel level, std::string_view text, int64_t unix_ms, bool journal);

// Debian's absl::StrCat does not take a std::string_view.
template <typename Part>
const Part& LogPart(const Part& part) {
  return part;
}
inline absl::string_view LogPart(const std::string_view& part) { return {part.data(), part.size()}; }

template <typename... Parts>
void LogDebug(const Parts&... parts) {
  if (LogEnabled(LogLevel::kDebug)) WriteLogLine(LogLevel::kDebug, absl::StrCat(LogPart(parts)...));
}
template <typename... Parts>
void LogInfo(const Parts&... parts) {
  if (LogEnabled(LogLevel::kInfo)) WriteLogLine(LogLevel::kInfo, absl::StrCat(LogPart(parts)...));
}
template <typename... Parts>
void LogWarning(const Parts&... parts) {
  if (LogEnabled(LogLevel::kWarning)) WriteLogLine(LogLevel::kWarning, absl::StrCat(LogPart(parts)...));
}
template <typename... Parts>
void LogError(const Parts&... parts) {
  if (LogEnabled(LogLevel::kError)) WriteLogLine(LogLevel::kError, absl::StrCat(LogPart(parts)...));
}

}  // namespace muster::base

#endif  // MUSTER_BASE_LOG_H_
