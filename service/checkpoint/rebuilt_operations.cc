#include "service/checkpoint/rebuilt_operations.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/checkpoint/execution.h"

namespace rehearse {
namespace {

v1::OperationType TypeOf(v1::EventType event_type) {
  const std::string& name = v1::EventType_Name(event_type);
  for (int i = 1; i < v1::OperationType_ARRAYSIZE; ++i) {
    const auto type = static_cast<v1::OperationType>(i);
    const absl::string_view type_name =
        absl::string_view(v1::OperationType_Name(type)).substr(sizeof("OPERATION_TYPE_") - 1);
    if (absl::StartsWith(name, absl::StrCat("EVENT_TYPE_", type_name, "_"))) return type;
  }
  return v1::OPERATION_TYPE_UNSPECIFIED;
}

v1::OperationStatus StatusAfter(v1::EventType event_type) {
  const std::string& name = v1::EventType_Name(event_type);
  for (int i = 1; i < v1::OperationStatus_ARRAYSIZE; ++i) {
    const auto status = static_cast<v1::OperationStatus>(i);
    const absl::string_view status_name =
        absl::string_view(v1::OperationStatus_Name(status)).substr(sizeof("OPERATION_STATUS_") - 1);
    if (absl::EndsWith(name, absl::StrCat("_", status_name))) return status;
  }
  return v1::OPERATION_STATUS_UNSPECIFIED;
}

template <typename Details>
void TakeResult(const v1::EventResult& result, Details& details) {
  details.clear_error();
  details.clear_result();
  if (result.has_payload()) details.set_result(result.payload());
}

template <typename Details>
void TakeError(const v1::EventError& error, Details& details) {
  details.clear_result();
  *details.mutable_error() = error.payload();
}

// The end of an attempt: final, or with a retry behind it.
void EndAttempt(const v1::Event& event, const v1::RetryDetails& retry, v1::Operation& operation) {
  v1::StepDetails& step = *operation.mutable_step_details();
  step.set_attempt(retry.current_attempt());
  step.clear_next_attempt_timestamp();
  if (!retry.has_next_attempt_delay_seconds()) return;
  operation.set_status(v1::OPERATION_STATUS_PENDING);
  operation.clear_end_timestamp();
  SetTimestamp(ToAbsl(event.event_timestamp()) + absl::Seconds(retry.next_attempt_delay_seconds()),
               step.mutable_next_attempt_timestamp());
}

void TakeContextDetails(const v1::Event& event, v1::Operation& operation) {
  v1::ContextDetails& context = *operation.mutable_context_details();
  switch (event.event_type()) {
    case v1::EVENT_TYPE_CONTEXT_SUCCEEDED:
      return TakeResult(event.context_succeeded_details().result(), context);
    case v1::EVENT_TYPE_CONTEXT_FAILED:
      return TakeError(event.context_failed_details().error(), context);
    default:
      return;
  }
}

void TakeStepDetails(const v1::Event& event, v1::Operation& operation) {
  v1::StepDetails& step = *operation.mutable_step_details();
  switch (event.event_type()) {
    case v1::EVENT_TYPE_STEP_SUCCEEDED:
      TakeResult(event.step_succeeded_details().result(), step);
      return EndAttempt(event, event.step_succeeded_details().retry_details(), operation);
    case v1::EVENT_TYPE_STEP_FAILED:
      TakeError(event.step_failed_details().error(), step);
      return EndAttempt(event, event.step_failed_details().retry_details(), operation);
    default:
      step.clear_next_attempt_timestamp();
  }
}

void TakeCallbackDetails(const v1::Event& event, v1::Operation& operation) {
  v1::CallbackDetails& callback = *operation.mutable_callback_details();
  switch (event.event_type()) {
    case v1::EVENT_TYPE_CALLBACK_STARTED:
      return callback.set_callback_id(event.callback_started_details().callback_id());
    case v1::EVENT_TYPE_CALLBACK_SUCCEEDED:
      return TakeResult(event.callback_succeeded_details().result(), callback);
    case v1::EVENT_TYPE_CALLBACK_FAILED:
      return TakeError(event.callback_failed_details().error(), callback);
    default:
      return TakeError(event.callback_timed_out_details().error(), callback);
  }
}

void TakeChainedInvokeDetails(const v1::Event& event, v1::Operation& operation) {
  v1::ChainedInvokeDetails& chained = *operation.mutable_chained_invoke_details();
  switch (event.event_type()) {
    case v1::EVENT_TYPE_CHAINED_INVOKE_STARTED:
      return;
    case v1::EVENT_TYPE_CHAINED_INVOKE_SUCCEEDED:
      return TakeResult(event.chained_invoke_succeeded_details().result(), chained);
    case v1::EVENT_TYPE_CHAINED_INVOKE_FAILED:
      return TakeError(event.chained_invoke_failed_details().error(), chained);
    case v1::EVENT_TYPE_CHAINED_INVOKE_TIMED_OUT:
      return TakeError(event.chained_invoke_timed_out_details().error(), chained);
    default:
      return TakeError(event.chained_invoke_stopped_details().error(), chained);
  }
}

void TakeDetailsOfType(const v1::Event& event, v1::Operation& operation) {
  switch (operation.type()) {
    case v1::OPERATION_TYPE_CONTEXT:
      return TakeContextDetails(event, operation);
    case v1::OPERATION_TYPE_STEP:
      return TakeStepDetails(event, operation);
    case v1::OPERATION_TYPE_CALLBACK:
      return TakeCallbackDetails(event, operation);
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return TakeChainedInvokeDetails(event, operation);
    case v1::OPERATION_TYPE_WAIT:
      if (!event.has_wait_started_details()) return;
      *operation.mutable_wait_details()->mutable_scheduled_end_timestamp() =
          event.wait_started_details().scheduled_end_timestamp();
      return;
    default:
      if (!event.has_execution_started_details()) return;
      operation.mutable_execution_details()->set_input_payload(
          event.execution_started_details().input().payload());
  }
}

}  // namespace

std::map<std::string, v1::Operation> RebuiltOperations(const std::vector<v1::Event>& events) {
  std::map<std::string, v1::Operation> operations;
  for (const v1::Event& event : events) {
    const v1::OperationStatus status = StatusAfter(event.event_type());
    // Neither the end of an invocation nor a pause changes an operation.
    if (!event.has_id() || status == v1::OPERATION_STATUS_UNSPECIFIED) continue;
    v1::Operation& operation = operations[event.id()];
    if (operation.id().empty()) {
      operation.set_id(event.id());
      operation.set_type(TypeOf(event.event_type()));
      if (event.has_parent_id()) operation.set_parent_id(event.parent_id());
      if (event.has_name()) operation.set_name(event.name());
      if (event.has_sub_type()) operation.set_sub_type(event.sub_type());
      *operation.mutable_start_timestamp() = event.event_timestamp();
    }
    operation.set_status(status);
    if (IsTerminal(status)) *operation.mutable_end_timestamp() = event.event_timestamp();
    TakeDetailsOfType(event, operation);
  }
  return operations;
}

}  // namespace rehearse
