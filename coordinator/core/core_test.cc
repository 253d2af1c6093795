#include "coordinator/core/core.h"

#include "coordinator/core/core_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using CoreTest = CoreFixture;

TEST_F(CoreTest, RunsAPlanOnOneMachine) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string id = Start(PlanFor({"bench"}));
  const std::vector<v1::Directive> runs = TakeRuns();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].spec().device_ids(0), "g1");
  EXPECT_THAT(runs[0].spec().cases(), ::testing::ElementsAre("copy", "gemm"));
  const v1::JobRef ref = runs[0].ref();
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  EXPECT_EQ(core_->counts().jobs_running, 1u);
  Events(1, ref, {ResultEvent(1, "copy"), MeasurementEvent(2, 3.5), ResultEvent(3, "gemm")});
  EXPECT_EQ(AckedThrough(ref), 3u);
  EXPECT_FALSE(WasDirected(v1::Directive::FORGET, ref));
  Events(1, ref, {EndEvent(4)});
  EXPECT_TRUE(WasDirected(v1::Directive::FORGET, ref));

  for (const absl::StatusOr<StoredRun>& run : {core_->ReadRun(id), store_.ReadRun(id)}) {
    ASSERT_TRUE(run.ok());
    EXPECT_EQ(run->run.state(), v1::RUN_STATE_FINISHED);
    EXPECT_EQ(run->run.colour(), v1::GREEN);
    EXPECT_EQ(run->run.jobs_finished(), 1u);
    ASSERT_EQ(run->run.verdicts_size(), 1);
    EXPECT_EQ(run->run.verdicts(0).count(), 2u);
    EXPECT_THAT(VerdictsOf(run->jobs[0]), UnorderedElementsAre(Pair("copy", v1::PASSED), Pair("gemm", v1::PASSED)));
  }
  EXPECT_EQ(store_.ReadMeasurements(id)->at(0).measurements_size(), 1);
  EXPECT_EQ(results_seen_, 2);
  EXPECT_EQ(measurements_seen_, 1);
  EXPECT_EQ(core_->NextDeadlineMonoMs(), INT64_MAX);
}

TEST_F(CoreTest, EventsAreTakenOnceAndInOrder) {
  Connect(1, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  Events(1, ref, {MeasurementEvent(1, 1), MeasurementEvent(3, 3)});
  EXPECT_EQ(AckedThrough(ref), 1u);
  Events(1, ref, {MeasurementEvent(1, 1), MeasurementEvent(2, 2), MeasurementEvent(3, 3)});
  EXPECT_EQ(AckedThrough(ref), 3u);
  EXPECT_EQ(core_->counts().measurements_ingested, 3u);
  EXPECT_EQ(core_->counts().events_duplicate, 1u);
}

TEST_F(CoreTest, TheMarkSurvivesARestart) {
  Connect(1, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  Events(1, ref, {MeasurementEvent(1, 1), MeasurementEvent(2, 2)});
  Restart();
  Hello(2, "m1", {Gpu("g1")});
  State(2, {{ref, v1::HeldAttempt::RUNNING}});
  EXPECT_TRUE(TakeRuns().empty());
  Events(2, ref, {MeasurementEvent(2, 2), MeasurementEvent(3, 3)});
  EXPECT_EQ(AckedThrough(ref), 3u);
  EXPECT_EQ(core_->counts().events_duplicate, 1u);
}

TEST_F(CoreTest, ALostLeaseIsTriedAgainWithAHigherEpoch) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string id = Start(PlanFor({"bench"}));
  const v1::JobRef first = TakeRuns().at(0).ref();
  State(1, {{first, v1::HeldAttempt::RUNNING}});
  Events(1, first, {ResultEvent(1, "copy", v1::FAILED)});
  core_->SessionClosed(1, now_);
  Advance(options_.lease_duration_ms - 1);
  EXPECT_EQ(core_->counts().leases_lost, 0u);
  Advance(1);
  EXPECT_EQ(core_->counts().leases_lost, 1u);
  EXPECT_EQ(core_->counts().jobs_queued, 1u);

  // The machine comes back without the attempt.
  Connect(2, "m1", {Gpu("g1")});
  const v1::JobRef second = TakeRuns().at(0).ref();
  EXPECT_EQ(second.attempt(), 2u);
  EXPECT_GT(second.epoch(), first.epoch());
  // Late events of the first are kept, and count for nothing.
  Events(2, first, {ResultEvent(2, "gemm", v1::FAILED), EndEvent(3)});
  EXPECT_TRUE(WasDirected(v1::Directive::FORGET, first));
  Events(2, second, {ResultEvent(1, "copy"), ResultEvent(2, "gemm"), EndEvent(3)});
  const absl::StatusOr<StoredRun> run = store_.ReadRun(id);
  EXPECT_EQ(run->run.colour(), v1::GREEN);
  ASSERT_EQ(run->jobs[0].attempts_size(), 2);
  EXPECT_TRUE(run->jobs[0].attempts(0).superseded());
  EXPECT_EQ(run->jobs[0].attempts(0).results_size(), 2);
  EXPECT_FALSE(run->jobs[0].attempts(1).superseded());
}

TEST_F(CoreTest, ALostLeaseGoesOnWhenItsMachineComesBackInTime) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string id = Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  core_->SessionClosed(1, now_);
  Advance(options_.lease_duration_ms);
  EXPECT_EQ(core_->counts().jobs_queued, 1u);
  Hello(2, "m1", {Gpu("g1")});
  State(2, {{ref, v1::HeldAttempt::RUNNING}});
  EXPECT_TRUE(TakeRuns().empty());
  EXPECT_EQ(core_->counts().jobs_running, 1u);
  Events(2, ref, {ResultEvent(1, "copy"), ResultEvent(2, "gemm"), EndEvent(3)});
  EXPECT_EQ(store_.ReadRun(id)->run.colour(), v1::GREEN);
}

