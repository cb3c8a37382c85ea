#include "service/checkpoint/completions.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/text.h"
#include "service/checkpoint/closing.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

using Kind = OperationTimer::Kind;

void SetResult(const absl::optional<std::string>& result, v1::EventResult* wrapper) {
  wrapper->set_truncated(false);
  if (result.has_value()) wrapper->set_payload(*result);
}

void CompleteWait(ExecutionChange& change, record::OperationRecord& wait) {
  change.Close(wait, v1::OPERATION_STATUS_SUCCEEDED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_WAIT_SUCCEEDED, wait.operation());
  event.mutable_wait_succeeded_details()->set_duration(wait.delay_seconds());
  change.AddEvent(std::move(event));
}

void MakeStepReady(record::OperationRecord& step) {
  step.mutable_operation()->set_status(v1::OPERATION_STATUS_READY);
  step.mutable_operation()->mutable_step_details()->clear_next_attempt_timestamp();
}

void TimeOutCallback(ExecutionChange& change, Kind kind, record::OperationRecord& callback) {
  v1::ErrorObject& error =
      *callback.mutable_operation()->mutable_callback_details()->mutable_error();
  const bool heartbeat = kind == Kind::kCallbackHeartbeat;
  error.set_error_message(heartbeat ? "Callback timed out on heartbeat" : "Callback timed out");
  error.set_error_type(heartbeat ? "Callback.Heartbeat" : "Callback.Timeout");
  change.Close(callback, v1::OPERATION_STATUS_TIMED_OUT);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CALLBACK_TIMED_OUT, callback.operation());
  SetError(error, event.mutable_callback_timed_out_details()->mutable_error());
  change.AddEvent(std::move(event));
}

absl::optional<OperationTimer> CallbackTimerOf(const record::OperationRecord& callback) {
  absl::optional<OperationTimer> timer;
  if (callback.has_timeout_deadline()) {
    timer = OperationTimer{Kind::kCallbackTimeout, ToAbsl(callback.timeout_deadline())};
  }
  if (callback.has_heartbeat_deadline()) {
    const absl::Time due = ToAbsl(callback.heartbeat_deadline());
    if (!timer.has_value() || due < timer->due)
      timer = OperationTimer{Kind::kCallbackHeartbeat, due};
  }
  return timer;
}

// The id of the open callback that `callback_id` names.
absl::StatusOr<std::string> OpenCallback(const ExecutionChange& change, int64_t index,
                                         absl::string_view callback_id) {
  const Execution& execution = change.base();
  if (index < 0 || index >= execution.operation_count()) return errors::CallbackNotFound();
  const std::string& id = execution.operation(index).operation().id();
  const v1::Operation& operation = change.Find(id)->operation();
  if (operation.type() != v1::OPERATION_TYPE_CALLBACK ||
      operation.callback_details().callback_id() != callback_id) {
    return errors::CallbackNotFound();
  }
  if (IsTerminal(change.progress().status()) || IsTerminal(operation.status())) {
    return errors::CallbackClosed();
  }
  return id;
}

}  // namespace

absl::optional<OperationTimer> TimerOf(const record::OperationRecord& record) {
  const v1::Operation& operation = record.operation();
  if (operation.type() == v1::OPERATION_TYPE_CALLBACK) {
    return IsTerminal(operation.status()) ? absl::nullopt : CallbackTimerOf(record);
  }
  const absl::optional<absl::Time> due = WaitOrRetryDue(operation);
  if (!due.has_value()) return absl::nullopt;
  return OperationTimer{operation.type() == v1::OPERATION_TYPE_WAIT ? Kind::kWait : Kind::kRetry,
                        *due};
}

bool CompleteIfDue(ExecutionChange& change, absl::string_view operation_id) {
  if (IsTerminal(change.progress().status())) return false;
  const record::OperationRecord* current = change.Find(operation_id);
  if (current == nullptr) return false;
  const absl::optional<OperationTimer> timer = TimerOf(*current);
  if (!timer.has_value()) return false;
  const bool callback =
      timer->kind == Kind::kCallbackTimeout || timer->kind == Kind::kCallbackHeartbeat;
  if (timer->due > (callback ? change.moment().deadline_time : change.moment().time)) return false;
  record::OperationRecord& record = *change.Touch(operation_id);
  switch (timer->kind) {
    case Kind::kWait:
      CompleteWait(change, record);
      break;
    case Kind::kRetry:
      MakeStepReady(record);
      break;
    case Kind::kCallbackTimeout:
    case Kind::kCallbackHeartbeat:
      TimeOutCallback(change, timer->kind, record);
  }
  return true;
}

