// stress.* and power.* whole, as an agent starts them, on a simulated Intel GPU: the program `benchmark`, the real
// Level Zero loader, the simulated driver's sensors, and the kernels computed by the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "suites/sdk/testing/program_run.h"

namespace muster::benchmark {
namespace {

using sdk::testing::ProgramRun;
using sdk::testing::RunProgram;
using sdk::testing::Step;
using testing::HasSubstr;

constexpr char kDevice[] =
    R"(MUSTER_DEVICES=[{"id": "arc", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0", "labels": {"vendor": "intel"}}])";

std::string Said(const Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

double Measured(const Step& step, const std::string& name) {
  for (const auto& one : step.measurements) {
    if (one.name() == name) return one.value().number_value();
  }
  ADD_FAILURE() << "no measurement " << name;
  return -1;
}

class SimulatedStress : public testing::Test {
 protected:
  SimulatedStress() : folder_(testing::TempDir() + "/stress-" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_ + "/state");
  }
  ~SimulatedStress() override { std::filesystem::remove_all(folder_); }

  // `device` beside its model, as scenario.proto has it.
  std::vector<std::string> Variables(const std::string& name, const std::string& parameters,
                                     const std::string& device = "load { constant: 0.9 }") {
    const std::string scenario = folder_ + "/scenario";
    std::ofstream(scenario) << "machines { name: 'm' devices { model: ARC_A770 pci_address: '0000:03:00.0' " << device
                            << " } }";
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::hours(1);
    const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
    return {"MUSTER_CASES=" + name, "MUSTER_LEVEL=2",
            // The host's speed is nobody's.
            "MUSTER_PARAMETERS={\"steady_floor\": 0.5, " + parameters + "}", kDevice,
            "MUSTER_STATE_DIR=" + folder_ + "/state", "MUSTER_SIM_SCENARIO=" + scenario, "MUSTER_SIM_MACHINE=m",
            "MUSTER_SIM_START_UNIX_MS=" + std::to_string(start_ms), "MUSTER_SIM_KERNELS=" MUSTER_PHYSICAL_KERNELS,
            "ZE_ENABLE_ALT_DRIVERS=" MUSTER_SIM_ZE_DRIVER};
  }

  Step Run(const std::string& name, const std::string& parameters,
           const std::string& device = "load { constant: 0.9 }") {
    const ProgramRun run = RunProgram(MUSTER_BENCHMARK_SUITE, Variables(name, parameters, device));
    return run.steps.contains(name) ? run.steps.at(name) : Step();
  }

  // What the ledger says; nothing while there is none.
  double KeptSeconds() const {
    const auto text = base::ReadFile(folder_ + "/state/stress-arc.txt", 10'000);
    if (!text.ok()) return 0;
    for (const auto& line : absl::StrSplit(*text, '\n')) {
      const std::vector<std::string> parts = absl::StrSplit(line, '\t');
      double seconds = 0;
      if (parts[0] == "steady" && parts.size() == 3 && absl::SimpleAtod(parts[1], &seconds)) return seconds;
    }
    return 0;
  }

  const std::string folder_;
};

TEST_F(SimulatedStress, SigtermEndsItWithWhatItHasAndTheNextRunAddsToIt) {
  base::Subprocess::Options options;
  options.program = MUSTER_BENCHMARK_SUITE;
  options.environment = Variables("stress.steady,stress.pulse", R"("stress_seconds": 3600)");
  options.working_directory = folder_;
  auto program = base::Subprocess::Start(options);
  ASSERT_TRUE(program.ok()) << program.status();
  // Its first lines come when the ledger was kept a first time; the test ends with a failure if that never comes.
  while (KeptSeconds() == 0 && !program->Reap()) std::this_thread::yield();
  ASSERT_GT(KeptSeconds(), 0);
  kill(program->pid(), SIGTERM);
  std::optional<base::Subprocess::End> end;
  while (!(end = program->Reap())) std::this_thread::yield();
  EXPECT_EQ(end->exit_code, 128 + SIGTERM);
  const double first = KeptSeconds();

  const Step second = Run("stress.steady", R"("stress_seconds": 1)");
  EXPECT_THAT(Said(second), testing::Not(HasSubstr("FAIL"))) << Said(second);
  const double worked = Measured(second, "stress.steady.seconds");
  EXPECT_NEAR(Measured(second, "stress.coverage_seconds"), first + worked, 0.01);
}

TEST_F(SimulatedStress, AWrongResultIsLocated) {
  const Step step = Run("stress.steady", R"("stress_seconds": 60, "inject_stress": "wrong:1:5:0")");
  EXPECT_THAT(Said(step), HasSubstr("FAIL: wrong result under load: pulse 1 on group 5, lane 0"));
}

TEST_F(SimulatedStress, SlowPulsesAreTheHosts) {
  const Step step =
      Run("stress.pulse", R"("stress_seconds": 2, "pulse_frequencies": "1", "inject_stress": "wrong:0:3:0")");
  EXPECT_THAT(Said(step), HasSubstr("pulse 0 of 1 Hz"));
  EXPECT_THAT(Said(step), HasSubstr("on group 3, lane 0"));
}

TEST_F(SimulatedStress, AFaultThatHoldsTheClocksIsFound) {
  const Step step = Run("stress.steady", R"("stress_seconds": 1)",
                        "load { constant: 0.9 } faults { at_s: 1 throttle { reason: 'thermal' } }");
  EXPECT_THAT(Said(step), HasSubstr("FAIL: expected nothing but limits as designed to hold the clocks"));
  EXPECT_THAT(Said(step), HasSubstr("thermal limit"));
}

}  // namespace
}  // namespace muster::benchmark
