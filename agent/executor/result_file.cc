#include "agent/executor/result_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {

absl::StatusOr<RegularFile> OpenRegularFile(const std::string& path) {
  RegularFile file;
  file.fd = base::OwnedFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file.fd.is_open()) {
    if (errno == ENOENT) return absl::NotFoundError(base::Text("the program did not write ", path));
    return base::ErrnoStatus(errno, base::Text("cannot open ", path));
  }
  struct stat info {};
  if (fstat(file.fd.get(), &info) != 0) return base::ErrnoStatus(errno, base::Text("cannot stat ", path));
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1) {
    return absl::FailedPreconditionError(base::Text(path, " is no regular file with one name"));
  }
  file.size_bytes = static_cast<uint64_t>(info.st_size);
  return file;
}

absl::StatusOr<std::string> ReadResultFile(const std::string& path) {
  ASSIGN_OR_RETURN(const RegularFile file, OpenRegularFile(path));
  if (file.size_bytes > kMaxResultFileBytes) {
    return absl::OutOfRangeError(
        base::Text(path, " has ", file.size_bytes, " bytes, expected at most ", kMaxResultFileBytes));
  }
  std::string content(file.size_bytes, '\0');
  size_t have = 0;
  while (have < content.size()) {
    const ssize_t got = read(file.fd.get(), content.data() + have, content.size() - have);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  content.resize(have);
  return content;
}

}  // namespace muster::agent
