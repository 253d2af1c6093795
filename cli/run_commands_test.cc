// run and watch against the fake coordinator: what they ask for, show, write and return.
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/command_fixture.h"
#include "gmock/gmock.h"

namespace muster::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ReadAll(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

class RunTest : public CommandTest {
 protected:
  RunTest() {
    AddMachine("h200-1", "driver", {"ecc", "link"});
    AddPlan("smoke", "driver");
  }
};

TEST_F(RunTest, GreenIsZero) {
  fake_.Autoplay({});
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_EQ(fake_.last_start().plan_name(), "smoke");
  EXPECT_THAT(done.out, HasSubstr("PASSED     h200-1  GPU 0  driver/ecc  1.2 s\n"));
  EXPECT_THAT(done.out, HasSubstr("GREEN  smoke  r-0000000000010  1 min 12 s\n"));
  EXPECT_EQ(done.err, "");
}

TEST_F(RunTest, AFailureIsOneAndSaysWhy) {
  fake_.Autoplay({{"driver/link", Result(v1::FAILED, "gen 3 x16, expected gen 5 x16")}});
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_EQ(done.exit, 1);
  EXPECT_THAT(done.out, HasSubstr("FAILED     h200-1  GPU 0  driver/link  1.5 s  gen 3 x16, expected gen 5 x16\n"));
  EXPECT_THAT(done.out, HasSubstr("RED"));
}

TEST_F(RunTest, SkippedIsGreen) {
  fake_.Autoplay({{"driver/link", Result(v1::SKIPPED, "needs vendor=nvidia")}});
  EXPECT_EQ(Muster({"run", "smoke", "--strict"}).exit, 0);
}

TEST_F(RunTest, AmberIsOneOnlyWhenStrict) {
  fake_.Autoplay({{"driver/link", Result(v1::FLAKY)}});
  EXPECT_EQ(Muster({"run", "smoke"}).exit, 0);
  EXPECT_EQ(Muster({"run", "smoke", "--strict"}).exit, 1);
}

TEST_F(RunTest, AVerdictOfANewerReleaseIsNotGreen) {
  fake_.Autoplay({{"driver/link", Result(static_cast<v1::Verdict>(17))}});
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_EQ(done.exit, 1);
  EXPECT_THAT(done.out, HasSubstr("VERDICT_17"));
}

TEST_F(RunTest, OverridesTravel) {
  fake_.Autoplay({});
  Muster({"run", "smoke", "--on", "name=h200-1", "--level", "long", "--set", "seconds=3", "--set", "driver.mode=fast",
          "--priority", "7", "--on-quarantined", "--destructive"});
  const v1::StartRunRequest request = fake_.last_start();
  EXPECT_EQ(request.on(), "name=h200-1");
  EXPECT_EQ(request.level(), v1::LEVEL_LONG);
  EXPECT_EQ(request.parameters().at("seconds"), "3");
  EXPECT_EQ(request.parameters().at("driver.mode"), "fast");
  EXPECT_EQ(request.priority(), 7);
  EXPECT_TRUE(request.on_quarantined());
  EXPECT_TRUE(request.destructive());
  EXPECT_FALSE(request.request_id().empty()) << "a repeated request must not start a second run";
}

TEST_F(RunTest, SuitesMakeAPlan) {
  fake_.Autoplay({});
  Muster({"run", "--suite", "driver", "--suite", "benchmark", "--case", "ecc"});
  const v1::Plan plan = fake_.last_start().plan();
  EXPECT_EQ(plan.name(), "driver-benchmark");
  ASSERT_EQ(plan.suites_size(), 2);
  EXPECT_EQ(plan.suites(0).suite(), "driver");
  EXPECT_THAT(plan.suites(1).cases(), ElementsAre("ecc"));
}

TEST_F(RunTest, ANameThatIsNoPlanIsASuite) {
  fake_.Autoplay({});
  EXPECT_EQ(Muster({"run", "driver"}).exit, 0);
  EXPECT_EQ(fake_.last_start().plan().suites(0).suite(), "driver");
}

TEST_F(RunTest, CasesNarrowAPlan) {
  fake_.Autoplay({});
  const Outcome done = Muster({"run", "smoke", "--case", "ecc"});
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_EQ(fake_.last_start().plan().name(), "smoke");
  EXPECT_THAT(fake_.last_start().plan().suites(0).cases(), ElementsAre("ecc"));
  EXPECT_THAT(done.out, AllOf(HasSubstr("driver/ecc"), Not(HasSubstr("driver/link"))));
}

TEST_F(RunTest, APlanOfAFile) {
  fake_.Autoplay({});
  const std::string path = ::testing::TempDir() + "/mine.textproto";
  std::ofstream(path) << "name: 'mine' suites { suite: 'driver' }";
  EXPECT_EQ(Muster({"run", path}).exit, 0);
  EXPECT_EQ(fake_.last_start().plan().name(), "mine");
  std::ofstream(path) << "name: 'mine' suits { suite: 'driver' }";
  const Outcome broken = Muster({"run", path});
  EXPECT_EQ(broken.exit, 2);
  EXPECT_THAT(broken.err, AllOf(HasSubstr("mine.textproto:1:"), HasSubstr("suits")));
}

TEST_F(RunTest, DetachPrintsTheId) {
  const Outcome done = Muster({"run", "smoke", "--detach"});
  EXPECT_EQ(done.exit, 0);
  EXPECT_EQ(done.out, "r-0000000000010\n");
  EXPECT_THAT(Muster({"run", "smoke", "--detach", "--json"}).out, HasSubstr("\"id\": \"r-0000000000011\""));
}

TEST_F(RunTest, ReportsAreWritten) {
  fake_.Autoplay({});
  const std::string junit = ::testing::TempDir() + "/j.xml";
  const std::string json = ::testing::TempDir() + "/r.json";
  EXPECT_EQ(Muster({"run", "smoke", "--junit", junit, "--json=" + json}).exit, 0);
  EXPECT_EQ(ReadAll(junit), "report REPORT_FORMAT_JUNIT of r-0000000000010\n");
  EXPECT_THAT(ReadAll(json), HasSubstr("\"colour\": \"GREEN\""));
  const Outcome unwritable = Muster({"run", "smoke", "--ocptv", "/nowhere/at/all"});
  EXPECT_EQ(unwritable.exit, 2) << "the file cannot be written";
  EXPECT_THAT(unwritable.err, HasSubstr("/nowhere/at/all"));
}

TEST_F(RunTest, JsonHasStandardOutputForItself) {
  fake_.Autoplay({});
  const Outcome done = Muster({"run", "smoke", "--json"});
  EXPECT_EQ(done.out.front(), '{');
  EXPECT_EQ(done.out.substr(done.out.size() - 2), "}\n");
  EXPECT_THAT(done.err, HasSubstr("PASSED     h200-1"));
}

TEST_F(RunTest, MistakesAreTwo) {
  EXPECT_EQ(Muster({"run"}).exit, 2);
  EXPECT_EQ(Muster({"run", "smoke", "--level", "5"}).exit, 2);
  EXPECT_EQ(Muster({"run", "smoke", "--set", "novalue"}).exit, 2);
  EXPECT_EQ(Muster({"run", "smoke", "--priority", "101"}).exit, 2);
  EXPECT_EQ(Muster({"run", "smoke", "--nope"}).exit, 2);
  EXPECT_EQ(Muster({"nope"}).exit, 2);
  EXPECT_EQ(Muster({"run", "smoke", "--json", "--junit", "-"}).exit, 2);
  const Outcome nowhere = Muster({"run", "smoke", "--junit", "/no/such/folder/x.xml"});
  EXPECT_EQ(nowhere.exit, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("/no/such/folder"));
  const Outcome unknown = Muster({"run", "smok"});
  EXPECT_EQ(unknown.exit, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("no plan is called smok"), HasSubstr("muster plans")));
}

