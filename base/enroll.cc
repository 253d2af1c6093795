#include "base/enroll.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/coordinator_probe.h"
#include "base/file.h"
#include "base/identity_folder.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/token.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::base {
namespace {

constexpr std::chrono::seconds kCallTimeout(30);

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& address) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat("the coordinator at ", address, " answers: ", status.error_message()));
}

// What a coordinator answered becomes an identity only when it is the one asked for.
absl::Status CheckAnswer(const TlsIdentity& identity, const std::string& name, int64_t now_unix_ms) {
  RETURN_IF_ERROR(CheckTlsIdentity(identity, now_unix_ms));
  ASSIGN_OR_RETURN(const CertificateInfo info, ReadCertificate(identity.certificate_pem));
  if (info.identity.name == name) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the coordinator certified another name than ", name, ": ", Quoted(info.identity.name)));
}

}  // namespace

absl::StatusOr<CertificateInfo> Enroll(const EnrollOptions& options) {
  RETURN_IF_ERROR(CheckMachineName(options.name));
  ASSIGN_OR_RETURN(const Token token, ParseToken(options.token));
  if (!options.replace && LoadIdentity(options.folder).status().code() != absl::StatusCode::kNotFound) {
    return absl::AlreadyExistsError(absl::StrCat("there is an identity in ", options.folder,
                                                 " already; remove the folder to give it up, or choose another"));
  }
  TlsIdentity identity;
  ASSIGN_OR_RETURN(identity.ca_certificate_pem,
                   FetchCaByFingerprint(options.coordinator_address, token.ca_sha256_hex, options.now_unix_ms));
  ASSIGN_OR_RETURN(KeyAndRequest made, CreateKeyAndRequest());
  v1::EnrollRequest request;
  request.set_token(FormatToken(token));
  request.set_machine_name(options.name);
  request.set_certificate_request_pem(made.request_pem);
  v1::EnrollResponse response;
  grpc::ClientContext context;
  SetDeadline(context);
  const auto stub = v1::AgentService::NewStub(SecureChannel(options.coordinator_address, identity));
  RETURN_IF_ERROR(FromGrpc(stub->Enroll(&context, request, &response), options.coordinator_address));
  identity.key_pem = std::move(made.key_pem);
  identity.certificate_pem = response.certificate_pem();
  RETURN_IF_ERROR(CheckAnswer(identity, options.name, options.now_unix_ms));
  RETURN_IF_ERROR(SaveIdentity(options.folder, identity, options.coordinator_address, options.replace));
  return ReadCertificate(identity.certificate_pem);
}

absl::StatusOr<bool> IsRenewalDue(const std::string& folder, int64_t now_unix_ms) {
  ASSIGN_OR_RETURN(const TlsIdentity identity, LoadIdentity(folder));
  RETURN_IF_ERROR(CheckTlsIdentity(identity, now_unix_ms));
  ASSIGN_OR_RETURN(const CertificateInfo info, ReadCertificate(identity.certificate_pem));
  return RenewalDue(info, now_unix_ms);
}

absl::StatusOr<TlsIdentity> Renew(const std::string& coordinator_address, const std::string& folder,
                                  int64_t now_unix_ms) {
  ASSIGN_OR_RETURN(TlsIdentity identity, LoadIdentity(folder));
  RETURN_IF_ERROR(CheckTlsIdentity(identity, now_unix_ms));
  ASSIGN_OR_RETURN(const CertificateInfo before, ReadCertificate(identity.certificate_pem));
  v1::RenewRequest request;
  ASSIGN_OR_RETURN(*request.mutable_certificate_request_pem(), CreateRequest(identity.key_pem));
  v1::EnrollResponse response;
  grpc::ClientContext context;
  SetDeadline(context);
  const auto stub = v1::AgentService::NewStub(SecureChannel(coordinator_address, identity));
  RETURN_IF_ERROR(FromGrpc(stub->Renew(&context, request, &response), coordinator_address));
  identity.certificate_pem = response.certificate_pem();
  RETURN_IF_ERROR(CheckAnswer(identity, before.identity.name, now_unix_ms));
  RETURN_IF_ERROR(ReplaceCertificate(folder, identity.certificate_pem));
  return identity;
}

}  // namespace muster::base
