#include "coordinator/store/sqlite_reader.h"

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

// Every statement of its life sees the same state.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection) : connection_(connection), status_(connection.Execute("BEGIN")) {}
  ~ReadTransaction() {
    if (status_.ok()) connection_.Execute("COMMIT").IgnoreError();
  }
  const absl::Status& status() const { return status_; }

 private:
  Connection& connection_;
  absl::Status status_;
};

template <typename Message>
absl::Status Parse(std::string_view bytes, Message& message) {
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("a stored ", message.GetTypeName(), " cannot be read: restore the database from a backup"));
}

void SetValue(const Statement& row, int column, v1::Measurement& measurement) {
  switch (row.TypeOf(column)) {
    case Statement::Type::kReal:
      measurement.set_number(row.GetReal(column));
      break;
    case Statement::Type::kText:
      measurement.set_text(std::string(row.GetBytes(column)));
      break;
    case Statement::Type::kInt:
      measurement.set_boolean(row.GetInt(column) != 0);
      break;
    default:
      break;
  }
}

}  // namespace

absl::StatusOr<Snapshot> SqliteReader::Load() {
  ReadTransaction transaction(*connection_);
  RETURN_IF_ERROR(transaction.status());
  Snapshot snapshot;
  RETURN_IF_ERROR(LoadMachines(snapshot));
  RETURN_IF_ERROR(LoadTokens(snapshot));
  RETURN_IF_ERROR(LoadQuarantines(snapshot));
  ASSIGN_OR_RETURN(const int64_t epoch, connection_->ReadInt("SELECT value FROM counters WHERE name = 'last_epoch'"));
  snapshot.last_epoch = static_cast<uint64_t>(epoch);
  Statement runs = connection_->Prepare("SELECT run FROM runs WHERE state = 1 ORDER BY id");
  while (true) {
    ASSIGN_OR_RETURN(const bool row, runs.Step());
    if (!row) return snapshot;
    v1::Run& run = snapshot.active_runs.emplace_back();
    RETURN_IF_ERROR(Parse(runs.GetBytes(0), run));
    ASSIGN_OR_RETURN(std::vector<v1::Job> jobs, JobsOf(run.id()));
    for (v1::Job& job : jobs) snapshot.jobs.push_back(std::move(job));
  }
}

absl::Status SqliteReader::LoadMachines(Snapshot& snapshot) {
  Statement rows = connection_->Prepare("SELECT status FROM machines ORDER BY name");
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    v1::MachineStatus status;
    RETURN_IF_ERROR(Parse(rows.GetBytes(0), status));
    MachineRecord& record = snapshot.machines.emplace_back();
    record.machine = std::move(*status.mutable_machine());
    record.suites.assign(status.suites().begin(), status.suites().end());
    record.suite_problems.assign(status.suite_problems().begin(), status.suite_problems().end());
    record.enrolled_unix_ms = status.enrolled_unix_ms();
    record.last_seen_unix_ms = status.last_seen_unix_ms();
    record.health = std::move(*status.mutable_health());
  }
}

absl::Status SqliteReader::LoadTokens(Snapshot& snapshot) {
  Statement rows = connection_->Prepare("SELECT * FROM tokens ORDER BY id");
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    TokenRecord& token = snapshot.tokens.emplace_back();
    token.id = std::string(rows.GetBytes(0));
    token.secret_sha256_hex = std::string(rows.GetBytes(1));
    token.role = static_cast<v1::Role>(rows.GetInt(2));
    token.bound_name = std::string(rows.GetBytes(3));
    token.expires_unix_ms = rows.GetInt(4);
    token.used_unix_ms = rows.GetInt(5);
    token.used_by = std::string(rows.GetBytes(6));
  }
}

absl::Status SqliteReader::LoadQuarantines(Snapshot& snapshot) {
  Statement rows = connection_->Prepare(
      "SELECT machine, device_id, reason, author, since_unix_ms FROM quarantines ORDER BY machine, device_id");
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    v1::Quarantine& quarantine = snapshot.quarantines.emplace_back();
    quarantine.set_machine(std::string(rows.GetBytes(0)));
    quarantine.set_device_id(std::string(rows.GetBytes(1)));
    quarantine.set_reason(std::string(rows.GetBytes(2)));
    quarantine.set_author(std::string(rows.GetBytes(3)));
    quarantine.set_since_unix_ms(rows.GetInt(4));
  }
}

absl::StatusOr<std::vector<v1::Job>> SqliteReader::JobsOf(std::string_view run_id) {
  std::vector<v1::Job> jobs;
  {
    Statement rows = connection_->Prepare("SELECT job FROM jobs WHERE run_id = ? ORDER BY number");
    rows.Text(run_id);
    while (true) {
      ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) break;
      RETURN_IF_ERROR(Parse(rows.GetBytes(0), jobs.emplace_back()));
    }
  }
  for (v1::Job& job : jobs) RETURN_IF_ERROR(AddAttempts(job));
  return jobs;
}

