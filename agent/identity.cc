#include "agent/identity.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/link/channel.h"
#include "base/certificate.h"
#include "base/coordinator_probe.h"
#include "base/identity_folder.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/tls.h"
#include "base/token.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::agent {
namespace {

constexpr std::chrono::seconds kCallLimit{20};

int64_t NowUnixMs() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(what, ": ", status.error_message()));
}

}  // namespace

absl::Status AgentIdentity::LoadOrEnroll(const std::string& token, const std::string& name) const {
  const absl::StatusOr<base::TlsIdentity> identity = base::LoadIdentity(folder_);
  if (identity.ok()) return base::CheckTlsIdentity(*identity, NowUnixMs());
  if (!absl::IsNotFound(identity.status())) return identity.status();
  if (token.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this machine is not enrolled: there is no identity in ", folder_,
        ". Make a token with `muster token create --role agent` and start the agent once with --token TOKEN"));
  }
  return Enroll(token, name);
}

absl::Status AgentIdentity::Enroll(const std::string& token, const std::string& name) const {
  ASSIGN_OR_RETURN(const base::Token parsed, base::ParseToken(token));
  ASSIGN_OR_RETURN(const std::string ca, base::FetchCaByFingerprint(coordinator_, parsed.ca_sha256_hex, NowUnixMs()));
  ASSIGN_OR_RETURN(const base::KeyAndRequest made, base::CreateKeyAndRequest());
  const auto stub = v1::AgentService::NewStub(base::SecureChannel(coordinator_, {.ca_certificate_pem = ca}));
  v1::EnrollRequest request;
  request.set_token(base::FormatToken(parsed));
  request.set_machine_name(name);
  request.set_certificate_request_pem(made.request_pem);
  v1::EnrollResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  RETURN_IF_ERROR(FromGrpc(stub->Enroll(&context, request, &response), absl::StrCat("cannot enrol at ", coordinator_)));
  const base::TlsIdentity identity{
      .key_pem = made.key_pem, .certificate_pem = response.certificate_pem(), .ca_certificate_pem = ca};
  RETURN_IF_ERROR(base::CheckTlsIdentity(identity, NowUnixMs()));
  RETURN_IF_ERROR(base::SaveIdentity(folder_, identity, coordinator_, /*replace=*/false));
  base::LogInfo("enrolled as ", name, "; the identity is in ", folder_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> AgentIdentity::Name() const {
  ASSIGN_OR_RETURN(const base::TlsIdentity identity, base::LoadIdentity(folder_));
  ASSIGN_OR_RETURN(const base::CertificateInfo certificate, base::ReadCertificate(identity.certificate_pem));
  return certificate.identity.name;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> AgentIdentity::MakeChannel() const {
  ASSIGN_OR_RETURN(const base::TlsIdentity identity, base::LoadIdentity(folder_));
  return agent::MakeChannel(coordinator_, base::kCoordinatorServerName, base::ChannelCredentials(identity));
}

void AgentIdentity::RenewWhenDue() const {
  const absl::Status status = Renew();
  if (!status.ok()) base::LogWarning("cannot renew the certificate now: ", std::string(status.message()));
}

absl::Status AgentIdentity::Renew() const { return absl::OkStatus(); }

absl::Status AgentIdentity::Explain() const {
  ASSIGN_OR_RETURN(const base::TlsIdentity identity, base::LoadIdentity(folder_));
  return base::ExplainConnection(coordinator_, identity, NowUnixMs());
}

}  // namespace muster::agent
