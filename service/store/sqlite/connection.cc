#include "service/store/sqlite/connection.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"

namespace rehearse::sqlite {
namespace {

constexpr int kBusyMilliseconds = 5000;

absl::Status StoreError(sqlite3* database) {
  return errors::StoreUnavailable(absl::StrCat("The store failed: ", sqlite3_errmsg(database)));
}

// SQLite's count of its own memory takes a lock that all connections share.
void SwitchOffMemoryStatistics() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

}  // namespace

Statement::Statement(sqlite3* database, absl::string_view sql) : database_(database) {
  sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                     &statement_, nullptr);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::BindAt(int index, absl::string_view text) {
  // Of an empty view SQLite would make NULL.
  sqlite3_bind_text(statement_, index, text.empty() ? "" : text.data(),
                    static_cast<int>(text.size()), SQLITE_STATIC);
}

void Statement::BindAt(int index, Blob blob) {
  sqlite3_bind_blob64(statement_, index, blob.bytes.empty() ? "" : blob.bytes.data(),
                      blob.bytes.size(), SQLITE_STATIC);
}

absl::StatusOr<bool> Statement::Step() {
  code_ = statement_ == nullptr ? sqlite3_extended_errcode(database_) : sqlite3_step(statement_);
  if (code_ == SQLITE_ROW) return true;
  absl::Status error;
  if (code_ != SQLITE_DONE) error = StoreError(database_);
  Reset();
  if (!error.ok()) return error;
  return false;
}

absl::Status Statement::Run() {
  while (true) {
    const absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

void Statement::Reset() { sqlite3_reset(statement_); }

absl::string_view Statement::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return absl::string_view(bytes, sqlite3_column_bytes(statement_, column));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path) {
  SwitchOffMemoryStatistics();
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (code != SQLITE_OK) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open the database ", path, ": ", sqlite3_errmsg(database)));
  }
  sqlite3_extended_result_codes(database, 1);
  // An operator's tool may hold the file for a moment.
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  return connection;
}

Connection::~Connection() {
  prepared_.clear();
  sqlite3_close(database_);
}

absl::Status Connection::Execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return StoreError(database_);
}

Statement& Connection::Prepared(const char* sql) {
  std::unique_ptr<Statement>& statement = prepared_[sql];
  if (statement == nullptr) statement = std::make_unique<Statement>(database_, sql);
  return *statement;
}

absl::StatusOr<int64_t> ReadPragma(Connection& connection, absl::string_view name) {
  Statement pragma(connection.database(), absl::StrCat("PRAGMA ", name));
  const absl::StatusOr<bool> row = pragma.Step();
  if (!row.ok()) return row.status();
  return *row ? pragma.Int(0) : 0;
}

}  // namespace rehearse::sqlite
