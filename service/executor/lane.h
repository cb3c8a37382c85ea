// Lane: one serial queue, the execution trees pinned to it, and everything that happens to them.
//
// All methods run on the lane. Work on a tree enters through Enter, which holds it back while a
// commit of that tree is on its way; inside, state is read freely and changed by staging a delta
// and committing it. Behind every commit the tree is settled: what is due fires, an idle tree's
// time jumps, the next wake-up is armed. A tree with nothing to do for a while is asleep: its
// executions are in the store only. Enter and Settle wake it up; inside, every execution is live.
//
//   lane.Enter(execution_id, [](TreeMember* member) { ... });     // nullptr: no such execution
#ifndef REHEARSE_SERVICE_EXECUTOR_LANE_H_
#define REHEARSE_SERVICE_EXECUTOR_LANE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/base/errors.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/lifecycle.h"
#include "service/executor/describe.h"
#include "service/executor/execution_tree.h"
#include "service/executor/executor.h"
#include "service/executor/waiters.h"
#include "service/store/replica_group.h"

namespace rehearse {

// Wall time for which it pays to fall asleep: coming back costs some 10 us, and a round trip to a
// store that replicas share.
inline constexpr absl::Duration kShortestSleep = absl::Seconds(1);

// Wall time until a change that the store refused is tried again.
inline constexpr absl::Duration kStoreRetryDelay = absl::Milliseconds(100);

// ARNs of the executions that this replica works on. Thread-safe.
class OwnedExecutions {
 public:
  void Add(const std::string& arn) {
    absl::MutexLock lock(&mutex_);
    arns_.insert(arn);
  }
  void Remove(const std::string& arn) {
    absl::MutexLock lock(&mutex_);
    arns_.erase(arn);
  }
  bool Contains(const std::string& arn) const {
    absl::MutexLock lock(&mutex_);
    return arns_.contains(arn);
  }

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_set<std::string> arns_ ABSL_GUARDED_BY(mutex_);
};

// What all lanes of an executor share.
struct ExecutorContext {
  ExecutorOptions options;
  Scheduler& scheduler;
  ExecutionStore& store;
  Invoker& invoker;
  IdSource& ids;
  SessionRegistry sessions;
  ExecutionNotifier notifier;
  Waiters waiters;
  // Where replicas share the store, else null.
  ReplicaGroup* const replicas;
  // Then: reads the sessions again that others may have changed.
  std::function<absl::Status()> refresh_sessions;
  // Then: executions that are live here; what happens to them is told as it happens.
  OwnedExecutions owned;
};

// A start whose session, function and limits have been checked.
struct StartPlan {
  std::shared_ptr<Session> session;
  record::ExecutionRecord record;
  absl::optional<std::string> input;
  // The caller chose the name: it may be in use.
  bool named = false;
};

class Lane {
 public:
  template <typename Response>
  using Done = Executor::Done<Response>;
  using Work = absl::AnyInvocable<void(TreeMember*)>;

  Lane(int index, ExecutorContext& context);
  ~Lane();

  // Runs `work` with the execution, or with nullptr, as soon as no commit of its tree is on its
  // way.
  void Enter(std::string execution_id, Work work);

  // What a request finds of an execution.
  struct Found {
    // Null: there is no such execution, or another replica works on it.
    TreeMember* member = nullptr;
    // Where that one is reached.
    std::string owner = "";
  };
  using OnFound = absl::AnyInvocable<void(absl::StatusOr<Found>)>;
  // As Enter, for a request that changes the execution: takes over what no replica works on.
  void EnterOwned(std::string execution_id, OnFound found);
  // As Enter, for a request that only reads: of what is not this replica's the member is a copy of
  // what is stored, with no tree around it.
  void EnterToRead(const std::string& arn, OnFound found);
  // Now and then: invocations that wait here for a place are offered to all replicas.
  void OfferQueued();

  void StartExecution(StartPlan plan, Done<v1::StartExecutionResponse> done);

  // On a live execution.
  void Checkpoint(TreeMember& member, v1::CheckpointRequest request, StaleTokenSpelling spelling,
                  Done<v1::CheckpointResponse> done);
  void Stop(TreeMember& member, const v1::ErrorObject& error, Done<v1::StopExecutionResponse> done);
  void Pause(TreeMember& member, const v1::PauseExecutionRequest& request,
             Done<v1::PauseExecutionResponse> done);
  void Resume(TreeMember& member, const v1::ResumeExecutionRequest& request,
              Done<v1::ResumeExecutionResponse> done);
  // Stages something on a callback and commits it.
  using CallbackChange = absl::FunctionRef<absl::Status(ExecutionChange&)>;
  void ChangeCallback(TreeMember& member, CallbackChange stage,
                      absl::AnyInvocable<void(absl::Status)> done);
  void Idle(TreeMember& member, absl::string_view request_id, IdleWait idle);
  void EndIdle(TreeMember& member);
  // Starts the kept invocation. False: none is kept.
  bool InvokeOwed(TreeMember& member);

