#include "agent/telemetry/sampler_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/memory.h"
#include "agent/telemetry/intel_sampler.h"
#include "agent/telemetry/nvml_sampler.h"
#include "agent/telemetry/sample_frame.h"
#include "agent/telemetry/sampler_process.h"
#include "base/clean_text.h"
#include "base/pci.h"

namespace muster::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr absl::string_view kIntervalFlag = "--interval-ms=";
constexpr absl::string_view kRootFlag = "--root=";
constexpr absl::string_view kSkipFlag = "--skip=";

// False when nobody reads.
bool WriteAll(int out, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(out, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

// Waits until `until`; false when nobody reads `out` any more.
bool SleepUntil(Clock::time_point until, int out) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::nanoseconds>(until - Clock::now()).count();
    if (left <= 0) return true;
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    pollfd reader{.fd = out, .events = 0, .revents = 0};  // Only errors: POLLERR when the reader has gone.
    if (ppoll(&reader, 1, &timeout, nullptr) > 0) return false;
  }
}

// Those that are still to be left alone.
std::vector<std::string> SkippedNow(const SamplerArguments& arguments, Clock::time_point start) {
  std::vector<std::string> skipped;
  for (const SamplerArguments::Skip& skip : arguments.skip) {
    if (Clock::now() < start + std::chrono::milliseconds(skip.for_ms)) skipped.push_back(skip.pci_address);
  }
  return skipped;
}

std::optional<int64_t> ParseMs(absl::string_view text, int64_t least, int64_t most) {
  const auto number = base::ParseNumber(text);
  if (!number || *number < static_cast<uint64_t>(least) || *number > static_cast<uint64_t>(most)) return std::nullopt;
  return static_cast<int64_t>(*number);
}

absl::Status ParseWord(absl::string_view word, SamplerArguments& arguments) {
  const absl::string_view whole = word;
  if (absl::ConsumePrefix(&word, kIntervalFlag)) {
    if (const auto ms = ParseMs(word, kMinSamplerIntervalMs, kMaxSamplerIntervalMs)) {
      arguments.interval_ms = *ms;
      return absl::OkStatus();
    }
  } else if (absl::ConsumePrefix(&word, kRootFlag)) {
    arguments.root = std::string(word);
    return absl::OkStatus();
  } else if (absl::ConsumePrefix(&word, kSkipFlag)) {
    const size_t equals = word.rfind('=');
    const auto ms = equals == absl::string_view::npos ? std::nullopt : ParseMs(word.substr(equals + 1), 0, INT64_MAX);
    const std::string address = base::NormalisePciAddress(word.substr(0, equals));
    if (ms && !address.empty() && arguments.skip.size() < kMaxSampledDevices) {
      arguments.skip.push_back({address, *ms});
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot make sense of \"", base::CleanText(whole), "\""));
}

}  // namespace

std::vector<std::string> FormatSamplerArguments(const SamplerArguments& arguments) {
  std::vector<std::string> words = {absl::StrCat(kIntervalFlag, arguments.interval_ms),
                                    absl::StrCat(kRootFlag, arguments.root)};
  for (const auto& skip : arguments.skip) words.push_back(absl::StrCat(kSkipFlag, skip.pci_address, "=", skip.for_ms));
  return words;
}

absl::StatusOr<SamplerArguments> ParseSamplerArguments(const std::vector<std::string>& words) {
  SamplerArguments arguments;
  for (const std::string& word : words) {
    if (absl::Status status = ParseWord(word, arguments); !status.ok()) return status;
  }
  return arguments;
}

int RunSampler(Sampler& sampler, CallSlotWriter& slot, const SamplerArguments& arguments, int out) {
  if (const absl::Status status = sampler.Start(); !status.ok()) return WriteAll(out, EncodeEnd(status)) ? 0 : 3;
  slot.Started();
  const Clock::time_point start = Clock::now();
  const std::chrono::milliseconds interval(arguments.interval_ms);
  for (Clock::time_point turn = start;;) {
    slot.BeginTurn();
    const auto samples = sampler.Sample(SkippedNow(arguments, start));
    slot.EndTurn();
    if (!samples.ok()) return WriteAll(out, EncodeEnd(samples.status())) ? 0 : 3;
    if (!WriteAll(out, EncodeTurn(*samples))) return 0;
    if (turn == start) GiveMemoryBack();  // What only the start needed.
    // The next point of the grid that is still to come: turns missed by a stall are not made up for.
    turn += ((Clock::now() - turn) / interval + 1) * interval;
    if (!SleepUntil(turn, out)) return 0;
  }
}

void RunSamplerMain(const MakeSampler& make, const std::vector<std::string>& words) {
  const auto arguments = ParseSamplerArguments(words);
  if (!arguments.ok()) {
    std::fprintf(stderr, "sampler: %s\n", std::string(arguments.status().message()).c_str());
    _exit(2);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  KeepMemorySmall();
  // Libraries print: what they print must not come between the frames.
  const int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) _exit(3);
  CallSlotWriter slot(STDIN_FILENO);
  const std::unique_ptr<Sampler> sampler = make(*arguments, slot);
  _exit(RunSampler(*sampler, slot, *arguments, out));
}

int SamplerMain(absl::string_view name, int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 2; i < argc; ++i) words.emplace_back(argv[i]);
  if (name == SamplerName(SamplerKind::kNvml)) {
    RunSamplerMain([](const SamplerArguments&, CallMarker& marker) { return MakeNvmlSampler(marker); }, words);
  }
  if (name == SamplerName(SamplerKind::kIntel)) {
    RunSamplerMain(
        [](const SamplerArguments& arguments, CallMarker& marker) { return MakeIntelSampler(arguments.root, marker); },
        words);
  }
  return 2;
}

}  // namespace muster::agent
