// Keys, certificates and the identities in them: EC P-256, X.509, OpenSSL beneath.
//
// An identity is a role and a name, and stands in the certificate as the URI spiffe://muster/ROLE/NAME. The certificate
// authority decides what stands there; nothing of a request but its public key is used. PEM everywhere; all functions
// may be called on any thread.
#ifndef MUSTER_BASE_CERTIFICATE_H_
#define MUSTER_BASE_CERTIFICATE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::base {

enum class IdentityRole { kAgent, kViewer, kOperator, kAdmin, kCoordinator };

struct Identity {
  IdentityRole role = IdentityRole::kViewer;
  std::string name;
  bool operator==(const Identity&) const = default;
};

// "agent", "viewer", "operator", "admin", "coordinator".
std::string RoleName(IdentityRole role);
std::string IdentityUri(const Identity& identity);
// InvalidArgument unless the URI is one that IdentityUri() makes.
absl::StatusOr<Identity> ParseIdentityUri(std::string_view uri);

struct CertifiedKey {
  std::string key_pem;
  std::string certificate_pem;
};
struct KeyAndRequest {
  std::string key_pem;
  std::string request_pem;
};

// Every coordinator's certificate has this DNS name beside its own ones: clients check that they talk to the
// coordinator of their CA, whatever address leads to it.
inline constexpr char kCoordinatorServerName[] = "coordinator.muster.internal";

// A self-signed authority, valid from an hour ago (clocks differ) to `lifetime_ms` from now.
absl::StatusOr<CertifiedKey> CreateCertificateAuthority(int64_t now_unix_ms, int64_t lifetime_ms);

absl::StatusOr<KeyAndRequest> CreateKeyAndRequest();
// A request for a new certificate of a key that there is.
absl::StatusOr<std::string> CreateRequest(std::string_view key_pem);

// InvalidArgument unless it is a PKCS#10 request of at most 16 KiB that its own EC P-256 key signed.
absl::Status CheckCertificateRequest(std::string_view request_pem);

struct CertificateSpec {
  Identity identity;
  int64_t now_unix_ms = 0;
  int64_t lifetime_ms = 0;  // Ends with the authority's, if that is sooner.
  // Further DNS names and IP addresses; for a coordinator.
  std::vector<std::string> names;
};
// A coordinator's certificate is good for servers alone, any other for clients alone.
absl::StatusOr<std::string> IssueCertificate(const CertifiedKey& authority, std::string_view request_pem,
                                             const CertificateSpec& spec);

struct CertificateInfo {
  Identity identity;
  int64_t not_before_unix_ms = 0;
  int64_t not_after_unix_ms = 0;
  std::vector<std::string> names;  // DNS names and addresses.
};
// InvalidArgument for what is no certificate of Muster's.
absl::StatusOr<CertificateInfo> ReadCertificate(std::string_view certificate_pem);
// Of its DER form, 64 lower-case hexadecimal digits.
absl::StatusOr<std::string> CertificateSha256(std::string_view certificate_pem);

// Whether key, certificate and authority belong together and the certificate is valid now; the message says what to do.
absl::Status CheckCertifiedKey(const CertifiedKey& certified, std::string_view ca_certificate_pem, int64_t now_unix_ms);

// Whether two thirds of the certificate's life have passed: time for a new one.
bool RenewalDue(const CertificateInfo& certificate, int64_t now_unix_ms);

}  // namespace muster::base

#endif  // MUSTER_BASE_CERTIFICATE_H_
