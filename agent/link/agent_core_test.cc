#include "agent/link/agent_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/executor/job_executor_fake.h"
#include "base/file_system_fake.h"

namespace muster::agent {
namespace {

using Directive = v1::Directive;
using HeldAttempt = v1::HeldAttempt;

struct RecordingSink final : MessageSink {
  void Send(v1::AgentMessage message) override { messages.push_back(std::move(message)); }
  std::vector<v1::AgentMessage> messages;
};

v1::JobRef Ref(const std::string& job, uint64_t epoch = 1) {
  v1::JobRef ref;
  ref.set_job_id(job);
  ref.set_attempt(1);
  ref.set_epoch(epoch);
  return ref;
}
v1::Event CaseEvent(const std::string& name) {
  v1::Event event;
  event.mutable_case_finished()->set_case_name(name);
  return event;
}

class AgentCoreTest : public testing::Test {
 protected:
  AgentCoreTest() { Start(); }

  void Start() {
    executor_ = std::make_unique<FakeJobExecutor>();
    outbox_ = Outbox::Open(files_, {.directory = "d"}).value();
    core_ = std::make_unique<AgentCore>(options_, *outbox_, *executor_, sink_, now_);
    executor_->SetSink([this](const v1::JobRef& ref, v1::Event event) { core_->OnJobEvent(ref, std::move(event)); });
  }
  void Restart() {
    core_.reset();
    outbox_.reset();
    files_.Crash();
    sink_.messages.clear();
    Start();
  }
  void Connect() {
    sink_.messages.clear();
    core_->Connected({}, now_);
    v1::CoordinatorMessage welcome;
    welcome.mutable_welcome()->set_heartbeat_interval_ms(5'000);
    core_->OnMessage(welcome, now_);
    Turn();
  }
  // A turn of the loop, its sync and the turn that the sync's end makes.
  void Turn() {
    for (int i = 0; i < 2; ++i) {
      core_->Tick(now_);
      if (const auto job = core_->BeginSync()) {
        ASSERT_TRUE(job->Run().ok());
        core_->EndSync(*job);
      }
    }
    core_->Tick(now_);
  }
  void Wait(int64_t ms) {
    now_.mono_ms += ms;
    now_.unix_ms += ms;
    Turn();
  }
  void Direct(Directive::Action action, const v1::JobRef& ref, const std::vector<std::string>& devices = {}) {
    v1::CoordinatorMessage message;
    Directive& directive = *message.mutable_directives()->add_directives();
    directive.set_action(action);
    *directive.mutable_ref() = ref;
    for (const std::string& device : devices) directive.mutable_spec()->add_device_ids(device);
    core_->OnMessage(message, now_);
    Turn();
  }
  void Ack(const v1::JobRef& ref, uint64_t through) {
    v1::CoordinatorMessage message;
    *message.mutable_acks()->add_acks()->mutable_ref() = ref;
    message.mutable_acks()->mutable_acks(0)->set_through_sequence(through);
    core_->OnMessage(message, now_);
    Turn();
  }
  // Sequences of the events sent for `ref` as far as the messages are kept.
  std::vector<uint64_t> Sent(const v1::JobRef& ref) {
    std::vector<uint64_t> sequences;
    for (const auto& message : sink_.messages) {
      if (!message.has_events() || message.events().ref().job_id() != ref.job_id()) continue;
      for (const v1::Event& event : message.events().events()) sequences.push_back(event.sequence());
    }
    return sequences;
  }
  // As the last AgentState names it; UNSPECIFIED when it does not.
  HeldAttempt::Phase PhaseSaid(const v1::JobRef& ref) {
    for (auto it = sink_.messages.rbegin(); it != sink_.messages.rend(); ++it) {
      if (!it->has_state()) continue;
      for (const HeldAttempt& held : it->state().attempts()) {
        if (held.ref().job_id() == ref.job_id() && held.ref().epoch() == ref.epoch()) return held.phase();
      }
      break;
    }
    return HeldAttempt::PHASE_UNSPECIFIED;
  }
  // The first condition of each health report that was sent.
  std::vector<std::string> HealthSaid() const {
    std::vector<std::string> codes;
    for (const auto& message : sink_.messages) {
      if (message.has_health()) codes.push_back(message.health().machine_conditions(0).code());
    }
    return codes;
  }
  v1::Event LastEvent(const v1::JobRef& ref) {
    const uint64_t last = outbox_->Find(ref)->durable_sequence;
    return outbox_->Read(ref, last, 1 << 20, 1)->events(0);
  }

  std::mt19937_64 random_{1};
  base::FakeFileSystem files_{[this] { return random_(); }};
  AgentCoreOptions options_;
  base::Time now_{.mono_ms = 1'000, .unix_ms = 1'800'000'000'000};
  RecordingSink sink_;
  std::unique_ptr<FakeJobExecutor> executor_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<AgentCore> core_;
};

TEST_F(AgentCoreTest, SaysHelloThenState) {
  Connect();
  ASSERT_EQ(sink_.messages.size(), 2u);
  EXPECT_EQ(sink_.messages[0].hello().protocol_version(), 1u);
  EXPECT_TRUE(sink_.messages[1].has_state());
}

TEST_F(AgentCoreTest, AJobFromRunToForget) {
  Connect();
  Direct(Directive::RUN, Ref("a"), {"gpu0"});
  ASSERT_EQ(executor_->jobs().size(), 1u);
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::RUNNING);
  executor_->Emit(Ref("a"), CaseEvent("one"));
  executor_->Finish(Ref("a"), v1::FATE_COMPLETED);
  EXPECT_TRUE(Sent(Ref("a")).empty());
  Turn();
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1, 2}));
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::FINISHED);
  Ack(Ref("a"), 2);
  Direct(Directive::FORGET, Ref("a"));
  EXPECT_TRUE(outbox_->Attempts().empty());
  Direct(Directive::RUN, Ref("a"), {"gpu0"});
  EXPECT_EQ(executor_->starts(), 1) << "a RUN that is said again must not begin what was forgotten";
}

