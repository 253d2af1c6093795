#include "coordinator/api/enrollment.h"

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/token.h"
#include "coordinator/api/authorizer.h"

namespace muster::coordinator {
namespace {

constexpr int64_t kDefaultTokenLifetimeMs = 3'600'000;
constexpr int64_t kMaxTokenLifetimeMs = int64_t{30} * 24 * 3600 * 1000;

}  // namespace

absl::StatusOr<v1::EnrollResponse> Enrollment::Enroll(const v1::EnrollRequest& request, UseToken use_token,
                                                      base::Time now) const {
  RETURN_IF_ERROR(base::CheckMachineName(request.machine_name()));
  RETURN_IF_ERROR(base::CheckCertificateRequest(request.certificate_request_pem()));
  ASSIGN_OR_RETURN(const base::Token token, base::ParseToken(request.token()));
  ASSIGN_OR_RETURN(const v1::Role role, use_token(token.id, token.secret, request.machine_name(), now));
  base::Identity identity;
  ASSIGN_OR_RETURN(identity.role, RoleFromProto(role));
  identity.name = request.machine_name();
  return Issue(identity, request.certificate_request_pem(), now);
}

absl::StatusOr<v1::EnrollResponse> Enrollment::Renew(const v1::RenewRequest& request, const base::Identity& caller,
                                                     base::Time now) const {
  if (caller.role == base::IdentityRole::kCoordinator) {
    return absl::PermissionDeniedError("a coordinator's certificate is renewed by the coordinator itself");
  }
  return Issue(caller, request.certificate_request_pem(), now);
}

absl::StatusOr<v1::EnrollResponse> Enrollment::Issue(const base::Identity& identity, std::string_view request_pem,
                                                     base::Time now) const {
  base::CertificateSpec spec;
  spec.identity = identity;
  spec.now_unix_ms = now.unix_ms;
  spec.lifetime_ms = identity.role == base::IdentityRole::kAgent ? kAgentLifetimeMs : kUserLifetimeMs;
  ASSIGN_OR_RETURN(std::string certificate, base::IssueCertificate(authority_, request_pem, spec));
  ASSIGN_OR_RETURN(const base::CertificateInfo info, base::ReadCertificate(certificate));
  v1::EnrollResponse response;
  response.set_certificate_pem(std::move(certificate));
  response.set_ca_certificate_pem(authority_.certificate_pem);
  response.set_expires_unix_ms(info.not_after_unix_ms);
  return response;
}

absl::StatusOr<Enrollment::NewToken> Enrollment::CreateToken(const v1::CreateTokenRequest& request,
                                                             base::Time now) const {
  RETURN_IF_ERROR(RoleFromProto(request.role()).status());
  if (!request.name().empty()) RETURN_IF_ERROR(base::CheckMachineName(request.name()));
  if (request.lifetime_ms() < 0 || request.lifetime_ms() > kMaxTokenLifetimeMs) {
    return absl::InvalidArgumentError(absl::StrCat("lifetime_ms: expected 0 (one hour) to ", kMaxTokenLifetimeMs,
                                                   " (30 days), found ", request.lifetime_ms()));
  }
  ASSIGN_OR_RETURN(const std::string fingerprint, base::CertificateSha256(authority_.certificate_pem));
  const base::Token token = base::MakeToken(fingerprint);
  NewToken made;
  made.record.id = token.id;
  made.record.secret_sha256_hex = base::TokenSecretHash(token.secret);
  made.record.role = request.role();
  made.record.bound_name = request.name();
  made.record.expires_unix_ms =
      now.unix_ms + (request.lifetime_ms() > 0 ? request.lifetime_ms() : kDefaultTokenLifetimeMs);
  made.response.set_token(base::FormatToken(token));
  made.response.set_expires_unix_ms(made.record.expires_unix_ms);
  return made;
}

}  // namespace muster::coordinator