absl::Status CompleteCallback(ExecutionChange& change, int64_t index, absl::string_view callback_id,
                              const absl::optional<std::string>& result, const Limits& limits) {
  const absl::StatusOr<std::string> id = OpenCallback(change, index, callback_id);
  if (!id.ok()) return id.status();
  absl::optional<std::string> kept = result;
  if (kept.has_value() && kept->empty()) kept.reset();
  const int64_t bytes = kept.has_value() ? static_cast<int64_t>(kept->size()) : 0;
  if (bytes > limits.callback_result_bytes) {
    return errors::InvalidParameter(
        absl::StrCat("CALLBACK output payload size must be less than or equal to ",
                     limits.callback_result_bytes, " bytes."));
  }
  if (kept.has_value() && !IsUtf8(*kept)) {
    return errors::InvalidParameter("The result of a CALLBACK must be UTF-8 text.");
  }
  change.CountStored(bytes);
  record::OperationRecord& record = *change.Touch(*id);
  if (kept.has_value()) {
    record.mutable_operation()->mutable_callback_details()->set_result(*kept);
  }
  change.Close(record, v1::OPERATION_STATUS_SUCCEEDED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CALLBACK_SUCCEEDED, record.operation());
  SetResult(kept, event.mutable_callback_succeeded_details()->mutable_result());
  change.AddEvent(std::move(event));
  return absl::OkStatus();
}

absl::Status FailCallback(ExecutionChange& change, int64_t index, absl::string_view callback_id,
                          const v1::ErrorObject& error, const Limits& limits) {
  const absl::StatusOr<std::string> id = OpenCallback(change, index, callback_id);
  if (!id.ok()) return id.status();
  if (ErrorObjectBytes(error) > limits.error_object_bytes) {
    return errors::InvalidParameter(
        absl::StrCat("CALLBACK error size must be less than or equal to ",
                     limits.error_object_bytes, " bytes."));
  }
  change.CountStored(ErrorObjectBytes(error));
  record::OperationRecord& record = *change.Touch(*id);
  *record.mutable_operation()->mutable_callback_details()->mutable_error() = error;
  change.Close(record, v1::OPERATION_STATUS_FAILED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CALLBACK_FAILED, record.operation());
  SetError(error, event.mutable_callback_failed_details()->mutable_error());
  change.AddEvent(std::move(event));
  return absl::OkStatus();
}

absl::Status HeartbeatCallback(ExecutionChange& change, int64_t index,
                               absl::string_view callback_id) {
  const absl::StatusOr<std::string> id = OpenCallback(change, index, callback_id);
  if (!id.ok()) return id.status();
  const int heartbeat_seconds = change.Find(*id)->heartbeat_timeout_seconds();
  if (heartbeat_seconds == 0) return absl::OkStatus();
  SetTimestamp(change.moment().deadline_time + absl::Seconds(heartbeat_seconds),
               change.TouchQuietly(*id)->mutable_heartbeat_deadline());
  return absl::OkStatus();
}

void CompleteChainedInvoke(ExecutionChange& change, absl::string_view operation_id,
                           const ChainedOutcome& outcome) {
  const record::OperationRecord* current = change.Find(operation_id);
  if (current == nullptr || IsTerminal(current->operation().status()) ||
      IsTerminal(change.progress().status())) {
    return;
  }
  record::OperationRecord& record = *change.Touch(operation_id);
  record.mutable_chained_target()->clear_input();
  const v1::ErrorObject error = outcome.error.value_or(v1::ErrorObject());
  change.CountStored(static_cast<int64_t>(outcome.result.value_or("").size()) +
                     ErrorObjectBytes(error));
  v1::ChainedInvokeDetails& chained = *record.mutable_operation()->mutable_chained_invoke_details();
  const bool succeeded = outcome.status == v1::OPERATION_STATUS_SUCCEEDED;
  if (succeeded && outcome.result.has_value()) chained.set_result(*outcome.result);
  if (!succeeded) *chained.mutable_error() = error;
  change.Close(record, outcome.status);
  v1::Event event;
  switch (outcome.status) {
    case v1::OPERATION_STATUS_SUCCEEDED:
      event = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_SUCCEEDED, record.operation());
      SetResult(outcome.result, event.mutable_chained_invoke_succeeded_details()->mutable_result());
      break;
    case v1::OPERATION_STATUS_TIMED_OUT:
      event = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_TIMED_OUT, record.operation());
      SetError(error, event.mutable_chained_invoke_timed_out_details()->mutable_error());
      break;
    case v1::OPERATION_STATUS_STOPPED:
      event = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_STOPPED, record.operation());
      SetError(error, event.mutable_chained_invoke_stopped_details()->mutable_error());
      break;
    default:
      event = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_FAILED, record.operation());
      SetError(error, event.mutable_chained_invoke_failed_details()->mutable_error());
  }
  change.AddEvent(std::move(event));
}

}  // namespace rehearse
