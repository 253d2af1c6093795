// The coordinator's certificate authority and own identity on the disk.
//
//   DATA/ca.pem, DATA/ca.key    the authority (10 years; the key with mode 0600): whoever has it can be anybody
//   DATA/server/                the coordinator's identity
//   DATA/admin/                 the first admin's identity, for `muster` on this machine
#ifndef MUSTER_COORDINATOR_API_AUTHORITY_H_
#define MUSTER_COORDINATOR_API_AUTHORITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "base/tls.h"

namespace muster::coordinator {

struct AuthorityOptions {
  std::string data_folder;
  // DNS names and addresses for the certificate, beside localhost and this host's name, for clients that check them
  // (grpcurl; Muster's own do not need them). Empty: those that the present certificate has.
  std::vector<std::string> hosts;
  int64_t now_unix_ms = 0;
  // Whether to make an authority where there is none (`init`); otherwise that is an error which names `init`.
  bool create = false;
};

struct Authority {
  base::CertifiedKey ca;
  std::string ca_sha256_hex;
  base::TlsIdentity server;
  std::string admin_folder;
};

// What `init` does and every start repeats: makes what is missing, renews what is due, keeps everything else as it is.
absl::StatusOr<Authority> EnsureAuthority(const AuthorityOptions& options);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_AUTHORITY_H_
