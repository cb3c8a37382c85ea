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
    // Replicas and how long they own what they own. A token is never used again.
    "CREATE SEQUENCE rehearse.replica_token",
    "CREATE TABLE rehearse.replica ("
    " token BIGINT PRIMARY KEY,"
    " holder TEXT NOT NULL,"
    " address TEXT NOT NULL,"
    " lease_until TIMESTAMPTZ NOT NULL)",
    // Functions that workers serve, by the replica that they are connected to.
    "CREATE TABLE rehearse.place ("
    " session TEXT COLLATE \"C\" NOT NULL,"
    " function_name TEXT COLLATE \"C\" NOT NULL,"
    " token BIGINT NOT NULL,"
    " PRIMARY KEY (session, function_name, token))",

    "CREATE TABLE rehearse.session ("
    " name TEXT COLLATE \"C\" PRIMARY KEY,"
    " revision BIGINT NOT NULL,"
    " last_use TIMESTAMPTZ NOT NULL,"
    " record BYTEA NOT NULL)",

    // Trees of executions, by the id of the one at the top. wake_at in nanoseconds since 1970, for
    // trees that nobody owns.
    "CREATE TABLE rehearse.tree ("
    " id TEXT COLLATE \"C\" PRIMARY KEY,"
    " owner BIGINT,"
    " wake_at BIGINT NOT NULL) WITH (fillfactor = 70)",
    "CREATE INDEX tree_to_wake ON rehearse.tree (wake_at) WHERE owner IS NULL",
    "CREATE INDEX tree_by_owner ON rehearse.tree (owner) WHERE owner IS NOT NULL",
    // Functions for which trees that nobody owns await a place.
    "CREATE TABLE rehearse.pending_invocation ("
    " session TEXT COLLATE \"C\" NOT NULL,"
    " function_name TEXT COLLATE \"C\" NOT NULL,"
    " id TEXT COLLATE \"C\" NOT NULL,"
    " PRIMARY KEY (session, function_name, id))",
    "CREATE INDEX pending_invocation_by_tree ON rehearse.pending_invocation (id)",

    // start_time in nanoseconds since 1970. `id` is the last segment of the ARN, `root` that of the
    // execution at the top of the tree.
    "CREATE TABLE rehearse.execution ("
    " id TEXT COLLATE \"C\" PRIMARY KEY,"
    " root TEXT COLLATE \"C\" NOT NULL,"
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
    "CREATE INDEX execution_by_root ON rehearse.execution (root)",
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
