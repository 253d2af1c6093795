#include "cli/client.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/coordinator_probe.h"
#include "base/mutex.h"
#include "base/tls.h"
#include "cli/text.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::cli {
namespace {

constexpr int64_t kProbeMs = 2'000;
constexpr int kMaxMessageBytes = 256 << 20;  // A run on a thousand machines, with measurements.

// gRPC says little of a connection that does not come about: a second look tells what is wrong and what to do.
std::string ExplainUnavailable(const Endpoint& endpoint, const std::string& message) {
  const std::string& address = endpoint.address;
  if (absl::StrContains(message, "onnection refused")) {
    return absl::StrCat(
        "no coordinator answers at ", address,
        " (connection refused). Is it running there? Start it with `muster-coordinator serve --data-dir DIR --listen ",
        address, "`, or name another with --coordinator or MUSTER_COORDINATOR");
  }
  if (!endpoint.insecure) {
    const int64_t now_unix_ms = absl::ToUnixMillis(absl::Now());
    const absl::Status found = base::ExplainConnection(address, endpoint.identity, now_unix_ms, kProbeMs);
    if (!found.ok()) return Sanitize(found.message(), 2048);
  }
  return absl::StrCat("the coordinator at ", address, " cannot be reached: ", Sanitize(message));
}

absl::Status Explain(const Endpoint& endpoint, const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::string message = Sanitize(status.error_message(), 4096);
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return absl::Status(code, ExplainUnavailable(endpoint, status.error_message()));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::Status(code, absl::StrCat("the coordinator at ", endpoint.address, " did not answer in time"));
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::Status(code, absl::StrCat("the coordinator at ", endpoint.address,
                                             " does not know this call: it may be older than this `muster`"));
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return absl::Status(
          code, absl::StrCat(message, " (identity: ", endpoint.folder.empty() ? "none" : endpoint.folder, ")"));
    default:
      return absl::Status(code, message);
  }
}

std::shared_ptr<grpc::Channel> MakeChannel(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // A link that died silently ends a watch, which then begins anew.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // In spite of its name, how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  if (endpoint.insecure)
    return grpc::CreateCustomChannel(endpoint.address, grpc::InsecureChannelCredentials(), arguments);
  return base::SecureChannel(endpoint.address, endpoint.identity, arguments);
}

// Reads the stream on a thread and keeps what came until it is asked for.
class StreamWatch final : public Watch {
 public:
  StreamWatch(const Endpoint& endpoint, v1::ControlService::Stub& stub, const std::string& run_id)
      : endpoint_(endpoint), stub_(stub) {
    request_.set_run_id(run_id);
    thread_ = std::thread([this] { ReadAll(); });
  }
  ~StreamWatch() override {
    context_.TryCancel();
    {
      base::MutexLock lock(mutex_);
      abandoned_ = true;
      wake_.NotifyAll();
    }
    thread_.join();
  }

  Event Next(std::chrono::milliseconds wait) override {
    const auto until = std::chrono::steady_clock::now() + wait;
    base::MutexLock lock(mutex_);
    while (updates_.empty() && !end_.has_value()) {
      if (!wake_.WaitUntil(mutex_, until)) break;
    }
    Event event;
    if (!updates_.empty()) {
      event.update = std::move(updates_.front());
      updates_.pop_front();
      wake_.NotifyAll();
    } else {
      event.end = end_;
    }
    return event;
  }

 private:
  static constexpr size_t kMaxWaiting = 64;  // Then the stream waits: a slow terminal must not fill the memory.

  void ReadAll() {
    v1::RunUpdate update;
    const std::unique_ptr<grpc::ClientReader<v1::RunUpdate>> reader = stub_.WatchRun(&context_, request_);
    while (reader->Read(&update)) {
      base::MutexLock lock(mutex_);
      while (updates_.size() >= kMaxWaiting && !abandoned_) wake_.Wait(mutex_);
      updates_.push_back(std::move(update));
      wake_.NotifyAll();
    }
    const absl::Status status = Explain(endpoint_, reader->Finish());
    base::MutexLock lock(mutex_);
    end_ = status;
    wake_.NotifyAll();
  }

