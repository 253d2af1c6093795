#include "base/tls.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/certificate.h"

namespace muster::base {
namespace {

// gRPC reads this once, at its first use of TLS, for TLS 1.2 and below (1.3 has ciphers of its own). Set before main(),
// while there is one thread. An administrator's own setting stands.
[[maybe_unused]] const int kOnlyTls13 = ::setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES256-GCM-SHA384", 0);
// What gRPC itself logs of a refused handshake or a taken port says less than our own words do. Read once, too.
[[maybe_unused]] const int kQuietGrpc = ::setenv("GRPC_VERBOSITY", "NONE", 0);

}  // namespace

absl::Status CheckTlsIdentity(const TlsIdentity& identity, int64_t now_unix_ms) {
  return CheckCertifiedKey({.key_pem = identity.key_pem, .certificate_pem = identity.certificate_pem},
                           identity.ca_certificate_pem, now_unix_ms);
}

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const TlsIdentity& identity) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = identity.ca_certificate_pem;
  options.pem_key_cert_pairs.push_back(
      {identity.key_pem, absl::StrCat(identity.certificate_pem, "\n", identity.ca_certificate_pem)});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const TlsIdentity& identity) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = identity.ca_certificate_pem;
  options.pem_private_key = identity.key_pem;
  options.pem_cert_chain = identity.certificate_pem;
  return grpc::SslCredentials(options);
}

void SetCoordinatorName(grpc::ChannelArguments& arguments) {
  arguments.SetSslTargetNameOverride(kCoordinatorServerName);
}

std::shared_ptr<grpc::Channel> SecureChannel(const std::string& address, const TlsIdentity& identity) {
  return SecureChannel(address, identity, grpc::ChannelArguments());
}

std::shared_ptr<grpc::Channel> SecureChannel(const std::string& address, const TlsIdentity& identity,
                                             const grpc::ChannelArguments& arguments) {
  grpc::ChannelArguments named = arguments;
  SetCoordinatorName(named);
  // As the probe does: straight to the coordinator, whatever http_proxy says.
  named.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, ChannelCredentials(identity), named);
}

}  // namespace muster::base
