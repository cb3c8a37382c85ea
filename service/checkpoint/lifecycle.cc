#include "service/checkpoint/lifecycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/text.h"
#include "service/checkpoint/closing.h"
#include "service/checkpoint/gate.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

using Outcome = InvocationResult::Outcome;

v1::ErrorObject MakeErrorObject(absl::string_view type, absl::string_view message) {
  v1::ErrorObject error;
  error.set_error_type(std::string(type));
  error.set_error_message(std::string(message));
  return error;
}

v1::Event ExecutionEvent(const ExecutionChange& change, v1::EventType type) {
  return OperationEvent(type, change.Find(change.base().record().execution_id())->operation());
}

void SetError(const ExecutionChange& change, v1::EventError* error) {
  error->set_truncated(false);
  *error->mutable_payload() = change.progress().error();
}

// The event that ends the history; status, result and error have been set.
void AddTerminalEvent(ExecutionChange& change) {
  const record::ExecutionProgress& progress = change.progress();
  switch (progress.status()) {
    case v1::EXECUTION_STATUS_SUCCEEDED: {
      v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_SUCCEEDED);
      v1::EventResult* result = event.mutable_execution_succeeded_details()->mutable_result();
      result->set_truncated(false);
      if (progress.has_result()) result->set_payload(progress.result());
      return change.AddEvent(std::move(event));
    }
    case v1::EXECUTION_STATUS_TIMED_OUT: {
      v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_TIMED_OUT);
      SetError(change, event.mutable_execution_timed_out_details()->mutable_error());
      return change.AddEvent(std::move(event));
    }
    case v1::EXECUTION_STATUS_STOPPED: {
      v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_STOPPED);
      SetError(change, event.mutable_execution_stopped_details()->mutable_error());
      return change.AddEvent(std::move(event));
    }
    default: {
      v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_FAILED);
      SetError(change, event.mutable_execution_failed_details()->mutable_error());
      return change.AddEvent(std::move(event));
    }
  }
}

// Closes an open execution and writes its terminal event.
void Close(ExecutionChange& change, v1::ExecutionStatus status, absl::optional<std::string> result,
           const absl::optional<v1::ErrorObject>& error) {
  CloseExecution(change, status, std::move(result), error);
  AddTerminalEvent(change);
}

void AddInvocationCompleted(ExecutionChange& change, const absl::optional<v1::ErrorObject>& error) {
  record::ExecutionProgress& progress = change.progress();
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_INVOCATION_COMPLETED);
  v1::InvocationCompletedDetails& details = *event.mutable_invocation_completed_details();
  *details.mutable_start_timestamp() = progress.invocation().start_time();
  SetTimestamp(change.moment().time, details.mutable_end_timestamp());
  details.set_request_id(progress.invocation().request_id());
  if (error.has_value()) {
    *details.mutable_error()->mutable_payload() = *error;
    details.mutable_error()->set_truncated(false);
  }
  change.AddEvent(std::move(event));
  progress.clear_invocation();
}

bool HasUndelivered(const ExecutionChange& change) {
  return change.base().AnyTouchedAfter(change.progress().seen_sequence());
}

// Whether a step has become ready while the invocation ran and is so still, though a checkpoint may
// have told the handler: one that goes by its own clock takes the retry to be due later.
bool LeftReadyStep(const ExecutionChange& change) {
  const int64_t begin = change.progress().invocation().begin_sequence();
  for (int64_t index : change.base().TouchedAfter(begin)) {
    const record::OperationRecord& operation = change.base().operation(index);
    if (operation.operation().status() == v1::OPERATION_STATUS_READY &&
        !change.base().IsPruned(operation)) {
      return true;
    }
  }
  return false;
}

NextStep InvokeAfter(ExecutionChange& change, absl::Duration delay) {
  SetTimestamp(change.moment().time + delay, change.progress().mutable_backoff_until());
  return NextStep::kNothing;
}

NextStep Fail(ExecutionChange& change, const absl::optional<v1::ErrorObject>& error) {
  Close(change, v1::EXECUTION_STATUS_FAILED, absl::nullopt, error);
  return NextStep::kFinished;
}

NextStep Succeed(ExecutionChange& change, const absl::optional<std::string>& result,
                 const Limits& limits) {
  const int64_t max_bytes = MaxResultBytes(change.base().record(), limits);
  if (result.has_value() && static_cast<int64_t>(result->size()) > max_bytes) {
    v1::ErrorObject error;
    error.set_error_message(absl::StrCat(
        "Execution output payload size must be less than or equal to ", max_bytes, " bytes."));
    return Fail(change, error);
  }
  Close(change, v1::EXECUTION_STATUS_SUCCEEDED, result, absl::nullopt);
  return NextStep::kFinished;
}

