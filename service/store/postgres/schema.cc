#include "service/store/postgres/schema.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "service/store/postgres/database.h"

namespace rehearse::postgres {
namespace {

// Texts compare as bytes, in whatever language the database speaks.
constexpr absl::string_view kVersionTable[] = {
    "CREATE SCHEMA IF NOT EXISTS rehearse",
    "CREATE TABLE IF NOT EXISTS rehearse.schema_version ("
    " singleton BIGINT PRIMARY KEY,"
    " version BIGINT NOT NULL)",
    "INSERT INTO rehearse.schema_version VALUES (1, 0) ON CONFLICT DO NOTHING",
};

constexpr absl::string_view kToVersion1[] = {
    // Servers and how long they own what they own. A token is never used again.
    "CREATE SEQUENCE rehearse.replica_token",
    "CREATE TABLE rehearse.replica ("
    " token BIGINT PRIMARY KEY,"
    " holder TEXT NOT NULL,"
    " lease_until TIMESTAMPTZ NOT NULL)",

    "CREATE TABLE rehearse.session ("
    " name TEXT COLLATE \"C\" PRIMARY KEY,"
    " record BYTEA NOT NULL)",

    // start_time in nanoseconds since 1970. `id` is the last segment of the ARN.
    "CREATE TABLE rehearse.execution ("
    " id TEXT COLLATE \"C\" PRIMARY KEY,"
    " arn TEXT COLLATE \"C\" NOT NULL,"
    " session TEXT COLLATE \"C\" NOT NULL,"
    " function_name TEXT COLLATE \"C\" NOT NULL,"
    " version TEXT COLLATE \"C\" NOT NULL,"
    " name TEXT COLLATE \"C\" NOT NULL,"
    " start_time BIGINT NOT NULL,"
    " status BIGINT NOT NULL,"
    " record BYTEA NOT NULL,"
    " progress BYTEA NOT NULL,"
    " UNIQUE (session, function_name, name)) WITH (fillfactor = 70)",
    "CREATE INDEX execution_by_start ON rehearse.execution (session, start_time, arn)",
    "CREATE INDEX execution_by_function"
    " ON rehearse.execution (session, function_name, start_time, arn)",

    "CREATE TABLE rehearse.operation ("
    " id TEXT COLLATE \"C\" NOT NULL,"
    " position BIGINT NOT NULL,"
    " pending BOOLEAN NOT NULL,"
    " record BYTEA NOT NULL,"
    " PRIMARY KEY (id, position)) WITH (fillfactor = 85)",
    "CREATE INDEX operation_pending ON rehearse.operation (id, position) WHERE pending",

    "CREATE TABLE rehearse.event ("
    " id TEXT COLLATE \"C\" NOT NULL,"
    " event_id BIGINT NOT NULL,"
    " event BYTEA NOT NULL,"
    " PRIMARY KEY (id, event_id))",

    // `sequence` is that of the checkpoint token.
    "CREATE TABLE rehearse.reply ("
    " id TEXT COLLATE \"C\" NOT NULL,"
    " sequence BIGINT NOT NULL,"
    " reply BYTEA NOT NULL,"
    " PRIMARY KEY (id, sequence))",
};

// kMigrations[n] leads from version n to version n + 1. Never changed once released.
const absl::Span<const absl::string_view> kMigrations[kPostgresSchemaVersion] = {kToVersion1};

constexpr Statement kLockVersion = {nullptr,
                                    "SELECT version FROM rehearse.schema_version FOR UPDATE"};
constexpr Statement kSetVersion = {nullptr,
                                   "UPDATE rehearse.schema_version SET version = $1::bigint"};

// In a transaction that is rolled back unless OK is returned.
absl::Status Migrate(Connection& connection) {
  const absl::StatusOr<std::vector<Result>> found = connection.Run({{&kLockVersion, {}}});
  if (!found.ok()) return found.status();
  const int64_t version = (*found)[0].Int(0, 0);
  if (version == kPostgresSchemaVersion) return absl::OkStatus();
  if (version > kPostgresSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", version, ", this program knows versions up to ",
        kPostgresSchemaVersion, "; use a newer program"));
  }
  for (int64_t from = version; from < kPostgresSchemaVersion; ++from) {
    for (const absl::string_view sql : kMigrations[from]) {
      const absl::Status status = connection.Execute(sql);
      if (!status.ok()) return status;
    }
  }
  return connection.Run({{&kSetVersion, {IntParameter(kPostgresSchemaVersion)}}}).status();
}

}  // namespace

absl::Status MigrateSchema(Connection& connection) {
  absl::Status status;
  // Two that create the same thing at once: one of them gets an error, and finds it there when it
  // looks again.
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    status = connection.Execute("BEGIN");
    for (const absl::string_view sql : kVersionTable) {
      if (status.ok()) status = connection.Execute(sql);
    }
    if (status.ok()) status = Migrate(connection);
    if (status.ok()) status = connection.Execute("COMMIT");
    if (status.ok() || connection.lost()) return status;
    (void)connection.Execute("ROLLBACK");
    if (absl::IsFailedPrecondition(status)) return status;
    absl::SleepFor(RepeatDelay(attempt));
  }
  return status;
}

}  // namespace rehearse::postgres
