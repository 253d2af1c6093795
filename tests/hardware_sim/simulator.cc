#include "tests/hardware_sim/simulator.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "tests/hardware_sim/machine_tree.h"
#include "tests/hardware_sim/models.h"
#include "tests/hardware_sim/scenario_file.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {
namespace {

namespace fs = std::filesystem;

constexpr char kNvmlFolder[] = "nvml";
constexpr char kLevelZeroDriver[] = "level_zero/libmuster_sim_ze.so";
constexpr timespec kBetweenUpdates = {.tv_sec = 0, .tv_nsec = 100'000'000};

// Installed: beside the program. Built: the program is in bin/.
absl::StatusOr<fs::path> LibraryFolder(const std::string& own_folder) {
  const fs::path candidates[] = {fs::path(own_folder), fs::path(own_folder).parent_path() / "tests/hardware_sim"};
  std::error_code ignored;
  for (const fs::path& candidate : candidates) {
    if (fs::exists(candidate / kNvmlFolder / "libnvidia-ml.so.1", ignored)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("expected nvml/libnvidia-ml.so.1 in ", candidates[0].string(), " or in ",
                                          candidates[1].string(), ", found none; build or install all of Muster"));
}

// Empty when there is none.
std::string LevelZeroDriver(const fs::path& folder) {
  std::error_code ignored;
  const fs::path driver = folder / kLevelZeroDriver;
  return fs::exists(driver, ignored) ? driver.string() : std::string();
}

std::string DescribeMachine(const Machine& machine) {
  std::string text = absl::StrCat(machine.name(), ": ", machine.devices_size(), " devices\n");
  for (int i = 0; i < machine.devices_size(); ++i) {
    const Device& device = machine.devices(i);
    absl::StrAppend(&text, "  ", PciAddressOf(device, i), "  ", FactsOf(device).model.name());
    if (device.faults_size() > 0) absl::StrAppend(&text, ", ", device.faults_size(), " faults");
    if (device.fields_size() > 0) absl::StrAppend(&text, ", ", device.fields_size(), " fields");
    absl::StrAppend(&text, "\n");
  }
  return text;
}

// Until the next update; true when it is time to end.
bool WaitForEnd(const sigset_t& signals) { return sigtimedwait(&signals, nullptr, &kBetweenUpdates) > 0; }

}  // namespace

absl::StatusOr<std::string> DescribeScenario(const std::string& path) {
  ASSIGN_OR_RETURN(const Scenario scenario, ReadScenario(path));
  std::string text;
  for (const Machine& machine : scenario.machines()) absl::StrAppend(&text, DescribeMachine(machine));
  return text;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> EnvironmentOf(const SimulatedMachine& machine,
                                                                               const std::string& own_folder) {
  std::error_code ignored;
  const std::string path = fs::absolute(machine.scenario, ignored).string();
  ASSIGN_OR_RETURN(const Scenario scenario, ReadScenario(path));
  RETURN_IF_ERROR(World::Make(scenario, machine.machine).status());
  ASSIGN_OR_RETURN(const fs::path folder, LibraryFolder(own_folder));
  std::vector<std::pair<std::string, std::string>> environment = {
      {"MUSTER_SIM_SCENARIO", path},
      {"MUSTER_SIM_MACHINE", machine.machine},
      {"MUSTER_SIM_START_UNIX_MS", absl::StrCat(machine.start_unix_ms)},
      {"LD_LIBRARY_PATH", (folder / kNvmlFolder).string()}};
  if (const std::string driver = LevelZeroDriver(folder); !driver.empty()) {
    environment.emplace_back("ZE_ENABLE_ALT_DRIVERS", driver);
  }
  return environment;
}

std::string ForShell(const std::vector<std::pair<std::string, std::string>>& environment) {
  std::string text;
  for (const auto& [name, value] : environment) {
    absl::StrAppend(&text, "export ", name, "='", absl::StrReplaceAll(value, {{"'", "'\\''"}}), "'\n");
  }
  return text;
}

absl::Status Serve(const SimulatedMachine& machine, const std::string& root) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  setenv("MUSTER_SIM_SCENARIO", machine.scenario.c_str(), 1);
  setenv("MUSTER_SIM_MACHINE", machine.machine.c_str(), 1);
  setenv("MUSTER_SIM_START_UNIX_MS", absl::StrCat(machine.start_unix_ms).c_str(), 1);
  ASSIGN_OR_RETURN(const std::unique_ptr<LiveWorld> live, LiveWorld::FromEnvironment());
  MachineTree tree(root, machine.machine);
  RETURN_IF_ERROR(tree.Update(*live->world(), live->now()));
  std::puts("ready");
  std::fflush(stdout);
  while (!WaitForEnd(signals)) RETURN_IF_ERROR(tree.Update(*live->world(), live->now()));
  return absl::OkStatus();
}

}  // namespace muster::sim
