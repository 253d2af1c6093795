#include "coordinator/api/authority.h"

#include <unistd.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/identity_folder.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;
constexpr int64_t kAuthorityLifetimeMs = 10 * kYearMs;
// The key lies beside the authority's own, so a shorter life would protect nothing.
constexpr int64_t kServerLifetimeMs = kAuthorityLifetimeMs;
constexpr int64_t kAdminLifetimeMs = kYearMs;
constexpr uint64_t kMaxPemBytes = 64 * 1024;
constexpr char kServerName[] = "coordinator";
constexpr char kAdminName[] = "admin";

absl::StatusOr<base::CertifiedKey> EnsureCa(const AuthorityOptions& options) {
  const std::string certificate_path = base::JoinPath(options.data_folder, "ca.pem");
  const std::string key_path = base::JoinPath(options.data_folder, "ca.key");
  base::CertifiedKey ca;
  // The certificate is written last: without it there is no authority yet, whatever a crash left.
  if (base::FileExists(certificate_path)) {
    ASSIGN_OR_RETURN(ca.certificate_pem, base::ReadFile(certificate_path, kMaxPemBytes));
    ASSIGN_OR_RETURN(ca.key_pem, base::ReadFile(key_path, kMaxPemBytes));
    return ca;
  }
  if (!options.create) {
    return absl::FailedPreconditionError(absl::StrCat("there is no certificate authority in ", options.data_folder,
                                                      "; make one: muster-coordinator init --data-dir ",
                                                      options.data_folder));
  }
  ASSIGN_OR_RETURN(ca, base::CreateCertificateAuthority(options.now_unix_ms, kAuthorityLifetimeMs));
  RETURN_IF_ERROR(base::WriteFileAtomic(key_path, ca.key_pem, 0600));
  RETURN_IF_ERROR(base::WriteFileAtomic(certificate_path, ca.certificate_pem, 0644));
  return ca;
}

std::set<std::string> WantedNames(const std::vector<std::string>& hosts) {
  std::set<std::string> names = {"localhost", "127.0.0.1", "::1"};
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) == 0) {
    if (const std::string name = base::MachineNameFromHost(host); !name.empty()) names.insert(name);
  }
  names.insert(hosts.begin(), hosts.end());
  return names;
}

// Whether the identity in the folder is good and stays so for a while. `names` is filled with those it has.
bool IsUsable(const std::string& folder, const base::CertifiedKey& ca, int64_t now_unix_ms,
              std::set<std::string>& names) {
  const auto identity = base::LoadIdentity(folder);
  if (!identity.ok()) return false;
  const auto info = base::ReadCertificate(identity->certificate_pem);
  if (!info.ok()) return false;
  names.insert(info->names.begin(), info->names.end());
  return identity->ca_certificate_pem == ca.certificate_pem && base::CheckTlsIdentity(*identity, now_unix_ms).ok() &&
         !base::RenewalDue(*info, now_unix_ms);
}

absl::Status MakeIdentity(const std::string& folder, const base::CertifiedKey& ca, const base::CertificateSpec& spec) {
  ASSIGN_OR_RETURN(const base::KeyAndRequest request, base::CreateKeyAndRequest());
  base::TlsIdentity identity;
  ASSIGN_OR_RETURN(identity.certificate_pem, base::IssueCertificate(ca, request.request_pem, spec));
  identity.key_pem = request.key_pem;
  identity.ca_certificate_pem = ca.certificate_pem;
  return base::SaveIdentity(folder, identity, "", /*replace=*/true);
}

absl::Status EnsureServer(const std::string& folder, const base::CertifiedKey& ca, const AuthorityOptions& options) {
  std::set<std::string> present;
  const bool usable = IsUsable(folder, ca, options.now_unix_ms, present);
  std::set<std::string> wanted = WantedNames(options.hosts);
  if (options.hosts.empty()) wanted.insert(present.begin(), present.end());
  // Every coordinator's certificate gets it.
  wanted.insert(base::kCoordinatorServerName);
  if (usable && wanted == present) return absl::OkStatus();
  wanted.erase(base::kCoordinatorServerName);
  base::CertificateSpec spec;
  spec.identity = {base::IdentityRole::kCoordinator, kServerName};
  spec.now_unix_ms = options.now_unix_ms;
  spec.lifetime_ms = kServerLifetimeMs;
  spec.names.assign(wanted.begin(), wanted.end());
  return MakeIdentity(folder, ca, spec);
}

absl::Status EnsureAdmin(const std::string& folder, const base::CertifiedKey& ca, int64_t now_unix_ms) {
  std::set<std::string> names;
  if (IsUsable(folder, ca, now_unix_ms, names)) return absl::OkStatus();
  base::CertificateSpec spec;
  spec.identity = {base::IdentityRole::kAdmin, kAdminName};
  spec.now_unix_ms = now_unix_ms;
  spec.lifetime_ms = kAdminLifetimeMs;
  return MakeIdentity(folder, ca, spec);
}

}  // namespace

absl::StatusOr<Authority> EnsureAuthority(const AuthorityOptions& options) {
  RETURN_IF_ERROR(base::MakeFolders(options.data_folder, 0700));
  Authority authority;
  ASSIGN_OR_RETURN(authority.ca, EnsureCa(options));
  ASSIGN_OR_RETURN(authority.ca_sha256_hex, base::CertificateSha256(authority.ca.certificate_pem));
  const std::string server_folder = base::JoinPath(options.data_folder, "server");
  RETURN_IF_ERROR(EnsureServer(server_folder, authority.ca, options));
  ASSIGN_OR_RETURN(authority.server, base::LoadIdentity(server_folder));
  authority.admin_folder = base::JoinPath(options.data_folder, "admin");
  RETURN_IF_ERROR(EnsureAdmin(authority.admin_folder, authority.ca, options.now_unix_ms));
  return authority;
}

}  // namespace muster::coordinator
