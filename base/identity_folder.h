// A folder that holds one identity: key.pem (mode 0600), cert.pem, ca.pem, and coordinator (its address, when known).
#ifndef MUSTER_BASE_IDENTITY_FOLDER_H_
#define MUSTER_BASE_IDENTITY_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/tls.h"

namespace muster::base {

// NotFound when there is no cert.pem: not enrolled. Says nothing of validity: CheckTlsIdentity().
absl::StatusOr<TlsIdentity> LoadIdentity(const std::string& folder);

// Makes the folder (mode 0700) and writes the files, cert.pem last: a crash in between leaves a folder without an
// identity. AlreadyExists when there is one and `replace` is false. An empty address leaves the file `coordinator` out.
absl::Status SaveIdentity(const std::string& folder, const TlsIdentity& identity,
                          const std::string& coordinator_address, bool replace);

// Puts a renewed certificate of the same key in place, atomically.
absl::Status ReplaceCertificate(const std::string& folder, const std::string& certificate_pem);

// The address that the identity was enrolled at; NotFound when none is kept.
absl::StatusOr<std::string> LoadCoordinatorAddress(const std::string& folder);

}  // namespace muster::base

#endif  // MUSTER_BASE_IDENTITY_FOLDER_H_
