#include "coordinator/judge/judge.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

v1::CaseResult Result(v1::Verdict outcome, double work = 0, const std::string& name = "copy") {
  v1::CaseResult result;
  result.set_case_name(name);
  result.set_outcome(outcome);
  result.set_work(work);
  return result;
}

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    v1::ExpectedCase& copy = *job_.job.add_expected();
    copy.set_name("copy");
    copy.set_needs_gpu_work(true);
    job_.job.add_expected()->set_name("gemm");
  }
  v1::Verdict Decide(v1::CaseResult result) {
    MendOutcome(result);
    judge_.Decide(job_, result);
    return result.verdict();
  }
  v1::CaseResult MissingAfter(v1::Fate fate) {
    AttemptRecord attempt;
    attempt.attempt.set_fate(fate);
    attempt.attempt.set_detail("so it is");
    attempt.results.push_back(Result(v1::PASSED));
    const std::vector<v1::CaseResult> missing = judge_.Missing(job_, attempt);
    EXPECT_EQ(missing.size(), 1u);
    EXPECT_EQ(missing[0].case_name(), "gemm");
    EXPECT_EQ(missing[0].verdict(), missing[0].outcome());
    EXPECT_THAT(missing[0].reason(), HasSubstr("so it is"));
    return missing[0];
  }

  JobRecord job_;
  Judge judge_;
};

TEST_F(JudgeTest, APassWithoutWorkIsVacuous) {
  EXPECT_EQ(Decide(Result(v1::PASSED, 1)), v1::PASSED);
  EXPECT_EQ(Decide(Result(v1::PASSED, 0)), v1::VACUOUS);
  EXPECT_EQ(Decide(Result(v1::PASSED, -1)), v1::VACUOUS);
  EXPECT_EQ(Decide(Result(v1::PASSED, std::numeric_limits<double>::quiet_NaN())), v1::VACUOUS);
  EXPECT_EQ(Decide(Result(v1::PASSED, 0, "gemm")), v1::PASSED);
  EXPECT_EQ(Decide(Result(v1::FAILED, 0)), v1::FAILED);
}

TEST_F(JudgeTest, TheDevicesCountersAreBelievedBeforeTheProgram) {
  v1::CaseResult result = Result(v1::PASSED, 1);
  result.set_gpu_activity(v1::GPU_ACTIVITY_SEEN);
  EXPECT_EQ(Decide(result), v1::PASSED);
  result.set_gpu_activity(v1::GPU_ACTIVITY_NONE);
  EXPECT_EQ(Decide(result), v1::VACUOUS);
  result.set_outcome(v1::FAILED);
  EXPECT_EQ(Decide(result), v1::FAILED);
  v1::CaseResult idle = Result(v1::PASSED, 0, "gemm");
  idle.set_gpu_activity(v1::GPU_ACTIVITY_NONE);
  EXPECT_EQ(Decide(idle), v1::PASSED) << "a case that needs no GPU";
}

TEST_F(JudgeTest, AgentsMayNotGiveTheCoordinatorsVerdicts) {
  for (v1::Verdict outcome : {v1::VERDICT_UNSPECIFIED, v1::MISSED, v1::KNOWN_ISSUE, v1::FIXED, v1::FLAKY}) {
    EXPECT_EQ(Decide(Result(outcome, 1)), v1::ERROR) << outcome;
  }
  EXPECT_EQ(Decide(Result(static_cast<v1::Verdict>(99), 1)), 99);
}

TEST_F(JudgeTest, WhatIsMissingSaysWhy) {
  EXPECT_EQ(MissingAfter(v1::FATE_COMPLETED).outcome(), v1::MISSED);
  EXPECT_EQ(MissingAfter(v1::FATE_LEASE_LOST).outcome(), v1::MISSED);
  EXPECT_EQ(MissingAfter(v1::FATE_QUEUE_TIMED_OUT).outcome(), v1::MISSED);
  EXPECT_EQ(MissingAfter(v1::FATE_JOB_TIMED_OUT).outcome(), v1::MISSED);
  EXPECT_EQ(MissingAfter(v1::FATE_NOT_STARTED).outcome(), v1::MISSED);
  EXPECT_EQ(MissingAfter(v1::FATE_CANCELLED).outcome(), v1::CANCELLED);
  EXPECT_EQ(MissingAfter(v1::FATE_REFUSED).outcome(), v1::ERROR);
  EXPECT_EQ(MissingAfter(v1::FATE_QUARANTINED).outcome(), v1::SKIPPED);
  EXPECT_EQ(MissingAfter(v1::FATE_WITHHELD).outcome(), v1::MISSED);
  job_.job.set_cancel_requested(true);
  EXPECT_EQ(MissingAfter(v1::FATE_LEASE_LOST).outcome(), v1::CANCELLED);
}

TEST_F(JudgeTest, TheWorseResultStays) {
  EXPECT_TRUE(MayReplace(Result(v1::MISSED), Result(v1::PASSED)));
  EXPECT_TRUE(MayReplace(Result(v1::CANCELLED), Result(v1::PASSED)));
  EXPECT_TRUE(MayReplace(Result(v1::PASSED), Result(v1::FAILED)));
  EXPECT_FALSE(MayReplace(Result(v1::FAILED), Result(v1::PASSED)));
  EXPECT_FALSE(MayReplace(Result(v1::VACUOUS), Result(v1::PASSED)));
}

TEST_F(JudgeTest, ExpectationsLieOverTheOutcome) {
  judge_ = Judge([](const v1::Job&, const v1::CaseResult& result) {
    return result.outcome() == v1::FAILED ? v1::KNOWN_ISSUE : result.outcome();
  });
  EXPECT_EQ(Decide(Result(v1::FAILED)), v1::KNOWN_ISSUE);
  EXPECT_EQ(Decide(Result(v1::ERROR)), v1::ERROR);
}

TEST(ColourTest, NothingIsGreenByAccident) {
  EXPECT_EQ(ColourOf({}), v1::RED);
  EXPECT_EQ(ColourOf({{v1::PASSED, 2}, {v1::SKIPPED, 1}, {v1::KNOWN_ISSUE, 1}}), v1::GREEN);
  EXPECT_EQ(ColourOf({{v1::PASSED, 2}, {v1::FLAKY, 1}}), v1::AMBER);
  EXPECT_EQ(ColourOf({{v1::PASSED, 2}, {v1::FIXED, 1}}), v1::AMBER);
  EXPECT_EQ(ColourOf({{v1::PASSED, 1}, {v1::FAILED, 0}}), v1::GREEN);
  for (int verdict : {0, 2, 4, 5, 6, 7, 8, 9, 99})
    EXPECT_EQ(ColourOf({{v1::PASSED, 1}, {verdict, 1}}), v1::RED) << verdict;
}

}  // namespace
}  // namespace muster::coordinator
