// What the coordinator keeps: the one seam between its core, which decides, and the disk.
//
// The core fills a WriteBatch while it handles inputs; the daemon commits batch after batch on a thread of its own (a
// group commit: while one is being written the next one fills) and lets the effects of a batch out only when it is
// durable. A restarted coordinator gets its whole state back from Load(). One contract test runs on every backend
// (store_contract_test.h).
#ifndef MUSTER_COORDINATOR_STORE_STORE_H_
#define MUSTER_COORDINATOR_STORE_STORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/control_service.pb.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/health.pb.h"
#include "muster/v1/run.pb.h"
#include "muster/v1/suite.pb.h"

namespace muster::coordinator {

// A machine as it was last heard of.
struct MachineRecord {
  v1::Machine machine;  // `machine.name` is the key.
  std::vector<v1::SuiteManifest> suites;
  std::vector<std::string> suite_problems;
  int64_t enrolled_unix_ms = 0;
  int64_t last_seen_unix_ms = 0;
  v1::HealthReport health;  // The last that its agent sent.
};

// A single-use enrolment token. Only a hash of its secret is kept.
struct TokenRecord {
  std::string id;  // The key.
  std::string secret_sha256_hex;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string bound_name;  // Empty: any.
  int64_t expires_unix_ms = 0;
  int64_t used_unix_ms = 0;  // 0: not yet.
  std::string used_by;
};

// One case result, measurement, log chunk or artifact chunk of one attempt; `sequence` is the event's.
struct CaseRow {
  std::string job_id;
  uint32_t attempt = 0;
  v1::CaseResult result;  // (job, attempt, case name) is the key: a later row replaces an earlier one.
};
struct MeasurementRow {
  std::string job_id;
  uint32_t attempt = 0;
  uint64_t sequence = 0;
  v1::Measurement measurement;
};
struct LogRow {
  std::string job_id;
  uint32_t attempt = 0;
  uint64_t sequence = 0;
  v1::LogChunk chunk;
};
struct ArtifactRow {
  std::string job_id;
  uint32_t attempt = 0;
  uint64_t sequence = 0;
  v1::ArtifactChunk chunk;
};

// A quarantine as it begins, changes or ends; machine and device id are the key.
struct QuarantineRow {
  v1::Quarantine quarantine;
  bool released = false;
};

// One transaction: all or nothing. Records replace those of the same key.
struct WriteBatch {
  std::vector<MachineRecord> machines;
  std::vector<TokenRecord> tokens;
  std::vector<QuarantineRow> quarantines;  // In their order.
  std::vector<v1::Run> runs;
  std::vector<v1::Job> jobs;          // Without `attempts`.
  std::vector<v1::Attempt> attempts;  // Without `results`; carries the high-water mark `through_sequence`.
  std::vector<CaseRow> cases;
  std::vector<MeasurementRow> measurements;
  std::vector<LogRow> logs;            // To the chunk files, before the transaction.
  std::vector<ArtifactRow> artifacts;  // Likewise.
  uint64_t last_epoch = 0;             // 0: unchanged.

  bool empty() const {
    return machines.empty() && tokens.empty() && quarantines.empty() && runs.empty() && jobs.empty() &&
           attempts.empty() && cases.empty() && measurements.empty() && logs.empty() && artifacts.empty() &&
           last_epoch == 0;
  }
};

// What a coordinator needs in memory when it starts: the fleet and all that is not finished.
struct Snapshot {
  std::vector<MachineRecord> machines;
  std::vector<TokenRecord> tokens;
  std::vector<v1::Quarantine> quarantines;
  std::vector<v1::Run> active_runs;
  // The jobs of the active runs, with attempts and results.
  std::vector<v1::Job> jobs;
  uint64_t last_epoch = 0;
};

struct StoredRun {
  v1::Run run;
  std::vector<v1::Job> jobs;  // With attempts and results.
};

class Store {
 public:
  virtual ~Store() = default;

  // Durable when it returns OK; not done at all otherwise. One thread at a time.
  virtual absl::Status Commit(const WriteBatch& batch) = 0;
  virtual absl::StatusOr<Snapshot> Load() = 0;

  // Queries; any thread, also beside a Commit.
  // Newest first; runs older than `before_run_id` when that is not empty, of `plan_name` when that is not empty.
  virtual absl::StatusOr<std::vector<v1::Run>> ListRuns(uint32_t limit, std::string_view before_run_id,
                                                        std::string_view plan_name) = 0;
  // The newest finished run of each plan, at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Run>> LastRuns(uint32_t limit) = 0;
  // NotFound when there is none. `run_id` is whole.
  virtual absl::StatusOr<StoredRun> ReadRun(std::string_view run_id) = 0;
  // Whole ids of the runs that begin with `prefix`, newest first, at most `limit`.
  virtual absl::StatusOr<std::vector<std::string>> FindRuns(std::string_view prefix, uint32_t limit) = 0;
  // The run and job of an attempt whose run is no longer in memory; NotFound when there is none.
  virtual absl::StatusOr<v1::Job> ReadJob(std::string_view job_id) = 0;
  // Measurements of all attempts of the run's jobs, by job, attempt, sequence.
  virtual absl::StatusOr<std::vector<v1::JobMeasurements>> ReadMeasurements(std::string_view run_id) = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_STORE_H_
