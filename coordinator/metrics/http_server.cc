#include "coordinator/metrics/http_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/prometheus_text.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr size_t kThreads = 2;
constexpr time_t kTimeoutSeconds = 10;
constexpr size_t kMaxRequestBytes = 16 << 10;

std::string Index(const Core::Counts& counts) {
  return absl::StrCat(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Muster</title><h1>Muster "
      "coordinator</h1><ul><li>machines: ",
      counts.machines, ", connected: ", counts.machines_connected, "</li><li>devices: ", counts.devices,
      "</li><li>active runs: ", counts.active_runs, "</li><li>jobs queued: ", counts.jobs_queued,
      ", leased: ", counts.jobs_leased, ", running: ", counts.jobs_running,
      "</li></ul><p><a href=\"/metrics\">metrics</a> <a href=\"/sd/prometheus\">service discovery</a> <a "
      "href=\"/healthz\">health</a></p></html>\n");
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const Metrics& metrics, std::function<bool()> healthy) : metrics_(metrics), healthy_(std::move(healthy)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_read_timeout(kTimeoutSeconds);
    server_.set_write_timeout(kTimeoutSeconds);
    server_.set_keep_alive_max_count(100);
    server_.set_keep_alive_timeout(1);  // An idle connection holds a thread.
    server_.set_payload_max_length(kMaxRequestBytes);
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      // By a provider, because what is set as a whole httplib compresses, which for a large fleet takes many times as
      // long as making it.
      auto text = std::make_shared<const std::string>(metrics_.Text());
      response.set_content_provider(text->size(), std::string(base::kPrometheusContentType),
                                    [text](size_t offset, size_t length, httplib::DataSink& sink) {
                                      return sink.write(text->data() + offset, length);
                                    });
    });
    server_.Get("/sd/prometheus", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(metrics_.ServiceDiscovery(), "application/json");
    });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      const bool healthy = healthy_();
      response.status = healthy ? 200 : 503;
      response.set_content(healthy ? "ok\n" : "the store fails: see the coordinator's log\n", "text/plain");
    });
    server_.Get("/", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(Index(metrics_.counts()), "text/html; charset=utf-8");
    });
  }

  ~Impl() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const base::HostPort& where) {
    int port = where.port;
    if (port == 0) {
      port = server_.bind_to_any_port(where.host.c_str());
    } else if (!server_.bind_to_port(where.host.c_str(), port)) {
      port = -1;
    }
    if (port < 0) {
      return absl::UnavailableError(absl::StrCat("cannot serve HTTP on ", base::FormatHostPort(where),
                                                 ": the address is not of this machine or the port is taken"));
    }
    address_ = base::FormatHostPort({.host = where.host, .port = static_cast<uint16_t>(port)});
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing before the server runs.
    while (!server_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }

 private:
  const Metrics& metrics_;
  const std::function<bool()> healthy_;
  httplib::Server server_;
  std::string address_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(std::string_view listen, const Metrics& metrics,
                                                              std::function<bool()> healthy) {
  ASSIGN_OR_RETURN(const base::HostPort where, base::ParseHostPort(listen));
  auto impl = std::make_unique<Impl>(metrics, std::move(healthy));
  RETURN_IF_ERROR(impl->Listen(where));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::string& HttpServer::address() const { return impl_->address(); }

}  // namespace muster::coordinator
