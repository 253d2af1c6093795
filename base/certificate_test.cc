#include "base/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/openssl_handles.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kDay = 86'400'000;

CertificateSpec Spec(IdentityRole role, const std::string& name, int64_t lifetime_ms = 30 * kDay) {
  CertificateSpec spec;
  spec.identity.role = role;
  spec.identity.name = name;
  spec.now_unix_ms = kNow;
  spec.lifetime_ms = lifetime_ms;
  return spec;
}

class CertificateTest : public ::testing::Test {
 protected:
  std::string Issue(IdentityRole role, const std::string& name, int64_t lifetime_ms = 30 * kDay) {
    return IssueCertificate(ca_, request_.request_pem, Spec(role, name, lifetime_ms)).value();
  }
  std::string IssueAgent(int64_t lifetime_ms = 30 * kDay) { return Issue(IdentityRole::kAgent, "gpu-01", lifetime_ms); }
  absl::Status Verify(const std::string& pem, int purpose, int64_t now = kNow) {
    return VerifyCertificate(LoadCertificate(pem)->get(), LoadCertificate(ca_.certificate_pem)->get(), purpose, now);
  }
  const CertifiedKey ca_ = CreateCertificateAuthority(kNow, 3650 * kDay).value();
  const KeyAndRequest request_ = CreateKeyAndRequest().value();
};

TEST_F(CertificateTest, SaysWhoAndForHowLong) {
  const CertificateInfo info = ReadCertificate(IssueAgent()).value();
  EXPECT_EQ(IdentityUri(info.identity), "spiffe://muster/agent/gpu-01");
  EXPECT_EQ(info.not_before_unix_ms, kNow - 3'600'000);
  EXPECT_EQ(info.not_after_unix_ms, kNow + 30 * kDay);
  EXPECT_TRUE(info.names.empty());
}

TEST_F(CertificateTest, ClientsAreNoServersAndServersNoClients) {
  const std::string client = IssueAgent();
  EXPECT_TRUE(Verify(client, X509_PURPOSE_SSL_CLIENT).ok());
  EXPECT_FALSE(Verify(client, X509_PURPOSE_SSL_SERVER).ok());
  const std::string server = Issue(IdentityRole::kCoordinator, "c");
  EXPECT_TRUE(Verify(server, X509_PURPOSE_SSL_SERVER).ok());
  EXPECT_FALSE(Verify(server, X509_PURPOSE_SSL_CLIENT).ok());
}

TEST_F(CertificateTest, CoordinatorsHaveTheirNames) {
  CertificateSpec spec = Spec(IdentityRole::kCoordinator, "c");
  spec.names = {"muster.example.org", "10.0.0.1", "::1"};
  const auto pem = IssueCertificate(ca_, request_.request_pem, spec);
  ASSERT_TRUE(pem.ok()) << pem.status();
  EXPECT_THAT(ReadCertificate(*pem)->names,
              UnorderedElementsAre("muster.example.org", "10.0.0.1", "::1", kCoordinatorServerName));
  spec.names = {"a,DNS:b"};
  EXPECT_FALSE(IssueCertificate(ca_, request_.request_pem, spec).ok());
}

