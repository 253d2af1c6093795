// Who calls, and whether they may.
//
// gRPC has verified the certificate when a call arrives; its URI name says role and name (base/certificate.h). admin
// may all that an operator may, operator all that a viewer may; an agent is apart: it may hold its session and renew,
// and no user may. Immutable; any thread.
#ifndef MUSTER_COORDINATOR_API_AUTHORIZER_H_
#define MUSTER_COORDINATOR_API_AUTHORIZER_H_

#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "muster/v1/control_service.pb.h"

namespace grpc {
class ServerContextBase;
}  // namespace grpc

namespace muster::coordinator {

using Caller = base::Identity;

class Authorizer {
 public:
  enum class Mode {
    kCertificates,
    // Plaintext on loopback, because the daemon was started with --insecure-loopback: everybody is the admin "local",
    // and agents name themselves in their Hello (their Caller has an empty name).
    kInsecureLoopback,
  };
  explicit Authorizer(Mode mode) : mode_(mode) {}

  // The caller, when they have `role` or one that includes it. Unauthenticated without a certificate, PermissionDenied
  // with another role; the message says how to get one.
  absl::StatusOr<Caller> Require(const grpc::ServerContextBase& context, v1::Role role) const;
  // The caller, whatever their role.
  absl::StatusOr<Caller> Identify(const grpc::ServerContextBase& context) const;

 private:
  Mode mode_;
};

// Whether one of role `have` may do what `need` may.
bool Includes(base::IdentityRole have, base::IdentityRole need);
// InvalidArgument for UNSPECIFIED and for roles that this version does not know.
absl::StatusOr<base::IdentityRole> RoleFromProto(v1::Role role);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_AUTHORIZER_H_
