#include "coordinator/api/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "base/identity_folder.h"

namespace muster::coordinator {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kYear = int64_t{365} * 86'400'000;

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest() {
    std::string name = ::testing::TempDir() + "muster-authority-XXXXXX";
    options_.data_folder = std::string(::mkdtemp(name.data())) + "/data";
    options_.now_unix_ms = kNow;
    options_.create = true;
  }
  static mode_t Mode(const std::string& path) {
    struct stat found = {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777;
  }
  AuthorityOptions options_;
};

TEST_F(AuthorityTest, MakesAllThatIsNeededAndKeysArePrivate) {
  options_.hosts = {"hq.example.org", "10.1.2.3"};
  const auto authority = EnsureAuthority(options_);
  ASSERT_TRUE(authority.ok()) << authority.status();
  const auto server = base::ReadCertificate(authority->server.certificate_pem).value();
  EXPECT_EQ(base::IdentityUri(server.identity), "spiffe://muster/coordinator/coordinator");
  EXPECT_THAT(server.names, Contains("hq.example.org"));
  EXPECT_THAT(server.names, Contains("10.1.2.3"));
  EXPECT_THAT(server.names, Contains("localhost"));
  const auto admin = base::LoadIdentity(authority->admin_folder).value();
  EXPECT_EQ(base::IdentityUri(base::ReadCertificate(admin.certificate_pem)->identity), "spiffe://muster/admin/admin");
  EXPECT_TRUE(base::CheckTlsIdentity(admin, kNow).ok());
  EXPECT_EQ(authority->ca_sha256_hex, base::CertificateSha256(admin.ca_certificate_pem).value());
  for (const char* key : {"/ca.key", "/server/key.pem", "/admin/key.pem"})
    EXPECT_EQ(Mode(options_.data_folder + key), 0600u);
  EXPECT_EQ(Mode(options_.data_folder), 0700u);
}

TEST_F(AuthorityTest, ASecondTimeNothingChanges) {
  options_.hosts = {"hq.example.org"};
  const auto first = EnsureAuthority(options_).value();
  const auto admin = base::LoadIdentity(first.admin_folder)->certificate_pem;
  const auto second = EnsureAuthority(options_).value();
  EXPECT_EQ(second.ca.certificate_pem, first.ca.certificate_pem);
  EXPECT_EQ(second.server.certificate_pem, first.server.certificate_pem);
  EXPECT_EQ(base::LoadIdentity(second.admin_folder)->certificate_pem, admin);
  // A start names no hosts and keeps those that are there.
  options_.hosts.clear();
  options_.create = false;
  EXPECT_EQ(EnsureAuthority(options_)->server.certificate_pem, first.server.certificate_pem);
}

TEST_F(AuthorityTest, NewHostsMeanANewServerCertificateOfTheSameCa) {
  const auto first = EnsureAuthority(options_).value();
  options_.hosts = {"new.example.org"};
  const auto second = EnsureAuthority(options_).value();
  EXPECT_EQ(second.ca.certificate_pem, first.ca.certificate_pem);
  EXPECT_THAT(base::ReadCertificate(second.server.certificate_pem)->names, Contains("new.example.org"));
}

TEST_F(AuthorityTest, RenewsWhatIsDue) {
  options_.hosts = {"hq.example.org"};
  const auto first = EnsureAuthority(options_).value();
  const auto admin = base::LoadIdentity(first.admin_folder)->certificate_pem;
  options_.hosts.clear();
  options_.now_unix_ms = kNow + 7 * kYear;
  const auto later = EnsureAuthority(options_).value();
  EXPECT_NE(later.server.certificate_pem, first.server.certificate_pem);
  EXPECT_THAT(base::ReadCertificate(later.server.certificate_pem)->names, Contains("hq.example.org"));
  EXPECT_NE(base::LoadIdentity(later.admin_folder)->certificate_pem, admin);
  EXPECT_TRUE(base::CheckTlsIdentity(base::LoadIdentity(later.admin_folder).value(), options_.now_unix_ms).ok());
}

TEST_F(AuthorityTest, AStartNeedsAnInit) {
  options_.create = false;
  EXPECT_THAT(std::string(EnsureAuthority(options_).status().message()), HasSubstr("muster-coordinator init"));
}

TEST_F(AuthorityTest, ALostKeyIsNotReplacedSilently) {
  ASSERT_TRUE(EnsureAuthority(options_).ok());
  ASSERT_EQ(::unlink((options_.data_folder + "/ca.key").c_str()), 0);
  EXPECT_THAT(std::string(EnsureAuthority(options_).status().message()), HasSubstr("ca.key"));
}

}  // namespace
}  // namespace muster::coordinator
