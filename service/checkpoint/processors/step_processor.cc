#include <utility>

#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/processors/update_target.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

// Records the outcome of the attempt that ends: a result or an error, never both.
void EndAttempt(const v1::OperationUpdate& update, v1::StepDetails& step) {
  step.set_attempt(step.attempt() + 1);
  step.clear_next_attempt_timestamp();
  step.clear_result();
  step.clear_error();
  if (update.has_payload()) step.set_result(update.payload());
  if (update.has_error()) *step.mutable_error() = update.error();
}

void AddAttemptEvent(ExecutionChange& change, const v1::OperationUpdate& update,
                     const v1::Operation& operation, bool failed) {
  v1::RetryDetails* retry = nullptr;
  v1::Event event = OperationEvent(
      failed ? v1::EVENT_TYPE_STEP_FAILED : v1::EVENT_TYPE_STEP_SUCCEEDED, operation);
  if (failed) {
    SetError(update.error(), event.mutable_step_failed_details()->mutable_error());
    retry = event.mutable_step_failed_details()->mutable_retry_details();
  } else {
    SetPayload(update, event.mutable_step_succeeded_details()->mutable_result());
    retry = event.mutable_step_succeeded_details()->mutable_retry_details();
  }
  retry->set_current_attempt(operation.step_details().attempt());
  if (update.action() == v1::OPERATION_ACTION_RETRY) {
    retry->set_next_attempt_delay_seconds(update.step_options().next_attempt_delay_seconds());
  }
  change.AddEvent(std::move(event));
}

}  // namespace

void ProcessStep(ExecutionChange& change, const v1::OperationUpdate& update) {
  record::OperationRecord& record = TouchTarget(change, update);
  v1::Operation& operation = *record.mutable_operation();
  v1::StepDetails& step = *operation.mutable_step_details();
  switch (update.action()) {
    case v1::OPERATION_ACTION_START:
      // Result and error of the last attempt stay: a condition that is polled keeps its state
      // there.
      operation.set_status(v1::OPERATION_STATUS_STARTED);
      change.AddEvent(OperationEvent(v1::EVENT_TYPE_STEP_STARTED, operation));
      break;
    case v1::OPERATION_ACTION_RETRY: {
      EndAttempt(update, step);
      const int delay_seconds = update.step_options().next_attempt_delay_seconds();
      operation.set_status(v1::OPERATION_STATUS_PENDING);
      record.set_delay_seconds(delay_seconds);
      SetTimestamp(change.moment().time + absl::Seconds(delay_seconds),
                   step.mutable_next_attempt_timestamp());
      AddAttemptEvent(change, update, operation, update.has_error());
      break;
    }
    default: {
      const bool failed = update.action() == v1::OPERATION_ACTION_FAIL;
      EndAttempt(update, step);
      change.Close(record, failed ? v1::OPERATION_STATUS_FAILED : v1::OPERATION_STATUS_SUCCEEDED);
      AddAttemptEvent(change, update, operation, failed);
    }
  }
}

}  // namespace rehearse
