#include "coordinator/commands.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "coordinator/api/authority.h"
#include "coordinator/store/sqlite_store.h"

namespace muster::coordinator {

absl::Status Init(const Options& options) {
  AuthorityOptions authority{.data_folder = options.server.data_folder, .hosts = options.hosts, .create = true};
  authority.now_unix_ms = base::ThreadEventLoop().Now().unix_ms;
  ASSIGN_OR_RETURN(const Authority made, EnsureAuthority(authority));
  printf(
      "certificate authority: %s/ca.pem (SHA-256 %s)\nadmin's identity: %s\nnext: muster-coordinator serve --data-dir "
      "%s\n",
      options.server.data_folder.c_str(), made.ca_sha256_hex.c_str(), made.admin_folder.c_str(),
      options.server.data_folder.c_str());
  return absl::OkStatus();
}

absl::Status Serve(const Options& options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // Before there are threads, which inherit it.
  signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const auto store, SqliteStore::Open({.folder = options.server.data_folder}));
  ASSIGN_OR_RETURN(const auto server, Server::Start(options.server, *store, store->files()));
  base::LogInfo("muster-coordinator: serving on ", server->address(), "; metrics on ", server->http_address());
  if (!options.ready_file.empty()) {
    RETURN_IF_ERROR(base::WriteFileAtomic(options.ready_file,
                                          absl::StrCat("{\"listen\":", base::JsonString(server->address()),
                                                       ",\"http\":", base::JsonString(server->http_address()), "}\n")));
  }
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  base::LogInfo("muster-coordinator: ends after ", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);  // A second one ends it at once.
  return absl::OkStatus();
}

}  // namespace muster::coordinator
