// The driver suite from outside: on this machine as it is, and with an NVML that has one GPU with a fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "suites/sdk/testing/program_run.h"

namespace muster::driver {
namespace {

using sdk::testing::ProgramRun;
using sdk::testing::RunProgram;
using sdk::testing::Step;
using testing::HasSubstr;

constexpr char kDevice[] =
    R"(MUSTER_DEVICES=[{"id": "GPU-fake", "uuid": "GPU-fake", "vendor": "VENDOR_NVIDIA", "pciAddress": "0000:41:00.0"}])";

struct Scenario {
  const char* name;
  const char* faults;
  const char* status;
  // In a FAIL diagnosis, or in the reason of a skip, or in the error; empty: nothing is said.
  const char* words;
};

std::string Said(const Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

class DriverSuiteTest : public testing::TestWithParam<Scenario> {};

TEST_P(DriverSuiteTest, FindsTheFault) {
  const Scenario& scenario = GetParam();
  const ProgramRun run = RunProgram(
      MUSTER_DRIVER_SUITE, {std::string("MUSTER_CASES=") + scenario.name, kDevice, "LD_LIBRARY_PATH=" MUSTER_FAKE_NVML,
                            std::string("FAKE_NVML=") + scenario.faults});
  ASSERT_TRUE(run.steps.contains(scenario.name));
  const Step& step = run.steps.at(scenario.name);
  EXPECT_EQ(step.status, scenario.status) << Said(step);
  if (*scenario.words == '\0') {
    EXPECT_EQ(Said(step), "");
  } else {
    EXPECT_THAT(Said(step), HasSubstr(scenario.words));
  }
}

INSTANTIATE_TEST_SUITE_P(Healthy, DriverSuiteTest,
                         testing::Values(Scenario{"ecc.mode", "", "COMPLETE", ""},
                                         Scenario{"ecc.errors", "corrected=3", "COMPLETE", ""},
                                         Scenario{"memory.remapped_rows", "remapped=1", "COMPLETE", ""},
                                         Scenario{"memory.retired_pages", "retired=2", "COMPLETE", ""},
                                         Scenario{"thermal.temperature", "celsius=89", "COMPLETE", ""},
                                         Scenario{"settings.modes", "compute_mode=3", "COMPLETE", ""},
                                         Scenario{"device.reset_need", "recovery=3", "COMPLETE", ""},
                                         Scenario{"firmware.loaded", "", "COMPLETE", ""},
                                         Scenario{"firmware.flashed", "", "COMPLETE", ""}));

INSTANTIATE_TEST_SUITE_P(
    Faulty, DriverSuiteTest,
    testing::Values(
        Scenario{"ecc.mode", "ecc_pending=0", "COMPLETE", "FAIL: Expected equality"},
        Scenario{"ecc.errors", "uncorrected=1", "COMPLETE", "FAIL: ecc.volatile_uncorrected is 1; expected 0"},
        Scenario{"memory.remapped_rows", "remap_pending=1", "COMPLETE", "reset the GPU to apply it"},
        Scenario{"memory.remapped_rows", "remap_failed=1", "COMPLETE", "have the GPU replaced"},
        Scenario{"memory.retired_pages", "retired=64", "COMPLETE", "FAIL: memory.retired_pages is 64"},
        Scenario{"memory.retired_pages", "retire_pending=1", "COMPLETE", "no page retirement to be pending"},
        Scenario{"thermal.temperature", "celsius=90", "COMPLETE", "FAIL: temperature.gpu is 90"},
        Scenario{"settings.modes", "compute_mode=2", "COMPLETE", "prohibited"},
        Scenario{"ecc.errors", "fail=nvmlDeviceGetHandleByUUID:6", "COMPLETE", "FAIL: expected NVML to list GPU-fake"},
        Scenario{"ecc.errors", "fail=nvmlDeviceGetTotalEccErrors:15", "COMPLETE", "FAIL: the GPU is lost"},
        Scenario{"ecc.errors", "fail=nvmlInit_v2:18", "COMPLETE", "FAIL: expected NVML to serve the GPU"},
        Scenario{"device.reset_need", "recovery=2", "COMPLETE", "the machine must be restarted"},
        Scenario{"firmware.loaded", "gsp_version=570", "COMPLETE", "expected the GSP's firmware to be of the driver's"},
        Scenario{"firmware.flashed", "fail=nvmlDeviceValidateInforom:14", "COMPLETE", "the InfoROM's checksums"},
        Scenario{"nodes.permissions", "", "COMPLETE", "FAIL"}));

INSTANTIATE_TEST_SUITE_P(
    NotForThisDevice, DriverSuiteTest,
    testing::Values(Scenario{"ecc.errors", "ecc=0,ecc_pending=0", "SKIP", "ECC is off"},
                    Scenario{"firmware.loaded", "gsp=0", "SKIP", "runs this GPU without its GSP"},
                    Scenario{"versions.opengl_driver", "", "SKIP", "not NixOS"},
                    Scenario{"ecc.mode", "fail=nvmlDeviceGetEccMode:3", "SKIP", "does not report the ECC mode"},
                    Scenario{"memory.retired_pages", "fail=nvmlDeviceGetRetiredPages:3", "SKIP",
                             "does not report retired pages"},
                    Scenario{"memory.remapped_rows", "fail=nvmlDeviceGetRemappedRows:4", "SKIP", "run as root"}));

INSTANTIATE_TEST_SUITE_P(ToolsFault, DriverSuiteTest,
                         testing::Values(Scenario{"thermal.temperature", "fail=nvmlDeviceGetTemperature:999", "ERROR",
                                                  "error: cannot read the temperature"}));

// An Intel GPU beside it: what is NVIDIA's alone is judged for NVIDIA's, and says that the other is not.
TEST(DriverSuite, OnAMixedMachineEachVendorsDevicesAreJudged) {
  const std::string both = std::string(kDevice).substr(0, std::string(kDevice).size() - 1) +
                           R"(, {"id": "arc", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0"}])";
  const ProgramRun run = RunProgram(
      MUSTER_DRIVER_SUITE,
      {"MUSTER_CASES=settings.modes", both, "LD_LIBRARY_PATH=" MUSTER_FAKE_NVML, "FAKE_NVML=compute_mode=2"});
  const Step& step = run.steps.at("settings.modes");
  EXPECT_EQ(step.status, "COMPLETE");
  EXPECT_THAT(Said(step), HasSubstr("prohibited"));
  EXPECT_THAT(Said(step), HasSubstr("UNKNOWN: arc: Intel's GPUs have no compute mode"));
}

