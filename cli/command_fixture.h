// A fake coordinator, and `muster` run against it with strings for its output.
#ifndef MUSTER_CLI_COMMAND_FIXTURE_H_
#define MUSTER_CLI_COMMAND_FIXTURE_H_

#include <atomic>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/control_service_fake.h"
#include "cli/environment.h"
#include "gtest/gtest.h"

namespace muster::cli {

struct Outcome {
  int exit = -1;
  std::string out;
  std::string err;
};

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() : address_(fake_.Serve()) {
    variables_["MUSTER_COORDINATOR"] = address_;
    variables_["HOME"] = ::testing::TempDir();
  }

  // A machine with one GPU and a suite with these cases.
  void AddMachine(const std::string& name, const std::string& suite, const std::vector<std::string>& cases) {
    v1::MachineStatus status;
    status.set_connected(true);
    status.mutable_machine()->set_name(name);
    status.mutable_machine()->set_os("Debian GNU/Linux 12");
    v1::Device& device = *status.mutable_machine()->add_devices();
    device.set_id("GPU-" + name);
    device.set_model("NVIDIA H200");
    device.set_pci_address("0000:41:00.0");
    device.set_driver_state(v1::DRIVER_STATE_READY);
    v1::DeviceHealth& health = *status.mutable_health()->add_devices();
    health.set_device_id(device.id());
    health.set_state(v1::HEALTH_STATE_HEALTHY);
    v1::SuiteManifest& manifest = *status.add_suites();
    manifest.set_name(suite);
    manifest.set_version("1.0");
    for (const std::string& c : cases) manifest.add_cases()->set_name(c);
    fake_.AddMachine(status);
  }
  void AddPlan(const std::string& name, const std::string& suite) {
    v1::Plan plan;
    plan.set_name(name);
    plan.set_description("a plan of the test");
    plan.add_suites()->set_suite(suite);
    fake_.AddPlan(plan);
  }
  static v1::CaseResult Result(v1::Verdict verdict, const std::string& reason = "") {
    v1::CaseResult result;
    result.set_outcome(verdict);
    result.set_reason(reason);
    result.set_duration_ms(1500);
    return result;
  }

  // Runs `muster ARGUMENTS --insecure-loopback`.
  Outcome Muster(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    arguments.push_back("--insecure-loopback");
    Environment environment = MakeEnvironment(out, err);
    const int exit = RunCommandLine(arguments, environment);
    return {exit, out.str(), err.str()};
  }
  // What `muster __complete WORDS` prints.
  std::string Completions(std::vector<std::string> words) {
    std::ostringstream out;
    std::ostringstream err;
    words.insert(words.begin(), {"__complete", "--insecure-loopback"});
    RunCommandLine(words, MakeEnvironment(out, err));
    return out.str();
  }

  Environment MakeEnvironment(std::ostream& out, std::ostream& err) {
    Environment environment;
    environment.out = &out;
    environment.err = &err;
    environment.out_is_terminal = terminal_;
    environment.err_is_terminal = terminal_;
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      return it == variables_.end() ? std::nullopt : std::optional(it->second);
    };
    environment.terminal_size = [] { return TerminalSize{.width = 100, .height = 30}; };
    environment.now_unix_ms = [] { return int64_t{1'800'000'060'000}; };
    environment.take_interrupt = [this] { return interrupt_.exchange(Interrupt::kNone); };
    return environment;
  }

  FakeControlService fake_;
  const std::string address_;
  std::map<std::string, std::string> variables_;
  bool terminal_ = false;
  std::atomic<Interrupt> interrupt_ = Interrupt::kNone;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_COMMAND_FIXTURE_H_
