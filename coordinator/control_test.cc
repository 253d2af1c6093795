// The control service over real gRPC.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/server_fixture.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

class ControlTest : public ServerFixture {
 protected:
  grpc::Status GetRun(const std::string& id, v1::GetRunResponse& response) {
    v1::GetRunRequest request;
    request.set_run_id(id);
    grpc::ClientContext context;
    return control_->GetRun(&context, request, &response);
  }
  grpc::Status StartPlan(const std::string& name, v1::StartRunResponse& response) {
    v1::StartRunRequest request;
    request.set_plan_name(name);
    grpc::ClientContext context;
    return control_->StartRun(&context, request, &response);
  }
  void WritePlan(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(folder_ / "plans");
    std::ofstream(folder_ / "plans" / file) << text;
  }
  // grpc.health.v1's answer, through a generic stub, for lack of its own: 1 SERVING, 2 NOT_SERVING.
  int Health() {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice nothing;
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    call->StartCall();
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    grpc::Slice slice;
    if (!status.ok() || !response.DumpToSingleSlice(&slice).ok() || slice.size() != 2) return -1;
    return slice.begin()[1];
  }
};

TEST_F(ControlTest, ARunIsFoundByPrefixAndAsTheLast) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  const std::string first = StartRun("host").id();
  const std::string second = StartRun("host").id();
  v1::GetRunResponse response;
  ASSERT_TRUE(GetRun("last", response).ok());
  EXPECT_EQ(response.run().id(), second);
  ASSERT_TRUE(GetRun(first, response).ok());
  EXPECT_EQ(response.run().id(), first);
  EXPECT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(GetRun("r-", response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(GetRun("r-zzzzz", response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(GetRun("", response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  grpc::ClientContext context;
  v1::ListRunsResponse list;
  v1::ListRunsRequest request;
  request.set_limit(1);
  ASSERT_TRUE(control_->ListRuns(&context, request, &list).ok());
  ASSERT_EQ(list.runs_size(), 1);
  EXPECT_EQ(list.runs(0).id(), second);
}

TEST_F(ControlTest, PlansAreReadAnewAndMistakesAreSaid) {
  options_.plans_folder = folder_ / "plans";
  WritePlan("smoke.textproto", "suites { suite: 'host' }");
  WritePlan("broken.textproto", "suites { siute: 'host' }");
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  v1::StartRunResponse response;
  ASSERT_TRUE(StartPlan("smoke", response).ok());
  EXPECT_EQ(response.run().plan().name(), "smoke");
  EXPECT_EQ(response.run().jobs_total(), 1u);
  const grpc::Status broken = StartPlan("broken", response);
  EXPECT_EQ(broken.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(broken.error_message(), HasSubstr("siute"));
  const grpc::Status absent = StartPlan("absent", response);
  EXPECT_EQ(absent.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(absent.error_message(), HasSubstr("broken, smoke"));
  EXPECT_EQ(StartPlan("../plans/smoke", response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  grpc::ClientContext context, later_context;
  v1::ListPlansResponse plans;
  ASSERT_TRUE(control_->ListPlans(&context, {}, &plans).ok());
  EXPECT_EQ(plans.plans_size(), 1);
  WritePlan("more.textproto", "suites { suite: 'host' }");
  ASSERT_TRUE(control_->ListPlans(&later_context, {}, &plans).ok());
  EXPECT_EQ(plans.plans_size(), 2);
}

TEST_F(ControlTest, AQuarantineSurvivesTheCoordinator) {
  Start();
  {
    AgentClient agent(channel_);
    agent.Greet("node-1");
    agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
    v1::SetQuarantineRequest request;
    request.set_machine("node-1");
    v1::SetQuarantineResponse response;
    grpc::ClientContext refused, context;
    EXPECT_EQ(control_->SetQuarantine(&refused, request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    request.set_reason("moves");
    const grpc::Status status = control_->SetQuarantine(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.quarantine().author(), "local");
  }
  Stop();
  Start();
  v1::GetMachineRequest get;
  get.set_name("node-1");
  v1::GetMachineResponse machine;
  grpc::ClientContext context, release_context, again_context;
  ASSERT_TRUE(control_->GetMachine(&context, get, &machine).ok());
  ASSERT_EQ(machine.machine().quarantines_size(), 1);
  EXPECT_EQ(machine.machine().quarantines(0).reason(), "moves");
  EXPECT_EQ(StartRun("host").state(), v1::RUN_STATE_FINISHED) << "all of it is SKIPPED";

  v1::ReleaseQuarantineRequest release;
  release.set_machine("node-1");
  v1::ReleaseQuarantineResponse released;
  ASSERT_TRUE(control_->ReleaseQuarantine(&release_context, release, &released).ok());
  EXPECT_EQ(released.quarantine().reason(), "moves");
  EXPECT_EQ(control_->ReleaseQuarantine(&again_context, release, &released).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ControlTest, AWatcherSeesTheWholeRunAndThenItsEnd) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  const v1::Run run = StartRun("host");
  const v1::JobRef ref = agent.ReadUntil(v1::CoordinatorMessage::kDirectives).directives().directives(0).ref();
  grpc::ClientContext context;
  v1::WatchRunRequest request;
  request.set_run_id(run.id());
  const auto updates = control_->WatchRun(&context, request);
  v1::RunUpdate update;
  ASSERT_TRUE(updates->Read(&update));
  EXPECT_EQ(update.run().id(), run.id());
  ASSERT_EQ(update.jobs_size(), 1) << "the first update has all jobs";

  v1::AgentMessage message;
  *message.mutable_events()->mutable_ref() = ref;
  v1::Event& event = *message.mutable_events()->add_events();
  event.set_sequence(1);
  event.mutable_case_started()->set_case_name("kernel");
  agent.Send(message);
  do {
    ASSERT_TRUE(updates->Read(&update));
  } while (update.running_size() == 0);
  EXPECT_EQ(update.running(0).case_name(), "kernel");

  message.mutable_events()->mutable_events(0)->set_sequence(2);
  message.mutable_events()->mutable_events(0)->mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
  agent.Send(message);
  while (updates->Read(&update)) {
  }
  EXPECT_TRUE(updates->Finish().ok());
  EXPECT_EQ(update.run().state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(update.run().colour(), v1::RED) << "the case is MISSED";
}

TEST_F(ControlTest, AWatcherOfARunThatHasEndedGetsItWhole) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  const v1::Run run = StartRun("host");
  grpc::ClientContext cancel_context;
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run.id());
  v1::CancelRunResponse cancelled;
  ASSERT_TRUE(control_->CancelRun(&cancel_context, cancel, &cancelled).ok());
  EXPECT_TRUE(cancelled.run().cancel_requested());
  const v1::JobRef ref = agent.ReadUntil(v1::CoordinatorMessage::kDirectives).directives().directives(0).ref();
  v1::AgentMessage message;
  *message.mutable_events()->mutable_ref() = ref;
  message.mutable_events()->add_events()->set_sequence(1);
  message.mutable_events()->mutable_events(0)->mutable_job_finished()->set_fate(v1::FATE_CANCELLED);
  agent.Send(message);
  agent.ReadUntil(v1::CoordinatorMessage::kAcks);
  for (int i = 0; i < 2; ++i) {  // From the core, then after a restart from the store.
    grpc::ClientContext context;
    v1::WatchRunRequest request;
    request.set_run_id("last");
    const auto updates = control_->WatchRun(&context, request);
    v1::RunUpdate update;
    ASSERT_TRUE(updates->Read(&update));
    EXPECT_EQ(update.jobs_size(), 1);
    EXPECT_EQ(update.run().state(), v1::RUN_STATE_FINISHED);
    EXPECT_FALSE(updates->Read(&update));
    EXPECT_TRUE(updates->Finish().ok());
    if (i == 0) {
      Stop();
      Start();
    }
  }
}

TEST_F(ControlTest, HealthFollowsTheStore) {
  Start();
  EXPECT_EQ(Health(), 1);
  AgentClient agent(channel_);
  failing_->fails = true;
  agent.Greet("node-1");
  while (Health() != 2) std::this_thread::yield();
  failing_->fails = false;
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  while (Health() != 1) std::this_thread::yield();
}

TEST_F(ControlTest, ALogIsFollowedUntilItsJobEnds) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  StartRun("host");
  const v1::JobRef ref = agent.ReadUntil(v1::CoordinatorMessage::kDirectives).directives().directives(0).ref();
  grpc::ClientContext context;
  v1::ReadLogRequest request;
  request.set_job_id(ref.job_id());
  request.set_follow(true);
  request.set_stream(v1::LOG_STREAM_STDERR);
  const auto chunks = control_->ReadLog(&context, request);
  const auto send = [&](uint64_t sequence, v1::LogStream stream, const std::string& text) {
    v1::AgentMessage message;
    *message.mutable_events()->mutable_ref() = ref;
    v1::Event& event = *message.mutable_events()->add_events();
    event.set_sequence(sequence);
    if (text.empty()) {
      event.mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
    } else {
      event.mutable_log()->set_stream(stream);
      event.mutable_log()->set_data(text);
    }
    agent.Send(message);
  };
  send(1, v1::LOG_STREAM_STDERR, "one");
  v1::ReadLogResponse response;
  ASSERT_TRUE(chunks->Read(&response));
  EXPECT_EQ(response.chunk().data(), "one");
  send(2, v1::LOG_STREAM_AGENT, "not asked for");
  send(3, v1::LOG_STREAM_STDERR, "two");
  ASSERT_TRUE(chunks->Read(&response));
  EXPECT_EQ(response.chunk().data(), "two");
  send(4, v1::LOG_STREAM_UNSPECIFIED, "");
  EXPECT_FALSE(chunks->Read(&response));
  EXPECT_TRUE(chunks->Finish().ok());
}

TEST_F(ControlTest, ATokenCarriesTheAuthoritysFingerprint) {
  Start();
  grpc::ClientContext context;
  v1::CreateTokenRequest request;
  request.set_role(v1::ROLE_AGENT);
  v1::CreateTokenResponse response;
  const grpc::Status status = control_->CreateToken(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.token(), ::testing::MatchesRegex("muster1\\.[0-9a-f]+\\.[0-9a-f]+\\.[0-9a-f]+"));
}

}  // namespace
}  // namespace muster::coordinator
