// PostgresStore: executions kept in a PostgreSQL database.
//
//   auto options = ParsePostgresAddress("postgres://rehearse@db.example.com/rehearse");
//   absl::StatusOr<std::unique_ptr<PostgresStore>> store =
//   PostgresStore::Open(*std::move(options));
//   (*store)->Commit({&delta}, [](absl::Status status) { ... });    // called on a thread of the
//   store
//
// Several servers may write to a database: each of them holds a lease (replica_lease.h), and owns
// trees of executions (replica_group.h). What it owns is its own to keep apart: the store checks
// the lease, not whose execution it is. While PostgreSQL is away, calls answer with
// errors::StoreUnavailable, and the store finds back to it by itself. What the tables are is told
// in schema.cc and docs/store.md.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_STORE_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/store/execution_store.h"
#include "service/store/postgres/commit_writer.h"
#include "service/store/postgres/database.h"
#include "service/store/postgres/replica_lease.h"
#include "service/store/postgres/work_claimer.h"
#include "service/store/replica_group.h"

namespace rehearse {

// Thread-safe.
class PostgresStore final : public ExecutionStore, public ReplicaGroup {
 public:
  struct Options {
    // As libpq takes it.
    std::string url;
    // How long a server may be silent before the others may take over what it owns.
    absl::Duration lease = absl::Seconds(10);
    // A transaction in which this process says nothing for so long is undone by PostgreSQL, which
    // then is free for the next server. Far more than a transaction takes.
    absl::Duration stall_limit = absl::Seconds(5);
    // Transactions that write, and that read, at the same time.
    int write_connections = 2;
    int read_connections = 8;
    // Called when that has happened; every call then fails.
    absl::AnyInvocable<void(absl::Status)> lost = nullptr;
  };

  // Makes the tables where they are missing. InvalidArgument for a bad URL; Unavailable when libpq
  // or the database cannot be reached; FailedPrecondition when the database is of a newer version.
  static absl::StatusOr<std::unique_ptr<PostgresStore>> Open(Options options);

  void Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) override;
  absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn) override;
  absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn) override;
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                    int64_t last_id) override;
  absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query) override;
  absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                         absl::string_view function_name,
                                                         absl::string_view name) override;
  absl::Status VisitExecutions(Visit visit) override;
  absl::Status Delete(const std::vector<std::string>& arns) override;
  absl::Status PutSession(const record::SessionRecord& session) override;
  absl::StatusOr<std::vector<record::SessionRecord>> Sessions() override;
  absl::Status DeleteSession(absl::string_view session) override;
  ReplicaGroup* replicas() override { return this; }

  absl::Status Join(absl::string_view address, Replica& replica) override;
  void Leave() override;
  bool HoldsLease() const override { return lease_->runs(); }
  absl::StatusOr<TreeClaim> ClaimTree(absl::string_view execution_id) override;
  void ReleaseTree(TreeRelease release, Committed released) override;
  absl::Status WakeAwaiting(const FunctionKey& function) override;
  absl::StatusOr<std::string> FindPlace(const FunctionKey& function) override;
  absl::Status TouchSessions(const std::vector<std::string>& names) override;
  absl::StatusOr<absl::Duration> SessionIdleTime(absl::string_view session) override;
  void LookForWork() override;
  absl::StatusOr<ExecutionCounts> CountExecutions(absl::string_view session) override;
  absl::StatusOr<std::vector<Progress>> ReadProgress(const std::vector<std::string>& arns) override;

 private:
  PostgresStore(std::string url, const Options& options);
  // The calls as one transaction, if the lease is still held.
  absl::StatusOr<std::vector<postgres::Result>> Write(std::vector<postgres::Call> calls);
  absl::StatusOr<std::vector<RecoveredExecution>> ReadTree(absl::string_view root_id);
  // Of the executions for which the condition `which` holds everything, after the calls `also`.
  absl::Status DeleteExecutions(absl::string_view which, const std::vector<std::string>& parameters,
                                std::vector<postgres::Call> also);

  postgres::Database database_;
  postgres::ConnectionPool readers_;
  std::unique_ptr<postgres::ReplicaLease> lease_;
  std::unique_ptr<postgres::CommitWriter> writer_;
  absl::Mutex claimer_mutex_;
  // Between Join and Leave.
  std::unique_ptr<postgres::WorkClaimer> claimer_ ABSL_GUARDED_BY(claimer_mutex_);
};

// What follows from `postgres://...`: libpq's URL, among whose parameters `lease_seconds`, from 1
// to 3600, is ours. InvalidArgument says what is wrong, as far as that is seen without libpq.
absl::StatusOr<PostgresStore::Options> ParsePostgresAddress(absl::string_view address);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_STORE_H_
