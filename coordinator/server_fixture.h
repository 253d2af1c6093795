// A coordinator in the test's process: real store in a folder of its own, real gRPC on loopback, and an agent to play
// with.
#ifndef MUSTER_COORDINATOR_SERVER_FIXTURE_H_
#define MUSTER_COORDINATOR_SERVER_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "coordinator/server.h"
#include "coordinator/store/sqlite_store.h"
#include "muster/v1/agent_service.grpc.pb.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::coordinator {

// Passes everything on, and fails commits while it is told to.
class FailingStore final : public Store {
 public:
  explicit FailingStore(Store& store) : store_(store) {}
  std::atomic<bool> fails = false;

  absl::Status Commit(const WriteBatch& batch) override {
    return fails ? absl::ResourceExhaustedError("the disk is full") : store_.Commit(batch);
  }
  absl::StatusOr<Snapshot> Load() override { return store_.Load(); }
  absl::StatusOr<std::vector<v1::Run>> ListRuns(uint32_t limit, std::string_view before,
                                                std::string_view plan) override {
    return store_.ListRuns(limit, before, plan);
  }
  absl::StatusOr<std::vector<v1::Run>> LastRuns(uint32_t limit) override { return store_.LastRuns(limit); }
  absl::StatusOr<StoredRun> ReadRun(std::string_view run_id) override { return store_.ReadRun(run_id); }
  absl::StatusOr<std::vector<std::string>> FindRuns(std::string_view prefix, uint32_t limit) override {
    return store_.FindRuns(prefix, limit);
  }
  absl::StatusOr<v1::Job> ReadJob(std::string_view job_id) override { return store_.ReadJob(job_id); }
  absl::StatusOr<std::vector<v1::JobMeasurements>> ReadMeasurements(std::string_view run_id) override {
    return store_.ReadMeasurements(run_id);
  }

 private:
  Store& store_;
};

// One agent's stream, driven by the test: blocking calls.
class AgentClient {
 public:
  explicit AgentClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::AgentService::NewStub(channel)), stream_(stub_->Session(&context_)) {}
  ~AgentClient() { context_.TryCancel(); }

  bool Send(const v1::AgentMessage& message) { return stream_->Write(message); }
  // False when the stream is over.
  bool Read(v1::CoordinatorMessage& message) { return stream_->Read(&message); }
  grpc::Status Finish() {
    v1::CoordinatorMessage message;
    while (stream_->Read(&message)) {
    }
    return stream_->Finish();
  }
  // Reads on to the next message of a kind.
  v1::CoordinatorMessage ReadUntil(v1::CoordinatorMessage::MessageCase kind) {
    v1::CoordinatorMessage message;
    while (Read(message)) {
      if (message.message_case() == kind) return message;
    }
    ADD_FAILURE() << "the stream ended without message kind " << kind << ": " << stream_->Finish().error_message();
    return {};
  }
  void HalfClose() { stream_->WritesDone(); }

  // Hello with one suite, "host" with the case "kernel", for the machine; then the first AgentState.
  void Greet(const std::string& machine) {
    v1::AgentMessage message;
    v1::Hello& hello = *message.mutable_hello();
    hello.set_protocol_version(1);
    hello.mutable_machine()->set_name(machine);
    v1::SuiteManifest& suite = *hello.add_suites();
    suite.set_name("host");
    suite.set_version("1");
    suite.set_program("host");
    suite.set_format(v1::RESULT_FORMAT_OCPTV);
    suite.set_device_scope(v1::DEVICE_SCOPE_MACHINE);
    suite.add_cases()->set_name("kernel");
    Send(message);
    message.mutable_state();
    Send(message);
  }
  void SendState(const v1::JobRef& ref, v1::HeldAttempt::Phase phase) {
    v1::AgentMessage message;
    v1::HeldAttempt& held = *message.mutable_state()->add_attempts();
    *held.mutable_ref() = ref;
    held.set_phase(phase);
    Send(message);
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::CoordinatorMessage>> stream_;
};

class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture() {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("muster-server-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.data_folder = folder_;
    options_.listen = "127.0.0.1:0";
    options_.http_listen = "127.0.0.1:0";
    options_.insecure_loopback = true;
    options_.shutdown_ms = 1'000;
  }
  ~ServerFixture() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    auto store = SqliteStore::Open({.folder = folder_});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    failing_ = std::make_unique<FailingStore>(*store_);
    auto server = Server::Start(options_, *failing_, store_->files());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    control_ = v1::ControlService::NewStub(channel_);
  }
  void Stop() {
    server_.reset();
    failing_.reset();
    store_.reset();
  }

  // Fails the test unless it works.
  v1::Run StartRun(const std::string& suite) {
    v1::StartRunRequest request;
    request.mutable_plan()->set_name("test");
    request.mutable_plan()->add_suites()->set_suite(suite);
    v1::StartRunResponse response;
    grpc::ClientContext context;
    const grpc::Status status = control_->StartRun(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.run();
  }

  std::filesystem::path folder_;
  ServerOptions options_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<FailingStore> failing_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ControlService::Stub> control_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SERVER_FIXTURE_H_
