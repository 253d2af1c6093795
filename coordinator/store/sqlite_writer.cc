#include "coordinator/store/sqlite_writer.h"

#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::coordinator {

absl::Status SqliteWriter::Commit(const WriteBatch& batch) {
  RETURN_IF_ERROR(connection_.Execute("BEGIN IMMEDIATE"));
  absl::Status status = Write(batch);
  if (status.ok()) status = connection_.Execute("COMMIT");
  if (status.ok()) return status;
  connection_.Execute("ROLLBACK").IgnoreError();  // SQLite may have rolled back already.
  attempt_ids_.clear();
  name_ids_.clear();
  return status;
}

absl::Status SqliteWriter::Write(const WriteBatch& batch) {
  if (attempt_ids_.size() > kMaxRemembered) attempt_ids_.clear();
  if (name_ids_.size() > kMaxRemembered) name_ids_.clear();
  RETURN_IF_ERROR(WriteMachines(batch));
  RETURN_IF_ERROR(WriteTokens(batch));
  RETURN_IF_ERROR(WriteQuarantines(batch));
  RETURN_IF_ERROR(WriteRuns(batch));
  RETURN_IF_ERROR(WriteJobs(batch));
  RETURN_IF_ERROR(WriteAttempts(batch));
  RETURN_IF_ERROR(WriteCases(batch));
  RETURN_IF_ERROR(WriteMeasurements(batch));
  return WriteEpoch(batch.last_epoch);
}

