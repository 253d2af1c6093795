// TLS for gRPC: both sides prove who they are by certificates of one authority (certificate.h).
//
// The server asks each client for a certificate and verifies the one it gets, but takes clients without one, too: a
// machine that enrols has none yet. Who may call what the coordinator's authorizer decides. TLS 1.3 alone is spoken:
// gRPC has no public switch for the lowest version, but the certificates here have EC keys, and linking this file
// leaves gRPC's TLS 1.2 with a cipher that needs an RSA key, so that a TLS 1.2 handshake finds none (tls_test.cc shows
// it).
#ifndef MUSTER_BASE_TLS_H_
#define MUSTER_BASE_TLS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace grpc {
class Channel;
class ChannelArguments;
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace muster::base {

// What one side shows, and whom it trusts. PEM.
struct TlsIdentity {
  std::string key_pem;  // Both are empty for one that has no identity yet and enrols.
  std::string certificate_pem;
  std::string ca_certificate_pem;
};

// Whether the parts belong together and are valid now; FailedPrecondition says what to do.
absl::Status CheckTlsIdentity(const TlsIdentity& identity, int64_t now_unix_ms);

// The server sends its authority's certificate behind its own (FetchCaByFingerprint needs it).
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const TlsIdentity& identity);

// For SecureChannel(), or for a channel whose arguments SetCoordinatorName() was given.
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const TlsIdentity& identity);
// Makes the channel expect kCoordinatorServerName whatever address it connects to: behind NAT, a tunnel or a new
// address a coordinator is still the one that holds a coordinator's certificate of our authority.
void SetCoordinatorName(grpc::ChannelArguments& arguments);

// A channel to the coordinator at "HOST:PORT".
std::shared_ptr<grpc::Channel> SecureChannel(const std::string& address, const TlsIdentity& identity);
std::shared_ptr<grpc::Channel> SecureChannel(const std::string& address, const TlsIdentity& identity,
                                             const grpc::ChannelArguments& arguments);

}  // namespace muster::base

#endif  // MUSTER_BASE_TLS_H_
