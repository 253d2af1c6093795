// Agents' sessions over real gRPC: who is let in, who is refused, and that a bad or slow one harms nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "base/tls.h"
#include "coordinator/api/authority.h"
#include "coordinator/server_fixture.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

class SessionTest : public ServerFixture {
 protected:
  // The status that the stream ends with, and the refusal before it.
  static grpc::Status EndOf(AgentClient& agent, v1::Refusal& refusal) {
    v1::CoordinatorMessage message;
    while (agent.Read(message)) {
      if (message.has_refusal()) refusal = message.refusal();
    }
    return agent.Finish();
  }
  v1::MachineStatus Machine(const std::string& name) {
    v1::GetMachineRequest request;
    request.set_name(name);
    v1::GetMachineResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(control_->GetMachine(&context, request, &response).ok());
    return response.machine();
  }
};

TEST_F(SessionTest, TheFirstMessageMustBeHello) {
  Start();
  AgentClient agent(channel_);
  v1::AgentMessage message;
  message.mutable_state();
  agent.Send(message);
  v1::Refusal refusal;
  EXPECT_EQ(EndOf(agent, refusal).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refusal.code(), v1::Refusal::MALFORMED);
}

TEST_F(SessionTest, AnotherProtocolVersionIsRefusedInWords) {
  Start();
  AgentClient agent(channel_);
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol_version(99);
  message.mutable_hello()->mutable_machine()->set_name("node-1");
  agent.Send(message);
  v1::Refusal refusal;
  const grpc::Status status = EndOf(agent, refusal);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refusal.code(), v1::Refusal::PROTOCOL_VERSION);
  EXPECT_EQ(refusal.message(), status.error_message());
}

TEST_F(SessionTest, ANewerSessionTakesOver) {
  Start();
  AgentClient older(channel_), newer(channel_);
  older.Greet("node-1");
  older.ReadUntil(v1::CoordinatorMessage::kWelcome);
  newer.Greet("node-1");
  newer.ReadUntil(v1::CoordinatorMessage::kWelcome);
  v1::Refusal refusal;
  EXPECT_EQ(EndOf(older, refusal).error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(refusal.code(), v1::Refusal::REPLACED);
  EXPECT_TRUE(Machine("node-1").connected()) << "the end of the older session is not the machine's";
  StartRun("host");
  newer.ReadUntil(v1::CoordinatorMessage::kDirectives);
}

TEST_F(SessionTest, AnOversizedMessageEndsTheSessionAndNoOther) {
  Start();
  AgentClient good(channel_), bad(channel_);
  good.Greet("node-1");
  good.ReadUntil(v1::CoordinatorMessage::kWelcome);
  bad.Greet("node-2");
  bad.ReadUntil(v1::CoordinatorMessage::kWelcome);
  v1::AgentMessage message;
  message.mutable_events()->add_events()->mutable_log()->set_data(std::string(5 << 20, 'x'));
  bad.Send(message);
  const grpc::Status status = bad.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("larger than max"));
  StartRun("host");
  good.ReadUntil(v1::CoordinatorMessage::kDirectives);
}

TEST_F(SessionTest, AnAgentThatLeavesIsNotConnected) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  EXPECT_TRUE(Machine("node-1").connected());
  agent.HalfClose();
  EXPECT_TRUE(agent.Finish().ok());
  while (Machine("node-1").connected()) std::this_thread::yield();
}

TEST_F(SessionTest, TheShutdownIsSaid) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  std::thread stops([this] { server_.reset(); });
  v1::Refusal refusal;
  EXPECT_EQ(EndOf(agent, refusal).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refusal.code(), v1::Refusal::SHUTTING_DOWN);
  stops.join();
}

