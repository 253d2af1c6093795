// Over loopback, against a coordinator of a few lines.
#include "agent/link/connector.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/link/channel.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::agent {
namespace {

using Stream = grpc::ServerReaderWriter<v1::CoordinatorMessage, v1::AgentMessage>;

// Plays one script a session; keeps what it read.
class ScriptedCoordinator final : public v1::AgentService::Service {
 public:
  using Script = std::function<void(int session, Stream& stream)>;
  explicit ScriptedCoordinator(Script script) : script_(std::move(script)) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~ScriptedCoordinator() override { server_->Shutdown(std::chrono::system_clock::now()); }
  const std::string& address() const { return address_; }

  grpc::Status Session(grpc::ServerContext*, Stream* stream) override {
    script_(++sessions_, *stream);
    return grpc::Status::OK;
  }

 private:
  const Script script_;
  std::atomic<int> sessions_ = 0;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

v1::CoordinatorMessage Welcome() {
  v1::CoordinatorMessage message;
  message.mutable_welcome()->set_heartbeat_interval_ms(1);
  return message;
}
v1::AgentMessage State(uint64_t mark) {
  v1::AgentMessage message;
  message.mutable_state()->set_outbox_bytes(mark);
  return message;
}

class ConnectorTest : public testing::Test {
 protected:
  void Make(const std::string& address, Connector::Handlers handlers) {
    connector_ = std::make_unique<Connector>(
        loop_, address, [address] { return MakeChannel(address, "", grpc::InsecureChannelCredentials()); },
        [] { return 0; }, std::move(handlers));
  }
  // Runs until a handler stops the loop, and ends the session.
  void RunToEnd() {
    loop_.Post([this] { connector_->Start(); });
    loop_.Run();
    connector_.reset();
  }
  void StopAll() {
    connector_->Stop([this] { loop_.Stop(); });
  }

