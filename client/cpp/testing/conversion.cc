#include "client/cpp/testing/conversion.h"

#include "client/cpp/durable/internal/proto_conversion.h"

namespace durable::testing::internal {
namespace {

// Both list the 26 types in the same order; the contract's 0 is "unspecified".
static_assert(static_cast<int>(EventType::kExecutionStarted) + 1 ==
                  v1::EVENT_TYPE_EXECUTION_STARTED,
              "");
static_assert(static_cast<int>(EventType::kInvocationCompleted) + 1 ==
                  v1::EVENT_TYPE_INVOCATION_COMPLETED,
              "");
static_assert(static_cast<int>(OperationStatus::kStarted) + 1 == v1::OPERATION_STATUS_STARTED, "");
static_assert(static_cast<int>(OperationStatus::kStopped) + 1 == v1::OPERATION_STATUS_STOPPED, "");
static_assert(static_cast<int>(ExecutionStatus::kRunning) + 1 == v1::EXECUTION_STATUS_RUNNING, "");
static_assert(static_cast<int>(ExecutionStatus::kStopped) + 1 == v1::EXECUTION_STATUS_STOPPED, "");

// Sets the payload and error members that most details share.
void SetInput(const v1::EventInput& input, Event& event) {
  if (input.has_payload()) event.payload = input.payload();
}
void SetResult(const v1::EventResult& result, Event& event) {
  if (result.has_payload()) event.payload = result.payload();
}
void SetError(const v1::EventError& error, Event& event) {
  if (error.has_payload()) event.error = ToErrorObject(error.payload());
}
void SetReason(const v1::EventReason& reason, Event& event) {
  if (reason.has_payload()) event.payload = reason.payload();
}
void SetRetry(const v1::RetryDetails& retry, Event& event) {
  event.attempt = retry.current_attempt();
  if (retry.has_next_attempt_delay_seconds())
    event.next_attempt_delay_seconds = retry.next_attempt_delay_seconds();
}

void SetInvokeStarted(const v1::ChainedInvokeStartedDetails& details, Event& event) {
  SetInput(details.input(), event);
  event.function_name = details.function_name();
  event.tenant_id = details.tenant_id();
  event.executed_version = details.executed_version();
  event.durable_execution_arn = details.durable_execution_arn();
}

void SetCallbackStarted(const v1::CallbackStartedDetails& details, Event& event) {
  event.callback_id = details.callback_id();
  event.timeout_seconds = details.timeout();
  event.heartbeat_timeout_seconds = details.heartbeat_timeout();
}

void SetInvocationCompleted(const v1::InvocationCompletedDetails& details, Event& event) {
  event.request_id = details.request_id();
  event.start_time = ToTime(details.start_timestamp());
  event.end_time = ToTime(details.end_timestamp());
  SetError(details.error(), event);
}

void SetDetails(const v1::Event& from, Event& event) {
  switch (from.details_case()) {
    case v1::Event::kExecutionStartedDetails:
      SetInput(from.execution_started_details().input(), event);
      event.timeout_seconds = from.execution_started_details().execution_timeout();
      return;
    case v1::Event::kExecutionSucceededDetails:
      return SetResult(from.execution_succeeded_details().result(), event);
    case v1::Event::kExecutionFailedDetails:
      return SetError(from.execution_failed_details().error(), event);
    case v1::Event::kExecutionTimedOutDetails:
      return SetError(from.execution_timed_out_details().error(), event);
    case v1::Event::kExecutionStoppedDetails:
      return SetError(from.execution_stopped_details().error(), event);
    case v1::Event::kExecutionPausedDetails:
      return SetReason(from.execution_paused_details().reason(), event);
    case v1::Event::kExecutionResumedDetails:
      return SetReason(from.execution_resumed_details().reason(), event);
    case v1::Event::kContextSucceededDetails:
      return SetResult(from.context_succeeded_details().result(), event);
    case v1::Event::kContextFailedDetails:
      return SetError(from.context_failed_details().error(), event);
    case v1::Event::kWaitStartedDetails:
      event.duration_seconds = from.wait_started_details().duration();
      return;
    case v1::Event::kWaitSucceededDetails:
      event.duration_seconds = from.wait_succeeded_details().duration();
      return;
    case v1::Event::kWaitCancelledDetails:
      return SetError(from.wait_cancelled_details().error(), event);
    case v1::Event::kStepSucceededDetails:
      SetRetry(from.step_succeeded_details().retry_details(), event);
      return SetResult(from.step_succeeded_details().result(), event);
    case v1::Event::kStepFailedDetails:
      SetRetry(from.step_failed_details().retry_details(), event);
      return SetError(from.step_failed_details().error(), event);
    case v1::Event::kChainedInvokeStartedDetails:
      return SetInvokeStarted(from.chained_invoke_started_details(), event);
    case v1::Event::kChainedInvokeSucceededDetails:
      return SetResult(from.chained_invoke_succeeded_details().result(), event);
    case v1::Event::kChainedInvokeFailedDetails:
      return SetError(from.chained_invoke_failed_details().error(), event);
    case v1::Event::kChainedInvokeTimedOutDetails:
      return SetError(from.chained_invoke_timed_out_details().error(), event);
    case v1::Event::kChainedInvokeStoppedDetails:
      return SetError(from.chained_invoke_stopped_details().error(), event);
    case v1::Event::kCallbackStartedDetails:
      return SetCallbackStarted(from.callback_started_details(), event);
    case v1::Event::kCallbackSucceededDetails:
      return SetResult(from.callback_succeeded_details().result(), event);
    case v1::Event::kCallbackFailedDetails:
      return SetError(from.callback_failed_details().error(), event);
    case v1::Event::kCallbackTimedOutDetails:
      return SetError(from.callback_timed_out_details().error(), event);
    case v1::Event::kInvocationCompletedDetails:
      return SetInvocationCompleted(from.invocation_completed_details(), event);
    case v1::Event::kContextStartedDetails:
    case v1::Event::kStepStartedDetails:
    case v1::Event::DETAILS_NOT_SET:
      return;
  }
}

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

v1::OperationStatus FromOperationStatus(OperationStatus status) {
  return static_cast<v1::OperationStatus>(static_cast<int>(status) + 1);
}

Event ToEvent(const v1::Event& from) {
  Event event;
  event.id = from.event_id();
  event.type = static_cast<EventType>(from.event_type() - 1);
  event.time = ToTime(from.event_timestamp());
  event.operation_id = from.id();
  event.parent_id = from.parent_id();
  event.name = from.name();
  event.sub_type = from.sub_type();
  SetDetails(from, event);
  return event;
}

RecordedOperation ToRecordedOperation(const v1::Operation& from) {
  RecordedOperation operation;
  static_cast<Operation&>(operation) = durable::internal::FromProto(from);
  operation.start_time = ToTime(from.start_timestamp());
  if (from.has_end_timestamp()) operation.end_time = ToTime(from.end_timestamp());
  return operation;
}

ExecutionStatus ToExecutionStatus(v1::ExecutionStatus status) {
  return static_cast<ExecutionStatus>(status - 1);
}

ErrorObject ToErrorObject(const v1::ErrorObject& from) {
  return {from.error_type(),
          from.error_message(),
          from.error_data(),
          {from.stack_trace().begin(), from.stack_trace().end()}};
}

v1::ErrorObject FromErrorObject(const ErrorObject& error) {
  v1::ErrorObject to;
  if (!error.type.empty()) to.set_error_type(error.type);
  if (!error.message.empty()) to.set_error_message(error.message);
  if (!error.data.empty()) to.set_error_data(error.data);
  *to.mutable_stack_trace() = {error.stack_trace.begin(), error.stack_trace.end()};
  return to;
}

}  // namespace durable::testing::internal