TEST_F(CoreTest, ALateResultCountsWhenNothingTookItsPlace) {
  Connect(1, "m1", {Gpu("g1")});
  v1::Plan plan = PlanFor({"bench"});
  plan.set_max_attempts(1);
  const std::string id = Start(plan);
  const v1::JobRef ref = TakeRuns().at(0).ref();
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  core_->SessionClosed(1, now_);
  Advance(options_.lease_duration_ms);
  EXPECT_EQ(store_.ReadRun(id)->run.colour(), v1::RED);
  EXPECT_EQ(VerdictsOf(store_.ReadRun(id)->jobs[0])["copy"], v1::MISSED);

  // Even after the run has left the memory.
  Restart();
  Hello(2, "m1", {Gpu("g1")});
  State(2, {{ref, v1::HeldAttempt::FINISHED}});
  Events(2, ref, {ResultEvent(1, "copy"), ResultEvent(2, "gemm"), EndEvent(3)});
  EXPECT_TRUE(WasDirected(v1::Directive::FORGET, ref));
  EXPECT_EQ(store_.ReadRun(id)->run.colour(), v1::GREEN);
}

TEST_F(CoreTest, AnAttemptThatNobodyKnowsIsKeptByItsAgent) {
  Connect(1, "m1", {Gpu("g1")});
  TakeSent();
  v1::JobRef ref;
  ref.set_job_id("r-0000000000000/1");
  ref.set_attempt(1);
  ref.set_epoch(7);
  State(1, {{ref, v1::HeldAttempt::FINISHED}});
  Events(1, ref, {EndEvent(1)});
  EXPECT_TRUE(TakeSent().empty());
}

TEST_F(CoreTest, AnAttemptThatTheAgentLostIsNotStartedAnew) {
  Connect(1, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  State(1);  // Not there yet: the directive is repeated.
  EXPECT_EQ(TakeRuns().at(0).ref().epoch(), ref.epoch());
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  State(1);  // It was there: its sequence numbers are used up.
  EXPECT_EQ(TakeRuns().at(0).ref().attempt(), 2u);
}

TEST_F(CoreTest, OneJobADeviceAtATime) {
  Connect(1, "m1", {Gpu("g1"), Gpu("g2")});
  Start(PlanFor({"bench"}));
  Start(PlanFor({"bench"}));
  std::vector<v1::Directive> runs = TakeRuns();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_NE(runs[0].spec().device_ids(0), runs[1].spec().device_ids(0));
  Events(1, runs[0].ref(), {EndEvent(1)});
  const std::vector<v1::Directive> next = TakeRuns();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].spec().device_ids(0), runs[0].spec().device_ids(0));
}

