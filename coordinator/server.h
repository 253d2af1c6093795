// The whole coordinator in one object: core, loops, services and ports, wired together.
//
//   event loop ── core, sessions' table, watchers' feed        workers ── queries, reports, plans
//   store loop ── commits                                      gRPC's and HTTP's own threads
//
// main.cc makes one from the command line, tests from a folder of their own.
#ifndef MUSTER_COORDINATOR_SERVER_H_
#define MUSTER_COORDINATOR_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/core/core.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

struct ServerOptions {
  std::string data_folder;  // For the authority; the store is given apart.
  std::string listen = "0.0.0.0:7443";
  std::string http_listen = "127.0.0.1:9464";  // Empty: no HTTP.
  std::string plans_folder;                    // Empty: no plans by name.
  bool insecure_loopback = false;              // Plaintext; `listen` must be loopback.
  // HTTP/2 pings on idle connections; a peer that does not answer within as much again is gone.
  int64_t keepalive_ms = 20'000;
  // How long calls may take to end at shutdown.
  int64_t shutdown_ms = 3'000;
  CoreOptions core;
};

class Server {
 public:
  // Serves when it returns. `store` and `files` outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, Store& store, JobFiles& files);
  // Tells agents and watchers, ends all calls, commits what there is.
  ~Server();

  // With the real ports. The HTTP one is empty when there is none.
  const std::string& address() const;
  const std::string& http_address() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SERVER_H_
