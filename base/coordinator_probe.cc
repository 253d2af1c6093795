#include "base/coordinator_probe.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/certificate.h"
#include "base/names.h"
#include "base/openssl_handles.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr unsigned char kAlpn[] = {2, 'h', '2'};

// Keeps a write to a closed connection from ending the process, whatever the process does with SIGPIPE.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once = {};
    while (sigtimedwait(&pipe_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
};

// The oldest failure on OpenSSL's list, in words.
std::string Reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the connection was closed";
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "unknown error";
}

absl::Status Unreachable(const std::string& address) {
  return absl::UnavailableError(absl::StrCat("no coordinator answers at ", address, ": ", Reason(),
                                             "; expected HOST:PORT of a running muster-coordinator"));
}

absl::StatusOr<BioHandle> Connect(const std::string& address, int64_t timeout_ms) {
  BioHandle bio(BIO_new_connect(address.c_str()));
  if (bio == nullptr) return Unreachable(address);
  BIO_set_nbio(bio.get(), 1);
  const int timeout_s = static_cast<int>(std::max<int64_t>(1, timeout_ms / 1000));
  const std::time_t deadline = std::time(nullptr) + timeout_s;
  // Not BIO_do_connect_retry(), which tries again for seconds where a connection is refused.
  while (BIO_do_connect(bio.get()) != 1) {
    if (!BIO_should_retry(bio.get()) || BIO_wait(bio.get(), deadline, 0) != 1) return Unreachable(address);
  }
  const int fd = static_cast<int>(BIO_get_fd(bio.get(), nullptr));
  BIO_socket_nbio(fd, 0);
  const timeval timeout = {.tv_sec = timeout_s, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  return bio;
}

absl::StatusOr<SslContextHandle> MakeContext() {
  SslContextHandle context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn) != 0) {
    return OpensslFailure("cannot set up TLS");
  }
  return context;
}

// Shakes hands on `bio`; what the context says of verification holds.
absl::StatusOr<SslHandle> Handshake(SSL_CTX* context, BioHandle bio, const std::string& address) {
  SslHandle ssl(SSL_new(context));
  BIO* const raw = bio.release();
  SSL_set_bio(ssl.get(), raw, raw);
  SSL_set_tlsext_host_name(ssl.get(), kCoordinatorServerName);
  SSL_set1_host(ssl.get(), kCoordinatorServerName);
  if (SSL_connect(ssl.get()) == 1) return ssl;
  const long verified = SSL_get_verify_result(ssl.get());
  if (verified == X509_V_OK) {
    return absl::UnavailableError(absl::StrCat(address, " does not speak TLS 1.3 as a coordinator does: ", Reason()));
  }
  ERR_clear_error();
  return absl::UnauthenticatedError(absl::StrCat(
      "the coordinator at ", address, " is not the one of this identity (", X509_verify_cert_error_string(verified),
      "); enrol again with a token of that coordinator, or connect to the other one"));
}

X509* FindByFingerprint(SSL* ssl, std::string_view sha256_hex) {
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    if (CertificateFingerprint(certificate) == sha256_hex) return certificate;
  }
  return nullptr;
}

absl::Status UseIdentity(SSL_CTX* context, const TlsIdentity& identity) {
  ASSIGN_OR_RETURN(const CertificateHandle certificate, LoadCertificate(identity.certificate_pem));
  ASSIGN_OR_RETURN(const CertificateHandle ca, LoadCertificate(identity.ca_certificate_pem));
  ASSIGN_OR_RETURN(const KeyHandle key, LoadKey(identity.key_pem));
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
      SSL_CTX_use_certificate(context, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return OpensslFailure("cannot use the identity");
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FetchCaByFingerprint(const std::string& address, std::string_view ca_sha256_hex,
                                                 int64_t now_unix_ms, int64_t timeout_ms) {
  const WithoutSigpipe without_sigpipe;
  ASSIGN_OR_RETURN(const SslContextHandle context, MakeContext());
  ASSIGN_OR_RETURN(BioHandle bio, Connect(address, timeout_ms));
  // Nothing is trusted yet: what arrives is checked below, before anything is sent.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  ASSIGN_OR_RETURN(const SslHandle ssl, Handshake(context.get(), std::move(bio), address));
  X509* const ca = FindByFingerprint(ssl.get(), ca_sha256_hex);
  if (ca == nullptr) {
    return absl::UnauthenticatedError(
        absl::StrCat("the coordinator at ", address,
                     " is not the one that made this token (none of its certificates has the "
                     "fingerprint ",
                     std::string(ca_sha256_hex.substr(0, 16)), "…); check the address, or make a token there"));
  }
  X509* const leaf = SSL_get0_peer_certificate(ssl.get());
  const absl::Status verified = VerifyCertificate(leaf, ca, X509_PURPOSE_SSL_SERVER, now_unix_ms);
  if (!verified.ok() || X509_check_host(leaf, kCoordinatorServerName, 0, 0, nullptr) != 1) {
    ERR_clear_error();
    return absl::UnauthenticatedError(absl::StrCat(
        "what answers at ", address, " shows no valid coordinator's certificate (",
        verified.ok() ? "another name" : verified.message(), "); check the address and this machine's clock"));
  }
  return CertificateToPem(ca);
}

absl::Status ExplainConnection(const std::string& address, const TlsIdentity& identity, int64_t now_unix_ms,
                               int64_t timeout_ms) {
  const WithoutSigpipe without_sigpipe;
  RETURN_IF_ERROR(CheckTlsIdentity(identity, now_unix_ms));
  ASSIGN_OR_RETURN(const SslContextHandle context, MakeContext());
  RETURN_IF_ERROR(UseIdentity(context.get(), identity));
  ASSIGN_OR_RETURN(BioHandle bio, Connect(address, timeout_ms));
  ASSIGN_OR_RETURN(const SslHandle ssl, Handshake(context.get(), std::move(bio), address));
  // In TLS 1.3 a server judges the client's certificate after the client has finished; a good one gets HTTP/2's
  // settings.
  char byte = 0;
  if (SSL_read(ssl.get(), &byte, 1) == 1) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CertificateInfo info, ReadCertificate(identity.certificate_pem));
  return absl::UnauthenticatedError(absl::StrCat("the coordinator at ", address, " does not accept the certificate of ",
                                                 IdentityUri(info.identity), " (", Reason(),
                                                 "); enrol again with a new token"));
}

}  // namespace muster::base