TEST_F(CoreTest, PriorityGoesFirst) {
  Connect(1, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  const v1::JobRef first = TakeRuns().at(0).ref();
  Start(PlanFor({"bench"}));
  v1::Plan urgent = PlanFor({"bench"});
  urgent.set_priority(10);
  const std::string urgent_id = Start(urgent);
  Events(1, first, {EndEvent(1)});
  EXPECT_EQ(TakeRuns().at(0).spec().run_id(), urgent_id);
}

TEST_F(CoreTest, CancellingStopsWhatRunsAndWhatWaits) {
  Connect(1, "m1", {Gpu("g1")});
  v1::Plan twice = PlanFor({"bench", "bench"});
  const std::string id = Start(twice);
  const v1::JobRef ref = TakeRuns().at(0).ref();
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  ASSERT_TRUE(core_->CancelRun(id, "bob", "enough", now_).ok());
  Flush();
  EXPECT_TRUE(WasDirected(v1::Directive::CANCEL, ref));
  EXPECT_EQ(core_->ReadRun(id)->run.jobs_finished(), 1u);
  Events(1, ref, {EndEvent(1, v1::FATE_CANCELLED)});
  const absl::StatusOr<StoredRun> run = store_.ReadRun(id);
  EXPECT_EQ(run->run.colour(), v1::RED);
  EXPECT_EQ(run->run.cancelled_by(), "bob");
  for (const v1::Job& job : run->jobs) EXPECT_EQ(VerdictsOf(job)["copy"], v1::CANCELLED);
  EXPECT_TRUE(absl::IsNotFound(core_->CancelRun(id, "bob", "", now_).status()));
}

TEST_F(CoreTest, CancellingReachesAMachineThatWasAway) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string id = Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  State(1, {{ref, v1::HeldAttempt::RUNNING}});
  core_->SessionClosed(1, now_);
  ASSERT_TRUE(core_->CancelRun(id, "bob", "", now_).ok());
  Hello(2, "m1", {Gpu("g1")});
  State(2, {{ref, v1::HeldAttempt::RUNNING}});
  EXPECT_TRUE(WasDirected(v1::Directive::CANCEL, ref));
}

