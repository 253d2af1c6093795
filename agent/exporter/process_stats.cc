#include "agent/exporter/process_stats.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/file.h"

namespace muster::agent {
namespace {

constexpr uint64_t kMaxFileBytes = 8'192;

int64_t ClockMs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

// Field `index` of a file of /proc; -1 when it is not there. In stat the name, in brackets, may hold spaces: fields
// are counted from what is behind it.
int64_t ProcField(const char* path, size_t index) {
  const absl::StatusOr<std::string> text = base::ReadFile(path, kMaxFileBytes);
  if (!text.ok()) return -1;
  const size_t name_end = text->rfind(')');
  const absl::string_view rest = absl::string_view(*text).substr(name_end == std::string::npos ? 0 : name_end + 1);
  const std::vector<absl::string_view> fields = absl::StrSplit(rest, ' ', absl::SkipEmpty());
  int64_t value = -1;
  return index < fields.size() && absl::SimpleAtoi(fields[index], &value) ? value : -1;
}

int64_t ReadStartUnixMs() {
  const int64_t start_ticks = ProcField("/proc/self/stat", 19);  // "starttime", since the machine started.
  if (start_ticks < 0) return 0;
  const int64_t age_ms = ClockMs(CLOCK_BOOTTIME) - start_ticks * 1'000 / sysconf(_SC_CLK_TCK);
  return ClockMs(CLOCK_REALTIME) - age_ms;
}

}  // namespace

ProcessStats ReadProcessStats() {
  static const int64_t start_unix_ms = ReadStartUnixMs();  // Once: it must not move with the clock.
  ProcessStats stats{.start_unix_ms = start_unix_ms};
  const int64_t pages = ProcField("/proc/self/statm", 1);
  if (pages > 0) stats.resident_bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  stats.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return stats;
}

}  // namespace muster::agent
