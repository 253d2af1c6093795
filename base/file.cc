#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/subprocess.h"

namespace muster::base {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, absl::StrCat("cannot write ", path));
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status FillAndSync(int fd, std::string_view content, mode_t mode, const std::string& path) {
  RETURN_IF_ERROR(WriteAll(fd, content, path));
  if (::fchmod(fd, mode) != 0) return ErrnoStatus(errno, absl::StrCat("cannot set the mode of ", path));
  if (::fsync(fd) != 0) return ErrnoStatus(errno, absl::StrCat("cannot make ", path, " durable"));
  return absl::OkStatus();
}

}  // namespace

absl::Status ErrnoStatus(int error_number, std::string_view what) {
  return absl::ErrnoToStatus(error_number, absl::string_view(what.data(), what.size()));
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit_bytes) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus(errno, absl::StrCat("cannot open ", path));
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, absl::StrCat("cannot read ", path));
    }
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > limit_bytes) {
      return absl::OutOfRangeError(absl::StrCat(path, " is longer than the limit of ", limit_bytes, " bytes"));
    }
  }
}

absl::Status WriteFileAtomic(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const OwnedFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus(errno, absl::StrCat("cannot make a file beside ", path));
  absl::Status status = FillAndSync(file.get(), content, mode, path);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = ErrnoStatus(errno, absl::StrCat("cannot put ", path, " in place"));
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolder(FolderOf(path));
}

absl::Status MakeFolders(const std::string& path, mode_t mode) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (::mkdir(folder.c_str(), mode) != 0) {
      const int error_number = errno;
      struct stat found = {};
      // A folder that is there may answer EACCES or EROFS instead of EEXIST.
      if (::stat(folder.c_str(), &found) != 0) {
        return ErrnoStatus(error_number, absl::StrCat("cannot make the folder ", folder));
      }
      if (!S_ISDIR(found.st_mode)) {
        return absl::FailedPreconditionError(
            absl::StrCat(folder, " is expected to be a folder and is not; move it away"));
      }
    }
    if (end == std::string::npos) return absl::OkStatus();
  }
}

absl::Status SyncFolder(const std::string& path) {
  const OwnedFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return ErrnoStatus(errno, absl::StrCat("cannot open the folder ", path));
  if (::fsync(folder.get()) != 0) return ErrnoStatus(errno, absl::StrCat("cannot make the folder ", path, " durable"));
  return absl::OkStatus();
}

bool FileExists(const std::string& path) {
  struct stat found = {};
  return ::lstat(path.c_str(), &found) == 0;
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  while (!name.empty() && name.front() == '/') name.remove_prefix(1);
  if (folder.empty()) return std::string(name);
  return std::string(folder) + (folder.back() == '/' ? "" : "/") + std::string(name);
}

}  // namespace muster::base
