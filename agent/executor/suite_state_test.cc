#include "agent/executor/suite_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;

class SuiteStateTest : public ::testing::Test {
 protected:
  SuiteStateTest() : root_(::testing::TempDir() + "suite_state_" + std::to_string(getpid())) {}
  ~SuiteStateTest() override { fs::remove_all(root_); }

  const std::string root_;
};

TEST_F(SuiteStateTest, IsKeptFromRunToRun) {
  const auto first = MakeSuiteState(root_ + "/suites", "benchmark", std::nullopt);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(*first, root_ + "/suites/benchmark");
  std::ofstream(*first + "/note") << "12";
  ASSERT_EQ(MakeSuiteState(root_ + "/suites", "benchmark", std::nullopt).value(), *first);
  EXPECT_EQ(base::ReadFile(*first + "/note", 100).value(), "12");
  EXPECT_TRUE(fs::is_empty(MakeSuiteState(root_ + "/suites", "driver", std::nullopt).value()));
}

TEST_F(SuiteStateTest, TooMuchOfItIsEmptiedAndLinksAreLeftAlone) {
  const std::string state = MakeSuiteState(root_ + "/suites", "benchmark", std::nullopt).value();
  fs::create_directories(root_ + "/elsewhere");
  std::ofstream(root_ + "/elsewhere/file") << std::string(100'000, 'x');
  fs::create_directory_symlink(root_ + "/elsewhere", state + "/link");
  std::ofstream(state + "/small") << std::string(1000, 'x');
  MakeSuiteState(root_ + "/suites", "benchmark", std::nullopt, 10'000).value();
  EXPECT_TRUE(fs::exists(state + "/small"));
  std::ofstream(state + "/large") << std::string(20'000, 'x');
  MakeSuiteState(root_ + "/suites", "benchmark", std::nullopt, 10'000).value();
  EXPECT_TRUE(fs::is_empty(state));
  EXPECT_TRUE(fs::exists(root_ + "/elsewhere/file"));
}

TEST_F(SuiteStateTest, WithoutAFolderThereIsNone) {
  EXPECT_EQ(MakeSuiteState("", "benchmark", std::nullopt).value(), "");
}

}  // namespace
}  // namespace muster::agent
