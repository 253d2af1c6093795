#include "suites/driver/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace muster::driver {
namespace {

// The time in the head of a record, and what follows the head.
std::pair<double, absl::string_view> SplitHead(absl::string_view record) {
  double seconds = 0;
  if (!record.empty() && record.front() == '[') {
    const size_t end = record.find(']');
    if (end == absl::string_view::npos) return {0, record};
    if (!absl::SimpleAtod(absl::StripAsciiWhitespace(record.substr(1, end - 1)), &seconds)) return {0, record};
    return {seconds, record.substr(end + 1)};
  }
  const size_t end = record.find(';');
  if (end == absl::string_view::npos) return {0, record};
  const std::vector<absl::string_view> fields = absl::StrSplit(record.substr(0, end), ',');
  int64_t microseconds = 0;
  if (fields.size() < 4 || !absl::SimpleAtoi(fields[2], &microseconds)) return {0, record};
  return {static_cast<double>(microseconds) * 1e-6, record.substr(end + 1)};
}

}  // namespace

bool Xid::ByApplication() const {
  // NVIDIA's Xid catalogue: 13 graphics engine exception, 31 memory page fault, 43 stopped processing, 45 preemptive
  // cleanup.
  return number == 13 || number == 31 || number == 43 || number == 45;
}

std::optional<Xid> ParseXid(absl::string_view record) {
  constexpr absl::string_view kBefore = "NVRM: Xid (PCI:";
  const auto [seconds, message] = SplitHead(record);
  const size_t start = message.find(kBefore);
  if (start == absl::string_view::npos) return std::nullopt;
  absl::string_view rest = message.substr(start + kBefore.size());
  const size_t close = rest.find("): ");
  if (close == absl::string_view::npos) return std::nullopt;
  Xid xid;
  xid.seconds = seconds;
  xid.pci_address = absl::AsciiStrToLower(rest.substr(0, close));
  // The driver leaves out the function, and newer ones may not.
  if (xid.pci_address.find('.') == std::string::npos) xid.pci_address += ".0";
  rest = rest.substr(close + 3);
  const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  if (!absl::SimpleAtoi(rest.substr(0, digits), &xid.number)) return std::nullopt;
  rest = rest.substr(digits);
  rest = rest.substr(0, rest.find('\n'));
  while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ')) rest.remove_prefix(1);
  xid.detail = std::string(rest);
  return xid;
}

absl::StatusOr<KernelLog> ReadKernelLog(const std::string& path) {
  const int log = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int open_error = errno;
  if (log < 0 && (open_error == EPERM || open_error == EACCES)) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " may not be read by this user; run as root or with CAP_SYSLOG, or set kernel.dmesg_restrict=0"));
  }
  if (log < 0) return absl::NotFoundError(absl::StrCat("cannot open ", path, ": ", std::strerror(open_error)));
  KernelLog result;
  bool first = true;
  std::array<char, 8192> record;
  while (true) {
    const ssize_t size = read(log, record.data(), record.size());
    // EPIPE: records were overwritten while we read; the next read goes on with the oldest that is left.
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (size <= 0) break;
    const absl::string_view text(record.data(), static_cast<size_t>(size));
    if (first) result.begins_seconds = SplitHead(text).first;
    first = false;
    if (auto xid = ParseXid(text)) result.xids.push_back(*std::move(xid));
  }
  const int read_error = errno;
  close(log);
  if (first && read_error != EAGAIN) {
    return absl::PermissionDeniedError(absl::StrCat("cannot read ", path, ": ", std::strerror(read_error)));
  }
  return result;
}

}  // namespace muster::driver