TEST_F(AgentCoreTest, RunIsIdempotent) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  Direct(Directive::RUN, Ref("a"));
  EXPECT_EQ(executor_->starts(), 1);
}

TEST_F(AgentCoreTest, EndIsSaidOnlyOnceDurable) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  executor_->Finish(Ref("a"), v1::FATE_COMPLETED);
  now_.mono_ms += 5'000;
  core_->Tick(now_);
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::RUNNING);
  Turn();
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::FINISHED);
}

TEST_F(AgentCoreTest, JobsGoOnWithoutASessionAndEventsFollow) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  core_->Disconnected();
  executor_->Emit(Ref("a"), CaseEvent("one"));
  executor_->Finish(Ref("a"), v1::FATE_COMPLETED);
  Turn();
  EXPECT_TRUE(Sent(Ref("a")).empty());
  Connect();
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1, 2}));
}

TEST_F(AgentCoreTest, ResendsFromTheAckAfterAReconnect) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  for (int i = 0; i < 5; ++i) executor_->Emit(Ref("a"), CaseEvent("c"));
  Turn();
  Ack(Ref("a"), 3);
  core_->Disconnected();
  Connect();
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({4, 5}));
}

TEST_F(AgentCoreTest, SilenceIsAnsweredWithOneEventMoreAndMoreRarely) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  for (int i = 0; i < 5; ++i) executor_->Emit(Ref("a"), CaseEvent("c"));
  Turn();
  sink_.messages.clear();
  Wait(10'000);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1}));
  Wait(10'000);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1}));
  Wait(10'000);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1, 1}));
  Ack(Ref("a"), 1);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1, 1, 2, 3, 4, 5}));
}

TEST_F(AgentCoreTest, ACoordinatorThatLostEventsGetsWhatThereIs) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  for (int i = 0; i < 5; ++i) executor_->Emit(Ref("a"), CaseEvent("c"));
  Turn();
  Ack(Ref("a"), 5);
  sink_.messages.clear();
  Ack(Ref("a"), 2);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({3, 4, 5}));
  Ack(Ref("a"), 4);
  Ack(Ref("a"), 5);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({3, 4, 5}));
}

