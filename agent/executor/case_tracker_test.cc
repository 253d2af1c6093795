#include "agent/executor/case_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "base/text.h"

namespace muster::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Feeds artifacts and keeps what became of the cases.
class CaseTrackerTest : public ::testing::Test {
 protected:
  explicit CaseTrackerTest(OcptvMode mode = OcptvMode::kStrict)
      : book_({{.name = "a", .time_limit_ms = 1000}, {.name = "b", .time_limit_ms = 1000, .needs_gpu_work = true}},
              [this](v1::Event event) { Keep(std::move(event)); }),
        results_(mode, {Gpu()}, &book_, [this](v1::LogStream, std::string_view text) { log_ += text; }) {}

  static v1::Device Gpu() {
    v1::Device gpu;
    gpu.set_id("GPU-1");
    gpu.set_serial("S1");
    return gpu;
  }
  void Keep(v1::Event event) {
    if (event.has_case_finished()) finished_[event.case_finished().case_name()] = event.case_finished();
    if (event.has_case_started()) started_.push_back(event.case_started().case_name());
    if (event.has_measurement()) measured_.push_back(event.measurement());
  }
  void Line(std::string_view artifact) {
    std::string line =
        base::Text(R"({"sequenceNumber":)", number_++, R"(,"timestamp":"1970-01-01T00:00:05Z",)", artifact, "}");
    std::erase(line, '\n');
    results_.TakeStdout(line + "\n", now_);
  }
  void Run(std::string_view artifact) { Line(base::Text(R"("testRunArtifact":{)", artifact, "}")); }
  void Begin() {
    Line(R"("schemaVersion":{"major":2,"minor":0})");
    Run(R"("testRunStart":{"name":"t","version":"1","commandLine":"","parameters":{},"dutInfo":{"dutInfoId":"d","hardwareInfos":[
        {"hardwareInfoId":"h0","name":"cpu"},{"hardwareInfoId":"h1","name":"gpu","odataId":"GPU-1"},
        {"hardwareInfoId":"h2","name":"gpu","serialNumber":"S1"}]}})");
  }
  void Step(std::string_view id, std::string_view artifact) {
    Line(base::Text(R"("testStepArtifact":{"testStepId":")", id, "\",", artifact, "}"));
  }
  void StepStart(std::string_view id, std::string_view name) {
    Step(id, base::Text(R"("testStepStart":{"name":")", name, "\"}"));
  }
  void StepEnd(std::string_view id, std::string_view status = "COMPLETE") {
    Step(id, base::Text(R"("testStepEnd":{"status":")", status, "\"}"));
  }
  void RunEnd(std::string_view status = "COMPLETE", std::string_view result = "PASS") {
    Run(base::Text(R"("testRunEnd":{"status":")", status, R"(","result":")", result, "\"}"));
  }
  void End(ProgramEnd end = {.exit_code = 0}) {
    results_.End(end, now_);
    book_.End(end, now_);
  }
  v1::Verdict Outcome(const std::string& name) { return finished_[name].outcome(); }
  std::string Finding(const std::string& name) {
    std::string all;
    for (const std::string& finding : finished_[name].findings()) all += finding + "\n";
    return all;
  }

  base::Time now_{.mono_ms = 0, .unix_ms = 10'000};
  int number_ = 0;
  std::string log_;
  std::map<std::string, v1::CaseResult> finished_;
  std::vector<std::string> started_;
  std::vector<v1::Measurement> measured_;
  CaseBook book_;
  OcptvResults results_;
};

