// The coordinator's read-only HTTP side: /metrics, /sd/prometheus (service discovery), /healthz and an index at
// /. On threads of its own.
#ifndef MUSTER_COORDINATOR_METRICS_HTTP_SERVER_H_
#define MUSTER_COORDINATOR_METRICS_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "coordinator/metrics/metrics.h"

namespace muster::coordinator {

class HttpServer {
 public:
  // Serves on `listen`, "HOST:PORT" or "[IPV6]:PORT"; port 0 takes a free one. `healthy` is asked for /healthz, on any
  // thread. `metrics` outlives the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(std::string_view listen, const Metrics& metrics,
                                                           std::function<bool()> healthy);
  // Ends what is being served, then returns.
  ~HttpServer();

  // The address with the real port.
  const std::string& address() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_HTTP_SERVER_H_
