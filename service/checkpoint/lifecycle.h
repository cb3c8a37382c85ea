// Lifecycle: the changes of an execution as a whole - start, invocations, pause, stop, time-out,
// close.
//
// Pure functions like the rest of checkpoint/: they stage on an ExecutionChange and leave it to the
// executor to store the delta and to act on what they return.
//
//   ExecutionChange change(execution, moment, ExecutionChange::Origin::kOutside);
//   NextStep next = EndInvocation(change, result, {policy, limits});
//   store.Commit(std::move(change).Finish(), ...);
//   if (next == NextStep::kInvoke) ...
#ifndef REHEARSE_SERVICE_CHECKPOINT_LIFECYCLE_H_
#define REHEARSE_SERVICE_CHECKPOINT_LIFECYCLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution_change.h"
#include "service/checkpoint/failure_policy.h"

namespace rehearse {

// The first delta of an execution: its EXECUTION operation and event 1. `record.start_time` is set
// from the moment.
ExecutionDelta StartExecution(record::ExecutionRecord record, absl::optional<std::string> input,
                              Moment moment);

// Closes the gate for a new invocation. Returns the operations that changed outside a checkpoint
// and that no handler has been told of, in creation order. The state to send is InitialState of the
// execution that applied the delta.
std::vector<std::string> BeginInvocation(ExecutionChange& change, std::string request_id,
                                         std::string secret);

// The token of the invocation in flight, as it stands.
std::string CurrentCheckpointToken(const Execution& execution);

// How an invocation ended, after its output has been read.
struct InvocationResult {
  enum class Outcome {
    kSucceeded,
    kFailed,
    kPending,
    // The output breaks the contract; `error` says how.
    kInvalidOutput,
    // Crash, time-out, or an error of the runtime; `error` says what.
    kBroken,
  };
  Outcome outcome;
  absl::optional<std::string> result;
  absl::optional<v1::ErrorObject> error;
};

// What follows a change.
enum class NextStep {
  kNothing,
  // Something changed that no handler has seen, or an invocation is owed: invoke.
  kInvoke,
  // The execution has its terminal event.
  kFinished,
};

// Records the end of the invocation in flight, which must exist, and decides what comes of it. A
// back-off is left in progress.backoff_until.
NextStep EndInvocation(ExecutionChange& change, const InvocationResult& result,
                       const FailurePolicy& policy, const Limits& limits);

// Closes an open execution from outside: an invocation in flight counts as ended by it.
void Stop(ExecutionChange& change, const v1::ErrorObject& error);
void TimeOut(ExecutionChange& change);
// Its function is not known any more; no invocation is in flight.
void FailUnknownFunction(ExecutionChange& change);

// Whether the request repeats, by its client token, one that has been accepted in the last
// kClientTokenWindow: it succeeds without a second effect. InvalidParameter when the token is the
// same and the request is another.
absl::StatusOr<bool> IsRepeated(const Execution& execution,
                                const v1::PauseExecutionRequest& request, absl::Time now);
absl::StatusOr<bool> IsRepeated(const Execution& execution,
                                const v1::ResumeExecutionRequest& request, absl::Time now);

// Conflict unless the execution is RUNNING. With an invocation in flight the pause takes effect
// later.
absl::Status Pause(ExecutionChange& change, const v1::PauseExecutionRequest& request);
// The moment a requested pause holds the execution: status PAUSED, event, the timeout stands still
// if asked for.
void PauseTakesEffect(ExecutionChange& change);
// Conflict unless PAUSING or PAUSED. kInvoke when an invocation is owed and the gate is open.
absl::StatusOr<NextStep> Resume(ExecutionChange& change, const v1::ResumeExecutionRequest& request);

// Keeps a trigger that cannot start an invocation now.
void OweInvocation(ExecutionChange& change);

// Whether a trigger may start an invocation now: open, not held, gate open.
bool MayInvoke(const record::ExecutionProgress& progress);

// Whether an execution that a restart finds was about to be invoked: no invocation is in flight, no
// back-off runs, and the last one has not left it waiting. What Trigger makes of it is the gate's.
bool AwaitsInvocation(const record::ExecutionProgress& progress);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_LIFECYCLE_H_
