// Real gRPC servers on loopback, real handshakes.
#include "base/tls.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/certificate.h"
#include "base/coordinator_probe.h"
#include "base/openssl_handles.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDay = 86'400'000;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TlsIdentity MakeIdentity(const CertifiedKey& ca, IdentityRole role, const std::string& name, int64_t now,
                         int64_t life_ms) {
  CertificateSpec spec;
  spec.identity.role = role;
  spec.identity.name = name;
  spec.now_unix_ms = now;
  spec.lifetime_ms = life_ms;
  const KeyAndRequest request = CreateKeyAndRequest().value();
  TlsIdentity identity;
  identity.key_pem = request.key_pem;
  identity.certificate_pem = IssueCertificate(ca, request.request_pem, spec).value();
  identity.ca_certificate_pem = ca.certificate_pem;
  return identity;
}

// Answers every ListPlans with a plan that has the caller's URI as its name.
class EchoService final : public v1::ControlService::Service {
  grpc::Status ListPlans(grpc::ServerContext* context, const v1::ListPlansRequest*,
                         v1::ListPlansResponse* response) override {
    for (const grpc::string_ref& uri : context->auth_context()->FindPropertyValues("peer_uri")) {
      response->add_plans()->set_name(std::string(uri.data(), uri.size()));
    }
    return grpc::Status::OK;
  }
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", ServerCredentials(server_identity_), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~TlsTest() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5)); }

  // The URI that the server saw, or the error.
  absl::StatusOr<std::string> Call(const TlsIdentity& identity) {
    const auto stub = v1::ControlService::NewStub(SecureChannel(address_, identity));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::ListPlansResponse response;
    const grpc::Status status = stub->ListPlans(&context, {}, &response);
    if (!status.ok()) return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    return response.plans().empty() ? "" : response.plans(0).name();
  }
  std::string Explain(const TlsIdentity& identity) {
    return std::string(ExplainConnection(address_, identity, Now()).message());
  }

  const CertifiedKey ca_ = CreateCertificateAuthority(Now(), 365 * kDay).value();
  const CertifiedKey other_ca_ = CreateCertificateAuthority(Now(), 365 * kDay).value();
  const TlsIdentity server_identity_ = MakeIdentity(ca_, IdentityRole::kCoordinator, "hq", Now(), kDay);
  const TlsIdentity agent_ = MakeIdentity(ca_, IdentityRole::kAgent, "gpu-01", Now(), kDay);
  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(TlsTest, BothSidesKnowEachOther) {
  EXPECT_EQ(Call(agent_).value(), "spiffe://muster/agent/gpu-01");
  EXPECT_EQ(Explain(agent_), "");
}

TEST_F(TlsTest, AClientWithoutACertificateIsNobody) {
  TlsIdentity nobody;
  nobody.ca_certificate_pem = ca_.certificate_pem;
  EXPECT_EQ(Call(nobody).value(), "");
}

TEST_F(TlsTest, AClientOfAnotherCaIsRefused) {
  TlsIdentity stranger = MakeIdentity(other_ca_, IdentityRole::kAdmin, "mallory", Now(), kDay);
  // Trusts only its own CA: it refuses the server.
  EXPECT_EQ(Call(stranger).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Explain(stranger), HasSubstr("is not the one of this identity"));
  // Trusts the server: the server refuses it.
  stranger.ca_certificate_pem = ca_.certificate_pem;
  EXPECT_EQ(Call(stranger).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Explain(stranger), HasSubstr("was not issued by the CA beside it"));
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  const TlsIdentity expired = MakeIdentity(ca_, IdentityRole::kAgent, "gpu-01", Now() - kDay, kDay - 60'000);
  EXPECT_EQ(Call(expired).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Explain(expired), HasSubstr("expired on"));
  // A clock that is behind does not see it; the server does.
  EXPECT_THAT(std::string(ExplainConnection(address_, expired, Now() - 1'800'000).message()),
              HasSubstr("does not accept"));
}

TEST_F(TlsTest, AnAgentCannotPlayTheCoordinator) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", ServerCredentials(agent_), &port);
  EchoService service;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> impostor = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(Call(MakeIdentity(ca_, IdentityRole::kOperator, "alice", Now(), kDay)).status().code(),
            absl::StatusCode::kUnavailable);
  const auto fingerprint = CertificateSha256(ca_.certificate_pem).value();
  EXPECT_THAT(std::string(FetchCaByFingerprint(address_, fingerprint, Now()).status().message()),
              HasSubstr("shows no valid coordinator's certificate"));
  impostor->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

TEST_F(TlsTest, TheCaIsFoundByItsFingerprint) {
  const auto fingerprint = CertificateSha256(ca_.certificate_pem).value();
  EXPECT_EQ(FetchCaByFingerprint(address_, fingerprint, Now()).value(), ca_.certificate_pem);
  const absl::Status status =
      FetchCaByFingerprint(address_, CertificateSha256(other_ca_.certificate_pem).value(), Now()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not the one that made this token"));
}

TEST_F(TlsTest, TheServersOwnCertificateIsNoCa) {
  const auto fingerprint = CertificateSha256(server_identity_.certificate_pem).value();
  EXPECT_EQ(FetchCaByFingerprint(address_, fingerprint, Now()).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(TlsTest, SaysWhenNobodyAnswers) {
  const absl::Status status = FetchCaByFingerprint("127.0.0.1:1", std::string(64, 'a'), Now(), 2'000).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("127.0.0.1:1: Connection refused"));
  EXPECT_FALSE(ExplainConnection("no port", agent_, Now(), 2'000).ok());
}

// A handshake of at most `version` with the server's CA trusted; the version spoken, or 0.
int SpokenVersion(const std::string& address, int version) {
  const SslContextHandle context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), version);
  const unsigned char alpn[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), alpn, sizeof alpn);
  const SslHandle ssl(SSL_new(context.get()));
  BIO* const bio = BIO_new_connect(address.c_str());
  SSL_set_bio(ssl.get(), bio, bio);
  const int spoken = BIO_do_connect(bio) == 1 && SSL_connect(ssl.get()) == 1 ? SSL_version(ssl.get()) : 0;
  ERR_clear_error();
  return spoken;
}

TEST_F(TlsTest, SpeaksTls13Alone) {
  EXPECT_EQ(SpokenVersion(address_, TLS1_3_VERSION), TLS1_3_VERSION);
  EXPECT_EQ(SpokenVersion(address_, TLS1_2_VERSION), 0);
}

}  // namespace
}  // namespace muster::base
