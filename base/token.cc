#include "base/token.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/digest.h"

namespace muster::base {
namespace {

constexpr char kPrefix[] = "muster1";
constexpr size_t kIdBytes = 6;
constexpr size_t kSecretBytes = 16;
constexpr size_t kSha256Bytes = 32;

bool IsHex(const std::string& text, size_t bytes) {
  return text.size() == 2 * bytes && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Token MakeToken(std::string_view ca_sha256_hex) {
  return {.id = HexEncode(RandomBytes(kIdBytes)),
          .secret = HexEncode(RandomBytes(kSecretBytes)),
          .ca_sha256_hex = std::string(ca_sha256_hex)};
}

std::string FormatToken(const Token& token) {
  return absl::StrCat(kPrefix, ".", token.id, ".", token.secret, ".", token.ca_sha256_hex);
}

absl::StatusOr<Token> ParseToken(std::string_view text) {
  std::string trimmed(text);
  absl::StripAsciiWhitespace(&trimmed);
  const std::vector<std::string> parts = absl::StrSplit(trimmed, '.');
  if (parts.size() != 4 || parts[0] != kPrefix || !IsHex(parts[1], kIdBytes) || !IsHex(parts[2], kSecretBytes) ||
      !IsHex(parts[3], kSha256Bytes)) {
    return absl::InvalidArgumentError(
        "the token is not whole: expected muster1.ID.SECRET.FINGERPRINT as `muster token create` prints it; copy it "
        "again");
  }
  return Token{.id = parts[1], .secret = parts[2], .ca_sha256_hex = parts[3]};
}

std::string TokenSecretHash(std::string_view secret) { return Sha256Hex(secret); }

bool TokenSecretMatches(std::string_view secret, std::string_view secret_hash) {
  return ConstantTimeEqual(TokenSecretHash(secret), secret_hash);
}

}  // namespace muster::base
