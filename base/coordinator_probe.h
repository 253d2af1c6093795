// A look at a coordinator's TLS with plain OpenSSL: before there is anything to trust it by, and when gRPC says no more
// than "unavailable".
//
// Blocking, a few seconds at most; from threads that may wait. Addresses are "HOST:PORT", "[IPV6]:PORT".
#ifndef MUSTER_BASE_COORDINATOR_PROBE_H_
#define MUSTER_BASE_COORDINATOR_PROBE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/tls.h"

namespace muster::base {

inline constexpr int64_t kProbeTimeoutMs = 10'000;

// The CA certificate (PEM) that has this fingerprint, taken from the coordinator's own chain: the coordinator must hold
// the key of a valid coordinator's certificate that this CA issued. Unauthenticated when it is another coordinator,
// Unavailable when none answers.
absl::StatusOr<std::string> FetchCaByFingerprint(const std::string& address, std::string_view ca_sha256_hex,
                                                 int64_t now_unix_ms, int64_t timeout_ms = kProbeTimeoutMs);

// Why a connection with this identity does not come about: connects the same way and says what is wrong and what to do.
// OK when it does come about now.
absl::Status ExplainConnection(const std::string& address, const TlsIdentity& identity, int64_t now_unix_ms,
                               int64_t timeout_ms = kProbeTimeoutMs);

}  // namespace muster::base

#endif  // MUSTER_BASE_COORDINATOR_PROBE_H_