TEST_F(CaseTrackerTest, PassesWhatIsInOrder) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("diagnosis":{"verdict":"fine","type":"PASS","message":"m","hardwareInfoId":"h1"})");
  Step("0", R"("log":{"severity":"INFO","message":"hello"})");
  now_.mono_ms += 70;
  StepEnd("0");
  StepStart("1", "b");
  Step("1", R"("measurement":{"name":"work.bytes","value":5,"unit":"By"})");
  Step("1", R"("measurement":{"name":"work.flop","value":7})");
  Step(
      "1",
      R"("measurement":{"name":"t","value":3,"hardwareInfoId":"h2","validators":[{"type":"LESS_THAN","value":4,"name":"max"}]})");
  StepEnd("1");
  RunEnd();
  End();
  EXPECT_THAT(started_, ElementsAre("a", "b"));
  EXPECT_EQ(Outcome("a"), v1::PASSED);
  EXPECT_EQ(finished_["a"].duration_ms(), 70);
  EXPECT_EQ(finished_["a"].diagnoses(0).device_id(), "GPU-1");
  EXPECT_EQ(Outcome("b"), v1::PASSED);
  EXPECT_EQ(finished_["b"].work(), 12);
  EXPECT_TRUE(finished_["b"].needs_gpu_work());
  EXPECT_EQ(Finding("a") + Finding("b"), "");
  EXPECT_EQ(log_, "[INFO] hello\n");
  ASSERT_EQ(measured_.size(), 3u);
  EXPECT_EQ(measured_[2].device_id(), "GPU-1");
  EXPECT_EQ(measured_[2].case_name(), "b");
  EXPECT_EQ(measured_[2].time_unix_ms(), 5000);
  EXPECT_EQ(measured_[2].validators(0).value_json(), "4");
  EXPECT_TRUE(measured_[2].valid());
  EXPECT_THAT(book_.JobFindings(), IsEmpty());
}

TEST_F(CaseTrackerTest, AFailDiagnosisFails) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("diagnosis":{"verdict":"bad","type":"FAIL","message":"bit 3"})");
  StepEnd("0");
  RunEnd("COMPLETE", "FAIL");
  End({.exit_code = 1});
  EXPECT_EQ(Outcome("a"), v1::FAILED);
  EXPECT_EQ(finished_["a"].reason(), "bad: bit 3");
  EXPECT_EQ(Finding("a"), "");
}

TEST_F(CaseTrackerTest, APassAgainstItsOwnValidatorFailsWithAFinding) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("measurement":{"name":"t","value":5,"validators":[{"type":"LESS_THAN","value":4}]})");
  Step("0", R"("diagnosis":{"verdict":"fine","type":"PASS"})");
  StepEnd("0");
  RunEnd();
  End();
  EXPECT_EQ(Outcome("a"), v1::FAILED);
  EXPECT_EQ(finished_["a"].reason(), "measurement t: 5 LESS_THAN 4 does not hold");
  EXPECT_THAT(Finding("a"), HasSubstr("declared-pass: the step ends without a FAIL"));
  EXPECT_FALSE(measured_[0].valid());
}

TEST_F(CaseTrackerTest, ARunDeclaredPassAgainstAFailDiagnosisIsAFinding) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("diagnosis":{"verdict":"bad","type":"FAIL"})");
  StepEnd("0");
  RunEnd();
  End();
  EXPECT_EQ(Outcome("a"), v1::FAILED);
  EXPECT_THAT(Finding("a"), HasSubstr("declared-pass: testRunEnd says COMPLETE PASS"));
}

TEST_F(CaseTrackerTest, ARunDeclaredFailWithGreenCasesIsNotGreen) {
  Begin();
  for (const char* name : {"a", "b"}) {
    StepStart(name, name);
    StepEnd(name);
  }
  RunEnd("COMPLETE", "FAIL");
  End();
  EXPECT_EQ(Outcome("a"), v1::PASSED);
  EXPECT_EQ(Outcome("b"), v1::ERROR);
}

TEST_F(CaseTrackerTest, ErrorsSkipsAndUnsupportedValidators) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("error":{"symptom":"no-driver","message":"m"})");
  StepEnd("0");
  StepStart("1", "b");
  Step("1", R"("diagnosis":{"verdict":"skipped","type":"UNKNOWN","message":"needs ECC"})");
  StepEnd("1", "SKIP");
  StepStart("2", "c");
  Step("2", R"("measurement":{"name":"t","value":"x","validators":[{"type":"LESS_THAN","value":4}]})");
  StepEnd("2");
  RunEnd("ERROR", "NOT_APPLICABLE");
  End();
  EXPECT_EQ(Outcome("a"), v1::ERROR);
  EXPECT_EQ(finished_["a"].reason(), "no-driver: m");
  EXPECT_EQ(Outcome("b"), v1::SKIPPED);
  EXPECT_EQ(finished_["b"].reason(), "needs ECC");
  EXPECT_EQ(Outcome("c"), v1::ERROR);
  EXPECT_THAT(Finding("c"), HasSubstr("unknown-case"));
  EXPECT_THAT(Finding("c"), HasSubstr("validator-unsupported"));
}

