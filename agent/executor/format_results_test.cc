// The formats that are not OCPTV: GoogleTest, JUnit, TAP, exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/executor/tap_results.h"
#include "agent/executor/xml_results.h"

namespace muster::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class FormatTest : public ::testing::Test {
 protected:
  FormatTest()
      : folder_(::testing::TempDir() + "/format_" + std::to_string(getpid())),
        xml_(folder_ + "/out.xml"),
        book_({{.name = "S.a", .time_limit_ms = 1000}, {.name = "S.b", .time_limit_ms = 1000}},
              [this](v1::Event event) { Keep(event); }) {
    std::filesystem::create_directories(folder_);
  }
  ~FormatTest() override { std::filesystem::remove_all(folder_); }

  void Keep(const v1::Event& event) {
    if (!event.has_case_finished()) return;
    const v1::CaseResult& result = event.case_finished();
    outcomes_[result.case_name()] = result.outcome();
    results_[result.case_name()] = result;
  }
  ResultReader::Log Log() {
    return [](v1::LogStream, std::string_view) {};
  }
  void WriteXml(const std::string& text) { std::ofstream(xml_) << text; }
  void End(ResultReader& reader, const ProgramEnd& end) {
    reader.End(end, now_);
    book_.End(end, now_);
  }

  const std::string folder_;
  const std::string xml_;
  base::Time now_;
  std::map<std::string, v1::Verdict> outcomes_;
  std::map<std::string, v1::CaseResult> results_;
  CaseBook book_;
};

TEST_F(FormatTest, GtestTakesOutcomesFromTheFile) {
  GtestResults reader(xml_, &book_, Log());
  reader.TakeStdout("[ RUN      ] S.a\n[       OK ] S.a (0 ms)\n[ RUN      ] S.b\n[  FAILED  ] S.b (0 ms)\n", now_);
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED)));
  WriteXml(R"(<?xml version="1.0"?><testsuites><testsuite name="S">
      <testcase name="a" classname="S" status="run" result="completed" time="0.5"/>
      <testcase name="x" classname="S" status="notrun" result="suppressed"/>
      <testcase name="b" classname="S" status="run" result="completed" time="0.25"><failure message="1 != 2"/></testcase>
      </testsuite></testsuites>)");
  End(reader, {.exit_code = 1});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED), Pair("S.b", v1::FAILED)));
  EXPECT_EQ(results_["S.b"].reason(), "1 != 2");
  EXPECT_THAT(book_.JobFindings(), IsEmpty());
}

TEST_F(FormatTest, GtestNamesTheCaseThatCrashed) {
  GtestResults reader(xml_, &book_, Log());
  reader.TakeStdout("[ RUN      ] S.a\n[       OK ] S.a (0 ms)\n[ RUN      ] S.b\n", now_);
  End(reader, {.signal = SIGSEGV});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED), Pair("S.b", v1::CRASHED)));
}

TEST_F(FormatTest, GtestCrashBeforeAnyCaseIsTheFirstOnes) {
  GtestResults reader(xml_, &book_, Log());
  End(reader, {.signal = SIGSEGV});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::CRASHED)));
}

TEST_F(FormatTest, GtestTimesTheRunningCase) {
  GtestResults reader(xml_, &book_, Log());
  reader.TakeStdout("[ RUN      ] S.b\n", now_);
  EXPECT_EQ(book_.NextDeadlineMs(), 1000);
  reader.TakeStdout("[  FAILED  ] S.b (0 ms)\n", now_);
  EXPECT_GT(*book_.NextDeadlineMs(), 1'000'000'000);
  End(reader, {.exit_code = 1});
  EXPECT_EQ(outcomes_["S.b"], v1::FAILED);
  EXPECT_EQ(outcomes_["S.a"], v1::ERROR);
}

TEST_F(FormatTest, JunitDialects) {
  const auto results = ReadXmlResults(R"(<testsuite>
      <testcase name="a" classname="m" time="1.5"/>
      <testcase name="b" classname="m"><failure message="no">trace</failure></testcase>
      <testcase name="c"><error>
         boom
      </error></testcase>
      <testcase name="d" classname="m"><skipped type="pytest.skip" message="no GPU"/></testcase>
      </testsuite>)",
                                      XmlNames::kJunit, {"a", "m.b"});
  ASSERT_TRUE(results.ok());
  ASSERT_EQ(results->size(), 4u);
  EXPECT_EQ((*results)[0].name, "a");
  EXPECT_EQ((*results)[0].duration_ms, 1500);
  EXPECT_EQ((*results)[1].name, "m.b");
  EXPECT_EQ((*results)[1].outcome, v1::FAILED);
  EXPECT_EQ((*results)[2].name, "c");
  EXPECT_EQ((*results)[2].outcome, v1::ERROR);
  EXPECT_EQ((*results)[2].reason, "boom");
  EXPECT_EQ((*results)[3].outcome, v1::SKIPPED);
  EXPECT_EQ((*results)[3].reason, "no GPU");
  EXPECT_FALSE(ReadXmlResults("<html/>", XmlNames::kJunit, {}).ok());
  EXPECT_FALSE(ReadXmlResults("<testsuites><testsuite>", XmlNames::kJunit, {}).ok());
  EXPECT_FALSE(ReadXmlResults("", XmlNames::kJunit, {}).ok());
}