NextStep CountFailure(ExecutionChange& change, const absl::optional<v1::ErrorObject>& error,
                      const FailurePolicy& policy) {
  record::ExecutionProgress& progress = change.progress();
  progress.set_consecutive_failures(progress.consecutive_failures() + 1);
  if (progress.consecutive_failures() >= policy.max_consecutive_failures)
    return Fail(change, error);
  return InvokeAfter(change, policy.DelayAfter(progress.consecutive_failures()));
}

NextStep CountEmptyPending(ExecutionChange& change, const v1::ErrorObject& error,
                           const FailurePolicy& policy) {
  record::ExecutionProgress& progress = change.progress();
  progress.set_consecutive_empty_pendings(progress.consecutive_empty_pendings() + 1);
  if (progress.consecutive_empty_pendings() > policy.max_empty_pendings) return Fail(change, error);
  return InvokeAfter(change, policy.DelayAfter(progress.consecutive_empty_pendings()));
}

// A clean suspension begins the count of failed invocations anew.
void ForgiveFailures(record::ExecutionProgress& progress) {
  progress.set_consecutive_failures(0);
  progress.set_consecutive_empty_pendings(0);
}

NextStep Suspend(ExecutionChange& change) {
  ForgiveFailures(change.progress());
  return HasUndelivered(change) || change.progress().invocation_owed() ? NextStep::kInvoke
                                                                       : NextStep::kNothing;
}

// An invocation that ends while a pause is wanted: a result still counts, anything else lets the
// pause take effect.
NextStep EndWhilePausing(ExecutionChange& change, const InvocationResult& result) {
  record::ExecutionProgress& progress = change.progress();
  const bool failed = result.outcome != Outcome::kPending;
  if (failed) {
    progress.set_consecutive_failures(progress.consecutive_failures() + 1);
  } else {
    ForgiveFailures(progress);
  }
  progress.set_invocation_owed(progress.invocation_owed() || failed || HasUndelivered(change));
  PauseTakesEffect(change);
  return NextStep::kNothing;
}

// Of what a request asks for, its client token left out.
template <typename Request>
uint64_t DigestOf(Request request) {
  request.clear_client_token();
  return StableHash64(request.SerializeAsString(), 0);
}

template <typename Request>
void Remember(const ExecutionChange& change, const Request& request, record::HoldRequest* last) {
  last->set_client_token(request.client_token());
  last->set_request_digest(DigestOf(request));
  SetTimestamp(change.moment().time, last->mutable_time());
}

template <typename Request>
absl::StatusOr<bool> Repeats(const record::HoldRequest& last, const Request& request,
                             absl::Time now) {
  if (!request.has_client_token() || last.client_token() != request.client_token() ||
      now - ToAbsl(last.time()) > kClientTokenWindow) {
    return false;
  }
  if (last.request_digest() == DigestOf(request)) return true;
  return errors::InvalidParameter(
      absl::StrCat("ClientToken '", request.client_token(), "' was used for another request."));
}

bool EndsExecution(Outcome outcome) {
  return outcome == Outcome::kSucceeded || outcome == Outcome::kFailed;
}

}  // namespace

ExecutionDelta StartExecution(record::ExecutionRecord record, absl::optional<std::string> input,
                              Moment moment) {
  SetTimestamp(moment.time, record.mutable_start_time());
  ExecutionDelta delta;
  delta.arn = record.arn();

  record::OperationRecord root;
  root.set_last_touched(1);
  v1::Operation& operation = *root.mutable_operation();
  operation.set_id(record.execution_id());
  operation.set_name(record.name());
  operation.set_type(v1::OPERATION_TYPE_EXECUTION);
  operation.set_status(v1::OPERATION_STATUS_STARTED);
  *operation.mutable_start_timestamp() = record.start_time();
  v1::ExecutionDetails& details = *operation.mutable_execution_details();

  const int timeout = record.durable_config().execution_timeout();
  v1::Event event = OperationEvent(v1::EVENT_TYPE_EXECUTION_STARTED, operation);
  event.set_event_id(1);
  *event.mutable_event_timestamp() = record.start_time();
  v1::ExecutionStartedDetails& started = *event.mutable_execution_started_details();
  started.set_execution_timeout(timeout);
  started.mutable_input()->set_truncated(false);
  if (input.has_value()) {
    started.mutable_input()->set_payload(*input);
    details.set_input_payload(*std::move(input));
  }

  record::ExecutionProgress& progress = delta.progress;
  progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  progress.set_change_sequence(1);
  progress.set_seen_sequence(1);
  progress.set_event_count(1);
  *progress.mutable_last_event_time() = record.start_time();
  progress.set_stored_bytes(static_cast<int64_t>(details.input_payload().size()));
  if (timeout > 0) {
    SetTimestamp(moment.deadline_time + absl::Seconds(timeout),
                 progress.mutable_timeout_deadline());
  }

  delta.operations.push_back(std::move(root));
  delta.events.push_back(std::move(event));
  delta.created = std::move(record);
  return delta;
}