TEST_F(AgentCoreTest, TheWindowBoundsWhatIsUnderWay) {
  options_.window_bytes = 10'000;
  options_.batch_bytes = 4'000;
  Restart();
  Connect();
  Direct(Directive::RUN, Ref("a"));
  executor_->Emit(Ref("a"), CaseEvent("first"));
  Turn();
  Ack(Ref("a"), 1);
  for (int i = 0; i < 100; ++i) executor_->Emit(Ref("a"), CaseEvent(std::string(1'000, 'c')));
  Turn();
  EXPECT_LT(Sent(Ref("a")).size(), 15u);
  for (int i = 0; i < 100; ++i) Ack(Ref("a"), Sent(Ref("a")).back());
  EXPECT_EQ(Sent(Ref("a")).size(), 101u);
}

TEST_F(AgentCoreTest, ASilentAttemptDoesNotStopTheOthers) {
  options_.window_bytes = 10'000;
  Restart();
  Connect();
  Direct(Directive::RUN, Ref("a"));
  Direct(Directive::RUN, Ref("b"));
  executor_->Emit(Ref("a"), CaseEvent(std::string(20'000, 'c')));
  Turn();
  executor_->Emit(Ref("b"), CaseEvent("c"));
  Turn();
  EXPECT_TRUE(Sent(Ref("b")).empty());
  Wait(10'000);
  EXPECT_EQ(Sent(Ref("b")), std::vector<uint64_t>({1}));
}

TEST_F(AgentCoreTest, ANewerAttemptStopsTheOlderAndWaitsForTheDevice) {
  Connect();
  Direct(Directive::RUN, Ref("a", 1), {"gpu0", "gpu1"});
  Direct(Directive::RUN, Ref("b", 2), {"gpu1"});
  EXPECT_EQ(PhaseSaid(Ref("b", 2)), HeldAttempt::ACCEPTED);
  EXPECT_EQ(executor_->starts(), 1);
  EXPECT_NE(executor_->Find(Ref("a", 1))->cancel_reason, "");
  executor_->Finish(Ref("a", 1), v1::FATE_CANCELLED);
  Turn();
  EXPECT_EQ(PhaseSaid(Ref("b", 2)), HeldAttempt::RUNNING);
  EXPECT_EQ(executor_->starts(), 2);
}

TEST_F(AgentCoreTest, OtherDevicesAreNotWaitedFor) {
  Connect();
  Direct(Directive::RUN, Ref("a", 1), {"gpu0"});
  Direct(Directive::RUN, Ref("b", 2), {"gpu1"});
  EXPECT_EQ(executor_->jobs().size(), 2u);
  EXPECT_EQ(executor_->Find(Ref("a", 1))->cancel_reason, "");
}

TEST_F(AgentCoreTest, CancelOfAWaitingAttemptEndsItAtOnce) {
  Connect();
  Direct(Directive::RUN, Ref("a", 1), {"gpu0"});
  Direct(Directive::RUN, Ref("b", 2), {"gpu0"});
  Direct(Directive::CANCEL, Ref("b", 2));
  EXPECT_EQ(LastEvent(Ref("b", 2)).job_finished().fate(), v1::FATE_CANCELLED);
  EXPECT_EQ(executor_->starts(), 1);
}

TEST_F(AgentCoreTest, WhatTheExecutorRefusesEndsAsRefused) {
  Connect();
  executor_->SetStartStatus(absl::InvalidArgumentError("no suite x"));
  Direct(Directive::RUN, Ref("a"));
  EXPECT_EQ(LastEvent(Ref("a")).job_finished().fate(), v1::FATE_REFUSED);
  EXPECT_EQ(LastEvent(Ref("a")).job_finished().detail(), "no suite x");
  executor_->SetStartStatus(absl::InternalError("no processes left"));
  Direct(Directive::RUN, Ref("b"));
  EXPECT_EQ(LastEvent(Ref("b")).job_finished().fate(), v1::FATE_NOT_STARTED);
}

TEST_F(AgentCoreTest, ARestartedAgentEndsWhatWasUnfinished) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  executor_->Emit(Ref("a"), CaseEvent("one"));
  Turn();
  Ack(Ref("a"), 1);
  Restart();
  Connect();
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::FINISHED);
  EXPECT_EQ(LastEvent(Ref("a")).sequence(), 2u);
  EXPECT_EQ(LastEvent(Ref("a")).job_finished().fate(), v1::FATE_AGENT_RESTARTED);
  Direct(Directive::RUN, Ref("a"));
  EXPECT_EQ(executor_->starts(), 0);
}

TEST_F(AgentCoreTest, StopEndsJobsAsRestarted) {
  Connect();
  Direct(Directive::RUN, Ref("a"), {"gpu0"});
  Direct(Directive::RUN, Ref("b", 2), {"gpu0"});
  executor_->Find(Ref("a"))->cancel_reason.clear();
  core_->Stop("SIGTERM", now_);
  Turn();
  EXPECT_FALSE(core_->stopped());
  executor_->Finish(Ref("a"), v1::FATE_CANCELLED);
  Turn();
  EXPECT_TRUE(core_->stopped());
  EXPECT_EQ(LastEvent(Ref("a")).job_finished().fate(), v1::FATE_AGENT_RESTARTED);
  Direct(Directive::RUN, Ref("c"));
  EXPECT_EQ(executor_->starts(), 1);
}

TEST_F(AgentCoreTest, HeartbeatsRenewTheLeases) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  sink_.messages.clear();
  EXPECT_EQ(core_->NextDeadlineMonoMs(), now_.mono_ms + 5'000);
  Wait(4'999);
  EXPECT_TRUE(sink_.messages.empty());
  Wait(1);
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::RUNNING);
}

TEST_F(AgentCoreTest, AFullDiskKeepsTheEndUntilThereIsRoom) {
  Connect();
  Direct(Directive::RUN, Ref("a"));
  files_.SetCapacity(files_.used_bytes());
  executor_->Finish(Ref("a"), v1::FATE_COMPLETED);
  Turn();
  Wait(5'000);
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::RUNNING);
  Direct(Directive::RUN, Ref("b"));
  EXPECT_EQ(PhaseSaid(Ref("b")), HeldAttempt::PHASE_UNSPECIFIED);
  files_.SetCapacity(UINT64_MAX);
  EXPECT_LE(core_->NextDeadlineMonoMs(), now_.mono_ms + 1'000);
  Wait(1'000);
  EXPECT_EQ(PhaseSaid(Ref("a")), HeldAttempt::FINISHED);
  EXPECT_EQ(Sent(Ref("a")), std::vector<uint64_t>({1}));
}

TEST_F(AgentCoreTest, WhatIsNotKnownIsIgnored) {
  Connect();
  Direct(static_cast<Directive::Action>(77), Ref("a"));
  Direct(Directive::FORGET, Ref("a"));
  Direct(Directive::CANCEL, Ref("a"));
  Ack(Ref("a"), 5);
  core_->OnJobEvent(Ref("a"), CaseEvent("one"));
  core_->OnMessage({}, now_);
  EXPECT_EQ(executor_->starts(), 0);
  EXPECT_TRUE(outbox_->Attempts().empty());
}

v1::HealthReport Health(const std::string& code) {
  v1::HealthReport report;
  report.add_machine_conditions()->set_code(code);
  return report;
}

TEST_F(AgentCoreTest, HealthIsSaidAfterTheStateAndAfterEachChange) {
  core_->SetHealth(Health("first"));
  Connect();
  ASSERT_GE(sink_.messages.size(), 3u);
  EXPECT_TRUE(sink_.messages[0].has_hello());
  EXPECT_TRUE(sink_.messages[1].has_state());
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"first"}));
  Wait(10'000);
  EXPECT_EQ(HealthSaid().size(), 1u) << "nothing has changed";
  core_->SetHealth(Health("second"));
  Turn();
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(AgentCoreTest, HealthThatChangesOftenIsSaidOnceASecondAndTheNewest) {
  Connect();
  EXPECT_TRUE(HealthSaid().empty());
  for (int i = 0; i < 10; ++i) {
    core_->SetHealth(Health(std::to_string(i)));
    Turn();
  }
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"0"}));
  EXPECT_EQ(core_->NextDeadlineMonoMs(), now_.mono_ms + 1'000);
  Wait(1'000);
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"0", "9"}));
}

TEST_F(AgentCoreTest, HealthThatChangesMeanwhileIsSaidInTheNextSession) {
  Connect();
  core_->Disconnected();
  core_->SetHealth(Health("meanwhile"));
  Wait(5'000);
  EXPECT_TRUE(HealthSaid().empty());
  Connect();
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"meanwhile"}));
  core_->Disconnected();
  Connect();
  EXPECT_EQ(HealthSaid(), (std::vector<std::string>{"meanwhile"})) << "in each new session";
}

