// Completions: operations that change from outside a checkpoint - by a timer, a callback, a chained
// function.
//
// Each function stages one transition with its event on a change; preconditions are the caller's
// (an open operation of the right type), except for callbacks, which answer the caller's error.
//
//   ExecutionChange change(execution, moment, ExecutionChange::Origin::kOutside);
//   CompleteDueOperation(change, id);
//   store.Commit(std::move(change).Finish(), ...);
#ifndef REHEARSE_SERVICE_CHECKPOINT_COMPLETIONS_H_
#define REHEARSE_SERVICE_CHECKPOINT_COMPLETIONS_H_

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "rehearse/v1/execution.pb.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

// When an open operation moves by itself. A function of the record alone: what a restart arms
// again.
struct OperationTimer {
  enum class Kind { kWait, kRetry, kCallbackTimeout, kCallbackHeartbeat };
  Kind kind;
  // Of `time` for waits and retries, of `deadline time` for callbacks (the earlier of the two
  // deadlines; equal: timeout).
  absl::Time due;
};
absl::optional<OperationTimer> TimerOf(const record::OperationRecord& operation);

// WAIT STARTED -> SUCCEEDED, STEP PENDING -> READY, CALLBACK STARTED -> TIMED_OUT, if its timer is
// due at the change's moment. Returns whether it was.
bool CompleteIfDue(ExecutionChange& change, absl::string_view operation_id);

// Completes the callback at `index`. CallbackClosed when the execution or the callback is;
// CallbackNotFound when `callback_id` is not the operation's; InvalidParameter when a payload is
// over its limit or not UTF-8.
absl::Status CompleteCallback(ExecutionChange& change, int64_t index, absl::string_view callback_id,
                              const absl::optional<std::string>& result, const Limits& limits);
absl::Status FailCallback(ExecutionChange& change, int64_t index, absl::string_view callback_id,
                          const v1::ErrorObject& error, const Limits& limits);
// Moves the heartbeat deadline only; no event, not a change that a handler hears of.
absl::Status HeartbeatCallback(ExecutionChange& change, int64_t index,
                               absl::string_view callback_id);

// How the target of a chained invoke ended.
struct ChainedOutcome {
  // SUCCEEDED, FAILED, TIMED_OUT or STOPPED.
  v1::OperationStatus status;
  absl::optional<std::string> result;
  absl::optional<v1::ErrorObject> error;
};
// Does nothing when the operation is not open any more.
void CompleteChainedInvoke(ExecutionChange& change, absl::string_view operation_id,
                           const ChainedOutcome& outcome);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_COMPLETIONS_H_
