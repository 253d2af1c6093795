// Links between devices whole, as an agent starts them, on two simulated Intel GPUs: the program `benchmark`, the real
// Level Zero loader, the simulated driver, and the kernels computed by the host (physical_kernels.cc).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "suites/sdk/testing/program_run.h"

namespace muster::physical {
namespace {

using sdk::testing::ProgramRun;
using sdk::testing::RunProgram;
using sdk::testing::Step;
using testing::HasSubstr;

constexpr char kOne[] = R"({"id": "a", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0"})";
constexpr char kTwo[] = R"({"id": "b", "vendor": "VENDOR_INTEL", "pciAddress": "0000:04:00.0"})";
// The host's speed is nobody's; as little as the host moves in a moment.
constexpr char kParameters[] = R"("link_mib": 1, "all_reduce_mib": 1, "peer_latency_limit_us": 1000)";

class SimulatedLinks : public testing::Test {
 protected:
  SimulatedLinks() : scenario_(testing::TempDir() + "/links-" + std::to_string(getpid())) {
    std::ofstream(scenario_) << "machines { name: 'm' devices { model: ARC_A770 pci_address: '0000:03:00.0' } "
                                "devices { model: ARC_A770 pci_address: '0000:04:00.0' } }";
  }
  ~SimulatedLinks() override { std::filesystem::remove(scenario_); }

  Step Run(const std::string& name, const std::string& devices, const std::string& parameters = "") {
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::hours(1);
    const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
    const ProgramRun run =
        RunProgram(MUSTER_BENCHMARK_SUITE,
                   {"MUSTER_CASES=" + name, "MUSTER_PARAMETERS={" + std::string(kParameters) + parameters + "}",
                    "MUSTER_DEVICES=[" + devices + "]", "MUSTER_SIM_SCENARIO=" + scenario_, "MUSTER_SIM_MACHINE=m",
                    "MUSTER_SIM_START_UNIX_MS=" + std::to_string(start_ms),
                    "MUSTER_SIM_KERNELS=" MUSTER_PHYSICAL_KERNELS, "ZE_ENABLE_ALT_DRIVERS=" MUSTER_SIM_ZE_DRIVER});
    return run.steps.contains(name) ? run.steps.at(name) : Step();
  }
  Step RunOnBoth(const std::string& name, const std::string& parameters = "") {
    return Run(name, std::string(kOne) + "," + kTwo, parameters);
  }

 private:
  const std::string scenario_;
};

std::string Said(const Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

TEST_F(SimulatedLinks, GoodLinksPass) {
  for (const char* name : {"link.peer_copy", "link.all_pairs", "link.peer_latency", "link.all_reduce"}) {
    const Step step = RunOnBoth(name);
    EXPECT_EQ(step.status, "COMPLETE") << name;
    EXPECT_EQ(Said(step), "") << name;
    std::string names;
    for (const auto& one : step.measurements) names += one.name() + " ";
    EXPECT_THAT(names, HasSubstr("work.")) << name;
  }
}

TEST_F(SimulatedLinks, InjectedFaultsAreFoundWithTheirPair) {
  const struct {
    const char* name;
    const char* parameters;
    const char* words;
  } faults[] = {
      {"link.peer_copy", R"(, "inject_link": "0:1:drop:65536:4096")", "from GPU 0 to GPU 1, by copy: 256 of 65536"},
      {"link.peer_copy", R"(, "inject_link": "1:0:shift:64")", "belongs at offset 64"},
      {"link.all_pairs", R"(, "inject_link": "1:0:source")", "came from GPU 0's memory"},
      {"link.peer_latency", R"(, "inject_link_chase": "0:1:777")", "GPU 0, ring in GPU 1's memory"},
      {"link.all_reduce", R"(, "inject_reduce": "lacks:1:777")", "it lacks what GPU 1 gave"},
  };
  for (const auto& [name, parameters, words] : faults) {
    const Step step = RunOnBoth(name, parameters);
    EXPECT_THAT(Said(step), testing::AllOf(HasSubstr("FAIL: "), HasSubstr(words))) << parameters;
  }
}

TEST_F(SimulatedLinks, OneDeviceHasNone) {
  for (const char* name :
       {"link.peer_copy", "link.all_pairs", "link.peer_latency", "link.peer_atomics", "link.all_reduce"}) {
    const Step step = Run(name, kOne);
    EXPECT_EQ(step.status, "SKIP") << name;
    EXPECT_THAT(Said(step), HasSubstr("needs two devices of one vendor; this run has 1 in all")) << name;
  }
}

TEST_F(SimulatedLinks, AtomicsAreNotTriedOnIntel) {
  const Step step = RunOnBoth("link.peer_atomics");
  EXPECT_EQ(step.status, "SKIP");
  EXPECT_THAT(Said(step), HasSubstr("atomic operations between Intel's devices are not tried"));
}

}  // namespace
}  // namespace muster::physical
