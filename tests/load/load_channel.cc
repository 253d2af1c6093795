#include "tests/load/load_channel.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "base/tls.h"

namespace muster::load {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "muster-load: %s\n", std::string(value.status().message()).c_str());
  std::exit(3);
}

base::TlsIdentity MakeIdentity(const ChannelOptions& options, const base::Identity& identity) {
  constexpr size_t kMaxPemBytes = 64 << 10;
  constexpr int64_t kHourMs = 3'600'000;
  const base::CertifiedKey authority = {
      .key_pem = OrDie(base::ReadFile(options.authority_folder + "/ca.key", kMaxPemBytes)),
      .certificate_pem = OrDie(base::ReadFile(options.authority_folder + "/ca.pem", kMaxPemBytes))};
  const base::KeyAndRequest key = OrDie(base::CreateKeyAndRequest());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const base::CertificateSpec spec = {.identity = identity,
                                      .now_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
                                      .lifetime_ms = kHourMs};
  return {.key_pem = key.key_pem,
          .certificate_pem = OrDie(base::IssueCertificate(authority, key.request_pem, spec)),
          .ca_certificate_pem = authority.certificate_pem};
}

}  // namespace

std::shared_ptr<grpc::Channel> ChannelAs(const ChannelOptions& options, const base::Identity& identity) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (options.insecure) {
    return grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments);
  }
  return base::SecureChannel(options.address, MakeIdentity(options, identity), arguments);
}

std::shared_ptr<grpc::Channel> StrangersChannel(const ChannelOptions& options) {
  return base::SecureChannel(
      options.address, {.ca_certificate_pem = OrDie(base::ReadFile(options.authority_folder + "/ca.pem", 64 << 10))});
}

std::shared_ptr<grpc::Channel> AgentChannel(const ChannelOptions& options, const std::string& name) {
  return ChannelAs(options, {.role = base::IdentityRole::kAgent, .name = name});
}

std::shared_ptr<grpc::Channel> ControlChannel(const ChannelOptions& options) {
  return ChannelAs(options, {.role = base::IdentityRole::kAdmin, .name = "load"});
}

}  // namespace muster::load
