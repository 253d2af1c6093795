#include "coordinator/store/sqlite.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

// A temporary that is bound but empty must not become NULL.
const char* DataOf(std::string_view bytes) { return bytes.data() == nullptr ? "" : bytes.data(); }

}  // namespace

absl::Status SqliteError(sqlite3* database, int code, std::string_view what) {
  const char* path = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const std::string text =
      absl::StrCat(std::string(what), ": ", database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database), " (",
                   path == nullptr ? "no file" : path, ")");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(text, ": free space on that disk; nothing is lost meanwhile"));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat(text, ": look at the disk and at the kernel's log"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(text, ": restore the database from a backup, or rescue what is left with",
                                              " sqlite3's .recover"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(
          absl::StrCat(text, ": the coordinator must own that folder and may write in it"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(text, ": another program has the database locked; end it"));
    default:
      return absl::InternalError(text);
  }
}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::Note(int code) {
  ++next_;
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::Int(int64_t value) {
  Note(sqlite3_bind_int64(statement_, next_, value));
  return *this;
}
Statement& Statement::Real(double value) {
  Note(sqlite3_bind_double(statement_, next_, value));
  return *this;
}
Statement& Statement::Text(std::string_view value) {
  Note(sqlite3_bind_text64(statement_, next_, DataOf(value), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}
Statement& Statement::Blob(std::string_view value) {
  Note(sqlite3_bind_blob64(statement_, next_, DataOf(value), value.size(), SQLITE_STATIC));
  return *this;
}
Statement& Statement::Null() {
  Note(sqlite3_bind_null(statement_, next_));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) return SqliteError(database_, bind_error_, "bind");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(database_, code, "database");
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  sqlite3_reset(statement_);
  next_ = 1;
  return row.status();
}

int64_t Statement::GetInt(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::GetReal(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::GetBytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Statement::Type Statement::TypeOf(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return Type::kInt;
    case SQLITE_FLOAT:
      return Type::kReal;
    case SQLITE_TEXT:
      return Type::kText;
    case SQLITE_BLOB:
      return Type::kBlob;
    default:
      return Type::kNull;
  }
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Mode mode) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (code != SQLITE_OK) return SqliteError(database, code, absl::StrCat("cannot open ", path));
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

absl::Status Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(database_, code, "database");
}

Statement Connection::Prepare(const char* sql) {
  sqlite3_stmt*& statement = prepared_[sql];
  if (statement == nullptr) {
    sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  }
  return Statement(database_, statement);
}

absl::StatusOr<int64_t> Connection::ReadInt(const char* sql) {
  Statement statement = Prepare(sql);
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.GetInt(0) : 0;
}

}  // namespace muster::coordinator