TEST_F(CaseTrackerTest, TheWorseOfTwoStepsCounts) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("diagnosis":{"verdict":"bad","type":"FAIL"})");
  StepEnd("0");
  StepStart("1", "a");
  StepEnd("1");
  RunEnd("COMPLETE", "FAIL");
  End();
  EXPECT_EQ(Outcome("a"), v1::FAILED);
  EXPECT_EQ(finished_["a"].reason(), "bad");
  EXPECT_THAT(started_, ElementsAre("a"));
}

TEST_F(CaseTrackerTest, SeriesAreCheckedElementByElement) {
  Begin();
  StepStart("0", "a");
  Step(
      "0",
      R"("measurementSeriesStart":{"measurementSeriesId":"s","name":"t","unit":"Cel","hardwareInfoId":"h1","validators":[{"type":"LESS_THAN","value":4}]})");
  for (const char* element : {R"("index":1,"value":3)", R"("index":0,"value":5)"}) {
    Step("0", base::Text(R"("measurementSeriesElement":{"measurementSeriesId":"s","timestamp":"1970-01-01T00:00:06Z",)",
                         element, "}"));
  }
  Step("0", R"("measurementSeriesEnd":{"measurementSeriesId":"s","totalCount":3})");
  StepEnd("0");
  RunEnd("COMPLETE", "FAIL");
  End();
  ASSERT_EQ(measured_.size(), 2u);
  EXPECT_EQ(measured_[0].series_index(), 1u);
  EXPECT_EQ(measured_[0].unit(), "Cel");
  EXPECT_EQ(measured_[0].device_id(), "GPU-1");
  EXPECT_EQ(measured_[0].time_unix_ms(), 6000);
  EXPECT_TRUE(measured_[0].valid());
  EXPECT_FALSE(measured_[1].valid());
  EXPECT_EQ(Outcome("a"), v1::FAILED);
  EXPECT_THAT(Finding("a"), HasSubstr("series-total: series t says 3 elements, 2 came"));
}

TEST_F(CaseTrackerTest, ALostLineTurnsAPassIntoAnError) {
  Begin();
  StepStart("0", "a");
  ++number_;
  StepEnd("0");
  StepStart("1", "b");
  StepEnd("1");
  RunEnd();
  End();
  EXPECT_EQ(Outcome("a"), v1::ERROR);
  EXPECT_THAT(Finding("a"), HasSubstr("sequence-gap"));
  EXPECT_EQ(Outcome("b"), v1::PASSED);
}

TEST_F(CaseTrackerTest, BrokenReferencesAreFaults) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("measurement":{"name":"t","value":1,"hardwareInfoId":"nope"})");
  StepEnd("0");
  Step("0", R"("diagnosis":{"verdict":"late","type":"FAIL"})");
  Step("9", R"("diagnosis":{"verdict":"lost","type":"FAIL"})");
  RunEnd();
  End();
  EXPECT_EQ(Outcome("a"), v1::ERROR);
  EXPECT_THAT(Finding("a"), HasSubstr("unknown-hardware"));
  EXPECT_THAT(book_.JobFindings(), Contains(HasSubstr("ended-step")));
  EXPECT_THAT(book_.JobFindings(), Contains(HasSubstr("unknown-step")));
}

TEST_F(CaseTrackerTest, ACrashIsTheOpenCasesAndLeavesTheRestWithoutResult) {
  Begin();
  StepStart("0", "a");
  End({.signal = SIGSEGV});
  EXPECT_EQ(Outcome("a"), v1::CRASHED);
  EXPECT_THAT(finished_["a"].reason(), HasSubstr("SIGSEGV"));
  EXPECT_FALSE(finished_.contains("b"));
}

