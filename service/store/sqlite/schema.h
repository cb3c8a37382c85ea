// The schema of a SQLite store and how a file gets to it. docs/store.md describes it.
//
//   absl::Status ready = MigrateSchema(connection, path);
#ifndef REHEARSE_SERVICE_STORE_SQLITE_SCHEMA_H_
#define REHEARSE_SERVICE_STORE_SQLITE_SCHEMA_H_

#include <string>

#include "absl/status/status.h"
#include "service/store/sqlite/connection.h"

namespace rehearse::sqlite {

// Marks our files (PRAGMA application_id): "rhrs".
inline constexpr int64_t kApplicationId = 0x72687273;
// PRAGMA user_version.
inline constexpr int64_t kSchemaVersion = 1;

// Brings an empty or older database to kSchemaVersion, in one transaction. FailedPrecondition for
// one that is not ours or that a newer program has written, which stay as they are. `path` is for
// the texts.
absl::Status MigrateSchema(Connection& connection, const std::string& path);

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_SCHEMA_H_
