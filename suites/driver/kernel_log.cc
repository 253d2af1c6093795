#include "suites/driver/kernel_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/subprocess.h"

namespace muster::driver {
namespace {

constexpr uint64_t kMaxFileBytes = 64ull << 20;

double ClockSeconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double SecondsOf(const base::KernelRecord& record) { return static_cast<double>(record.since_boot_us) * 1e-6; }

// Other facilities are programs that wrote to /dev/kmsg.
void Take(std::string_view text, KernelLog& log) {
  auto record = base::ParseKernelRecord(text);
  if (record.ok() && record->facility == 0) log.records.push_back(*std::move(record));
}

absl::StatusOr<KernelLog> ReadDevice(const std::string& path, int descriptor) {
  KernelLog log;
  bool read_one = false;
  std::array<char, base::kMaxKernelRecordBytes> record;
  while (true) {
    const ssize_t size = read(descriptor, record.data(), record.size());
    // EPIPE: records were overwritten while we read; the next read goes on with the oldest that is left.
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (size <= 0) break;
    read_one = true;
    Take({record.data(), static_cast<size_t>(size)}, log);
  }
  if (!read_one && errno != EAGAIN) {
    return absl::PermissionDeniedError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  log.now_seconds = ClockSeconds(CLOCK_MONOTONIC);
  return log;
}

absl::StatusOr<KernelLog> ReadPlainFile(const std::string& path, const struct stat& info) {
  const auto text = base::ReadFile(path, kMaxFileBytes);
  if (!text.ok()) return text.status();
  KernelLog log;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    Take({line.data(), line.size()}, log);
  }
  // Its newest record was written when the file was.
  const double age = ClockSeconds(CLOCK_REALTIME) - static_cast<double>(info.st_mtim.tv_sec);
  log.now_seconds = (log.records.empty() ? 0 : SecondsOf(log.records.back())) + std::max(0.0, age);
  return log;
}

struct Lines {
  std::vector<LogFault> events;
  // When the device, or all of its vendor, began anew.
  double began_anew_seconds = -1;
};

Lines LinesOf(const KernelLog& log, const v1::Device& device, const std::vector<std::string>& bridges) {
  const auto& catalogue = base::EventCatalogue::Embedded();
  Lines lines;
  for (const base::KernelRecord& record : log.records) {
    const auto match = catalogue.Classify(record.text);
    if (!match) continue;
    const bool about_it = match->pci_address == device.pci_address();
    if (match->kind->starts_anew() == device.vendor() && (about_it || match->pci_address.empty())) {
      lines.began_anew_seconds = SecondsOf(record);
    }
    if (match->kind->starts_anew() != v1::VENDOR_UNSPECIFIED) continue;
    const bool above_it =
        match->kind->gpu_path_only() && std::find(bridges.begin(), bridges.end(), match->pci_address) != bridges.end();
    if (about_it || above_it) lines.events.push_back({*match, SecondsOf(record), record.text, false});
  }
  return lines;
}

// So many of one kind within the catalogue's window, this one the last of them.
bool IsEnough(const std::vector<LogFault>& events, size_t last) {
  const base::EventKind& kind = *events[last].match.kind;
  uint32_t count = 0;
  for (size_t i = 0; i <= last; ++i) {
    count += events[i].match.kind == &kind && events[last].seconds - events[i].seconds <= kind.effect_window_seconds();
  }
  return count >= kind.effect_count();
}

bool Stands(const Lines& lines, size_t which, double now_seconds) {
  const LogFault& event = lines.events[which];
  const base::EventKind& kind = *event.match.kind;
  if (kind.effect() == v1::HEALTH_STATE_UNSPECIFIED) return false;
  if (kind.effect_count() > 1 && !IsEnough(lines.events, which)) return false;
  if (kind.clears().after_seconds() > 0) return now_seconds - event.seconds < kind.clears().after_seconds();
  return kind.clears().by() != base::Clears::RESET || event.seconds >= lines.began_anew_seconds;
}

}  // namespace

double KernelLog::BeginsSeconds() const { return records.empty() ? 0 : SecondsOf(records.front()); }

absl::StatusOr<KernelLog> ReadKernelLog(const std::string& path) {
  const base::OwnedFd log(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const int error = errno;
  if (!log.is_open() && (error == EPERM || error == EACCES)) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " may not be read by this user; run as root or with CAP_SYSLOG, or set kernel.dmesg_restrict=0"));
  }
  struct stat info {};
  if (!log.is_open() || fstat(log.get(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat("cannot open ", path, ": ", std::strerror(error)));
  }
  return S_ISREG(info.st_mode) ? ReadPlainFile(path, info) : ReadDevice(path, log.get());
}

std::vector<LogFault> FaultsOf(const KernelLog& log, const v1::Device& device,
                               const std::vector<std::string>& bridges) {
  Lines lines = LinesOf(log, device, bridges);
  for (size_t i = 0; i < lines.events.size(); ++i) lines.events[i].stands = Stands(lines, i, log.now_seconds);
  return std::move(lines.events);
}

}  // namespace muster::driver
