#include "cli/endpoint.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/identity_folder.h"
#include "base/status_macros.h"

namespace muster::cli {
namespace {

constexpr char kHowToGetOne[] =
    "get one with `muster enroll --coordinator HOST:PORT --token TOKEN`, or name its folder with --identity or "
    "MUSTER_IDENTITY (on the coordinator's machine: DATA-DIR/admin)";

// The folder to read the identity from; empty when there is none to be found.
std::string FindIdentity(const EndpointOptions& options, const Environment& environment) {
  if (!options.identity.empty()) return options.identity;
  if (const auto variable = environment.variable("MUSTER_IDENTITY")) return *variable;
  const absl::StatusOr<std::string> config = ConfigFolder(environment);
  if (!config.ok()) return "";
  const std::string current = base::JoinPath(*config, "current");
  return base::FileExists(current) ? current : "";
}

}  // namespace

absl::StatusOr<std::string> ConfigFolder(const Environment& environment) {
  if (const auto xdg = environment.variable("XDG_CONFIG_HOME")) return base::JoinPath(*xdg, "muster");
  if (const auto home = environment.variable("HOME")) return base::JoinPath(*home, ".config/muster");
  return absl::FailedPreconditionError("neither XDG_CONFIG_HOME nor HOME is set: name a folder with --identity");
}

std::string FindCoordinator(const EndpointOptions& options, const Environment& environment,
                            const std::string& identity) {
  if (!options.coordinator.empty()) return options.coordinator;
  if (const auto variable = environment.variable("MUSTER_COORDINATOR")) return *variable;
  if (!identity.empty()) {
    if (const auto saved = base::LoadCoordinatorAddress(identity); saved.ok()) return *saved;
  }
  return kDefaultCoordinator;
}

bool IsLoopback(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (numeric && absl::StartsWith(host, "127."));
}

absl::StatusOr<Endpoint> ResolveEndpoint(const EndpointOptions& options, const Environment& environment) {
  Endpoint endpoint;
  endpoint.insecure = options.insecure_loopback;
  endpoint.folder = endpoint.insecure ? "" : FindIdentity(options, environment);
  endpoint.address = FindCoordinator(options, environment, endpoint.folder);
  if (endpoint.address.find(':') == std::string::npos) absl::StrAppend(&endpoint.address, ":7443");
  if (endpoint.insecure) {
    if (IsLoopback(endpoint.address)) return endpoint;
    return absl::InvalidArgumentError(
        absl::StrCat("--insecure-loopback speaks plaintext and reaches this machine alone, but the coordinator is ",
                     endpoint.address, ": leave the option out and use an identity"));
  }
  if (endpoint.folder.empty()) return absl::FailedPreconditionError(absl::StrCat("no identity: ", kHowToGetOne));
  absl::StatusOr<base::TlsIdentity> identity = base::LoadIdentity(endpoint.folder);
  if (absl::IsNotFound(identity.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("no identity in ", endpoint.folder, " (", identity.status().message(), "): ", kHowToGetOne));
  }
  RETURN_IF_ERROR(identity.status());
  endpoint.identity = *std::move(identity);
  return endpoint;
}

}  // namespace muster::cli
