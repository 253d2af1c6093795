// The agent's metrics, served: /metrics for Prometheus, /healthz, and / that names them.
//
//   HTTP thread ──/metrics──► posts to the loop ──► what is known now, as text ──► reply ──► HTTP thread
#ifndef MUSTER_AGENT_EXPORTER_EXPORTER_H_
#define MUSTER_AGENT_EXPORTER_EXPORTER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/exporter/compat_metrics.h"
#include "agent/exporter/http_server.h"
#include "agent/exporter/metrics_text.h"
#include "base/event_loop.h"

namespace muster::agent {

class Exporter {
 public:
  struct Options {
    std::string listen;     // HOST:PORT; port 0 takes a free one.
    std::string advertise;  // HOST:PORT under which others find it; empty: from the one listened on.
    // Whether who is told of it is on this machine; else a loopback address, which means another machine there, is not
    // told.
    bool local = true;
    std::vector<Compat> compat;
  };
  struct State {
    MonitorSnapshot monitor;
    AgentFacts facts;  // But for `process`.
  };

  // `look` is called on the loop, from when it runs until the exporter is gone. The loop outlives the object.
  static absl::StatusOr<std::unique_ptr<Exporter>> Start(base::EventLoop& loop, Options options,
                                                         std::function<State()> look);
  // On the loop, or when it runs no more.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // As listened on, with the real port.
  std::string address() const { return base::FormatHostPort(server_->address()); }
  // HOST:PORT for Machine.metrics_address; empty when nobody elsewhere reaches it.
  const std::string& metrics_address() const { return metrics_address_; }

 private:
  // What posted tasks hold; gone when the exporter is.
  struct Source {
    std::function<State()> look;
    std::vector<Compat> compat;
  };
  Exporter() = default;

  std::shared_ptr<Source> source_;
  std::unique_ptr<HttpServer> server_;
  std::string metrics_address_;
};

// How others reach a server that listens on `listening`: `advertise` when it is not empty; `host_name` in place of
// 0.0.0.0 and ::; empty where it listens on loopback and the others are not `local`.
std::string AdvertisedAddress(const base::HostPort& listening, const std::string& advertise,
                              const std::string& host_name, bool local);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_EXPORTER_H_
