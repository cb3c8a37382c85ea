#include "service/checkpoint/checkpoint_processor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/check.h"
#include "service/base/text.h"
#include "service/checkpoint/closing.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/execution_change.h"
#include "service/checkpoint/gate.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/state_pages.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {
namespace {

uint64_t DigestOf(const v1::CheckpointRequest& request) {
  return StableHash64(request.SerializeAsString(), 0);
}

// The reply kept for the same client token and checkpoint token, nullptr when there is none.
const record::CheckpointReply* FindReply(const Execution& execution,
                                         const v1::CheckpointRequest& request, absl::Time now) {
  if (!request.has_client_token()) return nullptr;
  for (auto reply = execution.replies().rbegin(); reply != execution.replies().rend(); ++reply) {
    if (reply->client_token() == request.client_token() &&
        reply->checkpoint_token() == request.checkpoint_token() &&
        now - ToAbsl(reply->time()) <= kClientTokenWindow) {
      return &*reply;
    }
  }
  return nullptr;
}

absl::StatusOr<CheckpointOutcome> Replay(const record::CheckpointReply& reply,
                                         const v1::CheckpointRequest& request) {
  if (reply.request_digest() != DigestOf(request)) {
    return errors::InvalidParameter(
        absl::StrCat("ClientToken '", request.client_token(),
                     "' was used for other updates; use a new one for each checkpoint."));
  }
  CheckpointOutcome outcome;
  REHEARSE_CHECK(outcome.response.ParseFromString(reply.response()));
  return outcome;
}

void ApplyUpdate(ExecutionChange& change, const v1::OperationUpdate& update,
                 const CheckpointInput& input, std::vector<Effect>& effects) {
  switch (update.type()) {
    case v1::OPERATION_TYPE_STEP:
      return ProcessStep(change, update);
    case v1::OPERATION_TYPE_CONTEXT:
      return ProcessContext(change, update);
    case v1::OPERATION_TYPE_WAIT:
      return ProcessWait(change, update);
    case v1::OPERATION_TYPE_CALLBACK:
      return ProcessCallback(change, update, input.ids);
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return ProcessChainedInvoke(change, update, input.targets, effects);
    default:
      return ProcessExecution(change, update, effects);
  }
}

// What the execution has too much of; empty: nothing.
std::string ExceededQuota(const ExecutionChange& change, const Limits& limits) {
  // EXECUTION does not count.
  if (limits.operations_per_execution > 0 &&
      change.operation_count() - 1 > limits.operations_per_execution) {
    return absl::StrCat("Execution has more than ", limits.operations_per_execution,
                        " operations.");
  }
  if (limits.stored_bytes_per_execution > 0 &&
      change.progress().stored_bytes() > limits.stored_bytes_per_execution) {
    return absl::StrCat("Execution stores more than ", limits.stored_bytes_per_execution,
                        " bytes.");
  }
  return "";
}

void EnforceQuotas(ExecutionChange& change, const Limits& limits, std::vector<Effect>& effects) {
  if (IsTerminal(change.progress().status())) return;
  const std::string exceeded = ExceededQuota(change, limits);
  if (exceeded.empty()) return;
  v1::ErrorObject error;
  error.set_error_type("QuotaExceeded");
  error.set_error_message(exceeded);
  CloseExecution(change, v1::EXECUTION_STATUS_FAILED, absl::nullopt, error);
  change.progress().set_terminal_event_pending(true);
  effects.push_back({Effect::Kind::kExecutionClosed, change.base().record().execution_id()});
}

// A pause takes the token of this invocation: it hears nothing more, and another one is owed.
void WithdrawInvocation(ExecutionChange& change) {
  change.progress().mutable_invocation()->set_withdrawn(true);
  change.progress().set_invocation_owed(true);
  PauseTakesEffect(change);
}

void CompleteDue(ExecutionChange& change) {
  for (const std::string& id : change.base().DueAt(change.moment().time)) CompleteIfDue(change, id);
}

// Tells the handler what it does not know yet, and moves the watermark over it.
void FillDelta(ExecutionChange& change, const Limits& limits, v1::ExecutionState& state) {
  const int64_t seen = change.progress().seen_sequence();
  StatePage page(limits.state_page_bytes);
  for (const record::OperationRecord* record : change.TouchedAfter(seen)) {
    if (page.Add(*record, state.mutable_operations())) continue;
    state.set_next_marker(StateMarker(record->index(), seen));
    break;
  }
  change.progress().set_seen_sequence(change.progress().change_sequence());
}

record::CheckpointReply MakeReply(const v1::CheckpointRequest& request, absl::Time now,
                                  const v1::CheckpointResponse& response) {
  record::CheckpointReply reply;
  reply.set_client_token(request.client_token());
  reply.set_checkpoint_token(request.checkpoint_token());
  reply.set_request_digest(DigestOf(request));
  SetTimestamp(now, reply.mutable_time());
  response.SerializeToString(reply.mutable_response());
  return reply;
}

// Stages the updates one after the other, each checked against what the ones before it left.
absl::Status ApplyUpdates(ExecutionChange& change, const CheckpointInput& input,
                          std::vector<Effect>& effects) {
  absl::Status status = ValidateBatch(input.request.updates());
  if (!status.ok()) return status;
  for (const v1::OperationUpdate& update : input.request.updates()) {
    status = ValidateUpdate(change, update, input.limits);
    if (!status.ok()) return status;
    ApplyUpdate(change, update, input, effects);
  }
  return absl::OkStatus();
}

// The answer to a batch that has been staged.
void Answer(ExecutionChange& change, const CheckpointInput& input,
            v1::CheckpointResponse& response) {
  record::ExecutionProgress& progress = change.progress();
  progress.set_token_sequence(progress.token_sequence() + 1);
  v1::ExecutionState& state = *response.mutable_new_execution_state();
  if (progress.status() == v1::EXECUTION_STATUS_PAUSING) return WithdrawInvocation(change);
  if (IsTerminal(progress.status())) {
    FillDelta(change, input.limits, state);
    // Without a token nobody can read on.
    state.clear_next_marker();
    return;
  }
  CompleteDue(change);
  FillDelta(change, input.limits, state);
  response.set_checkpoint_token(TokenOf(change.base().record(), progress));
}

}  // namespace

