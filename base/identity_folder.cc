#include "base/identity_folder.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr uint64_t kMaxPemBytes = 64 * 1024;
constexpr char kKey[] = "key.pem";
constexpr char kCertificate[] = "cert.pem";
constexpr char kAuthority[] = "ca.pem";
constexpr char kAddress[] = "coordinator";

}  // namespace

absl::StatusOr<TlsIdentity> LoadIdentity(const std::string& folder) {
  TlsIdentity identity;
  if (!FileExists(JoinPath(folder, kCertificate))) {
    return absl::NotFoundError(
        absl::StrCat("there is no identity in ", folder, " (", kCertificate, " is missing); enrol with a token"));
  }
  ASSIGN_OR_RETURN(identity.certificate_pem, ReadFile(JoinPath(folder, kCertificate), kMaxPemBytes));
  ASSIGN_OR_RETURN(identity.key_pem, ReadFile(JoinPath(folder, kKey), kMaxPemBytes));
  ASSIGN_OR_RETURN(identity.ca_certificate_pem, ReadFile(JoinPath(folder, kAuthority), kMaxPemBytes));
  return identity;
}

absl::Status SaveIdentity(const std::string& folder, const TlsIdentity& identity,
                          const std::string& coordinator_address, bool replace) {
  const std::string certificate = JoinPath(folder, kCertificate);
  if (FileExists(certificate)) {
    if (!replace) {
      return absl::AlreadyExistsError(absl::StrCat("there is an identity in ", folder,
                                                   " already; remove the folder to give it up, or choose another"));
    }
    if (::unlink(certificate.c_str()) != 0) return ErrnoStatus(errno, absl::StrCat("cannot remove ", certificate));
  }
  RETURN_IF_ERROR(MakeFolders(folder, 0700));
  RETURN_IF_ERROR(WriteFileAtomic(JoinPath(folder, kKey), identity.key_pem, 0600));
  RETURN_IF_ERROR(WriteFileAtomic(JoinPath(folder, kAuthority), identity.ca_certificate_pem, 0644));
  if (!coordinator_address.empty()) {
    RETURN_IF_ERROR(WriteFileAtomic(JoinPath(folder, kAddress), coordinator_address + "\n", 0644));
  }
  return WriteFileAtomic(certificate, identity.certificate_pem, 0644);
}

absl::Status ReplaceCertificate(const std::string& folder, const std::string& certificate_pem) {
  return WriteFileAtomic(JoinPath(folder, kCertificate), certificate_pem, 0644);
}

absl::StatusOr<std::string> LoadCoordinatorAddress(const std::string& folder) {
  ASSIGN_OR_RETURN(std::string address, ReadFile(JoinPath(folder, kAddress), 1024));
  absl::StripAsciiWhitespace(&address);
  return address;
}

}  // namespace muster::base
