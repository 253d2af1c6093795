// A suite's program, as an agent starts it, on simulated Intel GPUs: the real Level Zero loader, the simulated driver,
// and the kernels computed by the host (physical_kernels.cc).
#ifndef MUSTER_TESTS_PHYSICAL_SIMULATED_SUITE_H_
#define MUSTER_TESTS_PHYSICAL_SIMULATED_SUITE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "suites/sdk/testing/program_run.h"

namespace muster::physical {

// What is an Arc but for its memory.
inline std::string ArcWithMemory(uint64_t bytes) {
  return "model: CUSTOM custom { name: 'Arc A770' pci_vendor_id: 0x8086 pci_device_id: 0x56a0 memory_bytes: " +
         std::to_string(bytes) +
         " power_limit_watts: 225 idle_watts: 38 clock_max_hertz: 2.4e9 memory_clock_hertz: 2.1875e9 pcie_generation: "
         "4 "
         "pcie_lanes: 16 throttle_celsius: 100 shutdown_celsius: 110 }";
}

// Its lease.
inline constexpr char kDevice[] =
    R"(MUSTER_DEVICES=[{"id": "arc", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0", "memoryBytes": "134217728",
                        "labels": {"vendor": "intel"}}])";

inline std::string Said(const sdk::testing::Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

inline bool Failed(const sdk::testing::Step& step) {
  for (const auto& diagnosis : step.diagnoses) {
    if (diagnosis.type() == "FAIL") return true;
  }
  return false;
}

class SimulatedSuite : public testing::Test {
 protected:
  // `parameters`: the usual ones of a run, as "a": 1, "b": 2.
  SimulatedSuite(std::string program, std::string parameters)
      : program_(std::move(program)),
        parameters_(std::move(parameters)),
        scenario_(testing::TempDir() + "/physical-" + std::to_string(getpid())) {}
  ~SimulatedSuite() override { std::filesystem::remove(scenario_); }

  // The program on a device of this model with these faults, as scenario.proto has them.
  sdk::testing::ProgramRun RunWith(const std::string& model, const std::string& faults,
                                   std::vector<std::string> variables) {
    std::ofstream(scenario_) << "machines { name: 'm' devices { " << model << " pci_address: '0000:03:00.0' " << faults
                             << " } }";
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::hours(1);
    const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
    variables.insert(variables.begin(),
                     {"MUSTER_SIM_SCENARIO=" + scenario_, "MUSTER_SIM_MACHINE=m",
                      "MUSTER_SIM_START_UNIX_MS=" + std::to_string(start_ms),
                      "MUSTER_SIM_KERNELS=" MUSTER_PHYSICAL_KERNELS, "ZE_ENABLE_ALT_DRIVERS=" MUSTER_SIM_ZE_DRIVER});
    return sdk::testing::RunProgram(program_, variables);
  }

  // One case; `parameters` beside the usual.
  sdk::testing::Step Run(const std::string& name, const std::string& model, const std::string& faults = "",
                         const std::string& parameters = "") {
    const sdk::testing::ProgramRun run = RunWith(
        model, faults, {"MUSTER_CASES=" + name, "MUSTER_PARAMETERS={" + parameters_ + parameters + "}", kDevice});
    return run.steps.contains(name) ? run.steps.at(name) : sdk::testing::Step();
  }

 private:
  const std::string program_;
  const std::string parameters_;
  const std::string scenario_;
};

}  // namespace muster::physical

#endif  // MUSTER_TESTS_PHYSICAL_SIMULATED_SUITE_H_