TEST_F(SessionTest, WhatIsNotDurableIsNotSaidAndReadingStops) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
  StartRun("host");
  const v1::JobRef ref = agent.ReadUntil(v1::CoordinatorMessage::kDirectives).directives().directives(0).ref();
  failing_->fails = true;
  // More than a stream's window: the writes must come to stand until the store works again.
  v1::AgentMessage message;
  *message.mutable_events()->mutable_ref() = ref;
  constexpr int kBatches = 20;
  std::atomic<int> sent = 0;
  std::thread sends([&] {
    for (int i = 1; i <= kBatches; ++i) {
      message.mutable_events()->clear_events();
      v1::Event& event = *message.mutable_events()->add_events();
      event.set_sequence(i);
      event.mutable_log()->set_data(std::string(1 << 20, 'x'));
      agent.Send(message);
      ++sent;
    }
  });
  v1::StartRunResponse response;
  v1::StartRunRequest request;
  request.mutable_plan()->set_name("test");
  request.mutable_plan()->add_suites()->set_suite("host");
  // Refused once the first commit has failed; until then it would wait, so it has a deadline.
  grpc::StatusCode code = grpc::StatusCode::OK;
  while (code != grpc::StatusCode::UNAVAILABLE) {
    grpc::ClientContext attempt;
    attempt.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
    code = control_->StartRun(&attempt, request, &response).error_code();
    ASSERT_NE(code, grpc::StatusCode::OK);
  }
  EXPECT_LT(sent, kBatches) << "the coordinator goes on reading what it cannot store";
  failing_->fails = false;
  uint64_t through = 0;
  while (through < kBatches) {
    const v1::CoordinatorMessage acks = agent.ReadUntil(v1::CoordinatorMessage::kAcks);
    if (acks.acks().acks().empty()) break;
    EXPECT_GT(acks.acks().acks(0).through_sequence(), through);
    through = acks.acks().acks(0).through_sequence();
  }
  sends.join();
  EXPECT_EQ(through, static_cast<uint64_t>(kBatches));
}

TEST_F(SessionTest, ACertificateDecidesWhoAnAgentIs) {
  options_.insecure_loopback = false;
  AuthorityOptions authority_options{
      .data_folder = folder_, .now_unix_ms = base::ThreadEventLoop().Now().unix_ms, .create = true};
  const auto authority = EnsureAuthority(authority_options);
  ASSERT_TRUE(authority.ok()) << authority.status();
  Start();
  const auto identity = [&](base::IdentityRole role, const std::string& name) -> base::TlsIdentity {
    const auto key = base::CreateKeyAndRequest();
    const auto certificate = base::IssueCertificate(
        authority->ca, key->request_pem,
        {.identity = {role, name}, .now_unix_ms = authority_options.now_unix_ms, .lifetime_ms = 3'600'000});
    EXPECT_TRUE(certificate.ok());
    return {key->key_pem, *certificate, authority->ca.certificate_pem};
  };
  AgentClient own(base::SecureChannel(server_->address(), identity(base::IdentityRole::kAgent, "node-1")));
  own.Greet("node-1");
  own.ReadUntil(v1::CoordinatorMessage::kWelcome);

  AgentClient liar(base::SecureChannel(server_->address(), identity(base::IdentityRole::kAgent, "node-2")));
  liar.Greet("node-1");
  v1::Refusal refusal;
  EXPECT_EQ(EndOf(liar, refusal).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refusal.code(), v1::Refusal::NAME_MISMATCH);

  AgentClient viewer(base::SecureChannel(server_->address(), identity(base::IdentityRole::kViewer, "ann")));
  EXPECT_EQ(viewer.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  AgentClient stranger(base::SecureChannel(server_->address(), {"", "", authority->ca.certificate_pem}));
  EXPECT_EQ(stranger.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);

  const auto control = v1::ControlService::NewStub(
      base::SecureChannel(server_->address(), identity(base::IdentityRole::kViewer, "ann")));
  grpc::ClientContext list_context, start_context, token_context;
  v1::ListMachinesResponse machines;
  EXPECT_TRUE(control->ListMachines(&list_context, {}, &machines).ok());
  EXPECT_EQ(machines.machines_size(), 1);
  v1::StartRunResponse started;
  EXPECT_EQ(control->StartRun(&start_context, {}, &started).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  v1::CreateTokenResponse token;
  EXPECT_EQ(control->CreateToken(&token_context, {}, &token).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace muster::coordinator
