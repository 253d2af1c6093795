// What quarantine and failed devices keep away, and what not.
#include <string>

#include "coordinator/core/core_fixture.h"
#include "gmock/gmock.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Device GpuAt(const std::string& id, int bus) {
  v1::Device device = Gpu(id);
  device.set_pci_address("0000:4" + std::to_string(bus) + ":00.0");
  return device;
}

class CoreGateTest : public CoreFixture {
 protected:
  absl::StatusOr<v1::Quarantine> Quarantine(const std::string& machine, const std::string& device = "",
                                            const std::string& reason = "hot") {
    v1::SetQuarantineRequest request;
    request.set_machine(machine);
    request.set_device(device);
    request.set_reason(reason);
    absl::StatusOr<v1::Quarantine> set = core_->SetQuarantine(request, "ann", now_);
    Flush();
    return set;
  }
  absl::StatusOr<v1::Quarantine> Release(const std::string& machine, const std::string& device = "") {
    v1::ReleaseQuarantineRequest request;
    request.set_machine(machine);
    request.set_device(device);
    absl::StatusOr<v1::Quarantine> released = core_->ReleaseQuarantine(request, now_);
    Flush();
    return released;
  }
  std::string StartOnQuarantined(const std::string& suite) {
    v1::StartRunRequest request;
    *request.mutable_plan() = PlanFor({suite});
    request.set_on_quarantined(true);
    const absl::StatusOr<v1::Run> run = core_->StartRun(request, "ann", now_);
    EXPECT_TRUE(run.ok()) << run.status();
    Flush();
    return run->id();
  }
  v1::Job JobOf(const std::string& run, int number = 0) { return store_.ReadRun(run)->jobs.at(number); }
  v1::Run RunOf(const std::string& run) { return store_.ReadRun(run)->run; }
  static v1::SuiteManifest Diagnostic() {
    v1::SuiteManifest suite = BenchSuite();
    suite.set_name("driver");
    suite.set_diagnostic(true);
    return suite;
  }
};

TEST_F(CoreGateTest, AQuarantineLastsUntilItIsReleased) {
  Connect(1, "m1", {Gpu("g1")});
  const auto set = Quarantine("m1", "0");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->device_id(), "g1");
  EXPECT_EQ(set->author(), "ann");
  EXPECT_EQ(set->since_unix_ms(), now_.unix_ms);
  Restart();
  Connect(2, "m1", {Gpu("g1")});
  ASSERT_EQ(core_->FindMachine("m1")->quarantines_size(), 1);
  EXPECT_EQ(core_->FindMachine("m1")->quarantines(0).reason(), "hot");
  EXPECT_EQ(VerdictsOf(JobOf(Start(PlanFor({"bench"})))),
            (std::map<std::string, v1::Verdict>{{"copy", v1::SKIPPED}, {"gemm", v1::SKIPPED}}));
  EXPECT_TRUE(Release("m1", "0000:41:00.0").ok());
  EXPECT_THAT(TakeRuns(), IsEmpty());
  Restart();
  EXPECT_EQ(core_->FindMachine("m1")->quarantines_size(), 0);
  Connect(3, "m1", {Gpu("g1")});
  Start(PlanFor({"bench"}));
  EXPECT_THAT(TakeRuns(), SizeIs(1));
}

