// Validators: every rule an update has to keep, one file per rule set. The first broken rule is the
// answer, always an InvalidParameter whose text names the operation and says what would be right.
//
//   if (absl::Status status = ValidateRequest(request, limits); !status.ok()) return status;
//   if (absl::Status status = ValidateBatch(request.updates()); !status.ok()) return status;
//   for (...) if (absl::Status status = ValidateUpdate(change, update, limits); !status.ok())
//   return status;
#ifndef REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_VALIDATORS_H_
#define REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_VALIDATORS_H_

#include "absl/status/status.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

using OperationUpdates = google::protobuf::RepeatedPtrField<v1::OperationUpdate>;

// request_validator.cc: lengths, alphabets, enums and ranges of every member, and the size of the
// whole. Knows no execution.
absl::Status ValidateRequest(const v1::CheckpointRequest& request, const Limits& limits);
absl::Status ValidateCheckpointToken(absl::string_view token);

// checkpoint_validator.cc: what concerns the batch as a whole (rules B1, B2, B3).
absl::Status ValidateBatch(const OperationUpdates& updates);
// checkpoint_validator.cc: one update against the state that the updates before it left: its parent
// (B4), what may not change (U1 to U4), sizes (U5), then the rules below.
absl::Status ValidateUpdate(const ExecutionChange& change, const v1::OperationUpdate& update,
                            const Limits& limits);

// transitions_validator.cc: which actions a type has (U7).
absl::Status ValidateTransition(const v1::OperationUpdate& update);

// One file per type: the state an action needs and what it may carry (S1 to S14). `current` is the
// operation as it stands, nullptr when there is none.
absl::Status ValidateStep(const v1::Operation* current, const v1::OperationUpdate& update);
absl::Status ValidateContext(const v1::Operation* current, const v1::OperationUpdate& update);
absl::Status ValidateWait(const v1::Operation* current, const v1::OperationUpdate& update);
absl::Status ValidateCallback(const v1::Operation* current, const v1::OperationUpdate& update);
absl::Status ValidateChainedInvoke(const v1::Operation* current, const v1::OperationUpdate& update,
                                   absl::string_view execution_arn);
absl::Status ValidateExecution(const v1::OperationUpdate& update);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_VALIDATORS_H_
