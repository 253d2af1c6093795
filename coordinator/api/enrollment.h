// Certificates for those who bring a token, and new ones for those who have one.
//
// Issues what tokens allow; keeps nothing itself: tokens are the core's. On the core's event loop, since a token is
// used up there.
#ifndef MUSTER_COORDINATOR_API_ENROLLMENT_H_
#define MUSTER_COORDINATOR_API_ENROLLMENT_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "base/event_loop.h"
#include "coordinator/store/store.h"
#include "muster/v1/agent_service.pb.h"
#include "muster/v1/control_service.pb.h"

namespace muster::coordinator {

class Enrollment {
 public:
  static constexpr int64_t kAgentLifetimeMs = int64_t{90} * 24 * 3600 * 1000;
  static constexpr int64_t kUserLifetimeMs = int64_t{365} * 24 * 3600 * 1000;

  // A valid authority (EnsureAuthority).
  explicit Enrollment(base::CertifiedKey authority) : authority_(std::move(authority)) {}

  // Core::UseToken.
  using UseToken = absl::FunctionRef<absl::StatusOr<v1::Role>(std::string_view token_id, std::string_view secret,
                                                              std::string_view name, base::Time now)>;
  // Checks all that can be checked before the token is used up. Answer only once the token's use is durable.
  absl::StatusOr<v1::EnrollResponse> Enroll(const v1::EnrollRequest& request, UseToken use_token, base::Time now) const;

  // A new certificate for the very identity of the caller, which is not that of --insecure-loopback.
  absl::StatusOr<v1::EnrollResponse> Renew(const v1::RenewRequest& request, const base::Identity& caller,
                                           base::Time now) const;

  struct NewToken {
    TokenRecord record;  // For Core::AddToken; answer once it is durable.
    v1::CreateTokenResponse response;
  };
  absl::StatusOr<NewToken> CreateToken(const v1::CreateTokenRequest& request, base::Time now) const;

 private:
  absl::StatusOr<v1::EnrollResponse> Issue(const base::Identity& identity, std::string_view request_pem,
                                           base::Time now) const;

  base::CertifiedKey authority_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_ENROLLMENT_H_
