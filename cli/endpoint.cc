#include "cli/endpoint.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace muster::cli {
namespace {

constexpr uint64_t kMaxPemBytes = 256 * 1024;

absl::StatusOr<std::string> ReadPem(const std::string& folder, const std::string& name) {
  const std::string path = base::JoinPath(folder, name);
  absl::StatusOr<std::string> pem = base::ReadFile(path, kMaxPemBytes);
  if (pem.ok()) return pem;
  return absl::FailedPreconditionError(absl::StrCat(
      "an identity has ca.pem, cert.pem and key.pem, but ", pem.status().message(),
      ". Get one with `muster enroll --coordinator HOST:PORT --token TOKEN`, or name its folder with --identity or "
      "MUSTER_IDENTITY (on the coordinator's machine: DATA-DIR/admin)"));
}

// The folder to read the identity from; empty when there is none to be found.
std::string FindIdentity(const EndpointOptions& options, const Environment& environment) {
  if (!options.identity.empty()) return options.identity;
  if (const auto variable = environment.variable("MUSTER_IDENTITY")) return *variable;
  const absl::StatusOr<std::string> config = ConfigFolder(environment);
  if (!config.ok()) return "";
  const std::string current = base::JoinPath(*config, "current");
  return base::FileExists(current) ? current : "";
}

std::string FindCoordinator(const EndpointOptions& options, const Environment& environment,
                            const std::string& identity) {
  if (!options.coordinator.empty()) return options.coordinator;
  if (const auto variable = environment.variable("MUSTER_COORDINATOR")) return *variable;
  if (!identity.empty()) {
    const auto saved = base::ReadFile(base::JoinPath(identity, "coordinator"), 1024);
    if (saved.ok() && !saved->empty()) return std::string(absl::StripAsciiWhitespace(*saved));
  }
  return kDefaultCoordinator;
}

}  // namespace

absl::StatusOr<std::string> ConfigFolder(const Environment& environment) {
  if (const auto xdg = environment.variable("XDG_CONFIG_HOME")) return base::JoinPath(*xdg, "muster");
  if (const auto home = environment.variable("HOME")) return base::JoinPath(*home, ".config/muster");
  return absl::FailedPreconditionError("neither XDG_CONFIG_HOME nor HOME is set: name a folder with --identity");
}

bool IsLoopback(const std::string& address) {
  return absl::StartsWith(address, "localhost:") || absl::StartsWith(address, "127.") ||
         absl::StartsWith(address, "[::1]:");
}

absl::StatusOr<Endpoint> ResolveEndpoint(const EndpointOptions& options, const Environment& environment) {
  Endpoint endpoint;
  endpoint.insecure = options.insecure_loopback;
  endpoint.identity = endpoint.insecure ? "" : FindIdentity(options, environment);
  endpoint.address = FindCoordinator(options, environment, endpoint.identity);
  if (endpoint.address.find(':') == std::string::npos) absl::StrAppend(&endpoint.address, ":7443");
  if (endpoint.insecure) {
    if (IsLoopback(endpoint.address)) return endpoint;
    return absl::InvalidArgumentError(
        absl::StrCat("--insecure-loopback speaks plaintext and reaches this machine alone, but the coordinator is ",
                     endpoint.address, ": leave the option out and use an identity"));
  }
  if (endpoint.identity.empty()) {
    return absl::FailedPreconditionError(
        "no identity: get one with `muster enroll --coordinator HOST:PORT --token TOKEN`, or name its folder with "
        "--identity or "
        "MUSTER_IDENTITY (on the coordinator's machine: DATA-DIR/admin)");
  }
  ASSIGN_OR_RETURN(endpoint.ca_pem, ReadPem(endpoint.identity, "ca.pem"));
  ASSIGN_OR_RETURN(endpoint.certificate_pem, ReadPem(endpoint.identity, "cert.pem"));
  ASSIGN_OR_RETURN(endpoint.key_pem, ReadPem(endpoint.identity, "key.pem"));
  return endpoint;
}

}  // namespace muster::cli
