// ExecutionStore: keeps executions. The interface every store implements, and whose contract test
// every store passes.
//
// Writes are deltas: only what changed. Executions are written by the lane that owns them, one
// commit at a time for each, and read from anywhere. What has been committed is what is read, by
// everybody, from then on. What the store cannot do for a reason of its own - the disk is full, the
// database is away - is answered with errors::StoreUnavailable, and has not happened.
//
//   // OK: durable and visible.
//   store.Commit(std::move(deltas), [](absl::Status status) { ... });
//   absl::StatusOr<std::unique_ptr<Execution>> execution = store.Load(arn);
#ifndef REHEARSE_SERVICE_STORE_EXECUTION_STORE_H_
#define REHEARSE_SERVICE_STORE_EXECUTION_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "rehearse/v1/event.pb.h"
#include "service/checkpoint/execution.h"

namespace rehearse {

// An execution without its operations and events.
struct StoredExecution {
  record::ExecutionRecord record;
  record::ExecutionProgress progress;
  // The execution's input; List leaves it out.
  absl::optional<std::string> input;
};

// An execution as a restart finds it: what says how it goes on, without loading it.
struct RecoveredExecution {
  record::ExecutionRecord record;
  record::ExecutionProgress progress;
  // Of an open execution: the operations that something outside its handler completes (IsPending),
  // in creation order.
  std::vector<record::OperationRecord> pending;
};

// A place in the order of a list: by start time, then ARN.
struct ExecutionPosition {
  absl::Time start_time;
  std::string arn;
};

// Which executions a list shows and in which order.
struct ExecutionQuery {
  std::string session;
  // Empty or absent members do not filter.
  std::string function_name;
  absl::optional<std::string> version;
  absl::optional<std::string> name;
  std::vector<v1::ExecutionStatus> statuses;
  absl::optional<absl::Time> started_after;   // inclusive
  absl::optional<absl::Time> started_before;  // inclusive
  bool oldest_first = false;
  // Continue behind this place, in the query's order.
  absl::optional<ExecutionPosition> after;
  int max_items = 100;
};

class ReplicaGroup;

class ExecutionStore {
 public:
  // OK, or why nothing of the commit has happened. Called once, on any thread, possibly before
  // Commit returns.
  using Committed = absl::AnyInvocable<void(absl::Status)>;

  virtual ~ExecutionStore() = default;

  // Writes all deltas or none. The pointees stay alive and unchanged until `committed` is called.
  // Refused are: a change of an execution that is not there (errors::ExecutionNotFound), the start
  // of one whose ARN (errors::Internal) or whose name within its session and function
  // (errors::ExecutionAlreadyStarted) is taken.
  virtual void Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) = 0;

  // NOT_FOUND status (errors::ExecutionNotFound) when there is none.
  virtual absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn) = 0;
  virtual absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn) = 0;

  // Events with ids in [first_id, last_id], ascending; ids that do not exist are left out.
  virtual absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                            int64_t last_id) = 0;

  // At most query.max_items, in the query's order.
  virtual absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query) = 0;

  // ARN of the execution of this name, nullopt when the name is free.
  virtual absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                                 absl::string_view function_name,
                                                                 absl::string_view name) = 0;

  // Calls `visit` for each execution, open or not, in no particular order: recovery. `visit` must
  // not call the store.
  using Visit = absl::FunctionRef<void(RecoveredExecution)>;
  virtual absl::Status VisitExecutions(Visit visit) = 0;

  // Removes executions with everything that belongs to them. ARNs that are unknown are skipped.
  virtual absl::Status Delete(const std::vector<std::string>& arns) = 0;

  // Keeps a session, in place of the one of its name. Durable when it returns. Where replicas share
  // the store: Aborted unless its revision follows the stored one's; a session's first is 1.
  virtual absl::Status PutSession(const record::SessionRecord& session) = 0;
  // In order of name.
  virtual absl::StatusOr<std::vector<record::SessionRecord>> Sessions() = 0;
  // Removes a session with all its executions.
  virtual absl::Status DeleteSession(absl::string_view session) = 0;

  // What the store does for services that share it (replica_group.h). Null: one service uses it.
  virtual ReplicaGroup* replicas() { return nullptr; }
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_EXECUTION_STORE_H_
