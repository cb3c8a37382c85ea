#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateStep(const v1::Operation* current, const v1::OperationUpdate& update) {
  if (update.action() == v1::OPERATION_ACTION_START) {
    return RequireStatus(current, update, kNew | kReady);
  }
  absl::Status status = RequireStatus(current, update, kNew | kStarted | kReady);
  if (!status.ok()) return status;
  if (update.action() == v1::OPERATION_ACTION_SUCCEED) return ForbidError(update);
  if (update.action() == v1::OPERATION_ACTION_FAIL) return ForbidPayload(update);
  if (!update.step_options().has_next_attempt_delay_seconds()) {
    return OperationError(update, "STEP RETRY needs StepOptions with NextAttemptDelaySeconds.");
  }
  if (update.has_error() && update.has_payload()) {
    return OperationError(update, "STEP RETRY takes either an Error or a Payload, not both.");
  }
  return absl::OkStatus();
}

}  // namespace rehearse
