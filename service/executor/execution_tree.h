// ExecutionTree: an execution with its chained children, as its lane holds them. One tree, one
// clock.
//
// Plain state: the lane (lane.h) works on it. Finished executions stay as members without live
// state, so that their ARNs are found and their retention runs on the tree's clock.
#ifndef REHEARSE_SERVICE_EXECUTOR_EXECUTION_TREE_H_
#define REHEARSE_SERVICE_EXECUTOR_EXECUTION_TREE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/execution.h"
#include "service/checkpoint/lifecycle.h"
#include "service/clock/clock_domain.h"
#include "service/clock/scheduler.h"
#include "service/executor/session.h"
#include "service/invoker/invoker.h"

namespace rehearse {

struct ExecutionTree;
struct TreeMember;

// A worker's Idle that has not been answered yet.
struct IdleWait {
  absl::Time until;
  absl::AnyInvocable<void(absl::StatusOr<v1::ServeResponse::IdleEnded>)> done;
};

// How an invocation waits for a place.
struct PlaceRequest {
  // Wall time.
  absl::Time time;
  // Where replicas share the store: not here, since no place was free; any replica may have one.
  bool parked = false;
};

// From asking for a place until the invocation has ended.
struct ActiveInvocation {
  // Tells a late lease from the one that is waited for.
  int64_t ticket = 0;
  PlaceRequest request;
  // Set when the place is there and the invocation has been sent.
  std::unique_ptr<InvocationLease> lease;
  Scheduler::TimerId timeout_timer = 0;
  absl::optional<IdleWait> idle;
  // How it has ended; kept until the store has it, and nothing that comes later counts.
  absl::optional<InvocationResult> result;
  // Results of chained invokes that came while the invocation ran; held back so that the history
  // shows them behind its end.
  std::vector<std::pair<std::string, ChainedOutcome>> held_outcomes;
};

// The invocation of a plain function for a chained invoke.
struct PlainInvocation {
  int64_t ticket = 0;
  PlaceRequest request;
  FunctionKey function;
  std::string parent_arn;
  std::string operation_id;
  // Set once it runs.
  std::string request_id;
  std::unique_ptr<InvocationLease> lease;
  Scheduler::TimerId timeout_timer = 0;
};

struct TreeMember {
  ExecutionTree* tree = nullptr;
  int64_t index = 0;
  std::string arn;
  // Null when the history is complete, and while the tree is asleep.
  std::unique_ptr<Execution> execution;
  std::unique_ptr<ActiveInvocation> active;
  // Deadline time; set when the execution has finished.
  absl::Time retention_due = absl::InfiniteFuture();

  bool finished() const { return retention_due != absl::InfiniteFuture(); }
};

// An AdvanceTime that this tree still spends.
struct Advance {
  v1::AdvanceTimeRequest request;
  // Set when its turn has come.
  absl::optional<absl::Duration> remaining;
  // Tickets of invocations that were active then: they hold nothing up.
  absl::flat_hash_set<int64_t> bystanders;
  std::vector<v1::FiredTimer> fired;
  absl::AnyInvocable<void(std::vector<v1::FiredTimer>)> done;
};

// Changes that the store refused and that nobody outside waits for: they are made again.
struct Retries {
  Scheduler::TimerId timer = 0;
  // By execution id.
  std::vector<std::pair<std::string, absl::AnyInvocable<void(TreeMember*)>>> work;
};

struct ExecutionTree {
  ExecutionTree(std::shared_ptr<Session> session, absl::Time wall_now)
      : session(std::move(session)), clock(this->session->clock_config(), wall_now) {}

  std::shared_ptr<Session> session;
  ClockDomain clock;
  // Of the execution at the top, which may be deleted before its children.
  std::string root_id;
  // Index is the `execution` of timers; null when deleted.
  std::vector<std::unique_ptr<TreeMember>> members;
  std::vector<std::unique_ptr<PlainInvocation>> plain;
  std::unique_ptr<std::deque<Advance>> advances;

  // A commit is on its way, or the store is about to be read again: everything else waits.
  bool committing = false;
  // It is on its way out of this replica: whoever comes has to ask whose it is.
  bool releasing = false;
  // What a request that only reads sees of an execution that is not this replica's.
  bool detached = false;
  // Its executions are in the store only, until something happens to one of them.
  bool asleep = false;
  std::unique_ptr<std::deque<Scheduler::Task>> waiting;
  // While there are any, no timer fires and no time is skipped: what should have happened comes
  // first.
  std::unique_ptr<Retries> retries;
  // Members that a restart has interrupted, by index: taken up before anything else happens.
  std::unique_ptr<std::vector<int64_t>> interrupted;

  // Active invocations, plain ones included, and how many of them have nothing to do but wait for a
  // timer.
  int active_count = 0;
  int idle_count = 0;

  // Set when the tree has to go; called when it has.
  absl::AnyInvocable<void()> removed;

  bool settling = false;
  bool settle_again = false;
  Scheduler::TimerId wake_timer = 0;
  absl::Time wake_due = absl::InfiniteFuture();
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_EXECUTION_TREE_H_