struct FakeWatch final : DeviceWatch {
  v1::TelemetryReport Telemetry() const override {
    v1::TelemetryReport report;
    if (has_sample) report.add_samples()->set_device_id("gpu");
    return report;
  }
  void Annotate(const std::set<std::string>& device_ids, int64_t to_unix_ms, v1::CaseResult& result) const override {
    EXPECT_EQ(device_ids, std::set<std::string>{"gpu"});
    EXPECT_EQ(to_unix_ms, 77);
    result.set_gpu_activity(v1::GPU_ACTIVITY_NONE);
  }
  bool has_sample = true;
};

TEST_F(AgentCoreTest, TelemetryIsSaidWithEachHeartbeat) {
  FakeWatch watch;
  core_->SetDeviceWatch(&watch);
  Connect();
  const auto said = [&] {
    return std::count_if(sink_.messages.begin(), sink_.messages.end(), [](const auto& m) { return m.has_telemetry(); });
  };
  EXPECT_EQ(said(), 0);
  for (int i = 1; i <= 3; ++i) {
    Wait(5'000);
    EXPECT_EQ(said(), i);
  }
  watch.has_sample = false;
  Wait(5'000);
  EXPECT_EQ(said(), 3) << "nothing is not worth a message";
  core_->SetDeviceWatch(nullptr);
}

TEST_F(AgentCoreTest, AResultHasWhatItsDevicesDidBeforeItIsStored) {
  FakeWatch watch;
  core_->SetDeviceWatch(&watch);
  Connect();
  Direct(Directive::RUN, Ref("a"), {"gpu"});
  EXPECT_EQ(core_->running_jobs(), 1);
  v1::Event event = CaseEvent("c");
  event.set_time_unix_ms(77);
  core_->OnJobEvent(Ref("a"), event);
  Turn();
  EXPECT_EQ(LastEvent(Ref("a")).case_finished().gpu_activity(), v1::GPU_ACTIVITY_NONE);
  core_->SetDeviceWatch(nullptr);
}

}  // namespace
}  // namespace muster::agent
