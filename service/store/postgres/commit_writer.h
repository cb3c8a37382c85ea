// CommitWriter: writes commits to PostgreSQL. Those that wait while one transaction is on its way
// go together into the next one (group commit): the price of a transaction is paid once for all.
//
//   CommitWriter writer(database, lease, /*connections=*/2);
//   writer.Add({&delta}, [](absl::Status status) { ... });
//
// What happens when things go wrong:
// * A commit that is refused leaves the group; the others are written without it.
// * A group that the server undoes in favour of another transaction is written again.
// * A group whose connection is lost is written again on a new one. If the loss came with the
//   answer to COMMIT, nobody knows whether it was written: then it is written again until the
//   server has answered. Writing a group twice leaves what writing it once does.
// * While the server is away, commits that certainly were not written get StoreUnavailable.
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_WRITER_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_WRITER_H_

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "service/store/execution_store.h"
#include "service/store/postgres/commit_group.h"
#include "service/store/postgres/database.h"
#include "service/store/postgres/replica_lease.h"

namespace rehearse::postgres {

class CommitWriter {
 public:
  // `database` and `lease` outlive it. As many groups as there are connections are on their way at
  // once.
  CommitWriter(Database& database, ReplicaLease& lease, int connections);
  // Writes what waits. What cannot be written is answered with StoreUnavailable.
  ~CommitWriter();

  // As ExecutionStore::Commit.
  void Add(std::vector<const ExecutionDelta*> deltas, ExecutionStore::Committed committed);
  // As ReplicaGroup::ReleaseTree.
  void Add(TreeRelease release, ExecutionStore::Committed released);

 private:
  using Group = std::vector<PendingCommit>;

  // One thread with one connection.
  void Work();
  // Waits for commits; empty when there will be none.
  Group Take();
  // Answers all of the group.
  void Write(std::unique_ptr<Connection>& connection, Group group);
  // One transaction. OK: all of the group is written. Refused commits are answered and leave the
  // group. Beside the errors of Connection: FailedPrecondition when the lease is lost.
  absl::Status Attempt(Connection& connection, Group& group);
  // Answers those that cannot be part of the transaction of `plan`. Whether there were any.
  absl::StatusOr<bool> AnswerRefused(Connection& connection, const CommitGroupPlan& plan,
                                     const std::vector<Result>& results, Group& group);
  // Answers those of the group that certainly were not written.
  static void Fail(const absl::Status& status, Group& group);
  // Waits until it pays to try again. False: the writer ends.
  bool WaitToRepeat(absl::Duration delay);

  Database& database_;
  ReplicaLease& lease_;
  absl::Mutex mutex_;
  std::deque<PendingCommit> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_WRITER_H_
