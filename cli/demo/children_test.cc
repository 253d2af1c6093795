#include "cli/demo/children.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "base/file.h"

namespace muster::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ChildrenTest : public testing::Test {
 protected:
  ChildrenTest() : log_(testing::TempDir() + "/muster-children-test.log") { std::filesystem::remove(log_); }
  ~ChildrenTest() override { std::filesystem::remove(log_); }
  Children::Child Shell(const std::string& script, bool may_end = false) {
    return {.name = "the child",
            .program = "/bin/sh",
            .arguments = {"-c", script},
            .environment = {"GIVEN=yes"},
            .log = log_,
            .may_end = may_end};
  }
  std::string Log() { return base::ReadFile(log_, 1 << 20).value_or(""); }
  // Pumps until the log has `text`, or a child ends; bounded by the test's own limit of time.
  absl::Status PumpUntil(Children& children, const std::string& text) {
    absl::Status status;
    while (status.ok() && Log().find(text) == std::string::npos) {
      status = children.Pump(std::chrono::milliseconds(100));
    }
    return status;
  }

  const std::string log_;
};

TEST_F(ChildrenTest, KeepsWhatTheySay) {
  Children children;
  ASSERT_TRUE(children.Start(Shell("echo out $GIVEN; echo err >&2; exec sleep 1000")).ok());
  EXPECT_TRUE(PumpUntil(children, "err").ok());
  EXPECT_THAT(Log(), HasSubstr("out yes\n"));
}

TEST_F(ChildrenTest, OneThatEndsIsAnErrorThatNamesItsLog) {
  Children children;
  ASSERT_TRUE(children.Start(Shell("echo last words; exit 3")).ok());
  const absl::Status status = PumpUntil(children, "never said");
  EXPECT_THAT(std::string(status.message()), StartsWith("the child ended with exit status 3; its log is " + log_));
  EXPECT_EQ(Log(), "last words\n");
}

TEST_F(ChildrenTest, OneThatMayEndIsSaidOnce) {
  Children children;
  ASSERT_TRUE(children.Start(Shell("kill -9 $$", true)).ok());
  std::string ended;
  while (ended.empty()) ASSERT_TRUE(children.Pump(std::chrono::milliseconds(100), &ended).ok());
  EXPECT_THAT(ended, StartsWith("the child ended by SIGKILL"));
}

TEST_F(ChildrenTest, AllEndWithIt) {
  {
    Children children;
    ASSERT_TRUE(
        children.Start(Shell("trap 'echo asked to end; exit 0' TERM; echo ready; while :; do sleep 0.05; done")).ok());
    ASSERT_TRUE(PumpUntil(children, "ready").ok());
  }
  EXPECT_THAT(Log(), HasSubstr("asked to end"));
}

TEST_F(ChildrenTest, SaysWhatCouldNotBeStarted) {
  Children children;
  Children::Child child = Shell("");
  child.program = "/no/such/program";
  EXPECT_THAT(std::string(children.Start(child).message()), HasSubstr("/no/such/program"));
}

}  // namespace
}  // namespace muster::cli
