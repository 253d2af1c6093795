// Where the coordinator is and who the user is: from options, variables, and what `muster enroll` left behind.
#ifndef MUSTER_CLI_ENDPOINT_H_
#define MUSTER_CLI_ENDPOINT_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/tls.h"
#include "cli/environment.h"

namespace muster::cli {

inline constexpr char kDefaultCoordinator[] = "localhost:7443";

struct EndpointOptions {
  std::string coordinator;  // HOST:PORT; empty: MUSTER_COORDINATOR, the identity's own, kDefaultCoordinator.
  std::string identity;     // Folder; empty: MUSTER_IDENTITY, then what the last `muster enroll` saved.
  bool insecure_loopback = false;
};

struct Endpoint {
  std::string address;
  bool insecure = false;  // Plaintext; only to this machine itself.
  std::string folder;     // The identity's, for messages.
  base::TlsIdentity identity;
};

// The folder that keeps identities: $XDG_CONFIG_HOME/muster or ~/.config/muster.
absl::StatusOr<std::string> ConfigFolder(const Environment& environment);

// Reads the identity's files. FailedPrecondition says what is missing and how to get an identity.
absl::StatusOr<Endpoint> ResolveEndpoint(const EndpointOptions& options, const Environment& environment);

// The address by itself; `identity` is the folder whose own coordinator may be meant, or empty.
std::string FindCoordinator(const EndpointOptions& options, const Environment& environment,
                            const std::string& identity);

// Whether HOST of "HOST:PORT" is this machine: localhost, 127.x.y.z or [::1].
bool IsLoopback(const std::string& address);

}  // namespace muster::cli

#endif  // MUSTER_CLI_ENDPOINT_H_
