// The physical tests whole, as an agent starts them, on simulated Intel GPUs: the program `driver`, the real Level Zero
// loader, the simulated driver, and the kernels computed by the host (physical_kernels.cc).
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

// As little memory as the host walks through in a second; in everything else an Arc.
constexpr char kSmallArc[] =
    "model: CUSTOM custom { name: 'Arc A770' pci_vendor_id: 0x8086 pci_device_id: 0x56a0 memory_bytes: 134217728 "
    "power_limit_watts: 225 idle_watts: 38 clock_max_hertz: 2.4e9 memory_clock_hertz: 2.1875e9 pcie_generation: 4 "
    "pcie_lanes: 16 throttle_celsius: 100 shutdown_celsius: 110 }";
constexpr char kArc[] = "model: ARC_A770";
// The host's speed is nobody's; small products and no floors.
constexpr char kParameters[] = R"("march_floor": 0, "gemm_floor": 0, "gemm_size": 128)";

constexpr char kDevice[] =
    R"(MUSTER_DEVICES=[{"id": "arc", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0", "memoryBytes": "134217728",
                        "labels": {"vendor": "intel"}}])";

std::string Said(const Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

class SimulatedIntel : public testing::Test {
 protected:
  SimulatedIntel() : scenario_(testing::TempDir() + "/physical-" + std::to_string(getpid())) {}
  ~SimulatedIntel() override { std::filesystem::remove(scenario_); }

  // The program on a device of this model with these faults, as scenario.proto has them.
  ProgramRun RunWith(const std::string& model, const std::string& faults, std::vector<std::string> variables) {
    std::ofstream(scenario_) << "machines { name: 'm' devices { " << model << " pci_address: '0000:03:00.0' " << faults
                             << " } }";
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::hours(1);
    const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
    variables.insert(variables.end(),
                     {"MUSTER_SIM_SCENARIO=" + scenario_, "MUSTER_SIM_MACHINE=m",
                      "MUSTER_SIM_START_UNIX_MS=" + std::to_string(start_ms),
                      "MUSTER_SIM_KERNELS=" MUSTER_PHYSICAL_KERNELS, "ZE_ENABLE_ALT_DRIVERS=" MUSTER_SIM_ZE_DRIVER});
    return RunProgram(MUSTER_DRIVER_SUITE, variables);
  }

  // One case; `parameters` beside the usual.
  Step Run(const std::string& name, const std::string& model, const std::string& faults = "",
           const std::string& parameters = "") {
    const ProgramRun run =
        RunWith(model, faults,
                {"MUSTER_CASES=" + name, "MUSTER_PARAMETERS={" + std::string(kParameters) + parameters + "}", kDevice});
    return run.steps.contains(name) ? run.steps.at(name) : Step();
  }

 private:
  const std::string scenario_;
};

bool Failed(const Step& step) {
  for (const auto& diagnosis : step.diagnoses) {
    if (diagnosis.type() == "FAIL") return true;
  }
  return false;
}

TEST_F(SimulatedIntel, GoodMemoryPasses) {
  const Step step = Run("memory.march", kSmallArc);
  EXPECT_EQ(step.status, "COMPLETE") << Said(step);
  EXPECT_EQ(Said(step), "");
  std::string names;
  for (const auto& one : step.measurements) names += one.name() + " ";
  EXPECT_THAT(names, HasSubstr("memory.march.coverage "));
  EXPECT_THAT(names, HasSubstr("work.bytes "));
}

TEST_F(SimulatedIntel, AnInjectedFaultOfMemoryIsLocated) {
  const Step step = Run("memory.march", kSmallArc, "", R"(, "inject": "flip:1234:70")");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("offset 0x4d20"));
}

// The driver's own fault: one bit behind each run of the kernel that writes.
TEST_F(SimulatedIntel, AWrongBitOfTheDeviceIsLocated) {
  const Step step = Run("memory.march", kSmallArc,
                        "faults { at_s: 1 wrong_results { kernel: 'march_write' byte_offset: 4660 bit: 3 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("offset 0x1230"));
}

TEST_F(SimulatedIntel, GoodProductsPass) {
  for (const char* name : {"compute.golden_fp32"}) {
    const Step step = Run(name, kArc);
    EXPECT_EQ(step.status, "COMPLETE") << name << Said(step);
    EXPECT_EQ(Said(step), "") << name;
  }
}

TEST_F(SimulatedIntel, AnInjectedFaultOfAProductIsLocated) {
  const Step step = Run("compute.golden_fp32", kArc, "", R"(, "inject_gemm": "bit:17:93:20")");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("row 17, column 93"));
}

TEST_F(SimulatedIntel, AWrongBitOfAProductIsLocated) {
  // Kept in columns: byte 4 * (93 * 128 + 17) + 2.
  const Step step = Run("compute.golden_fp32", kArc,
                        "faults { at_s: 1 wrong_results { kernel: 'golden_multiply' byte_offset: 47686 bit: 4 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("row 17, column 93"));
}

TEST_F(SimulatedIntel, ADeviceThatIsLostFails) {
  for (const char* name : {"memory.march", "compute.golden_fp32"}) {
    const Step step = Run(name, kSmallArc,
                          "faults { at_s: 1 call_fails { function: 'zeCommandListAppendLaunchKernel' result: "
                          "0x70000001 } }");
    EXPECT_TRUE(Failed(step)) << name << Said(step);
    EXPECT_THAT(Said(step), HasSubstr("lost or hung")) << name;
  }
}

// A wait that never ends: each of its slices says so at once.
TEST_F(SimulatedIntel, ADeviceThatHangsFails) {
  const Step step =
      Run("memory.march", kSmallArc, "faults { at_s: 1 call_fails { function: 'zeEventHostSynchronize' result: 1 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("the device hangs"));
}

TEST_F(SimulatedIntel, ALeasedDeviceThatLevelZeroDoesNotShowFails) {
  const Step step = Run("memory.march", kSmallArc, "faults { at_s: 1 device_lost {} }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("expected Level Zero to serve"));
}

std::string LogOfRun(const ProgramRun& run) {
  std::string log;
  for (const auto& line : run.lines) log += line.test_run_artifact().log().message();
  return log;
}

TEST_F(SimulatedIntel, TheRunSaysThatTheSuiteIsNotProvenOnTheDevice) {
  EXPECT_THAT(LogOfRun(RunWith(kArc, "", {"MUSTER_CASES=ecc.mode", kDevice})),
              HasSubstr("not proven on  0000:03:00.0 (vendor=intel): never run on Intel silicon"));
}

// By hand the program finds the device itself, and sees that it is simulated.
TEST_F(SimulatedIntel, IsFoundWithoutALease) {
  const ProgramRun run = RunWith(kArc, "", {"MUSTER_CASES=ecc.mode"});
  ASSERT_EQ(run.start.dut_info().hardware_infos_size(), 1);
  EXPECT_EQ(run.start.dut_info().hardware_infos(0).location(), "0000:03:00.0");
  EXPECT_EQ(run.start.dut_info().hardware_infos(0).name(), "Intel(R) Arc(TM) A770 Graphics (simulated)");
  EXPECT_EQ(LogOfRun(run), "");
}

}  // namespace
}  // namespace muster::physical
