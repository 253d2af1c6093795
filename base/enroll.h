// How a machine or user comes to an identity, and keeps it.
//
// Blocking, over the network, up to some forty seconds: on threads that may wait. Agent and command line share it.
#ifndef MUSTER_BASE_ENROLL_H_
#define MUSTER_BASE_ENROLL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "base/tls.h"

namespace muster::base {

struct EnrollOptions {
  std::string coordinator_address;  // "HOST:PORT"
  std::string token;
  std::string name;      // Of the machine or user.
  std::string folder;    // Where the identity goes (identity_folder.h).
  bool replace = false;  // Gives up an identity that is there.
  int64_t now_unix_ms = 0;
};

// Finds the coordinator's CA by the token's fingerprint, makes a key that never leaves this machine, and has it
// certified. Refuses to overwrite before the token is sent, let alone used up. Returns who one is now and until when.
absl::StatusOr<CertificateInfo> Enroll(const EnrollOptions& options);

// Whether the identity in the folder is due for renewal (two thirds of its life have passed) and still valid.
absl::StatusOr<bool> IsRenewalDue(const std::string& folder, int64_t now_unix_ms);

// Has the identity's key certified anew and puts the certificate in place; connections made before go on with the old
// one.
absl::StatusOr<TlsIdentity> Renew(const std::string& coordinator_address, const std::string& folder,
                                  int64_t now_unix_ms);

}  // namespace muster::base

#endif  // MUSTER_BASE_ENROLL_H_
