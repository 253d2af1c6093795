// Files that a program under test left behind. They are read with the agent's rights, so nothing but a regular file of
// bounded size is opened: no symbolic link, no pipe, no device.
#ifndef MUSTER_AGENT_EXECUTOR_RESULT_FILE_H_
#define MUSTER_AGENT_EXECUTOR_RESULT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/subprocess.h"

namespace muster::agent {

constexpr uint64_t kMaxResultFileBytes = uint64_t{64} << 20;

struct RegularFile {
  base::OwnedFd fd;
  uint64_t size_bytes = 0;
};
// Hard links are refused as well: they may name a file that the program could not read itself.
absl::StatusOr<RegularFile> OpenRegularFile(const std::string& path);

// The whole content, at most kMaxResultFileBytes.
absl::StatusOr<std::string> ReadResultFile(const std::string& path);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_RESULT_FILE_H_
