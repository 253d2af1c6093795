// A real gRPC server with TLS on loopback and every kind of caller.
#include "coordinator/api/authorizer.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/certificate.h"
#include "base/tls.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::coordinator {
namespace {

using base::IdentityRole;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kDay = 86'400'000;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

base::TlsIdentity MakeIdentity(const base::CertifiedKey& ca, IdentityRole role, const std::string& name, int64_t now) {
  base::CertificateSpec spec;
  spec.identity = {role, name};
  spec.now_unix_ms = now;
  spec.lifetime_ms = kDay;
  const base::KeyAndRequest request = base::CreateKeyAndRequest().value();
  return {request.key_pem, base::IssueCertificate(ca, request.request_pem, spec).value(), ca.certificate_pem};
}

// Requires the role that the request names and says who called.
class GateService final : public v1::ControlService::Service {
 public:
  explicit GateService(Authorizer::Mode mode) : authorizer_(mode) {}
  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override {
    const absl::StatusOr<Caller> caller = authorizer_.Require(*context, request->role());
    if (!caller.ok()) {
      return {static_cast<grpc::StatusCode>(caller.status().code()), std::string(caller.status().message())};
    }
    response->set_token(base::IdentityUri(*caller));
    return grpc::Status::OK;
  }

 private:
  Authorizer authorizer_;
};

class Gate {
 public:
  Gate(Authorizer::Mode mode, const std::shared_ptr<grpc::ServerCredentials>& credentials) : service_(mode) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~Gate() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5)); }
  const std::string& address() const { return address_; }

 private:
  GateService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

// Who the gate takes the caller for, or why it refuses.
absl::StatusOr<std::string> Ask(const std::shared_ptr<grpc::Channel>& channel, v1::Role role) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::CreateTokenRequest request;
  request.set_role(role);
  v1::CreateTokenResponse response;
  const grpc::Status status = v1::ControlService::NewStub(channel)->CreateToken(&context, request, &response);
  if (status.ok()) return response.token();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

class AuthorizerTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> AskAs(const base::TlsIdentity& identity, v1::Role role) {
    return Ask(base::SecureChannel(gate_.address(), identity), role);
  }
  absl::StatusOr<std::string> AskAs(IdentityRole have, v1::Role need) {
    return AskAs(MakeIdentity(ca_, have, "alice", Now()), need);
  }
  const base::CertifiedKey ca_ = base::CreateCertificateAuthority(Now() - 10 * kDay, 365 * kDay).value();
  Gate gate_{Authorizer::Mode::kCertificates,
             base::ServerCredentials(MakeIdentity(ca_, IdentityRole::kCoordinator, "hq", Now()))};
};

TEST_F(AuthorizerTest, RolesIncludeTheLowerOnes) {
  EXPECT_EQ(AskAs(IdentityRole::kViewer, v1::ROLE_VIEWER).value(), "spiffe://muster/viewer/alice");
  EXPECT_EQ(AskAs(IdentityRole::kAdmin, v1::ROLE_VIEWER).value(), "spiffe://muster/admin/alice");
  EXPECT_TRUE(AskAs(IdentityRole::kAdmin, v1::ROLE_OPERATOR).ok());
  EXPECT_TRUE(AskAs(IdentityRole::kOperator, v1::ROLE_VIEWER).ok());
  EXPECT_EQ(AskAs(IdentityRole::kAgent, v1::ROLE_AGENT).value(), "spiffe://muster/agent/alice");
}

TEST_F(AuthorizerTest, AWrongRoleIsDeniedAndToldWhatToDo) {
  const absl::Status viewer = AskAs(IdentityRole::kViewer, v1::ROLE_OPERATOR).status();
  EXPECT_EQ(viewer.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(viewer.message()),
              AllOf(HasSubstr("needs the role operator"), HasSubstr("spiffe://muster/viewer/alice"),
                    HasSubstr("muster token create --role operator")));
  EXPECT_EQ(AskAs(IdentityRole::kOperator, v1::ROLE_ADMIN).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(AskAs(IdentityRole::kAgent, v1::ROLE_VIEWER).status().code(), absl::StatusCode::kPermissionDenied);
  const absl::Status admin = AskAs(IdentityRole::kAdmin, v1::ROLE_AGENT).status();
  EXPECT_EQ(admin.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(admin.message()), HasSubstr("this method is for agents"));
}

TEST_F(AuthorizerTest, WithoutACertificate) {
  const absl::Status status = AskAs(base::TlsIdentity{"", "", ca_.certificate_pem}, v1::ROLE_VIEWER).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("needs a client certificate"), HasSubstr("muster enroll")));
}

TEST_F(AuthorizerTest, AnotherCasCertificateDoesNotGetSoFar) {
  const base::CertifiedKey other = base::CreateCertificateAuthority(Now(), kDay).value();
  base::TlsIdentity stranger = MakeIdentity(other, IdentityRole::kAdmin, "alice", Now());
  stranger.ca_certificate_pem = ca_.certificate_pem;
  EXPECT_EQ(AskAs(stranger, v1::ROLE_VIEWER).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(AuthorizerTest, AnExpiredCertificateDoesNotGetSoFar) {
  EXPECT_EQ(AskAs(MakeIdentity(ca_, IdentityRole::kAdmin, "alice", Now() - 2 * kDay), v1::ROLE_VIEWER).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(AuthorizerTest, PlaintextDoesNotGetSoFar) {
  EXPECT_EQ(
      Ask(grpc::CreateChannel(gate_.address(), grpc::InsecureChannelCredentials()), v1::ROLE_VIEWER).status().code(),
      absl::StatusCode::kUnavailable);
}

TEST_F(AuthorizerTest, PlaintextServersKnowNobody) {
  const Gate gate(Authorizer::Mode::kCertificates, grpc::InsecureServerCredentials());
  EXPECT_EQ(
      Ask(grpc::CreateChannel(gate.address(), grpc::InsecureChannelCredentials()), v1::ROLE_VIEWER).status().code(),
      absl::StatusCode::kUnauthenticated);
}

TEST_F(AuthorizerTest, InsecureLoopbackTakesEverybody) {
  const Gate gate(Authorizer::Mode::kInsecureLoopback, grpc::InsecureServerCredentials());
  const auto channel = grpc::CreateChannel(gate.address(), grpc::InsecureChannelCredentials());
  EXPECT_EQ(Ask(channel, v1::ROLE_ADMIN).value(), "spiffe://muster/admin/local");
  EXPECT_EQ(Ask(channel, v1::ROLE_AGENT).value(), "spiffe://muster/agent/");
}

TEST_F(AuthorizerTest, UnknownRolesAreNoRoles) {
  EXPECT_EQ(AskAs(IdentityRole::kAdmin, v1::ROLE_UNSPECIFIED).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace muster::coordinator