absl::Status SqliteWriter::WriteMachines(const WriteBatch& batch) {
  Statement put = connection_.Prepare("INSERT OR REPLACE INTO machines(name, status) VALUES(?, ?)");
  for (const MachineRecord& record : batch.machines) {
    v1::MachineStatus status;
    *status.mutable_machine() = record.machine;
    status.mutable_suites()->Assign(record.suites.begin(), record.suites.end());
    status.mutable_suite_problems()->Assign(record.suite_problems.begin(), record.suite_problems.end());
    status.set_enrolled_unix_ms(record.enrolled_unix_ms);
    status.set_last_seen_unix_ms(record.last_seen_unix_ms);
    *status.mutable_health() = record.health;
    status.SerializeToString(&scratch_);
    RETURN_IF_ERROR(put.Text(record.machine.name()).Blob(scratch_).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteTokens(const WriteBatch& batch) {
  Statement put = connection_.Prepare("INSERT OR REPLACE INTO tokens VALUES(?, ?, ?, ?, ?, ?, ?)");
  for (const TokenRecord& token : batch.tokens) {
    put.Text(token.id).Text(token.secret_sha256_hex).Int(token.role).Text(token.bound_name);
    RETURN_IF_ERROR(put.Int(token.expires_unix_ms).Int(token.used_unix_ms).Text(token.used_by).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteQuarantines(const WriteBatch& batch) {
  for (const QuarantineRow& row : batch.quarantines) {
    const v1::Quarantine& quarantine = row.quarantine;
    if (row.released) {
      Statement remove = connection_.Prepare("DELETE FROM quarantines WHERE machine = ? AND device_id = ?");
      RETURN_IF_ERROR(remove.Text(quarantine.machine()).Text(quarantine.device_id()).Run());
      continue;
    }
    Statement put = connection_.Prepare("INSERT OR REPLACE INTO quarantines VALUES(?, ?, ?, ?, ?)");
    put.Text(quarantine.machine()).Text(quarantine.device_id()).Text(quarantine.reason()).Text(quarantine.author());
    RETURN_IF_ERROR(put.Int(quarantine.since_unix_ms()).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteRuns(const WriteBatch& batch) {
  Statement put = connection_.Prepare(
      "INSERT INTO runs(id, plan_name, state, created_unix_ms, run) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(id) DO UPDATE SET state = excluded.state, run = excluded.run");
  for (const v1::Run& run : batch.runs) {
    run.SerializeToString(&scratch_);
    put.Text(run.id()).Text(run.plan().name()).Int(run.state()).Int(run.created_unix_ms());
    RETURN_IF_ERROR(put.Blob(scratch_).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteJobs(const WriteBatch& batch) {
  Statement put = connection_.Prepare(
      "INSERT INTO jobs(id, run_id, number, machine, suite, state, job) VALUES(?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(id) DO UPDATE SET state = excluded.state, job = excluded.job");
  for (const v1::Job& job : batch.jobs) {
    ASSIGN_OR_RETURN(const base::JobIdParts parts, base::ParseJobId(job.id()));
    job.SerializeToString(&scratch_);
    put.Text(job.id()).Text(job.run_id()).Int(parts.number).Text(job.machine()).Text(job.spec().suite());
    RETURN_IF_ERROR(put.Int(job.state()).Blob(scratch_).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteAttempts(const WriteBatch& batch) {
  Statement put = connection_.Prepare(
      "INSERT INTO attempts(job_id, attempt, fate, superseded, through_sequence, record) VALUES(?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(job_id, attempt) DO UPDATE SET fate = excluded.fate, superseded = excluded.superseded, "
      "through_sequence = excluded.through_sequence, record = excluded.record");
  for (const v1::Attempt& attempt : batch.attempts) {
    attempt.SerializeToString(&scratch_);
    put.Text(attempt.ref().job_id()).Int(attempt.ref().attempt()).Int(attempt.fate()).Int(attempt.superseded());
    RETURN_IF_ERROR(put.Int(static_cast<int64_t>(attempt.through_sequence())).Blob(scratch_).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteCases(const WriteBatch& batch) {
  Statement put = connection_.Prepare("INSERT OR REPLACE INTO cases VALUES(?, ?, ?, ?, ?)");
  for (const CaseRow& row : batch.cases) {
    ASSIGN_OR_RETURN(const int64_t attempt_id, AttemptId(row.job_id, row.attempt));
    row.result.SerializeToString(&scratch_);
    put.Int(attempt_id).Text(row.result.case_name()).Int(row.result.outcome()).Int(row.result.verdict());
    RETURN_IF_ERROR(put.Blob(scratch_).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteMeasurements(const WriteBatch& batch) {
  Statement put = connection_.Prepare("INSERT OR REPLACE INTO measurements VALUES(?, ?, ?, ?, ?, ?, ?)");
  const MeasurementRow* last = nullptr;
  int64_t attempt_id = 0;
  for (const MeasurementRow& row : batch.measurements) {
    if (last == nullptr || last->attempt != row.attempt || last->job_id != row.job_id) {
      ASSIGN_OR_RETURN(attempt_id, AttemptId(row.job_id, row.attempt));
    }
    last = &row;
    const v1::Measurement& measurement = row.measurement;
    ASSIGN_OR_RETURN(const int64_t name_id, NameId(measurement));
    put.Int(attempt_id).Int(static_cast<int64_t>(row.sequence)).Int(name_id);
    switch (measurement.value_case()) {
      case v1::Measurement::kNumber:
        put.Real(measurement.number());  // Not a number becomes NULL, and is in `rest`.
        break;
      case v1::Measurement::kText:
        put.Text(measurement.text());
        break;
      case v1::Measurement::kBoolean:
        put.Int(measurement.boolean());
        break;
      case v1::Measurement::VALUE_NOT_SET:
        put.Null();
    }
    put.Int(measurement.valid()).Int(measurement.time_unix_ms());
    const std::string rest = PackRest(measurement);
    RETURN_IF_ERROR((rest.empty() ? put.Null() : put.Blob(rest)).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::WriteEpoch(uint64_t last_epoch) {
  if (last_epoch == 0) return absl::OkStatus();
  Statement put = connection_.Prepare("INSERT OR REPLACE INTO counters VALUES('last_epoch', ?)");
  return put.Int(static_cast<int64_t>(last_epoch)).Run();
}

absl::StatusOr<int64_t> SqliteWriter::AttemptId(const std::string& job_id, uint32_t attempt) {
  const auto [it, added] = attempt_ids_.try_emplace({job_id, attempt}, 0);
  if (!added) return it->second;
  Statement find = connection_.Prepare("SELECT id FROM attempts WHERE job_id = ? AND attempt = ?");
  ASSIGN_OR_RETURN(const bool found, find.Text(job_id).Int(attempt).Step());
  if (!found) {
    return absl::InternalError(absl::StrCat("rows of attempt ", attempt, " of job ", job_id, ", which nobody wrote"));
  }
  return it->second = find.GetInt(0);
}

absl::StatusOr<int64_t> SqliteWriter::NameId(const v1::Measurement& m) {
  constexpr std::string_view kEnd("\0", 1);
  scratch_.clear();
  for (const std::string* part : {&m.name(), &m.device_id(), &m.case_name(), &m.subcomponent(), &m.unit()}) {
    scratch_.append(*part).append(kEnd);
  }
  const auto [it, added] = name_ids_.try_emplace(scratch_, 0);
  if (!added) return it->second;
  // An update that changes nothing, so that RETURNING has a row either way.
  Statement put = connection_.Prepare(
      "INSERT INTO measurement_names(name, device_id, case_name, subcomponent, unit) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id");
  put.Text(m.name()).Text(m.device_id()).Text(m.case_name()).Text(m.subcomponent()).Text(m.unit());
  ASSIGN_OR_RETURN(const bool row, put.Step());
  if (!row) return absl::InternalError("the database gave no id to a measurement's name");
  it->second = put.GetInt(0);
  RETURN_IF_ERROR(put.Run());
  return it->second;
}

std::string PackRest(const v1::Measurement& measurement) {
  const bool odd_number = measurement.has_number() && std::isnan(measurement.number());
  if (measurement.validators().empty() && !measurement.has_series_index() && !odd_number) return "";
  v1::Measurement rest;
  *rest.mutable_validators() = measurement.validators();
  if (measurement.has_series_index()) rest.set_series_index(measurement.series_index());
  if (odd_number) rest.set_number(measurement.number());
  return rest.SerializeAsString();
}

}  // namespace muster::coordinator
