// The physical tests of the suite driver, whole, on simulated Intel GPUs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/physical/simulated_suite.h"

namespace muster::physical {
namespace {

using sdk::testing::ProgramRun;
using sdk::testing::Step;
using testing::HasSubstr;

// As little memory as the host walks through in a second.
const std::string& kSmallArc = *new std::string(ArcWithMemory(128 << 20));
// Memory for several processes at once.
const std::string& kRoomyArc = *new std::string(ArcWithMemory(1 << 30));
constexpr char kArc[] = "model: ARC_A770";

// The host's speed is nobody's; small products and no floors.
class SimulatedIntel : public SimulatedSuite {
 protected:
  SimulatedIntel()
      : SimulatedSuite(MUSTER_DRIVER_SUITE,
                       R"("march_floor": 0, "gemm_floor": 0, "gemm_size": 128, "unit_groups": 1)") {}
};

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
                        "faults { at_s: 1 wrong_results { kernel: 'plain_multiply' byte_offset: 47686 bit: 4 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("row 17, column 93"));
}

TEST_F(SimulatedIntel, GoodUnitsPassThoughTheyHaveNoNames) {
  for (const char* name : {"compute.integer", "compute.float", "compute.special", "compute.atomics"}) {
    const Step step = Run(name, kArc);
    EXPECT_EQ(step.status, "COMPLETE") << name << Said(step);
    EXPECT_EQ(Said(step), "") << name;
  }
}

TEST_F(SimulatedIntel, AStuckLaneIsLocated) {
  const Step step = Run("compute.integer", kArc, "", R"(, "inject_unit": "stuck:0:37:21")");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("permanent: 10 of 10 launches fail again"));
  EXPECT_THAT(Said(step), HasSubstr("unit unknown"));
  EXPECT_THAT(Said(step), HasSubstr("lane 37, add32"));
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

// Lost while the memory is held for its retention, or before, where the program is slow to start.
TEST_F(SimulatedIntel, ADeviceThatIsLostOnTheWayFails) {
  const ProgramRun run =
      RunWith(kSmallArc, "faults { at_s: 3600.4 device_lost {} }",
              {"MUSTER_CASES=memory.march", "MUSTER_LEVEL=2", R"(MUSTER_PARAMETERS={"march_floor": 0})", kDevice});
  ASSERT_TRUE(run.steps.contains("memory.march"));
  EXPECT_TRUE(Failed(run.steps.at("memory.march"))) << Said(run.steps.at("memory.march"));
  EXPECT_EQ(run.end.result(), "FAIL");
}

// A wait that never ends: each of its slices says so at once.
TEST_F(SimulatedIntel, ADeviceThatHangsFails) {
  const Step step =
      Run("memory.march", kSmallArc, "faults { at_s: 1 call_fails { function: 'zeEventHostSynchronize' result: 1 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("the device hangs"));
}

TEST_F(SimulatedIntel, AllOfTheMachinesMemoryIsNotTaken) {
  const std::string integrated = absl::StrReplaceAll(kDevice, {{"0000:03:00.0", "0000:00:02.0"}});
  for (const char* name : {"memory.march", "api.out_of_memory"}) {
    const ProgramRun run = RunWith(kArc, "", {absl::StrCat("MUSTER_CASES=", name), integrated});
    ASSERT_TRUE(run.steps.contains(name));
    EXPECT_EQ(run.steps.at(name).status, "SKIP") << Said(run.steps.at(name));
  }
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

TEST_F(SimulatedIntel, TheRunSaysThatItMakesAFaultByItself) {
  EXPECT_THAT(
      LogOfRun(RunWith(kArc, "", {"MUSTER_CASES=ecc.mode", R"(MUSTER_PARAMETERS={"inject_unit": "slow:3"})", kDevice})),
      HasSubstr("this run makes a fault by itself, to test the tests: inject_unit is \"slow:3\""));
}

// A fleet of simulated machines is not red for what it cannot do, and never acts on the machine that plays it.
TEST_F(SimulatedIntel, WhatASimulatedDeviceCannotDoIsSkipped) {
  const std::string lease = std::string(kDevice).insert(std::string(kDevice).find("\"id\""), "\"simulated\": true, ");
  ProgramRun run = RunWith(kArc, "", {"MUSTER_CASES=memory.march,smoke.compute", lease, "MUSTER_SIM_KERNELS="});
  for (const char* name : {"memory.march", "smoke.compute"}) {
    EXPECT_EQ(run.steps[name].status, "SKIP") << name << Said(run.steps[name]);
    EXPECT_THAT(Said(run.steps[name]), HasSubstr("simulated, without kernels for it"));
  }
  run = RunWith(kArc, "", {"MUSTER_CASES=reset.gpu,reload.driver", "MUSTER_DESTRUCTIVE=1", lease});
  for (const char* name : {"reset.gpu", "reload.driver"}) {
    EXPECT_EQ(run.steps[name].status, "SKIP") << name << Said(run.steps[name]);
    EXPECT_THAT(Said(run.steps[name]), HasSubstr("the machine's real devices"));
  }
}

// By hand the program finds the device itself, and sees that it is simulated.
TEST_F(SimulatedIntel, IsFoundWithoutALease) {
  const ProgramRun run = RunWith(kArc, "", {"MUSTER_CASES=ecc.mode"});
  ASSERT_EQ(run.start.dut_info().hardware_infos_size(), 1);
  EXPECT_EQ(run.start.dut_info().hardware_infos(0).location(), "0000:03:00.0");
  EXPECT_EQ(run.start.dut_info().hardware_infos(0).name(), "Intel(R) Arc(TM) A770 Graphics (simulated)");
  EXPECT_EQ(LogOfRun(run), "");
}

TEST_F(SimulatedIntel, TheApiKeepsItsPromises) {
  for (const char* name :
       {"smoke.compute", "smoke.two_processes", "api.event_order", "api.small_allocations", "api.out_of_memory",
        "api.leak", "api.module_file", "api.launch_errors", "api.killed_process", "api.out_of_bounds"}) {
    const Step step = Run(name, kRoomyArc);
    EXPECT_EQ(step.status, "COMPLETE") << name << Said(step);
    EXPECT_EQ(Said(step), "") << name;
  }
}

TEST_F(SimulatedIntel, InjectedFaultsOfTheApiAreFound) {
  const std::vector<std::vector<std::string>> faults = {
      {"api.small_allocations", "corrupt:777", "allocation 777 ("},
      {"api.small_allocations", "overlap:1024", "allocation 1024 ("},
      {"api.out_of_memory", "keep:64", "api.out_of_memory.missing is"},
      {"api.leak", "leak:16", "api.leak.device_memory_lost is"},
      {"api.module_file", "module:1", "the driver refuses a module"},
      {"api.launch_errors", "accept:1", "was not refused"},
      {"api.wait_limit", "short:1", "was said to have ended"},
      {"api.killed_process", "exit:1", "it ended in order"}};
  for (const auto& fault : faults) {
    const Step step = Run(fault[0], kRoomyArc, "", R"(, "inject_api": ")" + fault[1] + "\"");
    EXPECT_TRUE(Failed(step)) << fault[0] << Said(step);
    EXPECT_THAT(Said(step), HasSubstr(fault[2])) << fault[0];
  }
}

}  // namespace
}  // namespace muster::physical
