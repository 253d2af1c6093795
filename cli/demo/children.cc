#include "cli/demo/children.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace muster::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kEndPatience{10};
constexpr std::chrono::milliseconds kEndLook{20};

std::string DescribeEnd(const base::Subprocess::End& end) {
  if (end.signal) return absl::StrCat("ended by ", base::SignalName(*end.signal));
  return absl::StrCat("ended with exit status ", end.exit_code.value_or(-1));
}

}  // namespace

std::vector<std::string> PlainEnvironment() {
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    if (const char* value = getenv(name)) environment.push_back(absl::StrCat(name, "=", value));
  }
  return environment;
}

absl::Status Children::Start(const Child& child) {
  base::OwnedFd log(open(child.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.is_open()) return base::ErrnoStatus(errno, absl::StrCat("cannot open ", child.log));
  std::vector<std::string> environment = PlainEnvironment();
  environment.insert(environment.end(), child.environment.begin(), child.environment.end());
  ASSIGN_OR_RETURN(base::Subprocess process, base::Subprocess::Start({.program = child.program,
                                                                      .arguments = child.arguments,
                                                                      .environment = std::move(environment),
                                                                      .ends_with_parent = true}));
  running_.push_front({.name = child.name,
                       .log_path = child.log,
                       .log = std::move(log),
                       .process = std::move(process),
                       .may_end = child.may_end});
  return absl::OkStatus();
}

void Children::Copy(Running& running) {
  char buffer[16 << 10];
  for (base::OwnedFd* from : {&running.process.stdout_fd(), &running.process.stderr_fd()}) {
    ssize_t count = 1;
    while (from->is_open() && count > 0) {
      count = read(from->get(), buffer, sizeof buffer);
      // A full disk costs the log, not the demonstration.
      if (count > 0) (void)!write(running.log.get(), buffer, static_cast<size_t>(count));
      if (count == 0) from->Close();
    }
  }
}

absl::Status Children::Pump(std::chrono::milliseconds wait, std::string* ended) {
  std::vector<pollfd> polled;
  for (Running& running : running_) {
    polled.push_back({.fd = running.process.pidfd(), .events = POLLIN});
    for (const base::OwnedFd* from : {&running.process.stdout_fd(), &running.process.stderr_fd()}) {
      if (from->is_open()) polled.push_back({.fd = from->get(), .events = POLLIN});
    }
  }
  poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
  for (auto running = running_.begin(); running != running_.end();) {
    Copy(*running);
    const auto end = running->process.Reap();
    if (!end) {
      ++running;
      continue;
    }
    const std::string text = absl::StrCat(running->name, " ", DescribeEnd(*end), "; its log is ", running->log_path);
    const bool may_end = running->may_end;
    running = running_.erase(running);
    if (!may_end) return absl::InternalError(text);
    if (ended != nullptr) *ended = text;
  }
  return absl::OkStatus();
}

void Children::End() {
  const Clock::time_point patience = Clock::now() + kEndPatience;
  for (Running& running : running_) running.process.SignalGroup(SIGTERM);
  while (!running_.empty() && Clock::now() < patience) {
    std::vector<pollfd> polled;
    for (Running& running : running_) polled.push_back({.fd = running.process.pidfd(), .events = POLLIN});
    poll(polled.data(), polled.size(), static_cast<int>(kEndLook.count()));
    for (Running& running : running_) Copy(running);
    running_.remove_if([](Running& running) { return running.process.Reap().has_value(); });
  }
  running_.clear();  // Kills what is left.
}

}  // namespace muster::cli
