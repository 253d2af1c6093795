#include "cli/demo/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

namespace muster::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class InstallationTest : public testing::Test {
 protected:
  InstallationTest() : prefix_(testing::TempDir() + "/muster-installation-test") {
    std::filesystem::remove_all(prefix_);
    for (const char* program : {"bin/muster-coordinator", "bin/muster-agent", "tools/prometheus"}) Add(program);
    Add("libexec/muster/suites/x/suite.textproto");
  }
  ~InstallationTest() override { std::filesystem::remove_all(prefix_); }
  void Add(const std::string& name) {
    const std::filesystem::path path = prefix_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(base::WriteFileAtomic(path, "", 0755).ok());
  }
  void AddSimulation(const std::string& folder) {
    for (const char* name : {"/muster-sim", "/nvml/libnvidia-ml.so.1", "/level_zero/libmuster_sim_ze.so"})
      Add(folder + name);
  }
  auto Find() { return FindInstallation(prefix_ + "/bin", "relative:" + prefix_ + "/tools"); }

  const std::string prefix_;
};

TEST_F(InstallationTest, FindsAnInstalledOne) {
  AddSimulation("libexec/muster/demo");
  Add("share/muster/plans/smoke.textproto");
  Add("share/muster/dashboards/prometheus/prometheus.yml");
  const auto found = Find();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->simulator, EndsWith("/libexec/muster/demo/muster-sim"));
  EXPECT_THAT(found->nvml_folder, EndsWith("/libexec/muster/demo/nvml"));
  EXPECT_THAT(found->level_zero, EndsWith("/libexec/muster/demo/level_zero/libmuster_sim_ze.so"));
  EXPECT_THAT(found->plans, EndsWith("/share/muster/plans"));
  EXPECT_THAT(found->dashboards, EndsWith("/share/muster/dashboards"));
  EXPECT_EQ(found->prometheus, prefix_ + "/tools/prometheus");
}

TEST_F(InstallationTest, FindsABuildFolder) {
  AddSimulation("tests/hardware_sim");
  const auto found = Find();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->nvml_folder, EndsWith("/tests/hardware_sim/nvml"));
  EXPECT_EQ(found->plans, "");
  EXPECT_EQ(found->dashboards, "");
}

TEST_F(InstallationTest, SaysWhatIsMissing) {
  const auto missing = Find();
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("needs muster-sim"));
}

TEST(Installation, KnowsItsOwnFolder) {
  const auto folder = OwnFolder();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(base::FileExists(*folder + "/cli_demo_installation_test"));
}

}  // namespace
}  // namespace muster::cli