TEST_F(CoreTest, AQueueHasAnEnd) {
  Connect(1, "m1", {Gpu("g1")});
  core_->SessionClosed(1, now_);
  v1::Plan plan = PlanFor({"bench"});
  plan.set_queue_time_limit_ms(5'000);
  const std::string id = Start(plan);
  Advance(4'000);
  Restart();  // The limit is not given anew.
  Advance(1'000);
  const absl::StatusOr<StoredRun> run = store_.ReadRun(id);
  EXPECT_EQ(run->run.state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(run->jobs[0].attempts(0).fate(), v1::FATE_QUEUE_TIMED_OUT);
  EXPECT_THAT(run->jobs[0].attempts(0).results(0).reason(), HasSubstr("m1 is not connected"));
  EXPECT_EQ(run->run.colour(), v1::RED);
}

TEST_F(CoreTest, ARefusedJobIsAnError) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string id = Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  v1::Event end = EndEvent(1, v1::FATE_REFUSED);
  end.mutable_job_finished()->set_detail("no suite 'bench'");
  Events(1, ref, {end});
  const absl::StatusOr<StoredRun> run = store_.ReadRun(id);
  EXPECT_EQ(VerdictsOf(run->jobs[0])["copy"], v1::ERROR);
  EXPECT_THAT(run->jobs[0].attempts(0).results(0).reason(), HasSubstr("no suite 'bench'"));
}

TEST_F(CoreTest, APlanThatNothingCanRunIsFinishedAndGreen) {
  Connect(1, "m1", {});
  const std::string id = Start(PlanFor({"bench"}));
  const absl::StatusOr<StoredRun> run = store_.ReadRun(id);
  EXPECT_EQ(run->run.state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(run->run.colour(), v1::GREEN);
  EXPECT_THAT(run->run.notes(), ::testing::ElementsAre("no machine has a GPU: the GPU cases are SKIPPED"));
  EXPECT_EQ(run->jobs[0].attempts(0).fate(), v1::FATE_NOT_RUNNABLE);
  EXPECT_EQ(VerdictsOf(run->jobs[0])["gemm"], v1::SKIPPED);
}

TEST_F(CoreTest, ARunSaysWhichMachinesItWaitsFor) {
  Connect(1, "m1", {Gpu("g1")});
  core_->SessionClosed(1, now_);
  const absl::StatusOr<StoredRun> run = store_.ReadRun(Start(PlanFor({"bench"})));
  EXPECT_THAT(run->run.notes(), ::testing::ElementsAre(HasSubstr("a machine is not connected: m1; the jobs wait for")));
}

TEST_F(CoreTest, ARepeatedRequestStartsNothing) {
  Connect(1, "m1", {Gpu("g1")});
  v1::StartRunRequest request;
  *request.mutable_plan() = PlanFor({"bench"});
  request.set_request_id("once");
  const absl::StatusOr<v1::Run> first = core_->StartRun(request, "ann", now_);
  EXPECT_EQ(core_->StartRun(request, "ann", now_)->id(), first->id());
  EXPECT_NE(core_->StartRun(request, "bob", now_)->id(), first->id());
  EXPECT_EQ(core_->counts().active_runs, 2u);
}

TEST_F(CoreTest, SessionsThatLieAreRefused) {
  core_->SessionOpened(1, "m1", now_);
  State(1);
  EXPECT_EQ(LastRefusal(), v1::Refusal::MALFORMED);
  core_->SessionOpened(2, "m1", now_);
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->mutable_machine()->set_name("m2");
  core_->OnAgentMessage(2, message, now_);
  Flush();
  EXPECT_EQ(LastRefusal(), v1::Refusal::NAME_MISMATCH);
  Connect(3, "m1", {Gpu("g1")});
  Connect(4, "m1", {Gpu("g1")});
  EXPECT_EQ(LastRefusal(), v1::Refusal::REPLACED);
  EXPECT_EQ(core_->counts().machines_connected, 1u);
  core_->SessionClosed(3, now_);
  EXPECT_EQ(core_->counts().machines_connected, 1u);
}

TEST_F(CoreTest, AMachineCannotTouchAnothersJob) {
  Connect(1, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  Connect(2, "m2", {});
  Events(2, ref, {EndEvent(1)});
  EXPECT_EQ(AckedThrough(ref), 0u);
  EXPECT_EQ(core_->counts().active_runs, 1u);
}

TEST_F(CoreTest, ATokenIsGoodOnce) {
  // SHA-256 of "secret".
  core_->AddToken({.id = "t1",
                   .secret_sha256_hex = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
                   .role = v1::ROLE_AGENT,
                   .bound_name = "m1",
                   .expires_unix_ms = now_.unix_ms + 1'000});
  EXPECT_FALSE(core_->UseToken("t1", "guess", "m1", now_).ok());
  EXPECT_FALSE(core_->UseToken("t1", "secret", "m2", now_).ok());
  EXPECT_EQ(core_->UseToken("t1", "secret", "m1", now_).value(), v1::ROLE_AGENT);
  Flush();
  Restart();
  EXPECT_THAT(core_->UseToken("t1", "secret", "m1", now_).status().message(), HasSubstr("used already"));
  EXPECT_TRUE(core_->FindMachine("m1").ok());
}

TEST_F(CoreTest, FinishedRunsLeaveTheMemory) {
  Connect(1, "m1", {});
  const std::string id = Start(PlanFor({"bench"}));
  EXPECT_TRUE(core_->ReadRun(id).ok());
  Advance(3'600'001);
  EXPECT_TRUE(absl::IsNotFound(core_->ReadRun(id).status()));
  EXPECT_TRUE(store_.ReadRun(id).ok());
}

}  // namespace
}  // namespace muster::coordinator
