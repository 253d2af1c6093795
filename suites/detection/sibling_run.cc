#include "suites/detection/sibling_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "base/status_macros.h"
#include "muster/v1/ocptv.pb.h"
#include "suites/sdk/child.h"

namespace muster::detection {
namespace {

constexpr size_t kMaxOutputBytes = 64 << 20;

std::string DevicesJson(const std::vector<v1::Device>& devices) {
  return absl::StrCat(
      "[",
      absl::StrJoin(devices, ",",
                    [](std::string* out, const v1::Device& device) { absl::StrAppend(out, base::ToJson(device)); }),
      "]");
}

// Ours, but for what the agent says of our own job.
std::vector<std::string> Variables(const SiblingCase& wanted, const std::vector<v1::Device>& devices) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!absl::StartsWith(*variable, "MUSTER_") || absl::StartsWith(*variable, "MUSTER_SIM_")) {
      variables.push_back(*variable);
    }
  }
  variables.push_back("MUSTER_OUTPUT=ocptv");
  variables.push_back("MUSTER_CASES=" + wanted.case_name);
  variables.push_back(absl::StrCat("MUSTER_LEVEL=", wanted.level));
  variables.push_back("MUSTER_DEVICES=" + DevicesJson(devices));
  if (!wanted.parameters.empty()) variables.push_back("MUSTER_PARAMETERS=" + wanted.parameters);
  return variables;
}

absl::StatusOr<pid_t> Start(const std::string& program, std::vector<std::string> variables, int output) {
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string name = program;
  char* arguments[] = {name.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, name.c_str(), &actions, nullptr, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::NotFoundError(absl::StrCat("cannot start ", program, ": ", std::strerror(error)));
  return child;
}

// All that is written until the last writer closes; what is over the bound is read and not kept.
std::string ReadAll(int descriptor, bool& too_long) {
  std::string text;
  char chunk[65536];
  for (;;) {
    const ssize_t size = read(descriptor, chunk, sizeof(chunk));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    too_long |= text.size() + static_cast<size_t>(size) > kMaxOutputBytes;
    if (!too_long) text.append(chunk, static_cast<size_t>(size));
  }
}

void Take(const v1::ocptv::TestStepArtifact& artifact, SiblingOutcome& outcome) {
  if (artifact.has_test_step_end()) outcome.status = artifact.test_step_end().status();
  if (artifact.has_error()) outcome.remarks.push_back(artifact.error().message());
  if (!artifact.has_diagnosis()) return;
  const auto& diagnosis = artifact.diagnosis();
  if (diagnosis.type() == "FAIL") outcome.failures.push_back(diagnosis.message());
  if (diagnosis.type() == "UNKNOWN") outcome.remarks.push_back(diagnosis.message());
}

}  // namespace

absl::StatusOr<SiblingOutcome> RunSibling(const SiblingCase& wanted, const std::vector<v1::Device>& devices) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
  const std::string program = folder / wanted.suite / wanted.suite;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::InternalError(absl::StrCat("pipe: ", std::strerror(errno)));
  const auto child = Start(program, Variables(wanted, devices), ends[1]);
  close(ends[1]);
  bool too_long = false;
  const std::string text = child.ok() ? ReadAll(ends[0], too_long) : "";
  close(ends[0]);
  RETURN_IF_ERROR(child.status());
  ASSIGN_OR_RETURN(const int exit_status, sdk::WaitForChild(*child));
  if (too_long) return absl::ResourceExhaustedError(absl::StrCat(program, " said more than 64 MiB"));

  SiblingOutcome outcome;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    v1::ocptv::Root root;
    RETURN_IF_ERROR(base::FromJson(line, base::UnknownFields::kIgnore, &root));
    if (root.has_test_step_artifact()) Take(root.test_step_artifact(), outcome);
  }
  if (outcome.status.empty()) {
    return absl::InternalError(absl::StrCat("expected ", program, " to run ", wanted.case_name, ", found exit status ",
                                            exit_status, " and no end of the case"));
  }
  return outcome;
}

}  // namespace muster::detection
