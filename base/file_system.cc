#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace muster::base {
namespace {

absl::Status FileError(int error, const char* verb, const std::string& path) {
  return ErrnoStatus(error, absl::StrCat("cannot ", verb, " ", path));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  absl::Status Append(std::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = write(fd_.get(), data.data(), data.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return FileError(errno, "write", path_);
      }
      data.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    if (fdatasync(fd_.get()) != 0) return FileError(errno, "sync", path_);
    return absl::OkStatus();
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class PosixFiles final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return FileError(errno, "open", path);
    return std::make_unique<PosixAppendFile>(fd, path);
  }

  absl::StatusOr<std::string> Read(const std::string& path, uint64_t offset, size_t size) override {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return FileError(errno, "open", path);
    std::string data(size, '\0');
    size_t done = 0;
    while (done < size) {
      const ssize_t got = pread(fd.get(), data.data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError(errno, "read", path);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    data.resize(done);
    return data;
  }

  absl::StatusOr<uint64_t> Size(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return FileError(errno, "look at", path);
    return static_cast<uint64_t>(info.st_size);
  }

  absl::Status Truncate(const std::string& path, uint64_t size) override {
    const Descriptor fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) return FileError(errno, "open", path);
    if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return FileError(errno, "truncate", path);
    if (fsync(fd.get()) != 0) return FileError(errno, "sync", path);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return FileError(errno, "rename", absl::StrCat(from, " to ", to));
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return FileError(errno, "remove", path);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) return FileError(errno, "list", directory);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status MakeDirectory(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return FileError(errno, "make folder", part);
      if (slash == std::string::npos) break;
    }
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return FileError(errno, "look at", path);
    if (!S_ISDIR(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(path, " is not a folder"));
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return FileError(errno, "open", path);
    if (fsync(fd.get()) != 0) return FileError(errno, "sync", path);
    return absl::OkStatus();
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFiles* const files = new PosixFiles;
  return *files;
}

}  // namespace muster::base
