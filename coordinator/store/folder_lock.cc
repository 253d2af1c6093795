#include "coordinator/store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace muster::coordinator {

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder) {
  const std::string path = base::JoinPath(folder, "coordinator.lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return base::ErrnoStatus(errno, absl::StrCat("cannot open ", path));
  std::unique_ptr<FolderLock> lock(new FolderLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t size = pread(fd, pid, sizeof(pid) - 1, 0);
    return absl::FailedPreconditionError(absl::StrCat("the data folder ", folder,
                                                      " is in use by another coordinator (process ",
                                                      size > 0 ? pid : "unknown", "): end it, or use another folder"));
  }
  const std::string pid = absl::StrCat(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("cannot write ", path));
  }
  return lock;
}

FolderLock::~FolderLock() { close(fd_); }

}  // namespace muster::coordinator