absl::Status SqliteReader::AddAttempts(v1::Job& job) {
  Statement attempts = connection_->Prepare("SELECT id, record FROM attempts WHERE job_id = ? ORDER BY attempt");
  attempts.Text(job.id());
  while (true) {
    ASSIGN_OR_RETURN(const bool row, attempts.Step());
    if (!row) return absl::OkStatus();
    v1::Attempt& attempt = *job.add_attempts();
    RETURN_IF_ERROR(Parse(attempts.GetBytes(1), attempt));
    Statement cases = connection_->Prepare("SELECT result FROM cases WHERE attempt_id = ? ORDER BY case_name");
    cases.Int(attempts.GetInt(0));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, cases.Step());
      if (!more) break;
      RETURN_IF_ERROR(Parse(cases.GetBytes(0), *attempt.add_results()));
    }
  }
}

absl::StatusOr<std::vector<v1::Run>> SqliteReader::ListRuns(uint32_t limit, std::string_view before_run_id,
                                                            std::string_view plan_name) {
  // '~' is after every character of an id.
  const std::string_view before = before_run_id.empty() ? "~" : before_run_id;
  Statement rows =
      plan_name.empty()
          ? connection_->Prepare("SELECT run FROM runs WHERE id < ? ORDER BY id DESC LIMIT ?")
          : connection_->Prepare("SELECT run FROM runs WHERE id < ? AND plan_name = ? ORDER BY id DESC LIMIT ?");
  rows.Text(before);
  if (!plan_name.empty()) rows.Text(plan_name);
  rows.Int(limit);
  std::vector<v1::Run> runs;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return runs;
    RETURN_IF_ERROR(Parse(rows.GetBytes(0), runs.emplace_back()));
  }
}

absl::StatusOr<std::vector<v1::Run>> SqliteReader::LastRuns(uint32_t limit) {
  // Ids sort by time.
  Statement rows = connection_->Prepare(
      "SELECT run FROM runs WHERE id IN (SELECT max(id) FROM runs WHERE state = 2 GROUP BY plan_name) "
      "ORDER BY id DESC LIMIT ?");
  rows.Int(limit);
  std::vector<v1::Run> runs;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return runs;
    RETURN_IF_ERROR(Parse(rows.GetBytes(0), runs.emplace_back()));
  }
}

absl::StatusOr<StoredRun> SqliteReader::ReadRun(std::string_view run_id) {
  ReadTransaction transaction(*connection_);
  RETURN_IF_ERROR(transaction.status());
  Statement rows = connection_->Prepare("SELECT run FROM runs WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, rows.Text(run_id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("there is no run ", base::Quoted(run_id)));
  StoredRun stored;
  RETURN_IF_ERROR(Parse(rows.GetBytes(0), stored.run));
  ASSIGN_OR_RETURN(stored.jobs, JobsOf(run_id));
  return stored;
}

absl::StatusOr<std::vector<std::string>> SqliteReader::FindRuns(std::string_view prefix, uint32_t limit) {
  const std::string end = absl::StrCat(std::string(prefix), "~");
  Statement rows = connection_->Prepare("SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?");
  rows.Text(prefix).Text(end).Int(limit);
  std::vector<std::string> ids;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return ids;
    ids.emplace_back(rows.GetBytes(0));
  }
}

absl::StatusOr<v1::Job> SqliteReader::ReadJob(std::string_view job_id) {
  ReadTransaction transaction(*connection_);
  RETURN_IF_ERROR(transaction.status());
  Statement rows = connection_->Prepare("SELECT job FROM jobs WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, rows.Text(job_id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("there is no job ", base::Quoted(job_id)));
  v1::Job job;
  RETURN_IF_ERROR(Parse(rows.GetBytes(0), job));
  RETURN_IF_ERROR(AddAttempts(job));
  return job;
}

absl::StatusOr<std::vector<v1::JobMeasurements>> SqliteReader::ReadMeasurements(std::string_view run_id) {
  Statement rows = connection_->Prepare(
      "SELECT a.job_id, a.attempt, n.case_name, n.device_id, n.subcomponent, n.name, n.unit, m.value, m.valid, "
      "m.time_unix_ms, m.rest FROM jobs j CROSS JOIN attempts a ON a.job_id = j.id "
      "CROSS JOIN measurements m ON m.attempt_id = a.id CROSS JOIN measurement_names n ON n.id = m.name_id "
      "WHERE j.run_id = ? ORDER BY j.number, a.attempt, m.sequence");
  rows.Text(run_id);
  std::vector<v1::JobMeasurements> all;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return all;
    const std::string_view job_id = rows.GetBytes(0);
    const auto attempt = static_cast<uint32_t>(rows.GetInt(1));
    if (all.empty() || all.back().attempt() != attempt || all.back().job_id() != job_id) {
      all.emplace_back().set_job_id(std::string(job_id));
      all.back().set_attempt(attempt);
    }
    v1::Measurement& measurement = *all.back().add_measurements();
    RETURN_IF_ERROR(Parse(rows.GetBytes(10), measurement));
    measurement.set_case_name(std::string(rows.GetBytes(2)));
    measurement.set_device_id(std::string(rows.GetBytes(3)));
    measurement.set_subcomponent(std::string(rows.GetBytes(4)));
    measurement.set_name(std::string(rows.GetBytes(5)));
    measurement.set_unit(std::string(rows.GetBytes(6)));
    SetValue(rows, 7, measurement);
    measurement.set_valid(rows.GetInt(8) != 0);
    measurement.set_time_unix_ms(rows.GetInt(9));
  }
}

}  // namespace muster::coordinator
