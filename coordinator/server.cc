#include "coordinator/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/tls.h"
#include "coordinator/api/agent_service.h"
#include "coordinator/api/authority.h"
#include "coordinator/api/control_service.h"
#include "coordinator/metrics/http_server.h"

namespace muster::coordinator {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;
constexpr int kWorkers = 4;
constexpr size_t kMaxQueuedWork = 4'096;
// Agents and clients may ping as often as this.
constexpr int kMinPingMs = 1'000;

absl::Status CheckListen(const ServerOptions& options) {
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
  const bool loopback = host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
  if (options.insecure_loopback && !loopback) {
    return absl::InvalidArgumentError(
        absl::StrCat("without TLS the coordinator serves on loopback alone, e.g. --listen "
                     "127.0.0.1:7443; found ",
                     base::Quoted(options.listen)));
  }
  return absl::OkStatus();
}

// A thread that runs an event loop, until it is stopped.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() { Stop(); }

  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
  }
  base::ThreadEventLoop& loop() { return loop_; }

 private:
  base::ThreadEventLoop loop_;
  std::thread thread_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(const ServerOptions& options, Store& store, JobFiles& files, Authority authority, Snapshot snapshot)
      : options_(options),
        tls_(std::move(authority.server)),
        authorizer_(options.insecure_loopback ? Authorizer::Mode::kInsecureLoopback : Authorizer::Mode::kCertificates),
        enrollment_(std::move(authority.ca)),
        plans_(options.plans_folder),
        core_(options.core, std::move(snapshot), loop_.loop().Now(), base::RandomBits),
        runner_(loop_.loop(), store_loop_.loop(), store, core_, MakeOutlets()),
        feed_(runner_, store, workers_),
        agents_(runner_, authorizer_, enrollment_, metrics_),
        control_({.runner = runner_,
                  .store = store,
                  .files = files,
                  .workers = workers_,
                  .feed = feed_,
                  .authorizer = authorizer_,
                  .enrollment = enrollment_,
                  .plans = plans_}) {
    core_.SetObserver([this](const Observation& seen) { metrics_.Observe(seen, loop_.loop().Now().unix_ms); });
  }
  ~Impl();

  absl::Status Serve();
  const std::string& address() const { return address_; }
  const std::string& http_address() const { return http_address_; }
  // What was so before this start. Before Serve().
  void FillMetrics(const std::vector<v1::Run>& last_runs) {
    for (const v1::MachineStatus& status : core_.Machines()) metrics_.MachineChanged(status);
    for (const v1::Run& run : last_runs) metrics_.RunEnded(run);
  }

 private:
  CoreRunner::Outlets MakeOutlets();
  absl::Status ServeGrpc();
  void SetHealth(bool serving);

  const ServerOptions options_;
  const base::TlsIdentity tls_;
  const Authorizer authorizer_;
  const Enrollment enrollment_;
  const PlanFolder plans_;
  Metrics metrics_;
  LoopThread loop_, store_loop_;
  Core core_;
  CoreRunner runner_;
  RunFeed feed_;
  AgentService agents_;
  ControlService control_;
  WorkerPool workers_{kWorkers, kMaxQueuedWork};  // After those whose tasks it runs: it ends before they go.
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<HttpServer> http_;
  std::string address_, http_address_;
};

// The outlets are called from the runner's first turn on, when all members are there.
CoreRunner::Outlets Server::Impl::MakeOutlets() {
  return {.send = [this](Effects::Message message) { agents_.Deliver(std::move(message)); },
          .run_changed = [this](const std::string& run_id) { feed_.RunChanged(run_id); },
          .machine_changed =
              [this](const std::string& name) {
                const auto status = core_.FindMachine(name, Core::Detail::kBrief);
                if (status.ok()) metrics_.MachineChanged(*status);
              },
          .store_health =
              [this](const absl::Status& status) {
                if (!status.ok()) metrics_.StoreFailed();
                SetHealth(status.ok());
              },
          .committed = [this](const WriteBatch& batch, double seconds) { metrics_.Committed(batch, seconds); },
          .counted = [this](const Core::Counts& counts) { metrics_.Count(counts); },
          .log = [](std::string_view line) { base::LogError(line); }};
}

absl::Status Server::Impl::Serve() {
  runner_.Start();
  RETURN_IF_ERROR(ServeGrpc());
  if (options_.http_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(http_, HttpServer::Start(options_.http_listen, metrics_, [this] { return runner_.store_works(); }));
  http_address_ = http_->address();
  return absl::OkStatus();
}

absl::Status Server::Impl::ServeGrpc() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(
      options_.listen, options_.insecure_loopback ? grpc::InsecureServerCredentials() : base::ServerCredentials(tls_),
      &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // A second coordinator on the port is a mistake.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options_.keepalive_ms));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(options_.keepalive_ms));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingMs);
  builder.RegisterService(&agents_);
  builder.RegisterService(&control_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve on ", options_.listen, ": the address is not of this machine or the port is taken"));
  }
  address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", port);
  SetHealth(true);
  return absl::OkStatus();
}

void Server::Impl::SetHealth(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_ == nullptr ? nullptr : server_->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus(serving);
  health->SetServingStatus(v1::AgentService::service_full_name(), serving);
  health->SetServingStatus(v1::ControlService::service_full_name(), serving);
}

Server::Impl::~Impl() {
  runner_.BeginShutdown();
  agents_.ShutDown();
  feed_.ShutDown();
  if (server_ != nullptr) {
    SetHealth(false);
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(options_.shutdown_ms));
    server_->Wait();
  }
  http_.reset();
  // What calls left behind: closed sessions, last events. Answered when it is durable.
  std::promise<void> durable;
  runner_.Submit([&durable](Core&, base::Time) -> CoreRunner::Answer {
    return [&durable](const absl::Status&) { durable.set_value(); };
  });
  durable.get_future().wait();
  loop_.Stop();
  store_loop_.Stop();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Store& store, JobFiles& files) {
  RETURN_IF_ERROR(CheckListen(options));
  AuthorityOptions authority_options;
  authority_options.data_folder = options.data_folder;
  authority_options.now_unix_ms = base::ThreadEventLoop().Now().unix_ms;
  authority_options.create = options.insecure_loopback;
  ASSIGN_OR_RETURN(Authority authority, EnsureAuthority(authority_options));
  ASSIGN_OR_RETURN(Snapshot snapshot, store.Load());
  ASSIGN_OR_RETURN(const std::vector<v1::Run> last_runs, store.LastRuns(PlanSeries::kMaxPlans));
  auto impl = std::make_unique<Impl>(options, store, files, std::move(authority), std::move(snapshot));
  impl->FillMetrics(last_runs);
  RETURN_IF_ERROR(impl->Serve());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::string& Server::address() const { return impl_->address(); }
const std::string& Server::http_address() const { return impl_->http_address(); }

}  // namespace muster::coordinator
