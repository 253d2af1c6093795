#include "agent/inventory/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/inventory/level_zero_library.h"
#include "agent/inventory/nvml_library.h"
#include "base/clean_text.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "base/subprocess.h"

namespace muster::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr absl::string_view kMagic = "muster-probe 1 ";
constexpr size_t kMaxAnswer = 1 << 20;
constexpr size_t kMaxLastWords = 300;
constexpr std::chrono::milliseconds kReapPatience{1000};

std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

// Keeps the last kMaxLastWords of `text`.
void KeepTail(std::string& text) {
  if (text.size() > kMaxLastWords) text.erase(0, text.size() - kMaxLastWords);
}

// Appends what `fd` holds now; closes it at its end.
void Drain(base::OwnedFd& fd, std::string& text) {
  char piece[16 << 10];
  const ssize_t size = read(fd.get(), piece, sizeof(piece));
  if (size > 0) text.append(piece, static_cast<size_t>(size));
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) fd.Close();
}

// Everything that the child prints on stdout until it closes it: the answer.
absl::StatusOr<std::string> ReadAnswer(base::Subprocess& child, Clock::time_point deadline, std::string& last_words) {
  std::string answer;
  while (child.stdout_fd().is_open()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return absl::DeadlineExceededError("no answer in time");
    pollfd ready[] = {{child.stdout_fd().get(), POLLIN, 0}, {child.stderr_fd().get(), POLLIN, 0}};
    const int count = poll(ready, 2, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (count < 0 && errno != EINTR) return base::ErrnoStatus(errno, "poll");
    if (count <= 0) continue;
    if (ready[1].revents != 0) Drain(child.stderr_fd(), last_words);
    KeepTail(last_words);
    if (ready[0].revents != 0) Drain(child.stdout_fd(), answer);
    if (answer.size() > kMaxAnswer) return absl::ResourceExhaustedError("its answer is longer than 1 MiB");
  }
  return answer;
}

std::optional<base::Subprocess::End> WaitForEnd(base::Subprocess& child, Clock::time_point deadline) {
  auto end = child.Reap();
  for (; !end && Clock::now() < deadline; end = child.Reap()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return end;
}

// Kills what is left of the child. One that sits in the kernel's driver, where no signal reaches it (a hung GPU does
// that), is left to a thread that ends when the child does.
void Dispose(base::Subprocess child) {
  child.SignalGroup(SIGKILL);
  if (WaitForEnd(child, Clock::now() + kReapPatience)) return;
  std::thread([abandoned = std::move(child)] {}).detach();
}

// "crashed with SIGSEGV", "ended with exit status 3"; empty for a good end.
std::string DescribeEnd(const base::Subprocess::End& end) {
  if (end.signal) return absl::StrCat("crashed with ", base::SignalName(*end.signal));
  if (end.exit_code.value_or(0) == 0) return std::string();
  return absl::StrCat("ended with exit status ", *end.exit_code);
}

bool WriteAll(int out, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(out, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

}  // namespace

absl::string_view ProbeName(ProbeKind kind) { return kind == ProbeKind::kNvml ? "nvml" : "level-zero"; }

std::optional<ProbeKind> ParseProbeName(absl::string_view name) {
  for (const ProbeKind kind : {ProbeKind::kNvml, ProbeKind::kLevelZero}) {
    if (name == ProbeName(kind)) return kind;
  }
  return std::nullopt;
}

std::string EncodeProbe(const absl::StatusOr<GpuLibraryReport>& report) {
  std::string body;
  if (report.ok()) {
    v1::Machine machine;
    for (const v1::Device& device : report->devices) *machine.add_devices() = device;
    for (const std::string& note : report->notes) machine.add_notes(note);
    body = machine.SerializeAsString();
  } else {
    body = std::string(report.status().message());
  }
  return absl::StrCat(kMagic, static_cast<int>(report.status().code()), " ", body.size(), "\n", body);
}

absl::StatusOr<GpuLibraryReport> DecodeProbe(absl::string_view output) {
  const auto malformed = [](absl::string_view what) {
    return absl::DataLossError(absl::StrCat("the probe's answer is not as expected: ", what));
  };
  const size_t end = output.find('\n');
  if (end == absl::string_view::npos || output.substr(0, kMagic.size()) != kMagic) return malformed("no header");
  const std::vector<absl::string_view> header = absl::StrSplit(output.substr(kMagic.size(), end - kMagic.size()), ' ');
  if (header.size() != 2) return malformed("a bad header");
  const auto code = base::ParseNumber(header[0]);
  const auto length = base::ParseNumber(header[1]);
  const absl::string_view body = output.substr(end + 1);
  if (!code || *code > 16 || !length || *length != body.size()) return malformed("a bad code or length");
  if (*code != 0) return absl::Status(static_cast<absl::StatusCode>(*code), base::CleanText(body, 1024));
  v1::Machine machine;
  if (!machine.ParseFromArray(body.data(), static_cast<int>(body.size()))) return malformed("not a Machine");
  GpuLibraryReport report;
  for (int i = 0; i < machine.devices_size() && report.devices.size() < kMaxLibraryDevices; ++i) {
    report.devices.push_back(machine.devices(i));
  }
  for (int i = 0; i < machine.notes_size() && report.notes.size() < kMaxLibraryDevices; ++i) {
    report.notes.push_back(base::CleanText(machine.notes(i), 1024));
  }
  return report;
}

std::string RunProbe(ProbeKind kind) {
  if (kind == ProbeKind::kNvml) return EncodeProbe(NvmlLibrary().List());
  return EncodeProbe(LevelZeroLibrary().List());
}

int ProbeMain(absl::string_view name) {
  const auto kind = ParseProbeName(name);
  if (!kind) return 2;
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (answer < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 3;
  const bool written = WriteAll(answer, RunProbe(*kind));
  _exit(written ? 0 : 3);  // not through the libraries' exit handlers
}

absl::StatusOr<GpuLibraryReport> ProbeInChild(const std::string& self_path, ProbeKind kind,
                                              std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  base::Subprocess::Options options;
  options.program = self_path;
  options.arguments = {absl::StrCat(kProbeFlag, ProbeName(kind))};
  options.environment = Environment();
  ASSIGN_OR_RETURN(base::Subprocess child, base::Subprocess::Start(options));
  std::string last_words;
  const absl::StatusOr<std::string> answer = ReadAnswer(child, deadline, last_words);
  std::string fault;
  if (absl::IsDeadlineExceeded(answer.status())) {
    fault = absl::StrCat("hung: no answer within ", timeout.count(), " ms");
  } else if (answer.ok()) {
    const auto end = WaitForEnd(child, Clock::now() + kReapPatience);
    if (end) fault = DescribeEnd(*end);
  }
  if (child.stderr_fd().is_open()) Drain(child.stderr_fd(), last_words);
  KeepTail(last_words);
  Dispose(std::move(child));
  if (!fault.empty()) {
    last_words = base::CleanText(last_words, kMaxLastWords);
    return absl::UnavailableError(absl::StrCat("asked for its devices, it ", fault,
                                               last_words.empty() ? "" : absl::StrCat("; it said: ", last_words),
                                               "; see the kernel log for the driver's messages"));
  }
  RETURN_IF_ERROR(answer.status());
  return DecodeProbe(*answer);
}

}  // namespace muster::agent
