#include "coordinator/core/token_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/digest.h"

namespace muster::coordinator {

TokenTable::TokenTable(std::vector<TokenRecord> tokens) {
  for (TokenRecord& token : tokens) Add(std::move(token));
}

void TokenTable::Add(TokenRecord token) {
  std::string id = token.id;
  tokens_.insert_or_assign(std::move(id), std::move(token));
}

absl::StatusOr<TokenRecord> TokenTable::Use(std::string_view id, std::string_view secret, std::string_view name,
                                            base::Time now) {
  // One answer for an unknown token and for a wrong secret: nobody learns which ids there are.
  constexpr char kAskForOne[] = "; ask an admin for a new one: muster token create";
  const auto it = tokens_.find(id);
  if (it == tokens_.end() || !base::ConstantTimeEqual(it->second.secret_sha256_hex, base::Sha256Hex(secret))) {
    return absl::UnauthenticatedError(absl::StrCat("the token is not known here", kAskForOne));
  }
  TokenRecord& token = it->second;
  if (token.used_unix_ms != 0) {
    return absl::UnauthenticatedError(absl::StrCat("the token was used already, by '", token.used_by, "'", kAskForOne));
  }
  if (now.unix_ms >= token.expires_unix_ms) {
    return absl::UnauthenticatedError(absl::StrCat("the token has expired", kAskForOne));
  }
  if (!token.bound_name.empty() && token.bound_name != name) {
    return absl::UnauthenticatedError(
        absl::StrCat("the token is for '", token.bound_name, "', not for '", std::string(name), "'", kAskForOne));
  }
  token.used_unix_ms = now.unix_ms;
  token.used_by = std::string(name);
  return token;
}

}  // namespace muster::coordinator
