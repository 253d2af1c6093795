// The one seam to the disk, for what must survive a power cut.
//
// PosixFileSystem() is the real one; FakeFileSystem (file_system_fake.h) forgets in Crash() what was not synced. What
// the seam promises: data is durable after AppendFile::Sync(), names (creation, renaming, removal) after
// SyncDirectory() of their folder; before that a crash may leave any part of it. Paths are plain strings, '/' between
// parts. Any thread, but one file object belongs to one thread at a time; Sync() may run beside Append().
#ifndef MUSTER_BASE_FILE_SYSTEM_H_
#define MUSTER_BASE_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::base {

// A file open for writing at its end.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // After an error any part of `data` may be in the file: truncate it. ResourceExhausted when the disk is full.
  virtual absl::Status Append(std::string_view data) = 0;
  // Makes what was appended before the call durable. After an error nothing is known of the unsynced part, and a
  // further Sync() that returns OK proves nothing.
  virtual absl::Status Sync() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates the file when there is none; mode 0600.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) = 0;
  // At most `size` bytes from `offset`; fewer at the file's end. NotFound when there is no such file.
  virtual absl::StatusOr<std::string> Read(const std::string& path, uint64_t offset, size_t size) = 0;
  virtual absl::StatusOr<uint64_t> Size(const std::string& path) = 0;
  // Cuts the file to `size` bytes and makes that durable.
  virtual absl::Status Truncate(const std::string& path, uint64_t size) = 0;
  // Replaces `to` when it is there.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Names (not paths) of what is in the folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // With its parents, mode 0700; OK when it is there already.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
};

// The machine's file system; lives for ever.
FileSystem& PosixFileSystem();

}  // namespace muster::base

#endif  // MUSTER_BASE_FILE_SYSTEM_H_
