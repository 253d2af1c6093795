#include "agent/executor/suite_state.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;

// Each name counts as well: many empty files are a burden, too.
constexpr uint64_t kBytesOfName = 256;

// What cannot be looked at counts as nothing: the programs may be at it.
uint64_t BytesIn(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    bytes += kBytesOfName;
    std::error_code ignored;
    if (!fs::is_regular_file(at->symlink_status(ignored))) continue;
    const uint64_t size = fs::file_size(at->path(), ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> MakeSuiteState(const std::string& folder, const std::string& suite,
                                           const std::optional<base::Subprocess::User>& user, uint64_t limit_bytes) {
  if (folder.empty()) return std::string();
  std::error_code error;
  const std::string state = base::JoinPath(fs::absolute(folder, error).string(), suite);
  if (BytesIn(state) > limit_bytes) {
    base::LogWarning("suite ", suite, " keeps more than ", limit_bytes, " bytes in ", state, ": emptied");
    fs::remove_all(state, error);
  }
  RETURN_IF_ERROR(base::MakeFolders(folder, 0711));
  RETURN_IF_ERROR(base::MakeFolders(state, 0700));
  if (user.has_value() && chown(state.c_str(), user->uid, user->gid) != 0) {
    return base::ErrnoStatus(errno, base::Text("cannot give ", state, " to the user of suite programs"));
  }
  return state;
}

}  // namespace muster::agent
