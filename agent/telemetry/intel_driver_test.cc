// Intel's own Level Zero driver, where it is installed, on a machine without Intel's GPUs: with a tree that shows two,
// the sampler gives what the kernel's files say, says what Level Zero lacks, and neither crashes nor hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "agent/telemetry/intel_sampler.h"
#include "agent/telemetry/intel_tree_fake.h"
#include "agent/telemetry/sysman_fake.h"
#include "base/fixture_tree.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using Environment = std::vector<std::pair<const char*, const char*>>;

constexpr unsigned kPatienceSeconds = 60;

// The driver's one file that all packages of it have, in the loader's usual folders.
bool DriverIsInstalled() {
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"}) {
    if (std::filesystem::exists(std::filesystem::path(folder) / "libze_intel_gpu.so.1")) return true;
  }
  return false;
}

class IntelDriverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!DriverIsInstalled()) GTEST_SKIP() << "Intel's Level Zero driver is not installed: package intel-opencl-icd";
    tree_.AddHost();
    AddArcA770(tree_);
    AddArcProB60(tree_);
  }

  // Two turns in a child, which a hang ends by a signal. What it prints to stderr is the result.
  std::string RunChild(const Environment& environment) {
    const std::string words = tree_.root() + "/words";
    const pid_t child = fork();
    if (child == 0) {
      alarm(kPatienceSeconds);
      for (const auto& [name, value] : environment) setenv(name, value, 1);
      if (freopen(words.c_str(), "w", stderr) == nullptr) _exit(9);
      const int result = Child(tree_.root());
      fflush(stderr);
      _exit(result);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    std::stringstream text;
    text << std::ifstream(words).rdbuf();
    return text.str();
  }

  base::FixtureTree tree_;

 private:
  // 0 when all is well.
  static int Child(const std::string& root) {
    RecordingMarker marker;
    const auto sampler = MakeIntelSampler(root, marker);
    if (!sampler->Start().ok()) return 2;
    for (int turn = 0; turn < 2; ++turn) {
      const auto samples = sampler->Sample({});
      if (!samples.ok() || samples->size() != 2 || marker.mistakes != 0 || marker.open) return 3;
      int values = 0;
      for (const v1::Reading& reading : samples->at(1).readings()) values += reading.has_value() ? 1 : 0;
      if (values < 10) return 4;
    }
    return 0;
  }
};

TEST_F(IntelDriverTest, WithoutADevice) {
  EXPECT_THAT(RunChild({}), HasSubstr("reads the kernel's files alone, without Level Zero: ze"));
}

// The driver's mode without hardware: it lists a device, and its sysman is not there.
TEST_F(IntelDriverTest, InItsSimulationMode) {
  EXPECT_THAT(RunChild({{"NEOReadDebugKeys", "1"},
                        {"SetCommandStreamReceiver", "1"},
                        {"ProductFamilyOverride", "dg2"},
                        {"ForceDeviceId", "56a0"},
                        {"HardwareInfoOverride", "8x4x16"},
                        {"UseAubStream", "0"},
                        {"UseBindlessMode", "0"},
                        {"AUBDumpCaptureFileName", "/dev/null"}}),
              HasSubstr("reads the kernel's files alone, without Level Zero: "));
}

}  // namespace
}  // namespace muster::agent
