// What the core makes of its machines' health.
#include <string>

#include "coordinator/core/core_fixture.h"
#include "gmock/gmock.h"

namespace muster::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CoreHealthTest : public CoreFixture {
 protected:
  v1::MachineStatus Status() { return *core_->FindMachine("m1"); }
  v1::HealthState StateOf(int device) { return Status().health().devices(device).state(); }
  void Telemetry(SessionId session, int readings) {
    v1::AgentMessage message;
    v1::DeviceSample& sample = *message.mutable_telemetry()->add_samples();
    sample.set_device_id("g1");
    for (int i = 0; i < readings; ++i) sample.add_readings()->set_value(i);
    core_->OnAgentMessage(session, std::move(message), now_);
    Flush();
  }
};

TEST_F(CoreHealthTest, HealthIsShownWhileItIsReportedAndRememberedBeyond) {
  Connect(1, "m1", {Gpu("g1"), Gpu("g2")});
  EXPECT_EQ(StateOf(0), v1::HEALTH_STATE_UNKNOWN) << "an agent that says nothing";
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}, {"g2", v1::HEALTH_STATE_HEALTHY}});
  EXPECT_EQ(StateOf(0), v1::HEALTH_STATE_FAILED);
  EXPECT_EQ(StateOf(1), v1::HEALTH_STATE_HEALTHY);
  core_->SessionClosed(1, now_);
  Flush();
  EXPECT_EQ(StateOf(1), v1::HEALTH_STATE_UNKNOWN);
  Restart();
  const v1::DeviceHealth after = Status().health().devices(0);
  EXPECT_EQ(after.state(), v1::HEALTH_STATE_UNKNOWN);
  ASSERT_EQ(after.conditions_size(), 2);
  EXPECT_EQ(after.conditions(0).code(), "machine.not-connected");
  EXPECT_EQ(after.conditions(1).code(), "nvidia.xid.79");
}

TEST_F(CoreHealthTest, SamplesAreShownWhileConnected) {
  Connect(1, "m1", {Gpu("g1")});
  Telemetry(1, 3);
  ASSERT_EQ(Status().samples_size(), 1);
  EXPECT_EQ(Status().samples(0).readings_size(), 3);
  EXPECT_EQ(core_->Machines().at(0).samples_size(), 0) << "a list of machines is to stay small";
  core_->SessionClosed(1, now_);
  EXPECT_EQ(Status().samples_size(), 0);
}

TEST_F(CoreHealthTest, WhatIsTooMuchIsLeftOutAndSaidOnceASession) {
  Connect(1, "m1", {Gpu("g1")});
  Telemetry(1, 3);
  Telemetry(1, 5'000);
  Telemetry(1, 5'000);
  EXPECT_EQ(Status().samples(0).readings_size(), 3);
  EXPECT_TRUE(Status().connected());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("machine m1 sends of its health what is not taken: 5000 readings")));
  Connect(2, "m1", {Gpu("g1")});
  Telemetry(2, 5'000);
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(CoreHealthTest, OnlyWhatChangedIsWritten) {
  Connect(1, "m1", {Gpu("g1")});
  Health(1, {{"g1", v1::HEALTH_STATE_HEALTHY}});
  const int commits = store_.commits();
  changed_machines_.clear();
  now_.unix_ms += 1'000;
  v1::AgentMessage message;
  *message.mutable_health() = Status().health();
  message.mutable_health()->add_events()->set_sequence(1);
  core_->OnAgentMessage(1, message, now_);
  core_->TakeEffects();
  EXPECT_THAT(changed_machines_, IsEmpty());
  EXPECT_EQ(store_.commits(), commits);
  EXPECT_EQ(Status().health().events_size(), 1);
  Advance(60'000);
  message.mutable_health()->add_events()->set_sequence(2);
  core_->OnAgentMessage(1, message, now_);
  Flush();
  EXPECT_THAT(changed_machines_, ElementsAre("m1")) << "events alone, now and then";
  changed_machines_.clear();
  Health(1, {{"g1", v1::HEALTH_STATE_DEGRADED}});
  EXPECT_THAT(changed_machines_, ElementsAre("m1"));
}

TEST_F(CoreHealthTest, AMachineThatHadAFailedDeviceIsHeardFirst) {
  Connect(1, "m1", {Gpu("g1")});
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}});
  core_->SessionClosed(1, now_);
  Start(PlanFor({"bench"}));
  Connect(2, "m1", {Gpu("g1")});
  EXPECT_THAT(TakeRuns(), IsEmpty());
  Health(2, {{"g1", v1::HEALTH_STATE_HEALTHY}});
  EXPECT_EQ(TakeRuns().size(), 1u);
}

TEST_F(CoreHealthTest, AnAgentThatSaysNothingOfHealthIsNotWaitedForLong) {
  Connect(1, "m1", {Gpu("g1")});
  Health(1, {{"g1", v1::HEALTH_STATE_FAILED}});
  core_->SessionClosed(1, now_);
  Start(PlanFor({"bench"}));
  Connect(2, "m1", {Gpu("g1")});
  EXPECT_THAT(TakeRuns(), IsEmpty());
  Advance(2 * options_.heartbeat_interval_ms);
  State(2);
  EXPECT_EQ(TakeRuns().size(), 1u) << "UNKNOWN keeps no job away";
}

}  // namespace
}  // namespace muster::coordinator
