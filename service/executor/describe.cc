#include "service/executor/describe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/checkpoint/completions.h"

namespace rehearse {
namespace {

using Kind = v1::WaitingFor;

void SetDuration(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto->set_nanos(
      static_cast<int32_t>(absl::IDivDuration(duration, absl::Nanoseconds(1), &duration)));
}

std::string Left(absl::Duration left) {
  const absl::Duration coarse = left > absl::Seconds(10) ? absl::Trunc(left, absl::Seconds(1))
                                                         : absl::Trunc(left, absl::Milliseconds(1));
  return absl::StrCat(absl::FormatDuration(coarse), " left");
}

v1::WaitingFor Reason(v1::WaitingFor::Kind kind, std::string text) {
  v1::WaitingFor reason;
  reason.set_kind(kind);
  reason.set_text(std::move(text));
  return reason;
}

std::string Title(absl::string_view kind, const v1::Operation& operation) {
  return absl::StrCat(kind, " \"", operation.has_name() ? operation.name() : operation.id(), "\"");
}

std::string CallbackText(const v1::Operation& operation, const absl::optional<absl::Duration>& left,
                         const InvocationOutlook& outlook) {
  const std::string title = Title("callback", operation);
  if (!left.has_value()) return absl::StrCat(title, " (no deadline); send it");
  const absl::string_view hint =
      outlook.skips_deadlines ? "send it" : "send it, advance time, or set skip_deadlines";
  return absl::StrCat(title, " (", Left(*left), "); ", hint);
}

absl::optional<v1::WaitingFor> OperationReason(const record::OperationRecord& record,
                                               const Moment& moment,
                                               const InvocationOutlook& outlook) {
  const v1::Operation& operation = record.operation();
  if (!IsPending(operation)) return absl::nullopt;
  const absl::optional<OperationTimer> timer = TimerOf(record);
  v1::WaitingFor reason;
  absl::optional<absl::Duration> left;
  switch (operation.type()) {
    case v1::OPERATION_TYPE_WAIT:
      left = timer->due - moment.time;
      reason =
          Reason(Kind::KIND_WAIT, absl::StrCat(Title("wait", operation), " (", Left(*left), ")"));
      break;
    case v1::OPERATION_TYPE_STEP:
      if (!timer.has_value()) return absl::nullopt;
      left = timer->due - moment.time;
      reason = Reason(Kind::KIND_RETRY,
                      absl::StrCat("retry of ", Title("step", operation), " (", Left(*left), ")"));
      break;
    case v1::OPERATION_TYPE_CALLBACK:
      if (timer.has_value()) left = timer->due - moment.deadline_time;
      reason = Reason(Kind::KIND_CALLBACK, CallbackText(operation, left, outlook));
      break;
    default:
      reason =
          Reason(Kind::KIND_CHAINED_INVOKE, absl::StrCat(Title("chained invoke", operation), " of ",
                                                         record.chained_target().function_name()));
  }
  reason.set_operation_id(operation.id());
  if (operation.has_name()) reason.set_name(operation.name());
  if (left.has_value())
    SetDuration(std::max(*left, absl::ZeroDuration()), reason.mutable_time_left());
  return reason;
}

void AddInvocationReasons(const Execution& execution, const Moment& moment,
                          const InvocationOutlook& outlook, std::vector<v1::WaitingFor>& reasons) {
  const record::ExecutionProgress& progress = execution.progress();
  const std::string& function = execution.record().registered_function_name();
  if (outlook.running) {
    reasons.push_back(
        Reason(Kind::KIND_INVOCATION, absl::StrCat("the running invocation of ", function)));
  } else if (outlook.queued && !outlook.has_place) {
    reasons.push_back(
        Reason(Kind::KIND_WORKER, absl::StrCat("a worker that serves ", function, "; start one")));
  } else if (outlook.queued) {
    reasons.push_back(Reason(Kind::KIND_WORKER,
                             absl::StrCat("a free slot of the workers that serve ", function)));
  }
  if (progress.status() == v1::EXECUTION_STATUS_PAUSED) {
    reasons.push_back(Reason(Kind::KIND_RESUME, "being resumed; resume it"));
  } else if (outlook.stepped && progress.invocation_owed()) {
    reasons.push_back(Reason(Kind::KIND_NEXT_INVOCATION,
                             "its next invocation; the session is stepped, ask for it"));
  }
  if (progress.has_backoff_until()) {
    const absl::Duration left = ToAbsl(progress.backoff_until()) - moment.time;
    v1::WaitingFor reason = Reason(
        Kind::KIND_BACKOFF, absl::StrCat("the back-off after ", progress.consecutive_failures(),
                                         " failed invocations (", Left(left), ")"));
    SetDuration(std::max(left, absl::ZeroDuration()), reason.mutable_time_left());
    reasons.push_back(std::move(reason));
  }
}

}  // namespace

v1::Execution DescribeExecution(const Location& location, const record::ExecutionRecord& record,
                                const record::ExecutionProgress& progress,
                                const absl::optional<std::string>& input,
                                const absl::optional<Moment>& moment, bool include_data) {
  v1::Execution execution;
  execution.set_durable_execution_arn(record.arn());
  execution.set_durable_execution_name(record.name());
  execution.set_function_arn(FunctionArn(location, record.function_name(), record.version()));
  execution.set_status(progress.status());
  *execution.mutable_start_timestamp() = record.start_time();
  if (progress.has_end_time()) *execution.mutable_end_timestamp() = progress.end_time();
  execution.set_version(record.version());
  execution.set_execution_data_included(include_data);
  if (record.has_x_amzn_trace_id()) {
    execution.mutable_trace_header()->set_x_amzn_trace_id(record.x_amzn_trace_id());
  }
  if (record.has_durable_config()) *execution.mutable_durable_config() = record.durable_config();
  if (progress.has_pause()) {
    v1::PauseDetails& pause = *execution.mutable_pause_details();
    *pause.mutable_pause_request_timestamp() = progress.pause().request_time();
    pause.set_execution_timeout_paused(progress.pause().execution_timeout_paused());
    if (include_data && progress.pause().has_reason()) pause.set_reason(progress.pause().reason());
  }
  if (moment.has_value() && !IsTerminal(progress.status())) {
    if (progress.has_timeout_deadline()) {
      SetTimestamp(ToAbsl(progress.timeout_deadline()) + (moment->time - moment->deadline_time),
                   execution.mutable_expected_execution_timeout_timestamp());
    } else if (progress.has_held_timeout_seconds()) {
      SetTimestamp(ToAbsl(record.start_time()) + absl::Seconds(kMaxDelaySeconds),
                   execution.mutable_expected_execution_timeout_timestamp());
    }
  }
  if (!include_data) return execution;
  if (input.has_value()) execution.set_input_payload(*input);
  if (progress.has_result()) execution.set_result(progress.result());
  if (progress.has_error()) *execution.mutable_error() = progress.error();
  return execution;
}

v1::Execution DescribeExecution(const Location& location, const Execution& execution,
                                const Moment& moment, bool include_data) {
  const v1::ExecutionDetails& details = execution.operation(0).operation().execution_details();
  absl::optional<std::string> input;
  if (details.has_input_payload()) input = details.input_payload();
  return DescribeExecution(location, execution.record(), execution.progress(), input, moment,
                           include_data);
}

v1::Execution SummarizeExecution(const Location& location, const StoredExecution& stored) {
  v1::Execution execution;
  execution.set_durable_execution_arn(stored.record.arn());
  execution.set_durable_execution_name(stored.record.name());
  execution.set_function_arn(
      FunctionArn(location, stored.record.function_name(), stored.record.version()));
  execution.set_status(stored.progress.status());
  *execution.mutable_start_timestamp() = stored.record.start_time();
  if (stored.progress.has_end_time())
    *execution.mutable_end_timestamp() = stored.progress.end_time();
  return execution;
}

std::vector<v1::WaitingFor> WaitingForOf(const Execution& execution, const Moment& moment,
                                         const InvocationOutlook& outlook) {
  std::vector<v1::WaitingFor> reasons;
  if (execution.closed()) return reasons;
  AddInvocationReasons(execution, moment, outlook, reasons);
  for (int64_t i = 1; i < execution.operation_count(); ++i) {
    absl::optional<v1::WaitingFor> reason =
        OperationReason(execution.operation(i), moment, outlook);
    if (reason.has_value()) reasons.push_back(*std::move(reason));
  }
  return reasons;
}

std::string WaitingForText(const std::vector<v1::WaitingFor>& reasons) {
  if (reasons.empty()) return "nothing";
  return absl::StrJoin(reasons, " and for ", [](std::string* out, const v1::WaitingFor& reason) {
    absl::StrAppend(out, reason.text());
  });
}

}  // namespace rehearse
