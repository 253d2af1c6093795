#include "suites/sdk/testing/program_run.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <set>
#include <sstream>
#include <utility>

#include "base/json.h"

namespace muster::sdk::testing {
namespace {

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void TakeStep(const v1::ocptv::TestStepArtifact& artifact, std::map<std::string, std::string>& names, ProgramRun& run) {
  const std::string& id = artifact.test_step_id();
  if (artifact.has_test_step_start()) {
    EXPECT_TRUE(names.emplace(id, artifact.test_step_start().name()).second) << "step " << id << " starts twice";
    EXPECT_TRUE(run.steps.emplace(artifact.test_step_start().name(), Step()).second) << artifact.ShortDebugString();
    return;
  }
  ASSERT_TRUE(names.contains(id)) << "step " << id << " was not started";
  Step& step = run.steps.at(names.at(id));
  EXPECT_EQ(step.status, "") << "step " << id << " goes on after its end";
  if (artifact.has_test_step_end()) step.status = artifact.test_step_end().status();
  if (artifact.has_measurement()) step.measurements.push_back(artifact.measurement());
  if (artifact.has_diagnosis()) step.diagnoses.push_back(artifact.diagnosis());
  if (artifact.has_error()) step.errors.push_back(artifact.error());
  if (artifact.has_log()) step.logs.push_back(artifact.log());
}

void CheckReferences(const ProgramRun& run) {
  std::set<std::string> hardware = {""};
  for (const auto& info : run.start.dut_info().hardware_infos()) hardware.insert(info.hardware_info_id());
  for (const auto& [name, step] : run.steps) {
    EXPECT_NE(step.status, "") << name << " does not end";
    for (const auto& one : step.measurements) EXPECT_TRUE(hardware.contains(one.hardware_info_id())) << name;
    for (const auto& one : step.diagnoses) EXPECT_TRUE(hardware.contains(one.hardware_info_id())) << name;
  }
}

void Take(const v1::ocptv::Root& root, std::map<std::string, std::string>& names, ProgramRun& run) {
  EXPECT_EQ(root.sequence_number(), static_cast<int>(run.lines.size()));
  EXPECT_EQ(root.has_schema_version(), run.lines.empty()) << "schemaVersion comes first and once";
  EXPECT_EQ(root.timestamp().size(), std::string("2026-11-22T19:00:00.123456Z").size()) << root.timestamp();
  const auto& artifact = root.test_run_artifact();
  if (artifact.has_test_run_start()) run.start = artifact.test_run_start();
  if (artifact.has_test_run_end()) run.end = artifact.test_run_end();
  if (artifact.has_error()) run.run_errors.push_back(artifact.error());
  if (root.has_test_step_artifact()) TakeStep(root.test_step_artifact(), names, run);
  run.lines.push_back(root);
}

}  // namespace

std::pair<int, std::string> RunForText(const std::string& program, const std::vector<std::string>& variables,
                                       const std::vector<std::string>& arguments) {
  // Of Level Zero the machine's own drivers are not for tests: Intel's ends a program with sanitizers.
  std::string command = "env -i ZE_ENABLE_ALT_DRIVERS=/nonexistent";
  for (const std::string& variable : variables) command += " " + Quoted(variable);
  command += " " + Quoted(program);
  for (const std::string& argument : arguments) command += " " + Quoted(argument);
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, ""};
  std::string text;
  std::array<char, 4096> chunk;
  while (const size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), size);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

ProgramRun RunProgram(const std::string& program, const std::vector<std::string>& variables) {
  std::vector<std::string> all = variables;
  all.push_back("PATH=/usr/bin:/bin");
  all.push_back("MUSTER_OUTPUT=ocptv");
  ProgramRun run;
  std::string text;
  std::tie(run.exit_status, text) = RunForText(program, all, {});
  EXPECT_TRUE(text.empty() || text.back() == '\n') << "the last line has no end";
  std::istringstream lines(text);
  std::map<std::string, std::string> names;
  for (std::string line; std::getline(lines, line);) {
    v1::ocptv::Root root;
    const absl::Status status = base::FromJson(line, base::UnknownFields::kRefuse, &root);
    EXPECT_TRUE(status.ok()) << status << ": " << line;
    if (status.ok()) Take(root, names, run);
  }
  CheckReferences(run);
  return run;
}

}  // namespace muster::sdk::testing
