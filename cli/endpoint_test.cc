#include "cli/endpoint.h"

#include <unistd.h>

#include <map>

#include "base/file.h"
#include "base/identity_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class EndpointTest : public ::testing::Test {
 protected:
  EndpointTest()
      : home_(::testing::TempDir() + "/endpoint-" + std::to_string(getpid()) + "-" + std::to_string(++count_)) {
    variables_["HOME"] = home_;
    environment_.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      return it == variables_.end() ? std::nullopt : std::optional(it->second);
    };
  }
  // What `muster enroll` leaves.
  void Enroll(const std::string& name, const std::string& address) {
    const std::string config = home_ + "/.config/muster";
    ASSERT_TRUE(base::MakeFolders(config, 0700).ok());
    const base::TlsIdentity identity{
        .key_pem = "key of " + name, .certificate_pem = "cert of " + name, .ca_certificate_pem = "ca"};
    ASSERT_TRUE(base::SaveIdentity(config + "/" + name, identity, address, false).ok());
    unlink((config + "/current").c_str());
    ASSERT_EQ(symlink(name.c_str(), (config + "/current").c_str()), 0);
  }

  static inline int count_ = 0;
  const std::string home_;
  std::map<std::string, std::string> variables_;
  Environment environment_;
};

TEST_F(EndpointTest, WhatWasEnrolledLastIsUsed) {
  Enroll("alice", "hq:7443");
  Enroll("bob", "lab:7443");
  const auto endpoint = ResolveEndpoint({}, environment_);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_EQ(endpoint->address, "lab:7443");
  EXPECT_EQ(endpoint->identity.key_pem, "key of bob");
}

TEST_F(EndpointTest, OptionsComeBeforeVariablesBeforeWhatIsSaved) {
  Enroll("alice", "hq:7443");
  Enroll("bob", "lab:7443");
  variables_["MUSTER_IDENTITY"] = home_ + "/.config/muster/alice";
  EXPECT_EQ(ResolveEndpoint({}, environment_)->address, "hq:7443") << "the identity's own coordinator";
  variables_["MUSTER_COORDINATOR"] = "other:1";
  EXPECT_EQ(ResolveEndpoint({}, environment_)->address, "other:1");
  const auto endpoint =
      ResolveEndpoint({.coordinator = "third", .identity = home_ + "/.config/muster/bob"}, environment_);
  EXPECT_EQ(endpoint->address, "third:7443") << "the port has a default";
  EXPECT_EQ(endpoint->identity.key_pem, "key of bob");
}

TEST_F(EndpointTest, WithoutAnIdentityItSaysHowToGetOne) {
  const auto none = ResolveEndpoint({}, environment_);
  EXPECT_TRUE(absl::IsFailedPrecondition(none.status()));
  EXPECT_THAT(std::string(none.status().message()), AllOf(HasSubstr("muster enroll"), HasSubstr("DATA-DIR/admin")));
  const auto wrong = ResolveEndpoint({.identity = home_ + "/nowhere"}, environment_);
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong.status()));
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr(home_ + "/nowhere"));
}

TEST_F(EndpointTest, PlaintextNeedsLoopback) {
  for (const char* address : {"localhost:1", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1"})
    EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address : {"10.0.0.1:1", "localhost.example.org:1", "128.0.0.1:1", "127.0.0.1.example.org:1"})
    EXPECT_FALSE(IsLoopback(address)) << address;
  EXPECT_TRUE(ResolveEndpoint({.coordinator = "localhost", .insecure_loopback = true}, environment_).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      ResolveEndpoint({.coordinator = "hq", .insecure_loopback = true}, environment_).status()));
}

}  // namespace
}  // namespace muster::cli
