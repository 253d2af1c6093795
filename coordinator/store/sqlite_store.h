// The Store on SQLite, with logs and artifacts in chunk files: what one coordinator keeps, in one folder.
//
//   FOLDER/muster.db (and -wal, -shm)   everything but logs and artifacts; WAL, synchronous=FULL
//   FOLDER/logs/RUN/…                   chunk files (chunk_files.h)
//   FOLDER/coordinator.lock             held while the store is open
//
// A commit appends to the chunk files and syncs them, then makes one transaction. A crash between the two leaves chunks
// that come again with their events and are not appended twice. Queries run on connections of their own.
#ifndef MUSTER_COORDINATOR_STORE_SQLITE_STORE_H_
#define MUSTER_COORDINATOR_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "coordinator/store/chunk_files.h"
#include "coordinator/store/folder_lock.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sqlite_writer.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

struct SqliteStoreOptions {
  std::string folder;  // Made when it is not there.
  ChunkFileLimits limits;
};

class SqliteStore final : public Store {
 public:
  // FailedPrecondition when another coordinator uses the folder, or a newer one wrote the database.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const SqliteStoreOptions& options);

  absl::Status Commit(const WriteBatch& batch) override;
  absl::StatusOr<Snapshot> Load() override;
  absl::StatusOr<std::vector<v1::Run>> ListRuns(uint32_t limit, std::string_view before_run_id,
                                                std::string_view plan_name) override;
  absl::StatusOr<std::vector<v1::Run>> LastRuns(uint32_t limit) override;
  absl::StatusOr<StoredRun> ReadRun(std::string_view run_id) override;
  absl::StatusOr<std::vector<std::string>> FindRuns(std::string_view prefix, uint32_t limit) override;
  absl::StatusOr<v1::Job> ReadJob(std::string_view job_id) override;
  absl::StatusOr<std::vector<v1::JobMeasurements>> ReadMeasurements(std::string_view run_id) override;

  // Logs and artifacts; lives as long as the store.
  JobFiles& files() { return chunk_files_; }

 private:
  static constexpr size_t kIdleReaders = 4;

  SqliteStore(const SqliteStoreOptions& options, std::unique_ptr<FolderLock> lock,
              std::unique_ptr<Connection> connection);

  // Runs `query(SqliteReader&)` on a connection that nobody else uses meanwhile.
  template <typename Query>
  auto Read(Query query) -> decltype(query(std::declval<SqliteReader&>()));

  const std::string path_;
  const std::unique_ptr<FolderLock> lock_;
  const std::unique_ptr<Connection> connection_;
  SqliteWriter writer_;
  ChunkFiles chunk_files_;

  base::Mutex mutex_;
  std::vector<std::unique_ptr<SqliteReader>> idle_readers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_SQLITE_STORE_H_