TEST_F(FormatTest, JunitLeavesUnreportedCasesWithoutResult) {
  JunitResults reader(xml_, &book_, Log());
  reader.Begin(now_);
  WriteXml(R"(<testsuites><testsuite><testcase name="S.a" time="2"/></testsuite></testsuites>)");
  End(reader, {.exit_code = 0});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED)));
  EXPECT_EQ(results_["S.a"].duration_ms(), 2000);
}

TEST_F(FormatTest, JunitWithoutFile) {
  JunitResults reader(xml_, &book_, Log());
  reader.Begin(now_);
  End(reader, {.exit_code = 0});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::ERROR), Pair("S.b", v1::ERROR)));
  EXPECT_THAT(results_["S.a"].reason(), HasSubstr("did not write"));
}

TEST_F(FormatTest, JunitCrash) {
  JunitResults reader(xml_, &book_, Log());
  reader.Begin(now_);
  End(reader, {.signal = SIGABRT});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::CRASHED), Pair("S.b", v1::CRASHED)));
}

TEST_F(FormatTest, LinksAreNotFollowed) {
  ASSERT_EQ(symlink("/etc/passwd", xml_.c_str()), 0);
  EXPECT_FALSE(ReadXmlResults("", XmlNames::kJunit, {}).ok());
  JunitResults reader(xml_, &book_, Log());
  reader.Begin(now_);
  End(reader, {.exit_code = 0});
  EXPECT_THAT(results_["S.a"].reason(), HasSubstr("cannot open"));
}

class TapTest : public FormatTest {
 protected:
  void Feed(const std::string& text, ProgramEnd end = {.exit_code = 0}) {
    TapResults reader(&book_, Log());
    reader.Begin(now_);
    reader.TakeStdout(text, now_);
    End(reader, end);
  }
};

TEST_F(TapTest, Points) {
  Feed(
      "TAP version 14\n1..2\n# comment\nok 1 - S.a works\n    not ok 1 - subtest\n  ---\n  x: 1\n  ...\nnot ok 2 - "
      "S.b\n",
      {.exit_code = 1});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED), Pair("S.b", v1::FAILED)));
  EXPECT_THAT(book_.JobFindings(), IsEmpty());
}

TEST_F(TapTest, DirectivesAndPlanAtTheEnd) {
  Feed("ok - S.a # skip no GPU\nnot ok - S.b # TODO later\n1..2\n");
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::SKIPPED), Pair("S.b", v1::SKIPPED)));
  EXPECT_EQ(results_["S.a"].reason(), "no GPU");
  EXPECT_EQ(results_["S.b"].reason(), "known to fail (TODO): later");
}

TEST_F(TapTest, SkipAll) {
  Feed("1..0 # SKIP no device\n");
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::SKIPPED), Pair("S.b", v1::SKIPPED)));
  EXPECT_EQ(results_["S.a"].reason(), "no device");
}

TEST_F(TapTest, BailOut) {
  Feed("1..2\nok 1 - S.a\nBail out! no power\n", {.exit_code = 255});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED), Pair("S.b", v1::ERROR)));
  EXPECT_EQ(results_["S.b"].reason(), "bailed out: no power");
}

TEST_F(TapTest, PlanMismatchIsNotGreen) {
  Feed("1..3\nok 1\nok 2\n");
  EXPECT_EQ(outcomes_["S.a"], v1::PASSED);
  EXPECT_EQ(outcomes_["S.b"], v1::ERROR);
  EXPECT_THAT(book_.JobFindings(), Contains(HasSubstr("says 3 test points, 2 came")));
}

TEST_F(TapTest, MissingPointsStayWithoutResult) {
  Feed("1..1\nok 1 - S.b\n");
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.b", v1::PASSED)));
}

TEST_F(TapTest, NoTapAndUnknownNames) {
  Feed("hello\n");
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::ERROR), Pair("S.b", v1::ERROR)));
}

TEST_F(TapTest, Crash) {
  Feed("1..2\nok 1 - S.a\n", {.signal = SIGSEGV});
  EXPECT_THAT(outcomes_, UnorderedElementsAre(Pair("S.a", v1::PASSED), Pair("S.b", v1::CRASHED)));
}

struct ExitRow {
  int status;
  v1::Verdict outcome;
};
TEST(ExitCodeTest, Statuses) {
  for (const ExitRow& row :
       {ExitRow{0, v1::PASSED}, {77, v1::SKIPPED}, {99, v1::ERROR}, {1, v1::FAILED}, {255, v1::FAILED}}) {
    v1::CaseResult last;
    CaseBook book({{.name = "all", .time_limit_ms = 10}}, [&last](const v1::Event& event) {
      if (event.has_case_finished()) last = event.case_finished();
    });
    ExitCodeResults reader(&book, [](v1::LogStream, std::string_view) {});
    reader.Begin({});
    EXPECT_EQ(book.NextDeadlineMs(), 10);
    reader.End({.exit_code = row.status}, {});
    book.End({.exit_code = row.status}, {});
    EXPECT_EQ(last.outcome(), row.outcome) << row.status;
  }
}

}  // namespace
}  // namespace muster::agent