  // A finished execution.
  absl::Status Delete(TreeMember& member);

  void Advance(absl::string_view session, const v1::AdvanceTimeRequest& request,
               absl::AnyInvocable<void(std::vector<v1::FiredTimer>)> done);
  // `done` when every tree of the session is gone.
  void RemoveSession(absl::string_view session, absl::AnyInvocable<void()> done);
  void Shutdown();

  // What a restart finds, one execution after the other in any order; then FinishRecovery. Reads
  // nothing from the store: what sleeps goes on sleeping, what was interrupted goes on when the
  // lane comes to it.
  void Recover(std::shared_ptr<Session> session, RecoveredExecution execution);
  void FinishRecovery();

  Moment Now(const ExecutionTree& tree) const { return tree.clock.Read(context_.scheduler.Now()); }
  InvocationOutlook OutlookOf(const TreeMember& member) const;
  int index() const { return index_; }

 private:
  using Committed = absl::AnyInvocable<void(absl::Status)>;
  struct PendingCommit;

  // --- lane.cc: trees and commits.
  ExecutionTree& AddTree(std::shared_ptr<Session> session);
  TreeMember& AddMember(ExecutionTree& tree, std::string arn);
  void RemoveMember(TreeMember& member);
  // Has the tree removed when its last member is gone.
  void RemoveIfEmpty(ExecutionTree& tree);
  TreeMember* FindByArn(absl::string_view arn);
  void RunOrQueue(ExecutionTree& tree, Scheduler::Task task);
  void Queue(ExecutionTree& tree, Scheduler::Task task);
  // Writes, applies, calls `then`, and settles the tree. Nothing may touch the tree until then.
  void Commit(ExecutionTree& tree, std::vector<ExecutionDelta> deltas, Committed then);
  // Adds what is kept of the tree's clock, and when a finished execution is deleted.
  void Stamp(const ExecutionTree& tree, ExecutionDelta& delta);
  void Commit(TreeMember& member, ExecutionChange change, Committed then);
  void FinishCommit(std::shared_ptr<PendingCommit> commit, absl::Status status);
  void Apply(ExecutionTree& tree, ExecutionDelta delta);
  void ArmTimers(TreeMember& member, const std::vector<int64_t>& operations);
  void ArmExecutionTimers(TreeMember& member, const record::ExecutionProgress& before);
  void FinishExecution(TreeMember& member);
  // Runs `work` on the execution, if it is still open, a little later: the store refused a change
  // that nobody outside waits for.
  void RetryLater(const TreeMember& member, Work work);
  void Retry(ExecutionTree& tree);
  // Runs `work`, then what waits for the tree, then settles it. The tree may be gone afterwards.
  void SettleAfter(ExecutionTree& tree, absl::FunctionRef<void()> work);
  void StartNew(StartPlan plan, Done<v1::StartExecutionResponse> done);
  void RemoveTree(ExecutionTree& tree);

  // --- lane_invocations.cc: gate, places, ends.
  void Trigger(TreeMember& member);
  void AcquirePlace(TreeMember& member);
  void BeginActive(TreeMember& member);
  void AskForPlace(TreeMember& member);
  // Enters with the execution if the invocation is still the one in flight.
  void EnterInvocation(const std::string& id, const std::string& request_id, Work work);
  void ArmInvocationTimeout(TreeMember& member, absl::Time deadline);
  void ReleaseActive(TreeMember& member);
  void OnPlace(TreeMember& member, absl::StatusOr<std::unique_ptr<InvocationLease>> lease);
  void SendInvocation(TreeMember& member, std::vector<std::string> updated_operation_ids);
  // The first end of an invocation counts.
  void OnInvocationEnded(TreeMember& member, InvocationResult result);
  void StoreEnd(TreeMember& member);
  void OnInvocationTimedOut(TreeMember& member);
  ResolvedFunction FunctionOf(const TreeMember& member) const;

  // --- lane_chained.cc: targets of chained invokes.
  ChainedTargets ResolveTargets(const TreeMember& member,
                                const v1::CheckpointRequest& request) const;
  ExecutionDelta ChildOf(const TreeMember& parent, const record::OperationRecord& operation) const;
  void StartPlain(TreeMember& parent, const std::string& operation_id);
  void AskForPlainPlace(PlainInvocation& plain);
  void OnPlainPlace(ExecutionTree& tree, PlainInvocation& plain,
                    absl::StatusOr<std::unique_ptr<InvocationLease>> lease);
  void ReleasePlain(ExecutionTree& tree, const PlainInvocation& plain);
  void OnPlainEnded(ExecutionTree& tree, int64_t ticket, InvocationEnd end);
  void DeliverOutcome(ExecutionTree& tree, absl::string_view parent_arn, std::string operation_id,
                      ChainedOutcome outcome);
  void CommitOutcomes(TreeMember& parent,
                      std::vector<std::pair<std::string, ChainedOutcome>> outcomes,
                      absl::AnyInvocable<void()> then);
  void ReleaseHeldOutcomes(TreeMember& parent, absl::AnyInvocable<void()> then);

