// ReplicaGroup: what a store that several services share does for them, beside keeping executions.
// The services are replicas: each answers any request, and each tree of executions - an execution
// and its chained children - is worked on by one of them at a time.
//
// A replica holds a lease, which it renews, with a fencing token. It owns trees: those that it has
// started, and those that it has claimed, until it releases them. A tree that nobody owns says when
// it wants to be worked on again and for which functions it awaits a place. What belonged to a
// replica that has lost its lease is claimed by the others; the former owner writes nothing more.
//
//   group.Join("10.0.0.7:9013", replica);               // from now on replica.OnClaimed is called
//   absl::StatusOr<TreeClaim> claim = group.ClaimTree(execution_id);
//   if (claim->owner.empty()) ... claim->executions ...                // ours
//   group.ReleaseTree({root_id, wake, {}}, [](absl::Status status) { ... });
#ifndef REHEARSE_SERVICE_STORE_REPLICA_GROUP_H_
#define REHEARSE_SERVICE_STORE_REPLICA_GROUP_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/base/function_key.h"
#include "service/store/execution_store.h"

namespace rehearse {

// What the group asks of a replica and tells it. Called on one thread of the group's, between Join
// and Leave; may call the store.
class Replica {
 public:
  struct Place {
    FunctionKey function;
    // Invocations that could begin at once.
    int free = 0;
  };

  virtual ~Replica() = default;

  // The functions that workers serve here, free or not.
  virtual std::vector<Place> Places() = 0;
  // Trees that this replica owns from now on, by the id of the execution at the top.
  virtual void OnClaimed(std::vector<std::string> root_ids) = 0;
  // Another replica may have changed sessions, or what is registered in one.
  virtual void OnSessionsChanged() = 0;
  // Time to look at executions that others work on. Returns whether any are watched here: then this
  // is called again soon.
  virtual bool OnRound() = 0;
};

struct TreeClaim {
  // Where the replica that owns the tree is reached, as HOST:PORT; empty: it is ours.
  std::string owner;
  // Of a tree that is ours: its executions.
  std::vector<RecoveredExecution> executions;
};

struct TreeRelease {
  // The id of the execution at the top.
  std::string root_id;
  // When it wants to be worked on again. InfiniteFuture: not by itself.
  absl::Time wake;
  // Functions of which it awaits a place.
  std::vector<FunctionKey> awaited;
};

// Thread-safe.
class ReplicaGroup {
 public:
  virtual ~ReplicaGroup() = default;

  // From now on this replica is reached at `address`, as HOST:PORT, and takes part in the work.
  virtual absl::Status Join(absl::string_view address, Replica& replica) = 0;
  // Nothing is claimed any more, and `replica` is not called any more.
  virtual void Leave() = 0;

  // Whether this replica's lease certainly runs: what it has in memory of its trees is true.
  virtual bool HoldsLease() const = 0;

  // The tree of this execution, which becomes this replica's if it is nobody's.
  // errors::ExecutionNotFound when there is no such execution.
  virtual absl::StatusOr<TreeClaim> ClaimTree(absl::string_view execution_id) = 0;
  // Gives up a tree. Nothing of it may be committed from now on.
  virtual void ReleaseTree(TreeRelease release, ExecutionStore::Committed released) = 0;
  // Has trees that await a place of the function worked on now.
  virtual absl::Status WakeAwaiting(const FunctionKey& function) = 0;

  // Where another replica is reached that has workers for the function; empty: there is none.
  virtual absl::StatusOr<std::string> FindPlace(const FunctionKey& function) = 0;
  // Notes that the sessions are in use here.
  virtual absl::Status TouchSessions(const std::vector<std::string>& names) = 0;
  // For how long no replica has noted that, since the session was made.
  virtual absl::StatusOr<absl::Duration> SessionIdleTime(absl::string_view session) = 0;

  // There is a reason to look before the next round is due: a place has become free, so that
  // something may be claimed that could not be before, or an execution of another's is watched.
  virtual void LookForWork() = 0;

  struct ExecutionCounts {
    int64_t open = 0;
    int64_t closed = 0;
  };
  virtual absl::StatusOr<ExecutionCounts> CountExecutions(absl::string_view session) = 0;

  // Of those executions that there are: ARN and progress, in no particular order.
  using Progress = std::pair<std::string, record::ExecutionProgress>;
  virtual absl::StatusOr<std::vector<Progress>> ReadProgress(
      const std::vector<std::string>& arns) = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_REPLICA_GROUP_H_