std::vector<std::string> BeginInvocation(ExecutionChange& change, std::string request_id,
                                         std::string secret) {
  record::ExecutionProgress& progress = change.progress();
  std::vector<std::string> updated;
  for (int64_t index : change.base().TouchedAfter(progress.seen_sequence())) {
    const record::OperationRecord& operation = change.base().operation(index);
    if (operation.touched_outside()) updated.push_back(operation.operation().id());
  }
  record::Invocation& invocation = *progress.mutable_invocation();
  invocation.set_request_id(std::move(request_id));
  invocation.set_secret(std::move(secret));
  invocation.set_begin_sequence(progress.change_sequence());
  SetTimestamp(change.moment().time, invocation.mutable_start_time());
  progress.set_invocation_count(progress.invocation_count() + 1);
  progress.set_invocation_owed(false);
  progress.clear_backoff_until();
  progress.set_seen_sequence(progress.change_sequence());
  return updated;
}

std::string CurrentCheckpointToken(const Execution& execution) {
  return TokenOf(execution.record(), execution.progress());
}

NextStep EndInvocation(ExecutionChange& change, const InvocationResult& result,
                       const FailurePolicy& policy, const Limits& limits) {
  record::ExecutionProgress& progress = change.progress();
  if (progress.terminal_event_pending()) {
    const bool broken = result.outcome == Outcome::kBroken;
    AddInvocationCompleted(change, broken ? result.error : absl::nullopt);
    progress.set_terminal_event_pending(false);
    AddTerminalEvent(change);
    return NextStep::kFinished;
  }
  if (progress.status() == v1::EXECUTION_STATUS_PAUSED || progress.invocation().withdrawn()) {
    // The pause took this invocation's token: what it says about the execution no longer counts,
    // and another one is owed.
    const bool accepted = EndsExecution(result.outcome) || result.outcome == Outcome::kPending;
    AddInvocationCompleted(change, accepted ? absl::nullopt : result.error);
    return MayInvoke(progress) ? NextStep::kInvoke : NextStep::kNothing;
  }
  const bool pausing = progress.status() == v1::EXECUTION_STATUS_PAUSING;
  if (result.outcome == Outcome::kPending && !pausing && !change.base().AnythingPending() &&
      !HasUndelivered(change) && !progress.invocation_owed()) {
    const v1::ErrorObject error = MakeErrorObject(
        "InvalidParameterValueException",
        "The function answered PENDING, but no operation of the execution is pending.");
    AddInvocationCompleted(change, error);
    return CountEmptyPending(change, error, policy);
  }
  const bool accepted = EndsExecution(result.outcome) || result.outcome == Outcome::kPending;
  if (result.outcome == Outcome::kPending && LeftReadyStep(change)) OweInvocation(change);
  AddInvocationCompleted(change, accepted ? absl::nullopt : result.error);
  if (pausing && !EndsExecution(result.outcome)) return EndWhilePausing(change, result);
  switch (result.outcome) {
    case Outcome::kSucceeded:
      return Succeed(change, result.result, limits);
    case Outcome::kPending:
      return Suspend(change);
    case Outcome::kBroken:
      return CountFailure(change, result.error, policy);
    case Outcome::kFailed:
    case Outcome::kInvalidOutput:
      return Fail(change, result.error);
  }
  return NextStep::kNothing;
}

void Stop(ExecutionChange& change, const v1::ErrorObject& error) {
  if (change.progress().has_invocation()) AddInvocationCompleted(change, absl::nullopt);
  Close(change, v1::EXECUTION_STATUS_STOPPED, absl::nullopt, error);
}

void TimeOut(ExecutionChange& change) {
  if (change.progress().has_invocation()) AddInvocationCompleted(change, absl::nullopt);
  v1::ErrorObject error;
  error.set_error_message(absl::StrCat("Execution timed out after ",
                                       change.base().record().durable_config().execution_timeout(),
                                       " seconds."));
  Close(change, v1::EXECUTION_STATUS_TIMED_OUT, absl::nullopt, error);
}

void FailUnknownFunction(ExecutionChange& change) {
  const std::string& name = change.base().record().registered_function_name();
  Fail(change,
       MakeErrorObject("ResourceNotFoundException", absl::StrCat("Function not found: ", name)));
}

void OweInvocation(ExecutionChange& change) { change.progress().set_invocation_owed(true); }

absl::StatusOr<bool> IsRepeated(const Execution& execution,
                                const v1::PauseExecutionRequest& request, absl::Time now) {
  return Repeats(execution.progress().last_pause(), request, now);
}

absl::StatusOr<bool> IsRepeated(const Execution& execution,
                                const v1::ResumeExecutionRequest& request, absl::Time now) {
  return Repeats(execution.progress().last_resume(), request, now);
}