  base::ThreadEventLoop loop_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(ConnectorTest, MessagesGoBothWays) {
  uint64_t got = 0;
  ScriptedCoordinator coordinator([&](int, Stream& stream) {
    v1::AgentMessage message;
    stream.Read(&message);
    got = message.state().outbox_bytes();
    stream.Write(Welcome());
    while (stream.Read(&message)) {
    }
  });
  int welcomes = 0;
  Make(coordinator.address(), {.on_connected = [&] { connector_->Send(State(7)); },
                               .on_disconnected = [] {},
                               .on_message =
                                   [&](const v1::CoordinatorMessage& message) {
                                     welcomes += message.has_welcome();
                                     StopAll();
                                   }});
  RunToEnd();
  EXPECT_EQ(got, 7u);
  EXPECT_EQ(welcomes, 1);
}

TEST_F(ConnectorTest, ComesBackAfterTheStreamEnded) {
  ScriptedCoordinator coordinator([&](int session, Stream& stream) {
    stream.Write(Welcome());
    v1::AgentMessage message;
    while (session == 3 && stream.Read(&message)) {
    }
  });
  int connects = 0;
  int disconnects = 0;
  Make(coordinator.address(), {.on_connected = [&] { ++connects; },
                               .on_disconnected = [&] { ++disconnects; },
                               .on_message =
                                   [&](const v1::CoordinatorMessage&) {
                                     if (connects == 3) StopAll();
                                   }});
  RunToEnd();
  EXPECT_EQ(connects, 3);
  EXPECT_EQ(disconnects, 3);
}

TEST_F(ConnectorTest, TriesAgainWhenNobodyListens) {
  int disconnects = 0;
  Make("127.0.0.1:1", {.on_connected = [] {},
                       .on_disconnected =
                           [&] {
                             if (++disconnects == 3) StopAll();
                           },
                       .on_message = [](const v1::CoordinatorMessage&) {}});
  RunToEnd();
  EXPECT_EQ(disconnects, 3);
}

TEST_F(ConnectorTest, ReconnectsThoughTheCoordinatorKeepsItsHalfOpen) {
  base::Mutex mutex;
  base::CondVar wake;
  bool over = false;
  ScriptedCoordinator coordinator([&](int, Stream& stream) {
    stream.Write(Welcome());
    base::MutexLock lock(mutex);
    while (!over) wake.Wait(mutex);
  });
  int connects = 0;
  Make(coordinator.address(), {.on_connected = [&] { ++connects; },
                               .on_disconnected = [] {},
                               .on_message =
                                   [&](const v1::CoordinatorMessage&) {
                                     if (connects == 1) connector_->Reconnect();
                                     if (connects == 2) StopAll();
                                   }});
  RunToEnd();
  EXPECT_EQ(connects, 2);
  base::MutexLock lock(mutex);
  over = true;
  wake.NotifyAll();
}

TEST_F(ConnectorTest, StopWritesWhatWasSent) {
  uint64_t sum = 0;
  ScriptedCoordinator coordinator([&](int, Stream& stream) {
    stream.Write(Welcome());
    v1::AgentMessage message;
    while (stream.Read(&message)) sum += message.state().outbox_bytes();
  });
  Make(coordinator.address(), {.on_connected = [] {},
                               .on_disconnected = [] {},
                               .on_message =
                                   [&](const v1::CoordinatorMessage&) {
                                     for (int i = 0; i < 1'000; ++i) connector_->Send(State(1));
                                     StopAll();
                                   }});
  RunToEnd();
  EXPECT_EQ(sum, 1'000u);
}

TEST_F(ConnectorTest, ARefusalIsTakenAsTheSessionsEnd) {
  ScriptedCoordinator coordinator([&](int session, Stream& stream) {
    v1::CoordinatorMessage refusal;
    refusal.mutable_refusal()->set_code(v1::Refusal::NAME_MISMATCH);
    refusal.mutable_refusal()->set_message("the certificate says a, the hello b");
    if (session == 1) stream.Write(refusal);
    if (session == 2) stream.Write(Welcome());
  });
  int refusals = 0;
  Make(coordinator.address(), {.on_connected = [] {},
                               .on_disconnected = [] {},
                               .on_message =
                                   [&](const v1::CoordinatorMessage& message) {
                                     refusals += message.has_refusal();
                                     if (message.has_welcome()) StopAll();
                                   }});
  testing::internal::CaptureStderr();
  RunToEnd();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(refusals, 0);
  EXPECT_NE(log.find("NAME_MISMATCH"), std::string::npos) << log;
  EXPECT_NE(log.find("next try in"), std::string::npos) << log;
}

TEST_F(ConnectorTest, AMessageTooLargeEndsTheSession) {
  ScriptedCoordinator coordinator([&](int session, Stream& stream) {
    v1::CoordinatorMessage huge;
    huge.mutable_refusal()->set_message(std::string(kMaxMessageBytes + 1, 'x'));
    stream.Write(session == 1 ? huge : Welcome());
    v1::AgentMessage message;
    while (stream.Read(&message)) {
    }
  });
  int connects = 0;
  Make(coordinator.address(), {.on_connected = [&] { ++connects; },
                               .on_disconnected = [] {},
                               .on_message = [&](const v1::CoordinatorMessage&) { StopAll(); }});
  RunToEnd();
  EXPECT_EQ(connects, 2);
}

TEST(BackOffTest, DoublesUpToTheLimitWithFullJitter) {
  uint64_t random = UINT64_MAX;
  BackOff largest([&] { return random; });
  int64_t most = 0;
  for (int i = 0; i < 2'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const int64_t delay = largest.NextDelayMs();
    EXPECT_LE(delay, BackOff::kFirstMs << std::min(i, 20));
    most = std::max(most, delay);
  }
  EXPECT_LE(most, BackOff::kLimitMs);
  EXPECT_GT(most, BackOff::kLimitMs * 9 / 10);
  largest.Reset();
  EXPECT_LE(largest.NextDelayMs(), BackOff::kFirstMs);
}

}  // namespace
}  // namespace muster::agent
