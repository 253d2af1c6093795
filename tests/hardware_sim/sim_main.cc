// muster-sim: simulated machines by a scenario (scenario.proto).
//
//   muster-sim check SCENARIO                                             is it in order, and what does it hold?
//   muster-sim env --scenario F --machine M [--start-unix-ms T]           what to export before an agent or a suite
//   muster-sim serve --scenario F --machine M --root DIR [--start-unix-ms T]   keep the machine's /sys, /proc, /etc and
//   /dev/kmsg
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/hardware_sim/simulator.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "muster-sim: %s\n", std::string(status.message()).c_str());
  return 2;
}

int64_t NowUnixMs() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Prints the text, or why there is none.
int Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return Fail(text.status());
  std::fputs(text->c_str(), stdout);
  return 0;
}

absl::StatusOr<std::string> ShellEnvironment(const muster::sim::SimulatedMachine& machine) {
  std::error_code ignored;
  const std::string own_folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
  auto environment = muster::sim::EnvironmentOf(machine, own_folder);
  if (!environment.ok()) return environment.status();
  return muster::sim::ForShell(*environment);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Simulated machines and GPUs by a scenario.", "muster-sim");
  app.require_subcommand(1);
  muster::sim::SimulatedMachine machine = {.start_unix_ms = NowUnixMs()};
  std::string root;
  CLI::App* check = app.add_subcommand("check", "Says whether a scenario is in order, and what it holds.");
  check->add_option("SCENARIO", machine.scenario, "Text proto file")->required();
  CLI::App* env = app.add_subcommand("env", "Prints what to export so that programs see a machine's simulated GPUs.");
  CLI::App* serve = app.add_subcommand("serve", "Keeps a machine's /sys, /proc, /etc and /dev/kmsg in a folder.");
  for (CLI::App* command : {env, serve}) {
    command->add_option("--scenario", machine.scenario, "Text proto file")->required();
    command->add_option("--machine", machine.machine, "One of the scenario's machines")->required();
    command->add_option("--start-unix-ms", machine.start_unix_ms, "When the scenario starts; now when not given");
  }
  serve->add_option("--root", root, "The folder; made when missing")->required();
  CLI11_PARSE(app, argc, argv);

  if (*check) return Print(muster::sim::DescribeScenario(machine.scenario));
  if (*env) return Print(ShellEnvironment(machine));
  const absl::Status served = muster::sim::Serve(machine, root);
  return served.ok() ? 0 : Fail(served);
}
