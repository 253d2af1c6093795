#include "coordinator/api/authorizer.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

using base::IdentityRole;

constexpr char kUriProperty[] = "peer_uri";
constexpr char kLocalName[] = "local";

absl::Status NoCertificate() {
  return absl::UnauthenticatedError(
      "this method needs a client certificate and none was shown; enrol with a token (an admin makes one with `muster "
      "token create`): a user with `muster enroll`, a machine by starting muster-agent once with --token TOKEN");
}

absl::Status Denied(const Caller& caller, IdentityRole need) {
  const std::string role = base::RoleName(need);
  const std::string shown = absl::StrCat(", and the certificate shown is that of ", base::IdentityUri(caller), "; ");
  if (need == IdentityRole::kAgent) {
    return absl::PermissionDeniedError(
        absl::StrCat("this method is for agents", shown, "a machine starts muster-agent once with --token TOKEN"));
  }
  return absl::PermissionDeniedError(absl::StrCat("this method needs the role ", role, shown,
                                                  "ask an admin for a token: `muster token create --role ", role, "`"));
}

}  // namespace

bool Includes(IdentityRole have, IdentityRole need) {
  const auto rank = [](IdentityRole role) {
    switch (role) {
      case IdentityRole::kViewer:
        return 1;
      case IdentityRole::kOperator:
        return 2;
      case IdentityRole::kAdmin:
        return 3;
      case IdentityRole::kAgent:
      case IdentityRole::kCoordinator:
        break;
    }
    return 0;
  };
  return have == need || (rank(need) > 0 && rank(have) >= rank(need));
}

absl::StatusOr<IdentityRole> RoleFromProto(v1::Role role) {
  switch (role) {
    case v1::ROLE_AGENT:
      return IdentityRole::kAgent;
    case v1::ROLE_VIEWER:
      return IdentityRole::kViewer;
    case v1::ROLE_OPERATOR:
      return IdentityRole::kOperator;
    case v1::ROLE_ADMIN:
      return IdentityRole::kAdmin;
    default:
      return absl::InvalidArgumentError("role: expected agent, viewer, operator or admin");
  }
}

absl::StatusOr<Caller> Authorizer::Identify(const grpc::ServerContextBase& context) const {
  if (mode_ == Mode::kInsecureLoopback) return Caller{IdentityRole::kAdmin, kLocalName};
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return NoCertificate();
  const std::vector<grpc::string_ref> uris = peer->FindPropertyValues(kUriProperty);
  if (uris.size() != 1) {
    return absl::UnauthenticatedError(
        "the certificate shown is not one of Muster's: expected one name spiffe://muster/ROLE/NAME");
  }
  return base::ParseIdentityUri({uris[0].data(), uris[0].size()});
}

absl::StatusOr<Caller> Authorizer::Require(const grpc::ServerContextBase& context, v1::Role role) const {
  ASSIGN_OR_RETURN(const IdentityRole need, RoleFromProto(role));
  if (mode_ == Mode::kInsecureLoopback && need == IdentityRole::kAgent) return Caller{IdentityRole::kAgent, ""};
  ASSIGN_OR_RETURN(Caller caller, Identify(context));
  if (!Includes(caller.role, need)) return Denied(caller, need);
  return caller;
}

}  // namespace muster::coordinator
