#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/fixture_tree.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {
namespace {

using ::testing::HasSubstr;

class LiveWorldTest : public ::testing::Test {
 protected:
  LiveWorldTest() : path_(folder_.root() + "/scenario.textproto") {
    setenv("MUSTER_SIM_SCENARIO", path_.c_str(), 1);
    setenv("MUSTER_SIM_MACHINE", "m", 1);
    setenv("MUSTER_SIM_START_UNIX_MS", "0", 1);
  }
  void Write(const std::string& model) {
    ASSERT_TRUE(
        base::WriteFileAtomic(path_, absl::StrCat("machines { name: 'm' devices { model: ", model, " } }")).ok());
  }
  static std::string ModelOf(LiveWorld& live) { return live.world()->devices()[0].device.model(); }
  static std::string ErrorOfStart() { return std::string(LiveWorld::FromEnvironment().status().message()); }
  // Whether it comes to hold before half a minute is over.
  static bool Becomes(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  base::FixtureTree folder_;
  const std::string path_;
};

TEST_F(LiveWorldTest, SaysWhatIsMissing) {
  Write("H100");
  unsetenv("MUSTER_SIM_START_UNIX_MS");
  EXPECT_THAT(ErrorOfStart(), HasSubstr("MUSTER_SIM_START_UNIX_MS, found none"));
  setenv("MUSTER_SIM_START_UNIX_MS", "soon", 1);
  EXPECT_THAT(ErrorOfStart(), HasSubstr("expected milliseconds since 1970, found 'soon'"));
  setenv("MUSTER_SIM_START_UNIX_MS", "0", 1);
  setenv("MUSTER_SIM_MACHINE", "n", 1);
  EXPECT_THAT(ErrorOfStart(), HasSubstr("expected one called 'n'"));
  setenv("MUSTER_SIM_SCENARIO", "/nowhere", 1);
  EXPECT_THAT(ErrorOfStart(), HasSubstr("/nowhere"));
}

TEST_F(LiveWorldTest, CountsFromTheStart) {
  Write("H100");
  const auto live = LiveWorld::FromEnvironment();
  ASSERT_TRUE(live.ok()) << live.status();
  EXPECT_GT((*live)->now(), 1.7e9);
}

TEST_F(LiveWorldTest, FollowsTheFileAndKeepsTheLastThatWasInOrder) {
  Write("H100");
  const auto live = LiveWorld::FromEnvironment();
  ASSERT_TRUE(live.ok()) << live.status();
  EXPECT_THAT(ModelOf(**live), HasSubstr("H100"));
  Write("L40S");
  EXPECT_TRUE(Becomes([&] { return ModelOf(**live).find("L40S") != std::string::npos; }));

  // A broken one, and after it one that is in order: in between nothing else was ever there.
  Write("NONSENSE");
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
  EXPECT_TRUE(Becomes([&] {
    EXPECT_THAT(ModelOf(**live), HasSubstr("L40S"));
    return std::chrono::steady_clock::now() > until;
  }));
  Write("B200");
  EXPECT_TRUE(Becomes([&] { return ModelOf(**live).find("B200") != std::string::npos; }));
}

}  // namespace
}  // namespace muster::sim
