// Whole small files: read within a bound, written so that a crash leaves the old content or the new, never a mixture.
//
// Any thread. Messages name the path, what was tried and what the system said.
#ifndef MUSTER_BASE_FILE_H_
#define MUSTER_BASE_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::base {

// The whole content. NotFound when there is no such file, PermissionDenied, OutOfRange when it is longer than
// `limit_bytes`. Also reads files whose size the kernel does not tell (/proc, /sys).
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit_bytes);

// Replaces `path` or makes it, with exactly these mode bits. When it returns OK the content and the name are on the
// disk.
absl::Status WriteFileAtomic(const std::string& path, std::string_view content, mode_t mode = 0644);

// Makes the folder and those above it that are missing, each with `mode` (less the umask). OK when it is there already.
absl::Status MakeFolders(const std::string& path, mode_t mode = 0755);

// Makes the names in a folder durable: after files were made, renamed or removed in it.
absl::Status SyncFolder(const std::string& path);

// Whether anything of this name is there (a dangling symbolic link is).
bool FileExists(const std::string& path);

// "FOLDER/NAME" with one slash between.
std::string JoinPath(std::string_view folder, std::string_view name);

// A Status whose code fits `error_number` (ENOENT: NotFound, EACCES: PermissionDenied, ENOSPC: ResourceExhausted, …):
// "WHAT: No such file or directory".
absl::Status ErrnoStatus(int error_number, std::string_view what);

}  // namespace muster::base

#endif  // MUSTER_BASE_FILE_H_