  const Endpoint& endpoint_;
  v1::ControlService::Stub& stub_;
  v1::WatchRunRequest request_;
  grpc::ClientContext context_;
  std::thread thread_;
  base::Mutex mutex_;
  base::CondVar wake_;
  std::deque<v1::RunUpdate> updates_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

struct Client::Connection {
  explicit Connection(const Endpoint& endpoint)
      : endpoint(endpoint), channel(MakeChannel(endpoint)), stub(v1::ControlService::NewStub(channel)) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::ControlService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                                 Response*),
                                const Request& request, std::chrono::milliseconds deadline) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Response response;
    const absl::Status status = Explain(endpoint, (stub.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  template <typename Response, typename Take>
  absl::Status Stream(grpc::ClientContext& context, std::unique_ptr<grpc::ClientReader<Response>> reader,
                      const Take& take) {
    Response response;
    absl::Status taken;
    while (taken.ok() && reader->Read(&response)) taken = take(response);
    if (!taken.ok()) context.TryCancel();
    const grpc::Status status = reader->Finish();
    return taken.ok() ? Explain(endpoint, status) : taken;
  }

  const Endpoint& endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::ControlService::Stub> stub;
};

Client::Client(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), connection_(std::make_unique<Connection>(endpoint_)) {}
Client::~Client() = default;

absl::StatusOr<v1::StartRunResponse> Client::StartRun(const v1::StartRunRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::StartRun, request, deadline_);
}
absl::StatusOr<v1::GetRunResponse> Client::GetRun(const v1::GetRunRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::GetRun, request, deadline_);
}
absl::StatusOr<v1::ListRunsResponse> Client::ListRuns(const v1::ListRunsRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::ListRuns, request, deadline_);
}
absl::StatusOr<v1::CancelRunResponse> Client::CancelRun(const v1::CancelRunRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::CancelRun, request, deadline_);
}
absl::StatusOr<v1::ListPlansResponse> Client::ListPlans(const v1::ListPlansRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::ListPlans, request, deadline_);
}
absl::StatusOr<v1::ListMachinesResponse> Client::ListMachines(const v1::ListMachinesRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::ListMachines, request, deadline_);
}
absl::StatusOr<v1::GetMachineResponse> Client::GetMachine(const v1::GetMachineRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::GetMachine, request, deadline_);
}
absl::StatusOr<v1::SetQuarantineResponse> Client::SetQuarantine(const v1::SetQuarantineRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::SetQuarantine, request, deadline_);
}
absl::StatusOr<v1::ReleaseQuarantineResponse> Client::ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::ReleaseQuarantine, request, deadline_);
}
absl::StatusOr<v1::ListArtifactsResponse> Client::ListArtifacts(const v1::ListArtifactsRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::ListArtifacts, request, deadline_);
}
absl::StatusOr<v1::CreateTokenResponse> Client::CreateToken(const v1::CreateTokenRequest& request) {
  return connection_->Call(&v1::ControlService::Stub::CreateToken, request, deadline_);
}

std::unique_ptr<Watch> Client::WatchRun(const std::string& run_id) {
  return std::make_unique<StreamWatch>(endpoint_, *connection_->stub, run_id);
}

absl::Status Client::ReadLog(const v1::ReadLogRequest& request,
                             const std::function<absl::Status(const v1::LogChunk&)>& take) {
  grpc::ClientContext context;
  return connection_->Stream(context, connection_->stub->ReadLog(&context, request),
                             [&](const v1::ReadLogResponse& response) { return take(response.chunk()); });
}
absl::Status Client::ReadArtifact(const v1::ReadArtifactRequest& request, const TakeBytes& take) {
  grpc::ClientContext context;
  return connection_->Stream(context, connection_->stub->ReadArtifact(&context, request),
                             [&](const v1::ReadArtifactResponse& response) { return take(response.data()); });
}
absl::Status Client::GetReport(const v1::GetReportRequest& request, const TakeBytes& take) {
  grpc::ClientContext context;
  return connection_->Stream(context, connection_->stub->GetReport(&context, request),
                             [&](const v1::GetReportResponse& response) { return take(response.data()); });
}

}  // namespace muster::cli
