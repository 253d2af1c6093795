// The folder in which a suite keeps what its next run on this machine wants to know.
#ifndef MUSTER_AGENT_EXECUTOR_SUITE_STATE_H_
#define MUSTER_AGENT_EXECUTOR_SUITE_STATE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/subprocess.h"

namespace muster::agent {

inline constexpr uint64_t kMaxSuiteStateBytes = 16 << 20;

// FOLDER/SUITE, made and given to `user` where there is one; emptied where it holds more than `limit_bytes`. Empty
// when `folder` is. Links in it are not followed.
absl::StatusOr<std::string> MakeSuiteState(const std::string& folder, const std::string& suite,
                                           const std::optional<base::Subprocess::User>& user,
                                           uint64_t limit_bytes = kMaxSuiteStateBytes);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_SUITE_STATE_H_
