// Against a real gRPC server with TLS on loopback that certifies whoever brings the token's secret.
#include "base/enroll.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/identity_folder.h"
#include "base/token.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDay = 86'400'000;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

CertificateSpec Spec(IdentityRole role, const std::string& name, int64_t lifetime_ms) {
  CertificateSpec spec;
  spec.identity = {role, name};
  spec.now_unix_ms = Now();
  spec.lifetime_ms = lifetime_ms;
  return spec;
}

class CertifyingService final : public v1::AgentService::Service {
 public:
  explicit CertifyingService(CertifiedKey ca) : ca_(std::move(ca)) {}
  grpc::Status Enroll(grpc::ServerContext*, const v1::EnrollRequest* request, v1::EnrollResponse* response) override {
    ++calls;
    if (ParseToken(request->token())->secret != secret) {
      return {grpc::StatusCode::UNAUTHENTICATED, "the token has been used; ask for another"};
    }
    response->set_certificate_pem(
        Certify(request->certificate_request_pem(), certify_as.empty() ? request->machine_name() : certify_as));
    return grpc::Status::OK;
  }
  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                     v1::EnrollResponse* response) override {
    const auto uris = context->auth_context()->FindPropertyValues("peer_uri");
    if (uris.size() != 1) return {grpc::StatusCode::UNAUTHENTICATED, "nobody"};
    const Identity caller = ParseIdentityUri({uris[0].data(), uris[0].size()}).value();
    response->set_certificate_pem(Certify(request->certificate_request_pem(), caller.name));
    return grpc::Status::OK;
  }
  std::string secret;
  std::string certify_as;
  int64_t lifetime_ms = kDay;
  int calls = 0;

 private:
  std::string Certify(const std::string& request_pem, const std::string& name) {
    return IssueCertificate(ca_, request_pem, Spec(IdentityRole::kAgent, name, lifetime_ms)).value();
  }
  CertifiedKey ca_;
};

class EnrollTest : public ::testing::Test {
 protected:
  EnrollTest() {
    const KeyAndRequest made = CreateKeyAndRequest().value();
    const TlsIdentity server_identity{
        made.key_pem, IssueCertificate(ca_, made.request_pem, Spec(IdentityRole::kCoordinator, "hq", kDay)).value(),
        ca_.certificate_pem};
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", ServerCredentials(server_identity), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    const Token token = MakeToken(CertificateSha256(ca_.certificate_pem).value());
    service_.secret = token.secret;
    std::string folder = ::testing::TempDir() + "muster-enroll-XXXXXX";
    options_.coordinator_address = "127.0.0.1:" + std::to_string(port);
    options_.token = FormatToken(token);
    options_.name = "gpu-01";
    options_.folder = std::string(::mkdtemp(folder.data())) + "/state/identity";
    options_.now_unix_ms = Now();
  }
  ~EnrollTest() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5)); }

  const CertifiedKey ca_ = CreateCertificateAuthority(Now(), 365 * kDay).value();
  CertifyingService service_{ca_};
  std::unique_ptr<grpc::Server> server_;
  EnrollOptions options_;
};

TEST_F(EnrollTest, LeavesAnIdentityInTheFolder) {
  const auto info = Enroll(options_);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(IdentityUri(info->identity), "spiffe://muster/agent/gpu-01");
  const TlsIdentity identity = LoadIdentity(options_.folder).value();
  EXPECT_TRUE(CheckTlsIdentity(identity, Now()).ok());
  EXPECT_EQ(identity.ca_certificate_pem, ca_.certificate_pem);
  EXPECT_EQ(LoadCoordinatorAddress(options_.folder).value(), options_.coordinator_address);
  struct stat key = {};
  ASSERT_EQ(::stat((options_.folder + "/key.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);
}

TEST_F(EnrollTest, OverwritesOnlyWhenAsked) {
  ASSERT_TRUE(Enroll(options_).ok());
  const std::string key = LoadIdentity(options_.folder)->key_pem;
  EXPECT_EQ(Enroll(options_).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(service_.calls, 1);
  options_.replace = true;
  ASSERT_TRUE(Enroll(options_).ok());
  EXPECT_NE(LoadIdentity(options_.folder)->key_pem, key);
}

TEST_F(EnrollTest, PassesOnWhatTheCoordinatorSays) {
  service_.secret = "another";
  const absl::Status status = Enroll(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the token has been used"));
  EXPECT_EQ(LoadIdentity(options_.folder).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(EnrollTest, ShowsTheSecretToNoOtherCoordinator) {
  const CertifiedKey other = CreateCertificateAuthority(Now(), kDay).value();
  options_.token = FormatToken(MakeToken(CertificateSha256(other.certificate_pem).value()));
  EXPECT_THAT(std::string(Enroll(options_).status().message()), HasSubstr("is not the one that made this token"));
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(EnrollTest, ChecksWhatItGets) {
  service_.certify_as = "gpu-02";
  EXPECT_THAT(std::string(Enroll(options_).status().message()), HasSubstr("another name"));
  EXPECT_FALSE(LoadIdentity(options_.folder).ok());
}

TEST_F(EnrollTest, RefusesNonsenseBeforeItConnects) {
  options_.name = "A B";
  EXPECT_EQ(Enroll(options_).status().code(), absl::StatusCode::kInvalidArgument);
  options_.name = "a";
  options_.token = "muster1.x";
  EXPECT_EQ(Enroll(options_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EnrollTest, RenewsAtTwoThirdsOfLifeWithTheSameKey) {
  service_.lifetime_ms = 3'600'000;  // And an hour before now: two hours of life.
  ASSERT_TRUE(Enroll(options_).ok());
  EXPECT_FALSE(IsRenewalDue(options_.folder, Now()).value());
  EXPECT_TRUE(IsRenewalDue(options_.folder, Now() + 1'300'000).value());
  EXPECT_EQ(IsRenewalDue(options_.folder, Now() + kDay).status().code(), absl::StatusCode::kFailedPrecondition);
  const TlsIdentity before = LoadIdentity(options_.folder).value();
  service_.lifetime_ms = kDay;
  const auto after = Renew(options_.coordinator_address, options_.folder, Now());
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->key_pem, before.key_pem);
  EXPECT_NE(after->certificate_pem, before.certificate_pem);
  EXPECT_EQ(LoadIdentity(options_.folder)->certificate_pem, after->certificate_pem);
  EXPECT_FALSE(IsRenewalDue(options_.folder, Now() + 1'300'000).value());
}

TEST_F(EnrollTest, RenewsOnlyWhatIsThere) {
  EXPECT_EQ(Renew(options_.coordinator_address, options_.folder, Now()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(IsRenewalDue(options_.folder, Now()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace muster::base
