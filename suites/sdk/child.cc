#include "suites/sdk/child.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace muster::sdk {
namespace {

constexpr char kFlag[] = "--muster_child";

using Modes = std::map<std::string, std::function<int(const std::string&)>>;
Modes& RegisteredModes() {
  static Modes& modes = *new Modes;
  return modes;
}

}  // namespace

ChildMode::ChildMode(std::string name, std::function<int(const std::string&)> run) {
  RegisteredModes().emplace(std::move(name), std::move(run));
}

absl::StatusOr<pid_t> StartChild(const std::string& mode, const std::string& argument) {
  char program[] = "/proc/self/exe";
  std::string flag = kFlag;
  std::string mode_text = mode;
  std::string argument_text = argument;
  char* arguments[] = {program, flag.data(), mode_text.data(), argument_text.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::InternalError(absl::StrCat("cannot start a second process: ", std::strerror(error)));
  return child;
}

absl::StatusOr<int> WaitForChild(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return absl::InternalError(absl::StrCat("waitpid: ", std::strerror(errno)));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> RunAsChild(int argc, char** argv) {
  if (argc != 4 || std::strcmp(argv[1], kFlag) != 0) return std::nullopt;
  const auto mode = RegisteredModes().find(argv[2]);
  return mode == RegisteredModes().end() ? 2 : mode->second(argv[3]);
}

}  // namespace muster::sdk
