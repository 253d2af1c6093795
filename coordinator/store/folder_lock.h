// Keeps a second coordinator from a data folder that is in use: a lock that ends with its process.
#ifndef MUSTER_COORDINATOR_STORE_FOLDER_LOCK_H_
#define MUSTER_COORDINATOR_STORE_FOLDER_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace muster::coordinator {

class FolderLock {
 public:
  // FailedPrecondition, with the other's process id, when somebody has it.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_FOLDER_LOCK_H_
