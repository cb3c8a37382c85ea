// The tables in which PostgresStore keeps executions, in a schema `rehearse` of the database; and
// how a database of an older version becomes one of today's.
//
//   absl::Status status = MigrateSchema(connection);
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_SCHEMA_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_SCHEMA_H_

#include "absl/status/status.h"
#include "service/store/postgres/connection.h"

namespace rehearse::postgres {

// The version that this program writes.
inline constexpr int kPostgresSchemaVersion = 1;

// Makes the tables, or brings them to today's version, all or nothing. Several servers may do so at
// once. FailedPrecondition when the database is of a newer version.
absl::Status MigrateSchema(Connection& connection);

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_SCHEMA_H_