TEST_F(CaseTrackerTest, ACrashAfterTheLastCaseTakesItWithIt) {
  Begin();
  for (const char* name : {"a", "b"}) {
    StepStart(name, name);
    StepEnd(name);
  }
  RunEnd();
  End({.signal = SIGABRT});
  EXPECT_EQ(Outcome("a"), v1::PASSED);
  EXPECT_EQ(Outcome("b"), v1::CRASHED);
}

TEST_F(CaseTrackerTest, AMissingEndIsAnError) {
  Begin();
  StepStart("0", "a");
  StepEnd("0");
  StepStart("1", "b");
  End();
  EXPECT_EQ(Outcome("a"), v1::PASSED);
  EXPECT_EQ(Outcome("b"), v1::ERROR);
  EXPECT_THAT(book_.JobFindings(), Contains(HasSubstr("no-run-end")));
}

TEST_F(CaseTrackerTest, TimeLimits) {
  Begin();
  EXPECT_EQ(book_.NextDeadlineMs(), std::nullopt);
  now_.mono_ms = 500;
  StepStart("0", "a");
  StepStart("1", "b");
  EXPECT_EQ(book_.NextDeadlineMs(), 1500);
  now_.mono_ms = 1499;
  EXPECT_THAT(book_.Expire(now_), IsEmpty());
  StepEnd("1");
  now_.mono_ms = 1500;
  EXPECT_THAT(book_.Expire(now_), ElementsAre("a"));
  EXPECT_EQ(Outcome("a"), v1::TIMED_OUT);
  EXPECT_EQ(finished_["a"].duration_ms(), 1000);
  StepEnd("0");  // Too late: said while being stopped.
  End({.signal = SIGKILL, .stop = ProgramEnd::kCaseLimit, .stop_reason = "a"});
  EXPECT_EQ(Outcome("a"), v1::TIMED_OUT);
  EXPECT_EQ(Outcome("b"), v1::PASSED);
}

TEST_F(CaseTrackerTest, StopsNameWhy) {
  Begin();
  StepStart("0", "a");
  End({.signal = SIGTERM, .stop = ProgramEnd::kCancelled, .stop_reason = "cancelled by ann"});
  EXPECT_EQ(Outcome("a"), v1::CANCELLED);
  EXPECT_EQ(finished_["a"].reason(), "cancelled by ann");
  EXPECT_FALSE(finished_.contains("b"));
}

TEST_F(CaseTrackerTest, UnreadableOutputIsAnErrorOfEveryCase) {
  Line(R"("schemaVersion":{"major":1,"minor":0})");
  StepStart("0", "a");
  End();
  EXPECT_EQ(Outcome("a"), v1::ERROR);
  EXPECT_EQ(Outcome("b"), v1::ERROR);
}

TEST_F(CaseTrackerTest, AnErrorOfTheRunIsNotGreen) {
  Begin();
  for (const char* name : {"a", "b"}) {
    StepStart(name, name);
    StepEnd(name);
  }
  Run(R"("error":{"symptom":"cooling","message":"fan"})");
  RunEnd("ERROR", "NOT_APPLICABLE");
  End();
  EXPECT_EQ(Outcome("b"), v1::ERROR);
  EXPECT_EQ(finished_["b"].reason(), "cooling: fan");
}

class CompatibleTrackerTest : public CaseTrackerTest {
 protected:
  CompatibleTrackerTest() : CaseTrackerTest(OcptvMode::kCompatible) {}
};

TEST_F(CompatibleTrackerTest, BrokenReferencesAreNotesAndRunsMayFollowEachOther) {
  Begin();
  StepStart("0", "a");
  Step("0", R"("measurement":{"name":"t","value":1,"hardwareInfoId":"nope"})");
  StepEnd("0");
  RunEnd();
  Run(R"("testRunStart":{"name":"t2","version":"1","commandLine":"","parameters":{},"dutInfo":{"dutInfoId":"d"}})");
  StepStart("1", "b");
  StepEnd("1");
  RunEnd();
  End();
  EXPECT_EQ(Outcome("a"), v1::PASSED);
  EXPECT_THAT(Finding("a"), HasSubstr("unknown-hardware"));
  EXPECT_EQ(Outcome("b"), v1::PASSED);
  EXPECT_THAT(book_.JobFindings(), IsEmpty());
}

}  // namespace
}  // namespace muster::agent
