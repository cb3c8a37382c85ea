#include "service/store/sqlite/schema.h"

#include "absl/strings/str_cat.h"

namespace rehearse::sqlite {
namespace {

// kMigrations[n] leads from version n to n + 1. Published ones never change.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE sessions (
  name TEXT NOT NULL PRIMARY KEY,
  record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE executions (
  id INTEGER PRIMARY KEY,
  arn TEXT NOT NULL UNIQUE,
  session TEXT NOT NULL,
  function_name TEXT NOT NULL,
  version TEXT NOT NULL,
  name TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  record BLOB NOT NULL,
  UNIQUE (session, function_name, name)
);
CREATE INDEX executions_by_start ON executions (session, start_time, arn);
CREATE INDEX executions_by_function ON executions (session, function_name, start_time, arn);

CREATE TABLE progress (
  execution INTEGER PRIMARY KEY,
  status INTEGER NOT NULL,
  progress BLOB NOT NULL
);

CREATE TABLE open_operations (
  execution INTEGER NOT NULL,
  position INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (execution, position)
) WITHOUT ROWID;

CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  execution INTEGER NOT NULL,
  first_event INTEGER NOT NULL,
  operations BLOB NOT NULL,
  reply BLOB,
  events BLOB NOT NULL
);
CREATE INDEX changes_of_execution ON changes (execution, first_event);
)sql",
};
static_assert(sizeof(kMigrations) / sizeof(kMigrations[0]) == kSchemaVersion);

absl::Status Migrate(Connection& connection, int64_t version) {
  for (; version < kSchemaVersion; ++version) {
    absl::Status status = connection.Execute(kMigrations[version]);
    if (!status.ok()) return status;
  }
  return connection.Execute(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                         "; PRAGMA user_version = ", kSchemaVersion));
}

}  // namespace

absl::Status MigrateSchema(Connection& connection, const std::string& path) {
  const absl::StatusOr<int64_t> tables = ReadPragma(connection, "schema_version");
  const absl::StatusOr<int64_t> application = ReadPragma(connection, "application_id");
  const absl::StatusOr<int64_t> version = ReadPragma(connection, "user_version");
  for (const absl::Status& status : {tables.status(), application.status(), version.status()}) {
    if (!status.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot use ", path, ": ", std::string(status.message())));
    }
  }
  if (*application != kApplicationId && *tables > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot use ", path, ": it is a database of another program"));
  }
  if (*version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot use ", path, ": its schema has version ", *version,
                     ", and this program knows versions up to ", kSchemaVersion,
                     "; use the newer program that wrote it"));
  }
  if (*version == kSchemaVersion) return absl::OkStatus();
  absl::Status status = connection.Execute("BEGIN IMMEDIATE");
  if (status.ok()) status = Migrate(connection, *version);
  if (status.ok()) status = connection.Execute("COMMIT");
  if (!status.ok()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace rehearse::sqlite