TEST_F(RunTest, NoCoordinatorIsThree) {
  fake_.StopServing();
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_EQ(done.exit, 3);
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("connection refused"), HasSubstr("muster-coordinator serve"), HasSubstr(address_)));
}

TEST_F(RunTest, ACoordinatorsErrorIsThree) {
  fake_.FailNext({grpc::StatusCode::INTERNAL, "the store is full"});
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_EQ(done.exit, 3);
  EXPECT_THAT(done.err, HasSubstr("the store is full"));
}

TEST_F(RunTest, TextFromTheWireIsDisarmed) {
  fake_.Autoplay({{"driver/link", Result(v1::FAILED, "\x1b[2Jgone")}});
  const Outcome done = Muster({"run", "smoke"});
  EXPECT_THAT(done.out, AllOf(HasSubstr("\\x1b[2Jgone"), Not(HasSubstr("\x1b"))));
}

// What the agents and the user do while a command runs on a thread of its own.
class WatchTest : public RunTest {
 protected:
  void Begin(std::vector<std::string> arguments) {
    thread_ = std::thread([this, arguments] { done_ = Muster(arguments); });
    ASSERT_TRUE(fake_.AwaitWatches(1)) << Join().err;
  }
  const Outcome& Join() {
    thread_.join();
    return done_;
  }

  static constexpr char kJob[] = "r-0000000000010/1";
  std::thread thread_;
  Outcome done_;
};

