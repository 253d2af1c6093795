#include "agent/telemetry/sampler_run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxLastWords = 300;
constexpr size_t kMaxWordsBetweenTurns = 1 << 20;
constexpr int kEndPatienceMs = 1'000;
constexpr int kStartFactor = 6;
constexpr int kTurnFactor = 4;

std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

// One read of what is there; closes `fd` at its end.
std::string ReadSome(base::OwnedFd& fd) {
  std::string bytes(16 << 10, '\0');
  const ssize_t size = read(fd.get(), bytes.data(), bytes.size());
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) fd.Close();
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return bytes;
}

std::string DescribeStatus(const std::optional<base::Subprocess::End>& end) {
  if (!end) return "closed its output and did not end";
  if (end->signal) return absl::StrCat("crashed with ", base::SignalName(*end->signal));
  return absl::StrCat("ended with exit status ", end->exit_code.value_or(-1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SamplerRun>> SamplerRun::Start(const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<CallSlot> slot, CallSlot::Create());
  base::Subprocess::Options child;
  child.program = options.process.self_path;
  child.arguments = {absl::StrCat(kSamplerFlag, SamplerName(options.process.kind))};
  for (std::string& word : FormatSamplerArguments(
           {.interval_ms = options.process.interval_ms, .root = options.process.root, .skip = options.skip})) {
    child.arguments.push_back(std::move(word));
  }
  child.environment = Environment();
  child.stdin_fd = slot->fd();
  ASSIGN_OR_RETURN(base::Subprocess process, base::Subprocess::Start(child));
  return std::unique_ptr<SamplerRun>(new SamplerRun(options, std::move(slot), std::move(process)));
}

SamplerRun::SamplerRun(const Options& options, std::unique_ptr<CallSlot> slot, base::Subprocess child)
    : options_(options),
      slot_(std::move(slot)),
      child_(std::move(child)),
      started_ms_(MonotonicMs()),
      progress_ms_(started_ms_) {}

SamplerEnd SamplerRun::Watch(const OnTurn& on_turn) {
  for (;;) {
    pollfd ready[] = {{.fd = options_.stop_fd, .events = POLLIN, .revents = 0},
                      {.fd = child_.stdout_fd().get(), .events = POLLIN, .revents = 0},
                      {.fd = child_.stderr_fd().get(), .events = POLLIN, .revents = 0}};
    const int64_t wait_ms = std::clamp<int64_t>(NextCheckMs() - MonotonicMs(), 0, 60'000);
    if (poll(ready, 3, static_cast<int>(wait_ms)) < 0 && errno != EINTR) return Crash("cannot be polled");
    if (ready[0].revents != 0) return SamplerEnd{};
    if (ready[2].revents != 0) ReadLastWords();
    if (words_since_turn_ > kMaxWordsBetweenTurns) return Crash("prints messages without end");
    if (ready[1].revents != 0) {
      if (const absl::Status status = ReadFrames(on_turn); !status.ok()) return Crash(status.message());
    }
    if (!child_.stdout_fd().is_open()) return DescribeEnd();
    if (auto hang = FindHang()) return *std::move(hang);
  }
}

absl::Status SamplerRun::ReadFrames(const OnTurn& on_turn) {
  RETURN_IF_ERROR(reader_.Add(ReadSome(child_.stdout_fd())));
  for (std::vector<v1::DeviceSample>& turn : reader_.TakeTurns()) {
    if (TooFast()) return absl::ResourceExhaustedError("prints turns much faster than it was asked to");
    words_since_turn_ = 0;
    on_turn(std::move(turn));
  }
  if (reader_.end()) child_.stdout_fd().Close();
  return absl::OkStatus();
}

void SamplerRun::ReadLastWords() {
  const std::string words = ReadSome(child_.stderr_fd());
  words_since_turn_ += words.size();
  last_words_ += words;
  if (last_words_.size() > kMaxLastWords) last_words_.erase(0, last_words_.size() - kMaxLastWords);
}

bool SamplerRun::TooFast() {
  const int64_t now_ms = MonotonicMs();
  const double earned = 2.0 * static_cast<double>(now_ms - progress_ms_) / options_.process.interval_ms;
  turn_credit_ = std::min(10.0, turn_credit_ + earned) - 1;
  progress_ms_ = now_ms;
  return turn_credit_ < 0;
}

int64_t SamplerRun::NextCheckMs() const {
  const int64_t hang_ms = options_.process.hang_after_ms;
  if (suspect_.second >= 0) return suspected_ms_ + std::min<int64_t>(100, hang_ms / 4);
  const CallState state = slot_->Read();
  if (!state.sampling) return std::min(started_ms_ + kStartFactor * hang_ms, MonotonicMs() + hang_ms);
  const int64_t turn_ms = state.turn_began_ms > 0 ? state.turn_began_ms : progress_ms_ + options_.process.interval_ms;
  const int64_t call_ms = state.call_began_ms > 0 ? state.call_began_ms : MonotonicMs();
  return std::min(turn_ms + kTurnFactor * hang_ms, call_ms + hang_ms);
}

std::optional<SamplerEnd> SamplerRun::FindHang() {
  const CallState state = slot_->Read();
  const int64_t now_ms = MonotonicMs();
  const int64_t hang_ms = options_.process.hang_after_ms;
  const bool in_call = state.call_began_ms > 0;
  SamplerEnd end{.kind = SamplerEnd::Kind::kHung};
  if (!state.sampling && now_ms - started_ms_ >= kStartFactor * hang_ms) {
    end.detail = absl::StrCat("the library has not started for ", now_ms - started_ms_, " ms");
  } else if (state.sampling && in_call && now_ms - state.call_began_ms >= hang_ms) {
    end.detail = absl::StrCat(state.call, state.device.empty() ? "" : " on ", state.device, " has not returned for ",
                              now_ms - state.call_began_ms, " ms");
  } else if (state.sampling && state.turn_began_ms > 0 && now_ms - state.turn_began_ms >= kTurnFactor * hang_ms) {
    end.detail = absl::StrCat("one turn has lasted for ", now_ms - state.turn_began_ms, " ms");
  } else if (state.sampling && state.turn_began_ms == 0 &&
             now_ms - progress_ms_ >= options_.process.interval_ms + kTurnFactor * hang_ms) {
    end.detail = absl::StrCat("no sample for ", now_ms - progress_ms_, " ms, and in no driver call");
  }
  const std::pair<uint64_t, int64_t> place(state.sequence, state.call_began_ms);
  if (end.detail.empty()) {
    suspect_.second = -1;
    return std::nullopt;
  }
  if (suspect_ != place) {
    suspect_ = place;
    suspected_ms_ = now_ms;
    return std::nullopt;
  }
  if (now_ms < NextCheckMs()) return std::nullopt;
  if (in_call) {
    end.device = state.device;
    end.call = state.call;
  }
  return end;
}

SamplerEnd SamplerRun::DescribeEnd() {
  pollfd gone{.fd = child_.pidfd(), .events = POLLIN, .revents = 0};
  poll(&gone, 1, kEndPatienceMs);
  const auto end = child_.Reap();
  if (!reader_.end()) return Crash(DescribeStatus(end));
  SamplerEnd told{.kind = absl::IsNotFound(*reader_.end()) ? SamplerEnd::Kind::kAbsent : SamplerEnd::Kind::kFailed};
  told.detail = std::string(reader_.end()->message());
  return told;
}

SamplerEnd SamplerRun::Crash(absl::string_view what) {
  if (child_.stderr_fd().is_open()) ReadLastWords();
  const CallState state = slot_->Read();
  SamplerEnd end{.kind = SamplerEnd::Kind::kCrashed, .detail = absl::StrCat("the sampler ", what)};
  if (state.call_began_ms > 0) {
    end.device = state.device;
    end.call = state.call;
    absl::StrAppend(&end.detail, " in ", state.call, state.device.empty() ? "" : " on ", state.device);
  }
  const std::string words = base::CleanText(last_words_, kMaxLastWords);
  if (!words.empty()) absl::StrAppend(&end.detail, "; it said: ", words);
  return end;
}

bool SamplerRun::KillAndWait() {
  while (!child_.Reap()) {
    child_.SignalGroup(options_.process.kill_signal);
    pollfd ready[] = {{.fd = options_.stop_fd, .events = POLLIN, .revents = 0},
                      {.fd = child_.pidfd(), .events = POLLIN, .revents = 0}};
    poll(ready, 2, -1);
    if (ready[0].revents != 0) return false;
  }
  return true;
}

}  // namespace muster::agent