  // --- lane_recovery.cc: going on after a restart.
  struct RecoveredTree;
  // Takes up what an execution was about: an interrupted invocation, chained invokes on their way,
  // an invocation that was due.
  void TakeUp(TreeMember& member);
  // Of a tree that is awake: all that was interrupted in it. The tree may be gone afterwards.
  void TakeUpInterrupted(ExecutionTree& tree);
  void TakeUpChainedInvoke(TreeMember& parent, const std::string& operation_id);

  // --- lane_replicas.cc: trees that come from other replicas, and go to them.
  absl::Status Adopt(std::vector<RecoveredExecution> executions);
  // The session, also one that another replica has just made. SessionNotFound when there is none.
  absl::StatusOr<std::shared_ptr<Session>> FindSession(const std::string& name);
  void OfferQueued(TreeMember& member);
  // The function, also one that is known to another replica only until now.
  bool IsRegistered(Session& session, const std::string& function_name);
  // How an invocation is to wait for a place of the function. One that is parked is not to ask for
  // it here: its tree is released as soon as nothing of it runs here, and looks again as long as it
  // is not.
  PlaceRequest RequestPlace(const FunctionKey& function, const std::string& execution_id);
  bool AsksAgain(const FunctionKey& function, const PlaceRequest& request) const;
  // Settles the execution's tree in a while, if it is still here.
  void SettleSoon(std::string execution_id);
  bool MayRelease(const ExecutionTree& tree) const;
  // Gives the tree up if it has nothing to do here.
  void ReleaseIfDone(ExecutionTree& tree);
  void FinishRelease(ExecutionTree& tree, const absl::Status& status);
  // Takes the tree from memory.
  void ForgetTree(ExecutionTree& tree);

  // --- lane_time.cc: timers, jumps, advances.
  bool IsLive(const ExecutionTree& tree, const Timer& timer) const;
  // The tree may be gone afterwards.
  void Settle(ExecutionTree& tree);
  bool SettleOnce(ExecutionTree& tree);
  bool FireDue(ExecutionTree& tree, absl::Time wall_now);
  // What AdvanceTime reports of timers that fire at `moment`.
  std::vector<v1::FiredTimer> Report(const ExecutionTree& tree, const std::vector<Timer>& timers,
                                     const Moment& moment) const;
  bool SpendAdvance(ExecutionTree& tree, absl::Time wall_now);
  // Whether a restart would find the clock where it stands.
  bool ClockIsStored(const ExecutionTree& tree) const;
  void StoreClock(ExecutionTree& tree);
  void BeginAdvance(ExecutionTree& tree, rehearse::Advance& advance, absl::Time wall_now);
  bool BusyForAdvance(const ExecutionTree& tree) const;
  void ArmWake(ExecutionTree& tree);
  void WakeAt(ExecutionTree& tree, absl::Time due);
  // Lets go of the live executions of a tree that has nothing to do for a while.
  void FallAsleep(ExecutionTree& tree);
  // Brings them back. False: the store could not be read; the tree waits, as for a commit, until it
  // is read again.
  bool WakeUp(ExecutionTree& tree);
  void Purge(TreeMember& member);

  const int index_;
  ExecutorContext& context_;
  bool shut_down_ = false;
  int64_t next_ticket_ = 1;
  absl::flat_hash_set<std::unique_ptr<ExecutionTree>> trees_;
  // Keys are views of the members' ARNs: their last segment.
  absl::flat_hash_map<absl::string_view, TreeMember*> members_;
  absl::flat_hash_map<std::string, absl::flat_hash_set<ExecutionTree*>> trees_by_session_;
  // Names whose first commit is on its way.
  absl::flat_hash_map<std::string, ExecutionTree*> starting_;
  // By the ARN at the top; until FinishRecovery.
  absl::flat_hash_map<std::string, RecoveredTree> recovered_;
};

// Whether nothing more will happen to an execution.
bool HasFinished(const record::ExecutionProgress& progress);
// The timer of an operation that is to move by itself.
absl::optional<Timer> TimerOfOperation(const record::OperationRecord& operation, int64_t execution);
// What is kept of a clock. False, and nothing is set, for the wall clock.
bool SetClock(const ClockState& state, record::ExecutionProgress& progress);

// The last segment of an ARN.
absl::string_view ExecutionIdOf(absl::string_view arn);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_LANE_H_
