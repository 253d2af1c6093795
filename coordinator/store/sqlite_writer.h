// Writes batches into the database: the statements, and the ids it has given to names. One thread at a time.
#ifndef MUSTER_COORDINATOR_STORE_SQLITE_WRITER_H_
#define MUSTER_COORDINATOR_STORE_SQLITE_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

class SqliteWriter {
 public:
  explicit SqliteWriter(Connection& connection) : connection_(connection) {}

  // One transaction; logs and artifacts are not its business.
  absl::Status Commit(const WriteBatch& batch);

 private:
  // Bounds of what is remembered; the database knows the rest.
  static constexpr size_t kMaxRemembered = 200'000;

  absl::Status Write(const WriteBatch& batch);
  absl::Status WriteMachines(const WriteBatch& batch);
  absl::Status WriteTokens(const WriteBatch& batch);
  absl::Status WriteQuarantines(const WriteBatch& batch);
  absl::Status WriteRuns(const WriteBatch& batch);
  absl::Status WriteJobs(const WriteBatch& batch);
  absl::Status WriteAttempts(const WriteBatch& batch);
  absl::Status WriteCases(const WriteBatch& batch);
  absl::Status WriteMeasurements(const WriteBatch& batch);
  absl::Status WriteEpoch(uint64_t last_epoch);

  absl::StatusOr<int64_t> AttemptId(const std::string& job_id, uint32_t attempt);
  absl::StatusOr<int64_t> NameId(const v1::Measurement& measurement);

  Connection& connection_;
  std::string scratch_;
  // What the transaction at hand made is forgotten when it fails.
  absl::flat_hash_map<std::pair<std::string, uint32_t>, int64_t> attempt_ids_;
  absl::flat_hash_map<std::string, int64_t> name_ids_;
};

// Packs what the columns of `measurements` do not hold; empty when that is nothing. The reverse is in sqlite_reader.cc.
std::string PackRest(const v1::Measurement& measurement);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_SQLITE_WRITER_H_