absl::StatusOr<CheckpointOutcome> ProcessCheckpoint(const Execution& execution,
                                                    const CheckpointInput& input) {
  const v1::CheckpointRequest& request = input.request;
  const absl::Status status = ValidateRequest(request, input.limits);
  if (!status.ok()) return status;
  const record::CheckpointReply* reply = FindReply(execution, request, input.moment.time);
  if (reply != nullptr) return Replay(*reply, request);
  if (!IsCurrentToken(execution, request.checkpoint_token())) {
    return errors::StaleCheckpointToken(input.stale_token_spelling);
  }

  CheckpointOutcome outcome;
  ExecutionChange change(execution, input.moment, ExecutionChange::Origin::kCheckpoint);
  const absl::Status batch_status = ApplyUpdates(change, input, outcome.effects);
  if (!batch_status.ok()) return batch_status;
  EnforceQuotas(change, input.limits, outcome.effects);
  Answer(change, input, outcome.response);
  if (request.has_client_token()) {
    change.SetReply(MakeReply(request, input.moment.time, outcome.response));
  }
  outcome.delta = std::move(change).Finish();
  return outcome;
}

std::vector<std::string> ChainedTargetNames(const v1::CheckpointRequest& request) {
  std::vector<std::string> names;
  for (const v1::OperationUpdate& update : request.updates()) {
    if (update.type() == v1::OPERATION_TYPE_CHAINED_INVOKE && update.has_chained_invoke_options()) {
      names.push_back(update.chained_invoke_options().function_name());
    }
  }
  return names;
}

}  // namespace rehearse
