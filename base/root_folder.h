// Reads small files of /proc, /sys, /etc and /run under a root folder: "/" on a machine, a fixture tree in tests.
//
// What cannot be read is empty: a machine, a container and a sandbox differ in what they show, and the inventory goes
// on.
#ifndef MUSTER_BASE_ROOT_FOLDER_H_
#define MUSTER_BASE_ROOT_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::base {

class RootFolder {
 public:
  explicit RootFolder(std::string root);

  // Paths are absolute as the machine sees them: "/proc/cpuinfo".

  // The first `limit` bytes as they are.
  std::string Read(absl::string_view path, size_t limit = 64 << 10) const;
  // A file of one value: cleaned (text.h).
  std::string ReadLine(absl::string_view path) const;
  std::optional<uint64_t> ReadNumber(absl::string_view path, int base = 10) const;
  // As ReadLine, and says why a file could not be read: NotFound when there is none (or its device has nothing to tell
  // by it), PermissionDenied, or Unavailable.
  absl::StatusOr<std::string> TryReadLine(absl::string_view path) const;
  // What a symbolic link says, not resolved; empty when it is none.
  std::string ReadLink(absl::string_view path) const;
  // `path` without symbolic links, as the machine sees it; empty when it does not exist.
  std::string Resolve(absl::string_view path) const;
  // Names in a folder, sorted, at most `limit`; nothing when it cannot be read.
  std::optional<std::vector<std::string>> List(absl::string_view path, size_t limit = 4096) const;

 private:
  std::string Real(absl::string_view path) const;

  std::string root_;  // without the final slash; empty for "/"
};

}  // namespace muster::base

#endif  // MUSTER_BASE_ROOT_FOLDER_H_
