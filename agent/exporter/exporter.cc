#include "agent/exporter/exporter.h"

#include <unistd.h>

#include <utility>

#include "base/prometheus_text.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

constexpr const char* kIndex =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Muster agent</title><h1>Muster agent</h1>"
    "<ul><li><a href=\"/metrics\">/metrics</a>: this machine's GPUs and agent, for Prometheus</li>"
    "<li><a href=\"/healthz\">/healthz</a>: 200 while the agent answers</li></ul></html>\n";

std::string HostName() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return host;
}

}  // namespace

std::string AdvertisedAddress(const base::HostPort& listening, const std::string& advertise,
                              const std::string& host_name, bool local) {
  if (!advertise.empty()) return advertise;
  if (!local && base::IsLoopbackHost(listening.host)) return "";
  if (base::IsAnyHost(listening.host) && !host_name.empty()) {
    return base::FormatHostPort({.host = host_name, .port = listening.port});
  }
  return base::FormatHostPort(listening);
}

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Start(base::EventLoop& loop, Options options,
                                                          std::function<State()> look) {
  std::unique_ptr<Exporter> exporter(new Exporter());
  exporter->source_ = std::make_shared<Source>(Source{std::move(look), std::move(options.compat)});
  // The server may owe an answer when all is over: the loop then finds no source.
  const std::weak_ptr<Source> weak = exporter->source_;
  HttpServer::Options server;
  ASSIGN_OR_RETURN(server.listen, base::ParseHostPort(options.listen));
  server.pages = {
      {"/metrics",
       [&loop, weak](HttpPage::Reply reply) {
         loop.Post([weak, reply = std::move(reply)] {
           const std::shared_ptr<Source> source = weak.lock();
           if (source == nullptr) return;
           State state = source->look();
           state.facts.process = ReadProcessStats();
           HttpResponse response{.content_type = std::string(base::kPrometheusContentType),
                                 .body = MetricsText(state.monitor, state.facts)};
           for (const Compat compat : source->compat) {
             AppendCompatMetrics(response.body, compat, state.monitor, state.facts);
           }
           reply(std::move(response));
         });
       }},
      {"/healthz",
       [&loop](HttpPage::Reply reply) { loop.Post([reply = std::move(reply)] { reply({.body = "ok\n"}); }); }},
      {"/", [](HttpPage::Reply reply) { reply({.content_type = "text/html; charset=utf-8", .body = kIndex}); }},
  };
  ASSIGN_OR_RETURN(exporter->server_, HttpServer::Start(std::move(server)));
  exporter->metrics_address_ =
      AdvertisedAddress(exporter->server_->address(), options.advertise, HostName(), options.local);
  return exporter;
}

Exporter::~Exporter() = default;

}  // namespace muster::agent