TEST_F(CoreGateTest, MistakesAreTold) {
  Connect(1, "m1", {Gpu("g1")});
  EXPECT_TRUE(absl::IsInvalidArgument(Quarantine("m1", "", " ").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Quarantine("m1", "", std::string(1'025, 'x')).status()));
  EXPECT_THAT(Quarantine("m2").status().message(), HasSubstr("there is no machine \"m2\"; there is: m1"));
  EXPECT_TRUE(absl::IsNotFound(Quarantine("m1", "7").status()));
  EXPECT_THAT(Quarantine("m1", "7").status().message(), HasSubstr("it has GPU 0 (0000:41:00.0)"));
  EXPECT_TRUE(absl::IsNotFound(Release("m2").status()));
  EXPECT_TRUE(absl::IsNotFound(Release("m1", "7").status()));
  ASSERT_TRUE(Quarantine("m1", "g1").ok());
  EXPECT_THAT(Release("m1").status().message(),
              HasSubstr("machine m1 is not in quarantine; what is: GPU 0 (0000:41:00.0) of machine m1"));
}

TEST_F(CoreGateTest, ADeviceThatIsGoneCanStillBeReleased) {
  Connect(1, "m1", {Gpu("g1")});
  ASSERT_TRUE(Quarantine("m1", "g1").ok());
  Connect(2, "m1", {});
  EXPECT_TRUE(Release("m1", "g1").ok());
}

TEST_F(CoreGateTest, QuarantineEndsWhatWaitsAndLeavesWhatRuns) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string runs = Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  const std::string waits = Start(PlanFor({"bench"}));
  ASSERT_TRUE(Quarantine("m1").ok());
  EXPECT_EQ(JobOf(runs).state(), v1::JOB_STATE_LEASED);
  const v1::Job ended = JobOf(waits);
  EXPECT_EQ(ended.state(), v1::JOB_STATE_FINISHED);
  EXPECT_EQ(ended.attempts(0).fate(), v1::FATE_QUARANTINED);
  EXPECT_EQ(ended.attempts(0).results(0).reason(), "machine m1 is in quarantine: hot (ann)");
  EXPECT_EQ(RunOf(waits).colour(), v1::GREEN);
  Events(1, ref, {ResultEvent(1, "copy"), ResultEvent(2, "gemm"), EndEvent(3)});
  EXPECT_EQ(RunOf(runs).colour(), v1::GREEN);
  EXPECT_EQ(VerdictsOf(JobOf(runs)).at("copy"), v1::PASSED);
}

TEST_F(CoreGateTest, AMachineThatIsAwayIsInQuarantineAllTheSame) {
  Connect(1, "m1", {Gpu("g1")});
  core_->SessionClosed(1, now_);
  ASSERT_TRUE(Quarantine("m1").ok());
  const std::string run = Start(PlanFor({"bench", "host"}));
  EXPECT_EQ(RunOf(run).state(), v1::RUN_STATE_FINISHED);
  EXPECT_THAT(RunOf(run).notes(0), HasSubstr("quarantine keeps jobs away from m1"));
  EXPECT_EQ(RunOf(run).notes_size(), 1) << "nothing waits for the machine";
}

TEST_F(CoreGateTest, WhoeverAsksGoesIntoQuarantine) {
  Connect(1, "m1", {Gpu("g1")});
  ASSERT_TRUE(Quarantine("m1", "g1").ok());
  const std::string run = StartOnQuarantined("bench");
  EXPECT_THAT(TakeRuns(), SizeIs(1));
  EXPECT_TRUE(JobOf(run).on_quarantined());
}

TEST_F(CoreGateTest, ABrokenDeviceInQuarantineTurnsNoRunRed) {
  const v1::Device dead = Gpu("g1", v1::DRIVER_STATE_UNBOUND);
  Connect(1, "m1", {dead});
  EXPECT_EQ(RunOf(Start(PlanFor({"bench"}))).colour(), v1::RED);
  ASSERT_TRUE(Quarantine("m1", "g1").ok());
  const std::string run = Start(PlanFor({"bench"}));
  EXPECT_EQ(RunOf(run).colour(), v1::GREEN);
  EXPECT_EQ(JobOf(run).attempts(0).fate(), v1::FATE_QUARANTINED);
}

TEST_F(CoreGateTest, AFailedDeviceTakesDiagnosesAlone) {
  Hello(1, "m1", {GpuAt("g1", 1), GpuAt("g2", 2)}, {BenchSuite(), HostSuite(), Diagnostic()});
  State(1);
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}, {"g2", v1::HEALTH_STATE_DEGRADED}});
  const std::string run = Start(PlanFor({"bench", "driver", "host"}));
  EXPECT_THAT(TakeRuns(), SizeIs(3)) << "bench on g2, and behind it driver; driver on g1; host";
  const v1::Job withheld = JobOf(run);
  EXPECT_EQ(withheld.spec().device_ids(0), "g1");
  EXPECT_EQ(withheld.attempts(0).fate(), v1::FATE_WITHHELD);
  EXPECT_EQ(VerdictsOf(withheld).at("copy"), v1::MISSED);
  EXPECT_THAT(withheld.attempts(0).results(0).reason(),
              HasSubstr("GPU 0 (0000:41:00.0) of machine m1 has FAILED: nvidia.xid.79, GPU has fallen off the bus"));
}

