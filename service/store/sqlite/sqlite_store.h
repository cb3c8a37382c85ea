// SqliteStore: executions in a SQLite database: one file that outlives the process.
//
// Writes go through one thread, with group commit; reads have connections of their own and see what
// has been committed. The file is in WAL mode, and held by one store at a time. docs/store.md has
// the schema and says what is promised.
//
//   absl::StatusOr<SqliteOptions> options = ParseSqliteAddress("sqlite:/var/lib/rehearse.db");
//   absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(*options);
//   (*store)->Commit({&delta}, [](absl::Status status) { ... });   // called on the store's thread
#ifndef REHEARSE_SERVICE_STORE_SQLITE_SQLITE_STORE_H_
#define REHEARSE_SERVICE_STORE_SQLITE_SQLITE_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/store/execution_store.h"

namespace rehearse {

struct SqliteOptions {
  std::string path;
  // True: each commit is on the disk before it is answered. False: before a checkpoint of the WAL
  // at the latest; a crash of the process loses nothing, one of the machine the last commits.
  bool full_sync = true;
};

// sqlite:PATH or sqlite:PATH?synchronous=FULL|NORMAL. InvalidArgument says what is wrong.
absl::StatusOr<SqliteOptions> ParseSqliteAddress(absl::string_view address);

// Thread-safe.
class SqliteStore final : public ExecutionStore {
 public:
  // Creates the file if it is not there. FailedPrecondition when it cannot be used, or another
  // store has it open.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const SqliteOptions& options);
  // Writes and answers what has been committed.
  ~SqliteStore() override;

  void Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) override;
  absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn) override;
  absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn) override;
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                    int64_t last_id) override;
  // O(page) for every query that does not filter by status or version, or by name without a
  // function.
  absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query) override;
  absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                         absl::string_view function_name,
                                                         absl::string_view name) override;
  absl::Status VisitExecutions(Visit visit) override;
  absl::Status Delete(const std::vector<std::string>& arns) override;
  absl::Status PutSession(const record::SessionRecord& session) override;
  absl::StatusOr<std::vector<record::SessionRecord>> Sessions() override;
  absl::Status DeleteSession(absl::string_view session) override;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_SQLITE_SQLITE_STORE_H_
