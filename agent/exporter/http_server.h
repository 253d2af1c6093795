// A small HTTP server for pages that only tell: GET and HEAD, on a thread of its own, bounded in everything.
//
// A page is made elsewhere (on the event loop) and replied to from any thread; whoever asks for it meanwhile gets the
// same reply. A page that is not made in time gives 503, so a scrape never hangs on a loop that does.
//
//   READING ──head──► WAITING ──reply, or 503──► WRITING ──sent──► CLOSING ──client closes──► gone
//      └────── too long, too big, malformed: an error ──┘           each state has its own limit of time
//
// On libevent's sockets and timers, which Debian has as archives. Not its evhttp: that bounds neither the number of
// connections nor the time of a request that drips in.
#ifndef MUSTER_AGENT_EXPORTER_HTTP_SERVER_H_
#define MUSTER_AGENT_EXPORTER_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/host_port.h"

namespace muster::agent {

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpPage {
  std::string path;  // "/metrics"
  // Begins to make the page; called on the server's thread, must not block. `reply` may be called once, on any thread,
  // and also when the server has gone.
  using Reply = std::function<void(HttpResponse response)>;
  std::function<void(Reply reply)> make;
};

class HttpServer {
 public:
  struct Options {
    base::HostPort listen;  // Port 0 takes a free one.
    std::vector<HttpPage> pages;
    size_t max_connections = 32;
    size_t max_head_bytes = 16 << 10;
    // For a request to arrive, and for a response to be taken.
    int64_t idle_timeout_ms = 10'000;
    // For a page to be made.
    int64_t page_timeout_ms = 5'000;
  };

  // Unavailable when the address cannot be listened on, with the reason.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);
  // Drops connections; waits for the thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // As listened on, with the real port.
  const base::HostPort& address() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_HTTP_SERVER_H_
