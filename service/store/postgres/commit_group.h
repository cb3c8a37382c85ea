// CommitGroupPlan: several commits as the statements of one transaction.
//
//   CommitGroupPlan plan(group, lease.token(), CommitGroupPlan::Rows::kNew);
//   absl::StatusOr<std::vector<Result>> results = connection.Run(plan.TakeCalls());
//   const Result& created = (*results)[plan.create_call()];
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_GROUP_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "service/store/execution_store.h"
#include "service/store/postgres/connection.h"
#include "service/store/replica_group.h"

namespace rehearse::postgres {

// A commit, or the release of a tree, that has not been answered.
struct PendingCommit {
  std::vector<const ExecutionDelta*> deltas;
  absl::optional<TreeRelease> release;
  ExecutionStore::Committed committed;
  // COMMIT has been sent, and no answer has come.
  bool maybe_written = false;
};

// The key of an execution's rows: the last segment of its ARN.
absl::string_view RowIdOf(absl::string_view arn);

class CommitGroupPlan {
 public:
  // Whether events and replies are new, so that one that is there already is an error
  // (AlreadyExists of Connection); or those that are there already stay as they are, which costs
  // more.
  enum class Rows { kNew, kMaybeThere };

  // `group` outlives the plan. Several deltas of one execution become one row of each table.
  // Executions that start at the top of a tree make that tree one of the owner with this token.
  CommitGroupPlan(const std::vector<PendingCommit>& group, int64_t owner, Rows rows);

  // The statements, to be taken once.
  std::vector<Call> TakeCalls() { return std::move(calls_); }
  // Places among the calls; -1: there is no such call. These two give back the ids of the
  // executions that they have made, and have found.
  int create_call() const { return create_call_; }
  int update_call() const { return update_call_; }
  // Writes so many events, all of which are new.
  int event_call() const { return event_call_; }
  int64_t event_count() const { return event_count_; }
  // Whether trees are released that await a place; whether an execution has ended.
  bool leaves_work() const { return leaves_work_; }
  bool ends_execution() const { return ends_execution_; }

 private:
  void PlanExecutions(const std::vector<PendingCommit>& group);
  void PlanTrees(const std::vector<PendingCommit>& group);
  void PlanOperations(const std::vector<PendingCommit>& group);
  void PlanEvents(const std::vector<PendingCommit>& group);
  void PlanReplies(const std::vector<PendingCommit>& group);
  int Add(const Statement& statement, std::vector<Column*> columns);

  const int64_t owner_;
  const Rows rows_;
  std::vector<Call> calls_;
  bool leaves_work_ = false;
  bool ends_execution_ = false;
  int create_call_ = -1;
  int update_call_ = -1;
  int event_call_ = -1;
  int64_t event_count_ = 0;
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_COMMIT_GROUP_H_
