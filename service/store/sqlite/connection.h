// Connection: one connection to a SQLite database, and the statements prepared on it.
//
//   absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path);
//   Statement& find = (*connection)->Prepared("SELECT id FROM executions WHERE arn = ?");
//   find.Bind(arn);
//   absl::StatusOr<bool> found = find.Step();
//   if (found.ok() && *found) id = find.Int(0);
#ifndef REHEARSE_SERVICE_STORE_SQLITE_CONNECTION_H_
#define REHEARSE_SERVICE_STORE_SQLITE_CONNECTION_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rehearse::sqlite {

// Bytes of a message, as opposed to text.
struct Blob {
  absl::string_view bytes;
};

// Errors: errors::StoreUnavailable with SQLite's words.
class Statement {
 public:
  // `sql` is one statement. One that SQLite cannot prepare says so in each Step.
  Statement(sqlite3* database, absl::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Rewinds, and gives the parameters, all of them, in order. What a view shows has to stay as it
  // is until the statement is rewound.
  template <typename... Values>
  void Bind(const Values&... values) {
    Reset();
    int index = 0;
    (BindAt(++index, values), ...);
  }
  // One parameter of a statement that has not been stepped; they count from 1.
  void BindAt(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void BindAt(int index, absl::string_view text);
  void BindAt(int index, Blob blob);

  // True: the next row is there. False: there is none any more; rewound.
  absl::StatusOr<bool> Step();
  // All of it; rows are ignored.
  absl::Status Run();
  // Rewinds; a statement that was not stepped to its end goes on reading otherwise.
  void Reset();

  // SQLite's result code of the last step, an extended one.
  int code() const { return code_; }

  // Of the row; columns count from 0. Views are valid until the next step.
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  absl::string_view Bytes(int column) const;
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

// Used by one thread at a time.
class Connection {
 public:
  // Creates the file if it is not there. FailedPrecondition when it cannot be opened.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path);
  ~Connection();

  // Runs any number of statements.
  absl::Status Execute(const std::string& sql);

  // Kept prepared under the address of the text: a literal. Rewound by the next Bind.
  Statement& Prepared(const char* sql);

  // Whether no transaction is open: SQLite ends one by itself on some errors.
  bool in_autocommit() const { return sqlite3_get_autocommit(database_) != 0; }
  sqlite3* database() { return database_; }

 private:
  explicit Connection(sqlite3* database) : database_(database) {}

  sqlite3* const database_;
  absl::flat_hash_map<const char*, std::unique_ptr<Statement>> prepared_;
};

// What the value of a single-valued pragma is.
absl::StatusOr<int64_t> ReadPragma(Connection& connection, absl::string_view name);

// A transaction in which all reads see the same state. Ended by the destructor.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection) : connection_(connection) {
    status_ = connection_.Prepared("BEGIN").Run();
  }
  ~ReadTransaction() { connection_.Prepared("COMMIT").Run().IgnoreError(); }
  const absl::Status& status() const { return status_; }

 private:
  Connection& connection_;
  absl::Status status_;
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_CONNECTION_H_
