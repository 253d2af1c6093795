#include "base/token.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::base {
namespace {

const std::string kFingerprint(64, 'a');

TEST(Token, RoundTrips) {
  const Token token = MakeToken(kFingerprint);
  const auto parsed = ParseToken(" " + FormatToken(token) + "\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->id, token.id);
  EXPECT_EQ(parsed->secret, token.secret);
  EXPECT_EQ(parsed->ca_sha256_hex, kFingerprint);
  EXPECT_NE(token.secret, MakeToken(kFingerprint).secret);
}

TEST(Token, RefusesWhatIsNotWholeAndKeepsTheSecret) {
  const Token token = MakeToken(kFingerprint);
  const std::string text = FormatToken(token);
  for (const std::string& bad :
       {std::string(), text.substr(1), text.substr(0, text.size() - 1), text + ".", "x" + text}) {
    const absl::Status status = ParseToken(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(std::string(status.message()).find(token.secret), std::string::npos);
  }
}

TEST(Token, OnlyTheSecretMatchesItsHash) {
  const Token token = MakeToken(kFingerprint);
  const std::string hash = TokenSecretHash(token.secret);
  EXPECT_TRUE(TokenSecretMatches(token.secret, hash));
  EXPECT_FALSE(TokenSecretMatches(token.secret + "0", hash));
  EXPECT_FALSE(TokenSecretMatches("", hash));
  EXPECT_FALSE(TokenSecretMatches(hash, hash));
  EXPECT_FALSE(TokenSecretMatches("", ""));
}

}  // namespace
}  // namespace muster::base
