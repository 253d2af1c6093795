#include "coordinator/store/sqlite_schema.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

// Number N brings a database from version N to N + 1. A landed step is never edited: add another.
constexpr const char* kSteps[] = {
    R"sql(
    CREATE TABLE machines(
      name TEXT PRIMARY KEY,
      status BLOB NOT NULL          -- muster.v1.MachineStatus: machine, suites, problems, times.
    ) WITHOUT ROWID;

    CREATE TABLE tokens(
      id TEXT PRIMARY KEY,
      secret_sha256_hex TEXT NOT NULL,
      role INTEGER NOT NULL,
      bound_name TEXT NOT NULL,
      expires_unix_ms INTEGER NOT NULL,
      used_unix_ms INTEGER NOT NULL,
      used_by TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

    CREATE TABLE runs(
      id TEXT PRIMARY KEY,
      plan_name TEXT NOT NULL,
      state INTEGER NOT NULL,       -- muster.v1.RunState
      created_unix_ms INTEGER NOT NULL,
      run BLOB NOT NULL             -- muster.v1.Run
    ) WITHOUT ROWID;
    CREATE INDEX runs_by_plan ON runs(plan_name, id);
    CREATE INDEX runs_active ON runs(id) WHERE state = 1;

    CREATE TABLE jobs(
      id TEXT PRIMARY KEY,
      run_id TEXT NOT NULL,
      number INTEGER NOT NULL,
      machine TEXT NOT NULL,
      suite TEXT NOT NULL,
      state INTEGER NOT NULL,       -- muster.v1.JobState
      job BLOB NOT NULL             -- muster.v1.Job without attempts.
    );
    CREATE INDEX jobs_by_run ON jobs(run_id, number);

    CREATE TABLE attempts(
      id INTEGER PRIMARY KEY,
      job_id TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      fate INTEGER NOT NULL,        -- muster.v1.Fate
      superseded INTEGER NOT NULL,
      through_sequence INTEGER NOT NULL,
      record BLOB NOT NULL,         -- muster.v1.Attempt without results.
      UNIQUE(job_id, attempt)
    );

    CREATE TABLE cases(
      attempt_id INTEGER NOT NULL,
      case_name TEXT NOT NULL,
      outcome INTEGER NOT NULL,     -- muster.v1.Verdict
      verdict INTEGER NOT NULL,
      result BLOB NOT NULL,         -- muster.v1.CaseResult
      PRIMARY KEY(attempt_id, case_name)
    ) WITHOUT ROWID;

    CREATE TABLE measurement_names(
      id INTEGER PRIMARY KEY,
      case_name TEXT NOT NULL,
      device_id TEXT NOT NULL,
      subcomponent TEXT NOT NULL,
      name TEXT NOT NULL,
      unit TEXT NOT NULL,
      UNIQUE(name, device_id, case_name, subcomponent, unit)
    );

    CREATE TABLE measurements(
      attempt_id INTEGER NOT NULL,
      sequence INTEGER NOT NULL,    -- Of the event.
      name_id INTEGER NOT NULL,
      value,                        -- REAL: a number. TEXT: a text. INTEGER: a truth value. NULL: see `rest`.
      valid INTEGER NOT NULL,
      time_unix_ms INTEGER NOT NULL,
      rest BLOB,                    -- muster.v1.Measurement, what the columns do not hold; NULL when that is nothing.
      PRIMARY KEY(attempt_id, sequence)
    ) WITHOUT ROWID;
    )sql",

    R"sql(
    CREATE TABLE quarantines(
      machine TEXT NOT NULL,
      device_id TEXT NOT NULL,      -- Empty: the whole machine.
      reason TEXT NOT NULL,
      author TEXT NOT NULL,
      since_unix_ms INTEGER NOT NULL,
      PRIMARY KEY(machine, device_id)
    ) WITHOUT ROWID;
    CREATE INDEX runs_finished ON runs(plan_name, id) WHERE state = 2;
    )sql",
};

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kSteps)); }

absl::Status MigrateSchema(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t found, connection.ReadInt("PRAGMA user_version"));
  if (found > SchemaVersion()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database has schema version ", found, ", this program knows versions up to ", SchemaVersion(),
                     ": start the newer coordinator that wrote it, or restore a backup from before it"));
  }
  for (int64_t version = found; version < SchemaVersion(); ++version) {
    const absl::Status done = connection.Execute(
        absl::StrCat("BEGIN IMMEDIATE;", kSteps[version], "PRAGMA user_version = ", version + 1, "; COMMIT;"));
    if (!done.ok()) {
      connection.Execute("ROLLBACK").IgnoreError();
      return done;
    }
  }
  return absl::OkStatus();
}

}  // namespace muster::coordinator
