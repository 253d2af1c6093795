#include "agent/identity.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "agent/link/channel.h"
#include "base/certificate.h"
#include "base/coordinator_probe.h"
#include "base/enroll.h"
#include "base/identity_folder.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/tls.h"

namespace muster::agent {
namespace {

int64_t NowUnixMs() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
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
  ASSIGN_OR_RETURN(const base::CertificateInfo certificate, base::Enroll({.coordinator_address = coordinator_,
                                                                          .token = token,
                                                                          .name = name,
                                                                          .folder = folder_,
                                                                          .now_unix_ms = NowUnixMs()}));
  base::LogInfo("enrolled as ", certificate.identity.name, "; the identity is in ", folder_);
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

absl::Status AgentIdentity::Renew() const {
  ASSIGN_OR_RETURN(const bool due, base::IsRenewalDue(folder_, NowUnixMs()));
  if (!due) return absl::OkStatus();
  RETURN_IF_ERROR(base::Renew(coordinator_, folder_, NowUnixMs()).status());
  base::LogInfo("the certificate was renewed");
  return absl::OkStatus();
}

absl::Status AgentIdentity::Explain() const {
  ASSIGN_OR_RETURN(const base::TlsIdentity identity, base::LoadIdentity(folder_));
  return base::ExplainConnection(coordinator_, identity, NowUnixMs());
}

}  // namespace muster::agent