absl::Status Pause(ExecutionChange& change, const v1::PauseExecutionRequest& request) {
  record::ExecutionProgress& progress = change.progress();
  if (progress.status() != v1::EXECUTION_STATUS_RUNNING) {
    return errors::Conflict(absl::StrCat("Cannot pause an execution that is ",
                                         v1::ExecutionStatus_Name(progress.status()).substr(17),
                                         "; only a RUNNING one can be paused."));
  }
  record::Pause& pause = *progress.mutable_pause();
  SetTimestamp(change.moment().time, pause.mutable_request_time());
  pause.set_execution_timeout_paused(
      request.has_execution_timeout_paused() ? request.execution_timeout_paused() : true);
  if (request.has_reason()) pause.set_reason(request.reason());
  if (request.has_client_token()) Remember(change, request, progress.mutable_last_pause());
  // One whose token an earlier pause took has no more to say.
  if (progress.has_invocation() && !progress.invocation().withdrawn()) {
    progress.set_status(v1::EXECUTION_STATUS_PAUSING);
  } else {
    // An invocation that a back-off or a queue holds is owed from here on.
    progress.set_invocation_owed(progress.invocation_owed() || progress.has_backoff_until());
    progress.clear_backoff_until();
    PauseTakesEffect(change);
  }
  return absl::OkStatus();
}

void PauseTakesEffect(ExecutionChange& change) {
  record::ExecutionProgress& progress = change.progress();
  progress.set_status(v1::EXECUTION_STATUS_PAUSED);
  const record::Pause& pause = progress.pause();
  if (pause.execution_timeout_paused() && progress.has_timeout_deadline()) {
    const absl::Duration left = ToAbsl(progress.timeout_deadline()) - change.moment().deadline_time;
    progress.set_held_timeout_seconds(absl::ToDoubleSeconds(left));
    progress.clear_timeout_deadline();
  }
  v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_PAUSED);
  v1::ExecutionPausedDetails& details = *event.mutable_execution_paused_details();
  *details.mutable_pause_request_timestamp() = pause.request_time();
  details.set_execution_timeout_paused(pause.execution_timeout_paused());
  if (pause.has_reason()) details.mutable_reason()->set_payload(pause.reason());
  change.AddEvent(std::move(event));
}

absl::StatusOr<NextStep> Resume(ExecutionChange& change,
                                const v1::ResumeExecutionRequest& request) {
  record::ExecutionProgress& progress = change.progress();
  const bool pausing = progress.status() == v1::EXECUTION_STATUS_PAUSING;
  if (!pausing && progress.status() != v1::EXECUTION_STATUS_PAUSED) {
    return errors::Conflict(absl::StrCat("Cannot resume an execution that is ",
                                         v1::ExecutionStatus_Name(progress.status()).substr(17),
                                         "; only a PAUSED or PAUSING one can be resumed."));
  }
  progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  progress.clear_pause();
  if (request.has_client_token()) Remember(change, request, progress.mutable_last_resume());
  // A pause that has not taken effect is withdrawn without a trace.
  if (pausing) return NextStep::kNothing;
  if (progress.has_held_timeout_seconds()) {
    const absl::Time cap = ToAbsl(change.base().record().start_time()) +
                           absl::Seconds(kMaxDelaySeconds) -
                           (change.moment().time - change.moment().deadline_time);
    const absl::Time deadline =
        change.moment().deadline_time + absl::Seconds(progress.held_timeout_seconds());
    SetTimestamp(std::min(deadline, cap), progress.mutable_timeout_deadline());
    progress.clear_held_timeout_seconds();
  }
  v1::Event event = ExecutionEvent(change, v1::EVENT_TYPE_EXECUTION_RESUMED);
  v1::ExecutionResumedDetails& details = *event.mutable_execution_resumed_details();
  SetTimestamp(change.moment().time, details.mutable_resume_request_timestamp());
  if (request.has_reason()) details.mutable_reason()->set_payload(request.reason());
  change.AddEvent(std::move(event));
  return progress.invocation_owed() && MayInvoke(progress) ? NextStep::kInvoke : NextStep::kNothing;
}

bool MayInvoke(const record::ExecutionProgress& progress) {
  return progress.status() == v1::EXECUTION_STATUS_RUNNING && !progress.has_invocation();
}

bool AwaitsInvocation(const record::ExecutionProgress& progress) {
  if (IsTerminal(progress.status()) || progress.has_invocation() || progress.has_backoff_until()) {
    return false;
  }
  return progress.invocation_count() == 0 || progress.invocation_owed() ||
         progress.change_sequence() > progress.seen_sequence() ||
         progress.consecutive_failures() > 0 || progress.consecutive_empty_pendings() > 0;
}

}  // namespace rehearse