TEST_F(CertificateTest, EndsWithItsAuthority) {
  EXPECT_EQ(ReadCertificate(IssueAgent(36'500 * kDay))->not_after_unix_ms, kNow + 3650 * kDay);
}

TEST_F(CertificateTest, NamesAreChecked) {
  EXPECT_FALSE(IssueCertificate(ca_, request_.request_pem, Spec(IdentityRole::kAgent, "a/b")).ok());
  EXPECT_FALSE(IssueCertificate(ca_, request_.request_pem, Spec(IdentityRole::kAgent, "")).ok());
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c');
  EXPECT_EQ(ReadCertificate(Issue(IdentityRole::kAgent, long_name))->identity.name, long_name);
}

TEST_F(CertificateTest, RefusesBrokenRequests) {
  EXPECT_TRUE(CheckCertificateRequest(request_.request_pem).ok());
  EXPECT_FALSE(CheckCertificateRequest("").ok());
  EXPECT_FALSE(CheckCertificateRequest(ca_.certificate_pem).ok());
  EXPECT_FALSE(CheckCertificateRequest(std::string(20'000, 'x')).ok());
}

TEST_F(CertificateTest, RefusesARequestThatAnotherKeySigned) {
  RequestHandle request(PEM_read_bio_X509_REQ(MemoryBio(request_.request_pem).get(), nullptr, nullptr, nullptr));
  const KeyHandle other(EVP_EC_gen("P-256"));
  X509_REQ_sign(request.get(), other.get(), EVP_sha256());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  EXPECT_THAT(std::string(CheckCertificateRequest(BioText(bio.get())).message()), HasSubstr("did not sign"));
}

TEST_F(CertificateTest, RefusesOtherKinds) {
  const KeyHandle rsa(EVP_RSA_gen(2048));
  const RequestHandle request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), rsa.get());
  X509_REQ_sign(request.get(), rsa.get(), EVP_sha256());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  EXPECT_THAT(std::string(CheckCertificateRequest(BioText(bio.get())).message()), HasSubstr("P-256"));
}

TEST_F(CertificateTest, ChecksAKeyWithItsCertificate) {
  const CertifiedKey good{.key_pem = request_.key_pem, .certificate_pem = IssueAgent()};
  EXPECT_EQ(CheckCertifiedKey(good, ca_.certificate_pem, kNow), absl::OkStatus());
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };
  EXPECT_THAT(message(CheckCertifiedKey(good, ca_.certificate_pem, kNow + 31 * kDay)),
              HasSubstr("spiffe://muster/agent/gpu-01 expired on 2027-02-14"));
  EXPECT_THAT(message(CheckCertifiedKey(good, ca_.certificate_pem, kNow - kDay)), HasSubstr("set the clock"));
  const CertifiedKey other_ca = CreateCertificateAuthority(kNow, kDay).value();
  EXPECT_THAT(message(CheckCertifiedKey(good, other_ca.certificate_pem, kNow)),
              HasSubstr("not issued by the CA beside it"));
  const CertifiedKey other_key{.key_pem = CreateKeyAndRequest()->key_pem, .certificate_pem = good.certificate_pem};
  EXPECT_THAT(message(CheckCertifiedKey(other_key, ca_.certificate_pem, kNow)), HasSubstr("the key is not"));
}

TEST_F(CertificateTest, FingerprintsDiffer) {
  const std::string one = CertificateSha256(ca_.certificate_pem).value();
  EXPECT_EQ(one.size(), 64u);
  EXPECT_NE(one, CertificateSha256(IssueAgent()).value());
  EXPECT_FALSE(CertificateSha256("x").ok());
}

TEST_F(CertificateTest, AForeignCertificateHasNoIdentity) { EXPECT_FALSE(ReadCertificate(ca_.certificate_pem).ok()); }

TEST(Identity, UriRoundTrips) {
  const Identity identity{.role = IdentityRole::kOperator, .name = "alice"};
  EXPECT_EQ(IdentityUri(identity), "spiffe://muster/operator/alice");
  EXPECT_EQ(ParseIdentityUri("spiffe://muster/operator/alice").value(), identity);
  for (const char* bad :
       {"", "spiffe://muster/operator/", "spiffe://other/operator/alice", "spiffe://muster/root/alice",
        "spiffe://muster/admin/a/b", "spiffe://muster/agent/A", "https://muster/agent/a"}) {
    EXPECT_FALSE(ParseIdentityUri(bad).ok()) << bad;
  }
}

TEST(Renewal, AtTwoThirdsOfLife) {
  CertificateInfo info;
  info.not_after_unix_ms = 300;
  EXPECT_FALSE(RenewalDue(info, 199));
  EXPECT_TRUE(RenewalDue(info, 200));
}

}  // namespace
}  // namespace muster::base
