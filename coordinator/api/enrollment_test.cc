#include "coordinator/api/enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/token.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

constexpr base::Time kNow{.mono_ms = 0, .unix_ms = 1'800'000'000'000};
constexpr int64_t kDay = 86'400'000;

// One token, good once.
struct TokenBox {
  TokenRecord record;
  int uses = 0;
  absl::StatusOr<v1::Role> Use(std::string_view id, std::string_view secret, std::string_view name) {
    ++uses;
    if (id != record.id || !base::TokenSecretMatches(secret, record.secret_sha256_hex) || record.used_unix_ms != 0) {
      return absl::UnauthenticatedError("no");
    }
    record.used_unix_ms = 1;
    record.used_by = std::string(name);
    return record.role;
  }
};

class EnrollmentTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::EnrollResponse> Enroll(const v1::EnrollRequest& request) {
    return enrollment_.Enroll(
        request,
        [this](std::string_view id, std::string_view secret, std::string_view name, base::Time) {
          return box_.Use(id, secret, name);
        },
        kNow);
  }
  v1::EnrollRequest RequestWithToken(v1::Role role) {
    v1::CreateTokenRequest create;
    create.set_role(role);
    const Enrollment::NewToken made = enrollment_.CreateToken(create, kNow).value();
    box_.record = made.record;
    v1::EnrollRequest request;
    request.set_token(made.response.token());
    request.set_machine_name("gpu-01");
    request.set_certificate_request_pem(key_.request_pem);
    return request;
  }

  const base::CertifiedKey ca_ = base::CreateCertificateAuthority(kNow.unix_ms, 3650 * kDay).value();
  const base::KeyAndRequest key_ = base::CreateKeyAndRequest().value();
  const Enrollment enrollment_{ca_};
  TokenBox box_;
};

TEST_F(EnrollmentTest, ATokenBecomesACertificateOnce) {
  const v1::EnrollRequest request = RequestWithToken(v1::ROLE_AGENT);
  const auto response = Enroll(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(base::IdentityUri(base::ReadCertificate(response->certificate_pem())->identity),
            "spiffe://muster/agent/gpu-01");
  EXPECT_EQ(response->expires_unix_ms(), kNow.unix_ms + Enrollment::kAgentLifetimeMs);
  EXPECT_EQ(response->ca_certificate_pem(), ca_.certificate_pem);
  EXPECT_TRUE(
      base::CheckCertifiedKey({key_.key_pem, response->certificate_pem()}, ca_.certificate_pem, kNow.unix_ms).ok());
  EXPECT_EQ(box_.record.used_by, "gpu-01");
  EXPECT_EQ(Enroll(request).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(EnrollmentTest, TheRoleIsTheTokens) {
  const auto response = Enroll(RequestWithToken(v1::ROLE_OPERATOR));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(base::IdentityUri(base::ReadCertificate(response->certificate_pem())->identity),
            "spiffe://muster/operator/gpu-01");
  EXPECT_EQ(response->expires_unix_ms(), kNow.unix_ms + Enrollment::kUserLifetimeMs);
}

TEST_F(EnrollmentTest, ABadRequestDoesNotUseTheTokenUp) {
  v1::EnrollRequest bad_name = RequestWithToken(v1::ROLE_AGENT);
  bad_name.set_machine_name("../admin/x");
  EXPECT_EQ(Enroll(bad_name).status().code(), absl::StatusCode::kInvalidArgument);
  v1::EnrollRequest bad_request = RequestWithToken(v1::ROLE_AGENT);
  bad_request.set_certificate_request_pem("x");
  EXPECT_EQ(Enroll(bad_request).status().code(), absl::StatusCode::kInvalidArgument);
  v1::EnrollRequest bad_token = RequestWithToken(v1::ROLE_AGENT);
  bad_token.set_token("x");
  EXPECT_EQ(Enroll(bad_token).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(box_.uses, 0);
}

TEST_F(EnrollmentTest, RenewalKeepsNameAndRole) {
  v1::RenewRequest request;
  request.set_certificate_request_pem(key_.request_pem);
  const base::Identity alice{base::IdentityRole::kViewer, "alice"};
  const auto response = enrollment_.Renew(request, alice, kNow);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(base::ReadCertificate(response->certificate_pem())->identity, alice);
  EXPECT_FALSE(enrollment_.Renew(request, {base::IdentityRole::kCoordinator, "hq"}, kNow).ok());
  EXPECT_FALSE(enrollment_.Renew({}, alice, kNow).ok());
}

TEST_F(EnrollmentTest, TokensAreBoundedAndKeptAsHashes) {
  v1::CreateTokenRequest request;
  EXPECT_FALSE(enrollment_.CreateToken(request, kNow).ok());
  request.set_role(v1::ROLE_VIEWER);
  request.set_name("A/b");
  EXPECT_FALSE(enrollment_.CreateToken(request, kNow).ok());
  request.set_name("alice");
  request.set_lifetime_ms(31 * kDay);
  EXPECT_THAT(std::string(enrollment_.CreateToken(request, kNow).status().message()), HasSubstr("30 days"));
  request.set_lifetime_ms(0);
  const Enrollment::NewToken made = enrollment_.CreateToken(request, kNow).value();
  EXPECT_EQ(made.record.expires_unix_ms, kNow.unix_ms + 3'600'000);
  EXPECT_EQ(made.record.bound_name, "alice");
  const base::Token token = base::ParseToken(made.response.token()).value();
  EXPECT_EQ(token.ca_sha256_hex, base::CertificateSha256(ca_.certificate_pem).value());
  EXPECT_EQ(made.record.secret_sha256_hex.find(token.secret), std::string::npos);
}

}  // namespace
}  // namespace muster::coordinator