// How many the manifest beside the program declares that a level chooses.
size_t CasesOfManifest() {
  std::ifstream manifest(std::filesystem::path(MUSTER_DRIVER_SUITE).parent_path() / "suite.textproto");
  size_t cases = 0;
  for (std::string line; std::getline(manifest, line);) {
    const bool destructive = line.find("destructive: true") != std::string::npos;
    cases += line.rfind("cases {", 0) == 0 && !destructive ? 1 : 0;
  }
  return cases;
}

TEST(DriverSuite, WithoutADriverNothingCrashesAndNothingPasses) {
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  const ProgramRun run = RunProgram(MUSTER_DRIVER_SUITE, {"MUSTER_LEVEL=4"});
  EXPECT_EQ(run.steps.size(), CasesOfManifest());
  for (const auto& [name, step] : run.steps) {
    EXPECT_EQ(step.status, "SKIP") << name;
    EXPECT_THAT(Said(step), testing::StartsWith("UNKNOWN: ")) << name;
  }
  EXPECT_EQ(run.end.status(), "SKIP");
}

TEST(DriverSuite, ALeasedGpuWithoutADriverFails) {
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  const ProgramRun run = RunProgram(MUSTER_DRIVER_SUITE, {kDevice});
  EXPECT_EQ(run.end.status(), "COMPLETE");
  EXPECT_EQ(run.end.result(), "FAIL");
  for (const char* name : {"module.loaded", "nodes.permissions", "versions.match", "ecc.errors"}) {
    EXPECT_THAT(Said(run.steps.at(name)), HasSubstr("FAIL: ")) << name;
  }
}

}  // namespace
}  // namespace muster::driver
