#include "base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::base {
namespace {

TEST(Log, OneLineWithTimeAndLevel) {
  EXPECT_EQ(FormatLogLine(LogLevel::kWarning, "x", 1'800'000'000'123, false), "2027-01-15T08:00:00.123Z W x\n");
}

TEST(Log, JournalGetsThePriority) { EXPECT_EQ(FormatLogLine(LogLevel::kError, "x", 0, true), "<3>x\n"); }

TEST(Log, NothingForgesALine) {
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "a\n<0>b\x1b[1m", 0, true), "<6>a\\n<0>b\\x1b[1m\n");
  EXPECT_LT(FormatLogLine(LogLevel::kInfo, std::string(1 << 20, 'x'), 0, true).size(), 5000u);
}

TEST(Log, LevelsFilter) {
  SetLogLevel(ParseLogLevel("warning").value());
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kWarning));
  ::testing::internal::CaptureStderr();
  LogInfo("not ", 1);
  LogError("seen ", 2, std::string_view(" times"));
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("seen 2 times\n"), std::string::npos);
  EXPECT_EQ(text.find("not 1"), std::string::npos);
  SetLogLevel(LogLevel::kInfo);
  EXPECT_FALSE(ParseLogLevel("loud").ok());
}

}  // namespace
}  // namespace muster::base
