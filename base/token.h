// Enrolment tokens: what an administrator hands to a machine or user, once.
//
// "muster1.TOKEN-ID.SECRET.CA-SHA256": the id finds the coordinator's record, the secret proves the right, and the last
// part is the SHA-256 of the coordinator's CA certificate, so that the one who enrols knows whom it talks to before it
// sends the secret.
#ifndef MUSTER_BASE_TOKEN_H_
#define MUSTER_BASE_TOKEN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::base {

struct Token {
  std::string id;             // 12 hexadecimal digits.
  std::string secret;         // 32 hexadecimal digits: 128 random bits.
  std::string ca_sha256_hex;  // 64 hexadecimal digits.
};

// A new one, from the system's random generator.
Token MakeToken(std::string_view ca_sha256_hex);

std::string FormatToken(const Token& token);
// Takes surrounding white space; InvalidArgument never repeats the secret.
absl::StatusOr<Token> ParseToken(std::string_view text);

// What the coordinator keeps of the secret.
std::string TokenSecretHash(std::string_view secret);
// In constant time.
bool TokenSecretMatches(std::string_view secret, std::string_view secret_hash);

}  // namespace muster::base

#endif  // MUSTER_BASE_TOKEN_H_
