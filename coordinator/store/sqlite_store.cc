#include "coordinator/store/sqlite_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/file_system.h"
#include "base/status_macros.h"
#include "coordinator/store/sqlite_schema.h"

namespace muster::coordinator {
namespace {

// A checkpoint costs two syncs: one for each 16 MiB of log rather than for each 4.
constexpr char kSettings[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;"
    "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const SqliteStoreOptions& options) {
  RETURN_IF_ERROR(base::MakeFolders(options.folder, 0700));
  ASSIGN_OR_RETURN(std::unique_ptr<FolderLock> lock, FolderLock::Take(options.folder));
  const std::string path = base::JoinPath(options.folder, "muster.db");
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(path, Connection::Mode::kReadWrite));
  RETURN_IF_ERROR(connection->Execute(kSettings));
  RETURN_IF_ERROR(MigrateSchema(*connection));
  return std::unique_ptr<SqliteStore>(new SqliteStore(options, std::move(lock), std::move(connection)));
}

SqliteStore::SqliteStore(const SqliteStoreOptions& options, std::unique_ptr<FolderLock> lock,
                         std::unique_ptr<Connection> connection)
    : path_(base::JoinPath(options.folder, "muster.db")),
      lock_(std::move(lock)),
      connection_(std::move(connection)),
      writer_(*connection_),
      chunk_files_(base::PosixFileSystem(), base::JoinPath(options.folder, "logs"), options.limits) {}

absl::Status SqliteStore::Commit(const WriteBatch& batch) {
  RETURN_IF_ERROR(chunk_files_.Append(batch.logs, batch.artifacts));
  return writer_.Commit(batch);
}

template <typename Query>
auto SqliteStore::Read(Query query) -> decltype(query(std::declval<SqliteReader&>())) {
  std::unique_ptr<SqliteReader> reader;
  {
    base::MutexLock lock(mutex_);
    if (!idle_readers_.empty()) {
      reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (reader == nullptr) {
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(path_, Connection::Mode::kReadOnly));
    reader = std::make_unique<SqliteReader>(std::move(connection));
  }
  auto result = query(*reader);
  base::MutexLock lock(mutex_);
  if (idle_readers_.size() < kIdleReaders) idle_readers_.push_back(std::move(reader));
  return result;
}

absl::StatusOr<Snapshot> SqliteStore::Load() {
  return Read([](SqliteReader& reader) { return reader.Load(); });
}

absl::StatusOr<std::vector<v1::Run>> SqliteStore::ListRuns(uint32_t limit, std::string_view before_run_id,
                                                           std::string_view plan_name) {
  return Read([&](SqliteReader& reader) { return reader.ListRuns(limit, before_run_id, plan_name); });
}

absl::StatusOr<std::vector<v1::Run>> SqliteStore::LastRuns(uint32_t limit) {
  return Read([&](SqliteReader& reader) { return reader.LastRuns(limit); });
}

absl::StatusOr<StoredRun> SqliteStore::ReadRun(std::string_view run_id) {
  return Read([&](SqliteReader& reader) { return reader.ReadRun(run_id); });
}

absl::StatusOr<std::vector<std::string>> SqliteStore::FindRuns(std::string_view prefix, uint32_t limit) {
  return Read([&](SqliteReader& reader) { return reader.FindRuns(prefix, limit); });
}

absl::StatusOr<v1::Job> SqliteStore::ReadJob(std::string_view job_id) {
  return Read([&](SqliteReader& reader) { return reader.ReadJob(job_id); });
}

absl::StatusOr<std::vector<v1::JobMeasurements>> SqliteStore::ReadMeasurements(std::string_view run_id) {
  return Read([&](SqliteReader& reader) { return reader.ReadMeasurements(run_id); });
}

}  // namespace muster::coordinator
