#include "agent/executor/running_job.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <utility>

#include "agent/executor/artifact_collector.h"
#include "agent/executor/case_tracker.h"
#include "agent/executor/tap_results.h"
#include "agent/executor/xml_results.h"
#include "base/file.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr int64_t kDrainMs = 1000;
constexpr int64_t kRekillMs = 50;
constexpr int64_t kGiveUpMs = 10'000;
constexpr int64_t kLogDelayMs = 200;
constexpr size_t kReadBytes = 256 * 1024;
constexpr int kReadsAPoll = 8;

void Wake(const base::OwnedFd& fd) {
  const uint64_t one = 1;
  (void)!write(fd.get(), &one, sizeof(one));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunningJob>> RunningJob::Start(JobPlan plan, std::unique_ptr<Enclosure> enclosure,
                                                              base::EventLoop* loop, EventStream::Deliver deliver) {
  base::OwnedFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return base::ErrnoStatus(errno, "cannot make an eventfd");
  base::Subprocess::Options options = plan.program;
  options.cgroup_procs_fd = enclosure->cgroup_procs_fd();
  options.environment.push_back(enclosure->environment());
  absl::StatusOr<base::Subprocess> program = base::Subprocess::Start(options);
  if (!program.ok()) return program.status();
  enclosure->SetMain(program->pid());
  return std::unique_ptr<RunningJob>(new RunningJob(std::move(plan), std::move(enclosure), loop, std::move(deliver),
                                                    std::move(wake), *std::move(program)));
}

RunningJob::RunningJob(JobPlan plan, std::unique_ptr<Enclosure> enclosure, base::EventLoop* loop,
                       EventStream::Deliver deliver, base::OwnedFd wake, base::Subprocess program)
    : plan_(std::move(plan)),
      loop_(*loop),
      wake_(std::make_shared<base::OwnedFd>(std::move(wake))),
      enclosure_(std::move(enclosure)),
      program_(std::move(program)),
      events_(loop, std::move(deliver), [wake = wake_] { Wake(*wake); }),
      log_([this](v1::LogChunk chunk) {
        v1::Event event;
        event.set_time_unix_ms(loop_.Now().unix_ms);
        *event.mutable_log() = std::move(chunk);
        Emit(std::move(event));
      }),
      book_(plan_.cases, [this](v1::Event event) { Emit(std::move(event)); }),
      reader_(MakeReader()),
      thread_([this] { Run(); }) {}

RunningJob::~RunningJob() {
  Kill();
  thread_.join();
}

void RunningJob::Cancel(std::string_view reason) {
  base::MutexLock lock(mutex_);
  if (!cancel_) cancel_ = reason.empty() ? "cancelled" : std::string(reason);
  Wake(*wake_);
}

void RunningJob::Kill() {
  base::MutexLock lock(mutex_);
  kill_ = true;
  Wake(*wake_);
}

std::unique_ptr<ResultReader> RunningJob::MakeReader() {
  const auto log = [this](v1::LogStream stream, std::string_view text) { log_.Append(stream, text); };
  switch (plan_.manifest.format()) {
    case v1::RESULT_FORMAT_GTEST:
      return std::make_unique<GtestResults>(plan_.junit_file, &book_, log);
    case v1::RESULT_FORMAT_JUNIT:
      return std::make_unique<JunitResults>(plan_.junit_file, &book_, log);
    case v1::RESULT_FORMAT_TAP:
      return std::make_unique<TapResults>(&book_, log);
    case v1::RESULT_FORMAT_EXIT_CODE:
      return std::make_unique<ExitCodeResults>(&book_, log);
    default:
      return std::make_unique<OcptvResults>(
          plan_.manifest.ocptv_compatibility() ? OcptvMode::kCompatible : OcptvMode::kStrict, plan_.devices, &book_,
          log);
  }
}

void RunningJob::Run() {
  EmitStarted();
  reader_->Begin(loop_.Now());
  while (!ended_ || program_.stdout_fd().is_open() || program_.stderr_fd().is_open()) {
    PollOnce();
    TakeRequests();
    CheckTime();
    events_.Flush();
  }
  Finish();
}

void RunningJob::EmitStarted() {
  const base::Time now = loop_.Now();
  started_mono_ms_ = now.mono_ms;
  v1::Event event;
  event.set_time_unix_ms(now.unix_ms);
  v1::JobStarted& started = *event.mutable_job_started();
  started.set_pid(program_.pid());
  started.set_suite_version(plan_.manifest.version());
  std::string command = plan_.program.program;
  for (const std::string& argument : plan_.program.arguments) command += base::Text(" ", argument);
  started.set_command_line(BoundedText(command));
  Emit(std::move(event));
}

void RunningJob::PollOnce() {
  // Without room for events nothing is read: the program waits in its pipe.
  const bool room = events_.HasRoom();
  pollfd fds[] = {
      {.fd = wake_->get(), .events = POLLIN, .revents = 0},
      {.fd = ended_ ? -1 : program_.pidfd(), .events = POLLIN, .revents = 0},
      {.fd = room ? program_.stdout_fd().get() : -1, .events = POLLIN, .revents = 0},
      {.fd = room ? program_.stderr_fd().get() : -1, .events = POLLIN, .revents = 0},
  };
  poll(fds, std::size(fds), PollTimeoutMs(loop_.Now().mono_ms));
  if (fds[0].revents != 0) {
    uint64_t count = 0;
    (void)!read(wake_->get(), &count, sizeof(count));
  }
  if (fds[2].revents != 0) ReadPipe(program_.stdout_fd(), true);
  if (fds[3].revents != 0) ReadPipe(program_.stderr_fd(), false);
  if (fds[1].revents != 0) OnProgramEnded();
}

int RunningJob::PollTimeoutMs(int64_t now_ms) const {
  int64_t due = std::numeric_limits<int64_t>::max();
  const auto consider = [&due](std::optional<int64_t> moment) {
    if (moment) due = std::min(due, *moment);
  };
  consider(log_due_mono_ms_);
  if (events_.HasRoom()) consider(drained_mono_ms_);
  consider(rekill_mono_ms_);
  if (!ended_) {
    consider(kill_mono_ms_);
    consider(give_up_mono_ms_);
    if (!kill_mono_ms_ && !give_up_mono_ms_) {
      consider(book_.NextDeadlineMs());
      consider(started_mono_ms_ + plan_.job_limit_ms);
    }
  }
  if (due == std::numeric_limits<int64_t>::max()) return -1;
  return static_cast<int>(std::clamp<int64_t>(due - now_ms, 0, 60'000));
}

void RunningJob::ReadPipe(base::OwnedFd& pipe, bool is_stdout) {
  buffer_.resize(kReadBytes);
  for (int i = 0; i < kReadsAPoll; ++i) {
    const ssize_t got = read(pipe.get(), buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      pipe.Close();
      return;
    }
    const std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
    if (is_stdout) {
      reader_->TakeStdout(bytes, loop_.Now());
    } else {
      log_.Append(v1::LOG_STREAM_STDERR, bytes);
    }
    if (!events_.HasRoom()) return;
  }
}

void RunningJob::TakeRequests() {
  std::optional<std::string> cancel;
  bool kill_now = false;
  {
    base::MutexLock lock(mutex_);
    cancel = std::exchange(cancel_, std::nullopt);
    kill_now = kill_;
  }
  if (cancel) Stop(ProgramEnd::kCancelled, *std::move(cancel));
  killed_ |= kill_now;
  if (!kill_now || ended_) return;
  Stop(ProgramEnd::kCancelled, "the agent stops");
  if (kill_mono_ms_) kill_mono_ms_ = loop_.Now().mono_ms;
}

// SIGTERM to the group; CheckTime sends SIGKILL when the grace period has passed. The first reason counts.
void RunningJob::Stop(ProgramEnd::Stop stop, std::string reason) {
  if (ended_ || end_.stop != ProgramEnd::kNone) return;
  end_.stop = stop;
  end_.stop_reason = std::move(reason);
  log_.Say(base::Text("stopping the program: ", end_.stop_reason));
  program_.SignalGroup(SIGTERM);
  kill_mono_ms_ = loop_.Now().mono_ms + plan_.grace_ms;
}

void RunningJob::CheckTime() {
  const base::Time now = loop_.Now();
  if (log_.HasGathered() && !log_due_mono_ms_) log_due_mono_ms_ = now.mono_ms + kLogDelayMs;
  if (log_due_mono_ms_ && *log_due_mono_ms_ <= now.mono_ms) {
    log_.Flush();
    log_due_mono_ms_.reset();
  }
  if (ended_) {
    if (rekill_mono_ms_ && *rekill_mono_ms_ <= now.mono_ms) {
      enclosure_->KillAll();
      rekill_mono_ms_ = now.mono_ms + kRekillMs;
    }
    // A slow loop must not cost output that is there.
    if (drained_mono_ms_ && *drained_mono_ms_ <= now.mono_ms && (events_.HasRoom() || killed_)) {
      program_.stdout_fd().Close();
      program_.stderr_fd().Close();
    }
    return;
  }
  if (end_.stop == ProgramEnd::kNone) {
    const std::vector<std::string> expired = book_.Expire(now);
    if (!expired.empty())
      Stop(ProgramEnd::kCaseLimit, base::Text("case ", expired.front(), " ran over its time limit"));
    if (now.mono_ms >= started_mono_ms_ + plan_.job_limit_ms) {
      Stop(ProgramEnd::kJobLimit, base::Text("the job's time limit of ", plan_.job_limit_ms, " ms has passed"));
    }
  }
  if (kill_mono_ms_ && *kill_mono_ms_ <= now.mono_ms) {
    kill_mono_ms_.reset();
    give_up_mono_ms_ = now.mono_ms + kGiveUpMs;
    log_.Say("the program did not end in time after SIGTERM: SIGKILL");
    program_.SignalGroup(SIGKILL);
    enclosure_->KillAll();
  }
  if (give_up_mono_ms_ && *give_up_mono_ms_ <= now.mono_ms) {
    given_up_ = true;
    ended_ = true;
    end_.signal = SIGKILL;
    drained_mono_ms_ = now.mono_ms;
    log_.Say(
        "the program cannot be killed: it hangs in the kernel; its devices may need a reset or the machine a restart");
  }
}

void RunningJob::OnProgramEnded() {
  const std::optional<base::Subprocess::End> end = program_.Reap();
  if (!end) return;
  ended_ = true;
  end_.exit_code = end->exit_code;
  end_.signal = end->signal;
  // What it left behind holds the pipes open and the devices busy.
  if (enclosure_->HasStragglers()) {
    book_.Note("", "stragglers", "processes of the program were still running when it had ended; they were killed");
    log_.Say("processes of the program were still running when it had ended: SIGKILL");
  }
  if (!enclosure_->KillAll()) {
    book_.Note("", "unkillable", "processes that the program started cannot be killed: they hang in the kernel");
  }
  drained_mono_ms_ = loop_.Now().mono_ms + kDrainMs;
  rekill_mono_ms_ = loop_.Now().mono_ms + kRekillMs;
}

v1::Fate RunningJob::FateOfEnd() const {
  switch (end_.stop) {
    case ProgramEnd::kCancelled:
      return v1::FATE_CANCELLED;
    case ProgramEnd::kJobLimit:
      return v1::FATE_JOB_TIMED_OUT;
    default:
      return v1::FATE_COMPLETED;
  }
}

void RunningJob::Finish() {
  reader_->End(end_, loop_.Now());
  book_.End(end_, loop_.Now());
  EmitArtifacts();
  log_.Flush();
  // The devices are free, and nothing of the job is left, before anybody learns that it is over.
  enclosure_.reset();
  { const base::Subprocess gone = std::move(program_); }
  std::error_code ignored;
  std::filesystem::remove_all(plan_.folder, ignored);
  v1::Event event;
  event.set_time_unix_ms(loop_.Now().unix_ms);
  v1::JobFinished& finished = *event.mutable_job_finished();
  finished.set_fate(FateOfEnd());
  finished.set_detail(
      BoundedText(given_up_ ? base::Text(end_.stop_reason, "; the program cannot be killed, it hangs in the kernel")
                            : end_.stop_reason));
  if (end_.exit_code) finished.set_exit_code(*end_.exit_code);
  if (end_.signal) finished.set_signal(*end_.signal);
  for (std::string& finding : book_.JobFindings()) finished.add_findings(std::move(finding));
  events_.Push(std::move(event));
  events_.Flush();
}

void RunningJob::EmitArtifacts() {
  const auto emit = [this](v1::ArtifactChunk chunk) {
    v1::Event event;
    event.set_time_unix_ms(loop_.Now().unix_ms);
    *event.mutable_artifact() = std::move(chunk);
    Emit(std::move(event));
    WaitForRoom();
  };
  CollectArtifacts(plan_.artifact_folder, ArtifactLimits{}, emit, [this](std::string_view line) { log_.Say(line); });
}

// After the program's end only: nothing else is waited for then.
void RunningJob::WaitForRoom() {
  while (!events_.HasRoom()) {
    {
      base::MutexLock lock(mutex_);
      if (kill_) return;  // The loop may not run any more.
    }
    pollfd room{.fd = wake_->get(), .events = POLLIN, .revents = 0};
    poll(&room, 1, -1);
    uint64_t count = 0;
    (void)!read(wake_->get(), &count, sizeof(count));
  }
}

void RunningJob::Emit(v1::Event event) { events_.Push(std::move(event)); }

}  // namespace muster::agent
