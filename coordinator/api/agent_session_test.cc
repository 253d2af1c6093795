// The stream alone, over real gRPC, with a host that only takes notes.
#include "coordinator/api/agent_session.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::coordinator {
namespace {

class NotingHost final : public v1::AgentService::CallbackService, public SessionHost {
 public:
  grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>* Session(
      grpc::CallbackServerContext* context) override {
    const std::shared_ptr<AgentSession> session = AgentSession::Start(*context, "node-1", *this, budget);
    started.set_value(session);
    return session.get();
  }
  void OnMessage(const std::shared_ptr<AgentSession>& session, v1::AgentMessage message, size_t bytes) override {
    ++messages;
    session->Settled(bytes);
  }
  void OnGone(const std::shared_ptr<AgentSession>&) override { gone.set_value(); }

  IngestBudget budget{64 << 20};
  std::atomic<int> messages = 0;
  std::promise<std::shared_ptr<AgentSession>> started;
  std::promise<void> gone;
};

class AgentSessionTest : public ::testing::Test {
 protected:
  AgentSessionTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&host_);
    server_ = builder.BuildAndStart();
    stub_ = v1::AgentService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
    stream_ = stub_->Session(&context_);
    session_ = host_.started.get_future().get();
  }

  NotingHost host_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::CoordinatorMessage>> stream_;
  std::shared_ptr<AgentSession> session_;
};

TEST_F(AgentSessionTest, AnAgentThatDoesNotReadIsEndedAndItsMessagesGo) {
  v1::CoordinatorMessage message;
  message.mutable_refusal()->set_message(std::string(1 << 20, 'x'));
  // What the connection takes by itself, and then more than may wait.
  for (size_t bytes = 0; bytes < 4 * AgentSession::kMaxOutboxBytes; bytes += 1 << 20) session_->Send(message);
  v1::CoordinatorMessage received;
  size_t read_bytes = 0;
  while (stream_->Read(&received)) read_bytes += received.ByteSizeLong();
  EXPECT_LT(read_bytes, 4 * AgentSession::kMaxOutboxBytes);
  EXPECT_FALSE(stream_->Finish().ok());
  host_.gone.get_future().wait();
}

TEST_F(AgentSessionTest, SilenceIsNotAGreeting) {
  session_->EndGreeting();
  v1::CoordinatorMessage received;
  ASSERT_TRUE(stream_->Read(&received));
  EXPECT_EQ(received.refusal().code(), v1::Refusal::MALFORMED);
  EXPECT_FALSE(stream_->Read(&received));
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  host_.gone.get_future().wait();
  EXPECT_EQ(host_.messages, 0);
}

TEST_F(AgentSessionTest, AfterAHelloTheGreetingIsOver) {
  v1::AgentMessage hello;
  hello.mutable_hello();
  ASSERT_TRUE(stream_->Write(hello));
  while (host_.messages == 0) std::this_thread::yield();
  session_->EndGreeting();
  session_->Send(v1::CoordinatorMessage());
  session_->Close(grpc::Status::OK);
  session_->Send(v1::CoordinatorMessage());  // Too late: dropped.
  v1::CoordinatorMessage received;
  EXPECT_TRUE(stream_->Read(&received));
  EXPECT_FALSE(stream_->Read(&received));
  EXPECT_TRUE(stream_->Finish().ok());
}

}  // namespace
}  // namespace muster::coordinator
