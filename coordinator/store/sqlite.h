// SQLite as this project uses it: a connection, its prepared statements, errors that say what to do.
//
// A Connection and its statements belong to one thread at a time. Bound texts and blobs must live until the statement
// has run.
#ifndef MUSTER_COORDINATOR_STORE_SQLITE_H_
#define MUSTER_COORDINATOR_STORE_SQLITE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace muster::coordinator {

class Statement {
 public:
  // `statement` stays with its connection.
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  // Ready to be used again.
  ~Statement();

  // The next parameter. A bind that fails makes the step fail.
  Statement& Int(int64_t value);
  Statement& Real(double value);
  Statement& Text(std::string_view value);
  Statement& Blob(std::string_view value);
  Statement& Null();

  // Whether there is a row.
  absl::StatusOr<bool> Step();
  // Without looking at rows; ready to be bound again.
  absl::Status Run();

  // Of the row, columns from 0. Views live until the next step.
  int64_t GetInt(int column) const;
  double GetReal(int column) const;
  std::string_view GetBytes(int column) const;
  enum class Type { kNull, kInt, kReal, kText, kBlob };
  Type TypeOf(int column) const;

 private:
  void Note(int code);

  sqlite3* database_;
  sqlite3_stmt* statement_;
  int next_ = 1;
  int bind_error_ = 0;
};

class Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One statement or several, without parameters or rows.
  absl::Status Execute(const std::string& sql);
  // Prepared once for each text; at most one user of a text at a time. `sql` must be right: what cannot be prepared
  // fails in its first step.
  Statement Prepare(const char* sql);
  // The first column of the first row.
  absl::StatusOr<int64_t> ReadInt(const char* sql);

 private:
  explicit Connection(sqlite3* database) : database_(database) {}

  sqlite3* database_;
  std::map<std::string_view, sqlite3_stmt*> prepared_;  // Keys are literals.
};

// The connection's last error, with what can be done about it.
absl::Status SqliteError(sqlite3* database, int code, std::string_view what);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_SQLITE_H_
