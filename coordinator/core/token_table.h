// Enrolment tokens: each good for one name, once, for a while.
#ifndef MUSTER_COORDINATOR_CORE_TOKEN_TABLE_H_
#define MUSTER_COORDINATOR_CORE_TOKEN_TABLE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/event_loop.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

class TokenTable {
 public:
  explicit TokenTable(std::vector<TokenRecord> tokens);

  void Add(TokenRecord token);
  // The token, marked used by `name`; Unauthenticated, saying why, when it is not good for that.
  absl::StatusOr<TokenRecord> Use(std::string_view id, std::string_view secret, std::string_view name, base::Time now);

 private:
  std::map<std::string, TokenRecord, std::less<>> tokens_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_TOKEN_TABLE_H_