TEST_F(CoreGateTest, OneDeviceKeepsAwayTheJobOfAll) {
  Hello(1, "m1", {GpuAt("g1", 1), GpuAt("g2", 2)}, {BenchSuite(v1::DEVICE_SCOPE_ALL)});
  State(1);
  Health(1, {{"g2", v1::HEALTH_STATE_FAILED}});
  const v1::Job withheld = JobOf(Start(PlanFor({"bench"})));
  EXPECT_EQ(withheld.attempts(0).fate(), v1::FATE_WITHHELD);
  EXPECT_THAT(withheld.attempts(0).detail(), HasSubstr("GPU 1"));
  ASSERT_TRUE(Quarantine("m1", "0").ok());
  const v1::Job quarantined = JobOf(Start(PlanFor({"bench"})));
  EXPECT_EQ(quarantined.attempts(0).fate(), v1::FATE_QUARANTINED);
  EXPECT_THAT(quarantined.attempts(0).detail(), HasSubstr("GPU 0"));
}

TEST_F(CoreGateTest, FailureEndsWhatWaitsAndLeavesWhatRuns) {
  Connect(1, "m1", {Gpu("g1")});
  const std::string runs = Start(PlanFor({"bench"}));
  const v1::JobRef ref = TakeRuns().at(0).ref();
  const std::string waits = Start(PlanFor({"bench"}));
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}});
  EXPECT_EQ(JobOf(waits).attempts(0).fate(), v1::FATE_WITHHELD);
  EXPECT_EQ(RunOf(waits).colour(), v1::RED);
  Events(1, ref, {ResultEvent(1, "copy"), ResultEvent(2, "gemm"), EndEvent(3)});
  EXPECT_EQ(RunOf(runs).colour(), v1::GREEN);
  Health(1, {{"g1", v1::HEALTH_STATE_HEALTHY}});
  Start(PlanFor({"bench"}));
  EXPECT_THAT(TakeRuns(), SizeIs(1));
}

TEST_F(CoreGateTest, ALostAttemptIsNotTriedAgainOnAFailedDevice) {
  Connect(1, "m1", {Gpu("g1")});
  v1::Plan plan = PlanFor({"bench"});
  plan.set_max_attempts(3);
  const std::string run = Start(plan);
  const v1::JobRef ref = TakeRuns().at(0).ref();
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}});
  Events(1, ref, {ResultEvent(1, "copy", v1::FAILED), EndEvent(2, v1::FATE_AGENT_RESTARTED)});
  const v1::Job job = JobOf(run);
  ASSERT_EQ(job.attempts_size(), 1);
  EXPECT_EQ(job.attempts(0).fate(), v1::FATE_AGENT_RESTARTED);
  EXPECT_THAT(job.attempts(0).detail(), HasSubstr("it was not tried again: GPU 0"));
  EXPECT_EQ(VerdictsOf(job).at("copy"), v1::FAILED) << "what it found stays";
  EXPECT_EQ(VerdictsOf(job).at("gemm"), v1::MISSED);
}

TEST_F(CoreGateTest, AMachineThatIsAwayIsNotKnownToHaveFailed) {
  Connect(1, "m1", {Gpu("g1")});
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}});
  core_->SessionClosed(1, now_);
  const std::string run = Start(PlanFor({"bench"}));
  EXPECT_EQ(JobOf(run).state(), v1::JOB_STATE_QUEUED);
  Connect(2, "m1", {Gpu("g1")});
  Health(2, {{"g1", v1::HEALTH_STATE_FAILED}});
  EXPECT_EQ(JobOf(run).attempts(0).fate(), v1::FATE_WITHHELD);
}

TEST_F(CoreGateTest, SimulatedDevicesMarkTheRun) {
  v1::Device simulated = Gpu("g1");
  simulated.set_simulated(true);
  Connect(1, "m1", {simulated});
  EXPECT_THAT(RunOf(Start(PlanFor({"bench"}))).notes(0), HasSubstr("simulated GPUs take part"));
  Connect(2, "m2", {Gpu("g2")});
  v1::Plan plan = PlanFor({"bench"});
  plan.set_on("name=m2");
  EXPECT_EQ(RunOf(Start(plan)).notes_size(), 0);
}

}  // namespace
}  // namespace muster::coordinator