TEST_F(WatchTest, EachCaseIsALineOnce) {
  Begin({"run", "smoke"});
  v1::CaseResult result = Result(v1::PASSED);
  for (const char* name : {"ecc", "link"}) {
    fake_.StartCase(kJob, name);
    result.set_case_name(name);
    fake_.EndCase(kJob, result);
  }
  fake_.EndJob(kJob);
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 0);
  EXPECT_EQ(done.out.find("driver/ecc  1.5 s"), done.out.rfind("driver/ecc  1.5 s"));
  EXPECT_EQ(fake_.watches(), 1);
}

TEST_F(WatchTest, ALostCoordinatorIsLookedForAndNothingIsSaidTwice) {
  Begin({"run", "smoke"});
  v1::CaseResult result = Result(v1::PASSED);
  result.set_case_name("ecc");
  fake_.EndCase(kJob, result);
  fake_.StopServing();
  const int port = std::stoi(address_.substr(address_.find(':') + 1));
  EXPECT_EQ(fake_.Serve(port), address_);
  ASSERT_TRUE(fake_.AwaitWatches(2)) << Join().err;
  result.set_case_name("link");
  fake_.EndCase(kJob, result);
  fake_.EndJob(kJob);
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("lost the coordinator, trying again"));
  EXPECT_EQ(done.out.find("PASSED     h200-1  GPU 0  driver/ecc"),
            done.out.rfind("PASSED     h200-1  GPU 0  driver/ecc"));
}

TEST_F(WatchTest, ALostCoordinatorIsGivenUp) {
  Begin({"run", "smoke", "--reconnect-for", "1ms"});
  fake_.StopServing();
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 3);
  EXPECT_THAT(done.err, AllOf(HasSubstr("did not come back"), HasSubstr("muster watch r-0000000000010")));
}

TEST_F(WatchTest, CtrlCCancelsTheRun) {
  Begin({"run", "smoke"});
  interrupt_ = Interrupt::kCancel;
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 1);
  EXPECT_THAT(done.out,
              AllOf(HasSubstr("CANCELLED"), HasSubstr("interrupted by the user"), HasSubstr("cancelled by tester")));
}

TEST_F(WatchTest, DetachingLeavesTheRun) {
  Begin({"run", "smoke"});
  interrupt_ = Interrupt::kDetach;
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 3) << "there is no verdict";
  EXPECT_THAT(done.err, AllOf(HasSubstr("goes on"), HasSubstr("muster cancel r-0000000000010")));
}

TEST_F(WatchTest, CtrlCLeavesAWatch) {
  Muster({"run", "smoke", "--detach"});
  Begin({"watch", "last"});
  interrupt_ = Interrupt::kCancel;
  EXPECT_EQ(Join().exit, 3);
  EXPECT_THAT(Muster({"runs"}).out, HasSubstr("0/1 jobs"));
}

TEST_F(WatchTest, ALostLeaseIsSaid) {
  Begin({"run", "smoke"});
  fake_.LoseLease(kJob);
  v1::CaseResult result = Result(v1::PASSED);
  for (const char* name : {"ecc", "link"}) {
    result.set_case_name(name);
    fake_.EndCase(kJob, result);
  }
  fake_.EndJob(kJob);
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 0);
  EXPECT_THAT(done.err, HasSubstr("driver: attempt 1 ended: lease lost: the machine was not heard of for 30 s"));
  EXPECT_THAT(done.out, HasSubstr("machinery: h200-1"));
}

TEST_F(WatchTest, OnATerminalFramesAreDrawnAndCleared) {
  terminal_ = true;
  variables_["LANG"] = "C.UTF-8";
  Begin({"run", "smoke"});
  fake_.StartCase(kJob, "ecc");
  v1::CaseResult result = Result(v1::PASSED);
  for (const char* name : {"ecc", "link"}) {
    result.set_case_name(name);
    fake_.EndCase(kJob, result);
  }
  fake_.EndJob(kJob);
  const Outcome& done = Join();
  EXPECT_EQ(done.exit, 0);
  EXPECT_THAT(done.out, HasSubstr("\x1b[?25l"));
  // The cursor comes back before the table.
  EXPECT_GT(done.out.find("GREEN"), done.out.find("\x1b[?25h"));
  EXPECT_THAT(done.out, HasSubstr("\x1b[?25h"));
}

TEST_F(WatchTest, AnUnknownRunIsTwo) {
  const Outcome done = Muster({"watch", "r-zzz"});
  EXPECT_EQ(done.exit, 2);
  EXPECT_THAT(done.err, HasSubstr("no run is called r-zzz"));
}

}  // namespace
}  // namespace muster::cli
