// CheckpointProcessor: the checkpoint pipeline, as a pure function.
//
// Validates a batch of updates against an execution, applies it on an overlay and produces the
// answer, the delta to store and the effects to carry out once it is stored. Same input, same
// output: time, fresh ids and the resolved targets of chained invokes come in as arguments.
//
//   absl::StatusOr<CheckpointOutcome> outcome = ProcessCheckpoint(execution, {request, moment,
//   limits, ids, targets}); if (!outcome.ok()) return outcome.status();            // nothing has
//   changed if (outcome->delta.has_value()) store.Commit(...);     // absent: a repeated client
//   token, answered as before
#ifndef REHEARSE_SERVICE_CHECKPOINT_CHECKPOINT_PROCESSOR_H_
#define REHEARSE_SERVICE_CHECKPOINT_CHECKPOINT_PROCESSOR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/base/limits.h"
#include "service/checkpoint/effects.h"
#include "service/checkpoint/execution.h"

namespace rehearse {

struct CheckpointInput {
  const v1::CheckpointRequest& request;
  Moment moment;
  const Limits& limits;
  IdSource& ids;
  // Has an entry for every one of ChainedTargetNames(request).
  const ChainedTargets& targets;
  StaleTokenSpelling stale_token_spelling = StaleTokenSpelling::kReal;
};

struct CheckpointOutcome {
  v1::CheckpointResponse response;
  // Absent: nothing to write, the request is a repeated one.
  absl::optional<ExecutionDelta> delta;
  std::vector<Effect> effects;
};

// Order of processing: syntax, repeated client token, gate, token, batch rules, per update rules
// and transitions in list order, then everything that is due, then the delta and the next token
// (service semantics: docs/checkpoint.md). An error leaves everything as it was.
// `request.durable_execution_arn` has been resolved by the caller.
//
// The answer carries no token when this invocation may not checkpoint again:
// * the batch held the EXECUTION update: the execution is closed; its terminal event is left to the
// end of the invocation;
// * a pause was waiting: the updates are kept, the execution is PAUSED, an invocation is owed, the
// delta is empty;
// * the batch took the execution over limits.operations_per_execution or
// limits.stored_bytes_per_execution: the updates are
//   kept and the execution is FAILED with error type `QuotaExceeded`. How the real service words it
//   is not known.
absl::StatusOr<CheckpointOutcome> ProcessCheckpoint(const Execution& execution,
                                                    const CheckpointInput& input);

// A page of the state for the running invocation, or, with the marker of a checkpoint's answer, of
// the rest of that answer; the token must be the current one and stays good.
absl::StatusOr<v1::GetExecutionStateResponse> ReadState(const Execution& execution,
                                                        const v1::GetExecutionStateRequest& request,
                                                        const Limits& limits,
                                                        StaleTokenSpelling spelling);

// First page of the state for an invocation that begins: EXECUTION first, pruned, at most
// `limits.state_page_bytes`.
v1::ExecutionState InitialState(const Execution& execution, const Limits& limits);

// Names of the chained targets among the updates, as given: what the caller has to resolve
// beforehand.
std::vector<std::string> ChainedTargetNames(const v1::CheckpointRequest& request);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_CHECKPOINT_PROCESSOR_H_
