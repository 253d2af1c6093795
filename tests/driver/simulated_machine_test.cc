// The driver suite whole, as an agent starts it, on simulated machines: the program, the real Level Zero loader, the
// simulated vendors' libraries, and the machine's /proc, /sys and /dev in a folder, as it is and with each fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/fixture_tree.h"
#include "suites/sdk/testing/program_run.h"
#include "tests/hardware_sim/machine_tree.h"
#include "tests/hardware_sim/scenario_file.h"

namespace muster::driver {
namespace {

namespace fs = std::filesystem;
using sdk::testing::ProgramRun;
using sdk::testing::RunProgram;
using sdk::testing::Step;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kArc[] = "devices { model: ARC_A770 pci_address: '0000:03:00.0' load { constant: 0.5 } ";
constexpr char kMax[] = "devices { model: MAX_1550 pci_address: '0000:03:00.0' load { constant: 0.5 } ";
constexpr char kArcDevice[] =
    R"({"id": "arc", "vendor": "VENDOR_INTEL", "pciAddress": "0000:03:00.0", "memoryBytes": "17179869184"})";
constexpr char kSysfs[] = "/sys/bus/pci/devices/0000:03:00.0/";
constexpr int kSecondsSinceStart = 3600;
constexpr uid_t kNobody = 65534;

std::string Said(const Step& step) {
  std::string said;
  for (const auto& diagnosis : step.diagnoses) said += diagnosis.type() + ": " + diagnosis.message() + "\n";
  for (const auto& error : step.errors) said += "error: " + error.message() + "\n";
  return said;
}

// "NAME=value " of each measurement that is a text or a number.
std::string Measured(const Step& step) {
  std::string all;
  for (const auto& one : step.measurements) all += one.name() + "=" + one.value().ShortDebugString() + " ";
  return all;
}

class SimulatedMachine : public testing::Test {
 protected:
  // One machine, with `devices` as scenario.proto has them; it began an hour ago.
  void Make(const std::string& devices) {
    const std::string text = "machines { name: 'm' " + devices + " }";
    tree_.Write("/scenario", text);
    const auto scenario = sim::ParseScenario(text, "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const auto world = sim::World::Make(*scenario, "m");
    ASSERT_TRUE(world.ok()) << world.status();
    const absl::Status made = sim::MachineTree(Root(), "m").Update(**world, kSecondsSinceStart);
    ASSERT_TRUE(made.ok()) << made;
    fs::permissions(Root(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec |
                                fs::perms::group_read | fs::perms::others_read);
  }
  std::string Root() const { return tree_.root(); }

  // One case on the machine. `devices`: what is leased, as JSON.
  Step Run(const std::string& name, const std::string& devices = kArcDevice,
           const std::vector<std::string>& more = {}) {
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::seconds(kSecondsSinceStart);
    const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
    std::vector<std::string> variables = {"MUSTER_CASES=" + name,
                                          "MUSTER_DEVICES=[" + devices + "]",
                                          "MUSTER_ROOT=" + Root(),
                                          "MUSTER_SIM_SCENARIO=" + Root() + "/scenario",
                                          "MUSTER_SIM_MACHINE=m",
                                          "MUSTER_SIM_START_UNIX_MS=" + std::to_string(start_ms),
                                          "LD_LIBRARY_PATH=" + library_path_,
                                          "ZE_ENABLE_ALT_DRIVERS=" + driver_};
    variables.insert(variables.end(), more.begin(), more.end());
    const ProgramRun run = RunProgram(MUSTER_DRIVER_SUITE, variables);
    return run.steps.contains(name) ? run.steps.at(name) : Step();
  }
  void ExpectPass(const std::string& name) {
    const Step step = Run(name);
    EXPECT_EQ(step.status, "COMPLETE") << name << ": " << Said(step);
    EXPECT_EQ(Said(step), "") << name;
  }
  void ExpectFail(const std::string& name, const std::string& words) {
    const Step step = Run(name);
    EXPECT_THAT(Said(step), AllOf(HasSubstr("FAIL: "), HasSubstr(words))) << name << ", " << step.status;
  }
  void ExpectSkip(const std::string& name, const std::string& words) {
    const Step step = Run(name);
    EXPECT_EQ(step.status, "SKIP") << name << ": " << Said(step);
    EXPECT_THAT(Said(step), HasSubstr(words)) << name;
  }

  // A copy of the simulated driver under another name, with `end` behind it; Level Zero loads it from now on.
  void UseDriver(const std::string& path, const std::string& end = "") {
    driver_ = Root() + path;
    fs::create_directories(fs::path(driver_).parent_path());
    fs::copy_file(MUSTER_SIM_ZE_DRIVER, driver_, fs::copy_options::overwrite_existing);
    std::ofstream(driver_, std::ios::app | std::ios::binary) << end << '\0';
  }

  base::FixtureTree tree_;
  std::string driver_ = MUSTER_SIM_ZE_DRIVER;
  std::string library_path_ = MUSTER_SIMULATED_NVML;
};

TEST_F(SimulatedMachine, AHealthyArcPassesAndSaysWhatItLacks) {
  Make(std::string(kArc) + "}");
  for (const char* name : {"module.loaded", "module.bound", "nodes.permissions", "versions.match", "enumeration.pci",
                           "enumeration.leased", "firmware.loaded", "firmware.flashed", "thermal.temperature",
                           "memory.host_window", "device.reset_need", "log.faults", "link.pci"}) {
    ExpectPass(name);
  }
  ExpectSkip("versions.opengl_driver", "not NixOS");
  ExpectSkip("ecc.mode", "has no ECC");
  ExpectSkip("memory.remapped_rows", "Level Zero has no record of remapped rows");
  ExpectSkip("memory.retired_pages", "Level Zero has no record of retired pages");
  ExpectSkip("settings.modes", "no compute mode");
  EXPECT_THAT(Measured(Run("firmware.loaded")), AllOf(HasSubstr("70.29.2"), HasSubstr("7.10.16")));
}

TEST_F(SimulatedMachine, AnUnboundGpuIsFound) {
  Make(std::string(kArc) + "}");
  fs::remove(Root() + kSysfs + "driver");
  ExpectFail("module.bound", "expected the kernel driver xe or i915 to serve 0000:03:00.0, found none");
  ExpectFail("nodes.permissions", "no kernel driver");
}

TEST_F(SimulatedMachine, AMissingModuleIsFound) {
  Make(std::string(kArc) + "}");
  fs::remove_all(Root() + "/sys/module/i915");
  ExpectFail("module.loaded", "expected the kernel module i915 or xe");
}

TEST_F(SimulatedMachine, AMissingRenderNodeIsFound) {
  Make(std::string(kArc) + "}");
  fs::remove(Root() + "/dev/dri/renderD128");
  ExpectFail("nodes.permissions", "to be able to open /dev/dri/renderD128, found: No such file");
  fs::remove_all(Root() + kSysfs + "drm/renderD128");
  ExpectFail("nodes.permissions", "to have made a render node");
}

// As a user who is not in the group `render`.
TEST_F(SimulatedMachine, AClosedRenderNodeIsFound) {
  Make(std::string(kArc) + "}");
  fs::permissions(Root() + "/dev/dri/renderD128", fs::perms::owner_all);
  if (geteuid() != 0) GTEST_SKIP() << "not root: no other user can be had";
  ASSERT_EQ(setresuid(kNobody, kNobody, 0), 0);
  const bool may_start = access(MUSTER_DRIVER_SUITE, X_OK) == 0;
  const Step step = may_start ? Run("nodes.permissions") : Step();
  ASSERT_EQ(setresuid(0, 0, 0), 0);
  if (!may_start) GTEST_SKIP() << "user " << kNobody << " cannot start programs of this build tree";
  EXPECT_THAT(Said(step), AllOf(HasSubstr("FAIL: "), HasSubstr("user 65534"), HasSubstr("Permission denied"),
                                HasSubstr("mode 0700"), HasSubstr("usermod")));
}

TEST_F(SimulatedMachine, AMissingDriverLibraryIsFound) {
  Make(std::string(kArc) + "}");
  driver_ = Root() + "/nowhere/libze_intel_gpu.so.1";
  ExpectFail("versions.match", "expected Level Zero to load and start");
  ExpectFail("enumeration.pci", "PCI shows 0000:03:00.0; expected Level Zero to list them");
  ExpectFail("enumeration.leased", "libze_intel_gpu.so.1");
}

TEST_F(SimulatedMachine, AWrongDriverLibraryIsFound) {
  Make(std::string(kArc) + "}");
  UseDriver("/lib/libze_intel_gpu.so.1.3.99");
  ExpectFail("versions.match", "to be of the version that the driver says it has");
}

TEST_F(SimulatedMachine, AMissingCompilerIsFound) {
  Make(std::string(kArc) + "}");
  UseDriver("/lib/libze_intel_gpu.so.1", "libigc.so.77");
  ExpectFail("versions.match", "expected the compiler libigc.so.77");
  // In the folder where the driver's own search path leads.
  UseDriver("/lib/libze_intel_gpu.so.1", "libm.so.6 libigc.so.77");
  fs::copy_file("/lib/x86_64-linux-gnu/libm.so.6", Root() + "/lib/libigc.so.77");
  library_path_ = Root() + "/lib";
  const Step step = Run("versions.match");
  EXPECT_EQ(Said(step), "");
  EXPECT_THAT(Measured(step), HasSubstr("driver.igc_library"));
}

TEST_F(SimulatedMachine, AGpuThatLevelZeroDoesNotListIsFound) {
  Make(std::string(kArc) + "} devices { model: ARC_A770 pci_address: '0000:07:00.0' }");
  tree_.Write("/scenario", std::string("machines { name: 'm' ") + kArc + "} }");
  ExpectFail("enumeration.pci", "0000:07:00.0");
}

TEST_F(SimulatedMachine, AGpuTooManyIsFoundAndAMaskedOneIsNot) {
  Make(std::string(kArc) + "} devices { model: ARC_A770 pci_address: '0000:07:00.0' }");
  ExpectFail("enumeration.leased", "exactly the devices of this run; see ZE_AFFINITY_MASK");
  for (const char* name : {"enumeration.leased", "enumeration.pci"}) {
    EXPECT_EQ(Said(Run(name, kArcDevice, {"ZE_AFFINITY_MASK=0"})), "") << name;
  }
}

TEST_F(SimulatedMachine, FaultsInTheKernelsLogAreFound) {
  Make(std::string(kArc) + "faults { at_s: 3500 engine_hang { wedged: true } } }");
  ExpectFail("log.faults", "intel.wedged (GPU is wedged)");
  ExpectFail("device.reset_need", "the GPU is wedged");
}

TEST_F(SimulatedMachine, AHangOfLongAgoIsNoFault) {
  Make(std::string(kArc) + "faults { at_s: 60 until_s: 61 engine_hang {} } }");
  ExpectFail("log.faults", "intel.gpu-hang (GPU hang) at 60 s after boot");
  // The newest line tells what time it is.
  std::ofstream(Root() + "/dev/kmsg", std::ios::app) << "6,900,3000000000,-;usb 1-1: new device\n";
  const Step step = Run("log.faults");
  EXPECT_EQ(Said(step), "");
  ASSERT_FALSE(step.logs.empty());
  EXPECT_THAT(step.logs[0].message(), HasSubstr("over by now: intel.gpu-hang"));
}

TEST_F(SimulatedMachine, ASmallWindowIsFound) {
  Make(std::string(kArc) + "}");
  const std::string none = "0x0 0x0 0x0\n";
  const std::string small = none + none + "0x0000004000000000 0x000000400fffffff 0x000000000014220c\n";
  fs::remove(Root() + kSysfs + "resource");
  tree_.Write(std::string(kSysfs) + "resource", small);
  ExpectFail("memory.host_window", "found a window of 256 MiB; switch Resizable BAR");
  tree_.Write(std::string(kSysfs) + "resource2_resize", "0000000000007f00\n");
  ExpectFail("memory.host_window", "though the card offers 16384 MiB");
  fs::remove(Root() + kSysfs + "resource2_resize");
  tree_.Write("/proc/cpuinfo", "processor : 0\nflags : fpu hypervisor\n");
  ExpectSkip("memory.host_window", "the hypervisor of this virtual machine shows");
}

TEST_F(SimulatedMachine, AGpuOfTheProcessorHasNoWindow) {
  Make("devices { model: ARC_A770 pci_address: '0000:00:02.0' }");
  const Step step = Run("memory.host_window",
                        R"({"id": "i", "vendor": "VENDOR_INTEL", "pciAddress": "0000:00:02.0", "memoryBytes": "1"})");
  EXPECT_EQ(step.status, "SKIP");
  EXPECT_THAT(Said(step), HasSubstr("shares its memory"));
}

TEST_F(SimulatedMachine, FirmwareThatDoesNotRunIsFound) {
  Make(std::string(kArc) + "}");
  std::string debug;
  for (const auto& entry : fs::directory_iterator(Root() + "/sys/kernel/debug/dri")) debug = entry.path().string();
  std::ofstream(debug + "/gt0/uc/guc_info") << "GuC firmware: i915/dg2_guc_70.bin\n\tstatus: LOAD FAIL\n";
  ExpectFail("firmware.loaded", "expected gt0 GuC of 0000:03:00.0 to run, found LOAD FAIL (i915/dg2_guc_70.bin)");
  // Where debugfs is closed the log has it.
  fs::remove_all(debug);
  ExpectSkip("firmware.loaded", "and the kernel log says nothing of GuC or HuC");
  std::ofstream(Root() + "/dev/kmsg", std::ios::app)
      << "6,900,5000000,-;i915 0000:03:00.0: [drm] GT0: GuC firmware i915/dg2_guc_70.bin version 70.5.1\n";
  ExpectPass("firmware.loaded");
  std::ofstream(Root() + "/dev/kmsg", std::ios::app)
      << "3,901,6000000,-;i915 0000:03:00.0: [drm] *ERROR* GT0: GuC initialization failed -ETIMEDOUT\n";
  ExpectFail("firmware.loaded", "GuC initialization failed");
}

TEST_F(SimulatedMachine, ErrorsOfMemoryAreFound) {
  Make(std::string(kMax) + "}");
  ExpectPass("ecc.errors");
  ExpectPass("ecc.mode");
  Make(std::string(kMax) + "faults { at_s: 60 ecc_errors { uncorrected: true count: 2 } } }");
  ExpectFail("ecc.errors", "ecc.volatile_uncorrected is 2; expected 0");
}

TEST_F(SimulatedMachine, AHotGpuIsFound) {
  Make(std::string(kArc) + "fields { field: TEMPERATURE labels: 'core' curve { constant: 101 } } }");
  ExpectFail("thermal.temperature", "temperature.gpu is 101");
}

TEST_F(SimulatedMachine, ALinkThatTrainedDownIsFound) {
  Make(std::string(kArc) + "faults { at_s: 60 link_trained_down { generation: 1 lanes: 8 } } }");
  ExpectFail("link.pci", "link.pci_width is 8");
}

TEST_F(SimulatedMachine, NixosHasTheDriverInItsFolder) {
  Make(std::string(kArc) + "}");
  tree_.Write("/etc/NIXOS", "");
  ExpectFail("versions.opengl_driver", "expected /run/opengl-driver/lib/libze_intel_gpu.so.1, found none");
  tree_.Link("/run/opengl-driver", "../nix/store/x-graphics-drivers");
  UseDriver("/nix/store/x-graphics-drivers/lib/libze_intel_gpu.so.1");
  library_path_ = Root() + "/run/opengl-driver/lib";
  ExpectPass("versions.opengl_driver");
  UseDriver("/opt/lib/libze_intel_gpu.so.1");
  library_path_ = Root() + "/opt/lib";
  ExpectFail("versions.opengl_driver", "to have loaded /run/opengl-driver/lib/libze_intel_gpu.so.1, found");
}

TEST_F(SimulatedMachine, NixosRebuiltSinceTheModuleWasLoadedIsFound) {
  Make("devices { model: H100 pci_address: '0000:41:00.0' }");
  tree_.Write("/etc/os-release", "NAME=NixOS\nID=nixos\n");
  tree_.Write("/run/opengl-driver/lib/libcuda.so.580.95.05", "");
  tree_.Link("/run/opengl-driver/lib/libcuda.so.1", "libcuda.so.580.95.05");
  tree_.Write("/run/opengl-driver/lib/libnvidia-ml.so.570.1", "");
  tree_.Link("/run/opengl-driver/lib/libnvidia-ml.so.1", "libnvidia-ml.so.570.1");
  ExpectFail("versions.opengl_driver", "restart the machine: its system was rebuilt");
}

// Each vendor's part is judged, and a fault of the one is not the other's.
TEST_F(SimulatedMachine, AMixedMachineConcernsBothVendors) {
  Make(std::string(kArc) + "} devices { model: H100 pci_address: '0000:41:00.0' }");
  ExpectPass("module.bound");
  ExpectPass("enumeration.pci");
  fs::remove(Root() + "/sys/bus/pci/devices/0000:41:00.0/driver");
  ExpectFail("module.bound", "expected the kernel driver nvidia to serve 0000:41:00.0");
  fs::remove(Root() + kSysfs + "driver");
  ExpectFail("module.bound", "expected the kernel driver xe or i915 to serve 0000:03:00.0");
}

TEST_F(SimulatedMachine, AMachineOfOneVendorConcernsItAlone) {
  Make(std::string(kArc) + "}");
  library_path_ = Root();
  ExpectPass("versions.match");
  ExpectPass("enumeration.pci");
  const Step step = Run("module.bound");
  for (const auto& one : step.measurements) EXPECT_NE(one.subcomponent().name(), "NVIDIA");
}

}  // namespace
}  // namespace muster::driver
