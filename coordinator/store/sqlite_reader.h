// Reads the database: one connection, one thread at a time.
#ifndef MUSTER_COORDINATOR_STORE_SQLITE_READER_H_
#define MUSTER_COORDINATOR_STORE_SQLITE_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

// The queries of Store, each on one consistent state.
class SqliteReader {
 public:
  explicit SqliteReader(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  absl::StatusOr<Snapshot> Load();
  absl::StatusOr<std::vector<v1::Run>> ListRuns(uint32_t limit, std::string_view before_run_id,
                                                std::string_view plan_name);
  absl::StatusOr<std::vector<v1::Run>> LastRuns(uint32_t limit);
  absl::StatusOr<StoredRun> ReadRun(std::string_view run_id);
  absl::StatusOr<std::vector<std::string>> FindRuns(std::string_view prefix, uint32_t limit);
  absl::StatusOr<v1::Job> ReadJob(std::string_view job_id);
  absl::StatusOr<std::vector<v1::JobMeasurements>> ReadMeasurements(std::string_view run_id);

 private:
  absl::StatusOr<std::vector<v1::Job>> JobsOf(std::string_view run_id);
  absl::Status AddAttempts(v1::Job& job);
  absl::Status LoadMachines(Snapshot& snapshot);
  absl::Status LoadTokens(Snapshot& snapshot);
  absl::Status LoadQuarantines(Snapshot& snapshot);

  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_SQLITE_READER_H_
