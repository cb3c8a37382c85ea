#include "client/cpp/durable/internal/proto_conversion.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "google/protobuf/timestamp.pb.h"
#include "nlohmann/json.hpp"

namespace durable {
namespace internal {
namespace {

namespace v1 = ::rehearse::v1;

// The enumerations of both sides list the same values in the same order, the messages' after an
// "unspecified".
template <typename Message, typename Plain>
Message EnumToProto(Plain value) {
  return static_cast<Message>(static_cast<int>(value) + 1);
}
template <typename Plain, typename Message>
Plain EnumFromProto(Message value) {
  return static_cast<Plain>(static_cast<int>(value) - 1);
}

static_assert(static_cast<int>(OperationType::kChainedInvoke) + 1 ==
              v1::OPERATION_TYPE_CHAINED_INVOKE);
static_assert(static_cast<int>(OperationStatus::kStopped) + 1 == v1::OPERATION_STATUS_STOPPED);
static_assert(static_cast<int>(OperationAction::kRetry) + 1 == v1::OPERATION_ACTION_RETRY);

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

v1::ErrorObject ErrorToProto(const ErrorObject& error) {
  v1::ErrorObject message;
  if (!error.type.empty()) message.set_error_type(error.type);
  message.set_error_message(error.message);
  if (!error.data.empty()) message.set_error_data(error.data);
  for (const std::string& line : error.stack_trace) message.add_stack_trace(line);
  return message;
}

ErrorObject ErrorFromProto(const v1::ErrorObject& message) {
  return {message.error_type(),
          message.error_message(),
          message.error_data(),
          {message.stack_trace().begin(), message.stack_trace().end()}};
}

// Takes result and error out of the details of one type.
template <typename Details>
void TakeOutcome(Details& details, Operation& operation) {
  if (details.has_result()) operation.payload = std::move(*details.mutable_result());
  if (details.has_error()) operation.error = ErrorFromProto(details.error());
}

void TakeDetails(v1::Operation& message, Operation& operation) {
  switch (message.details_case()) {
    case v1::Operation::kExecutionDetails:
      if (message.execution_details().has_input_payload()) {
        operation.payload =
            std::move(*message.mutable_execution_details()->mutable_input_payload());
      }
      break;
    case v1::Operation::kContextDetails:
      operation.replay_children = message.context_details().replay_children();
      TakeOutcome(*message.mutable_context_details(), operation);
      break;
    case v1::Operation::kStepDetails:
      operation.attempt = message.step_details().attempt();
      if (message.step_details().has_next_attempt_timestamp()) {
        operation.next_attempt_time = TimeOf(message.step_details().next_attempt_timestamp());
      }
      TakeOutcome(*message.mutable_step_details(), operation);
      break;
    case v1::Operation::kWaitDetails:
      operation.scheduled_end_time = TimeOf(message.wait_details().scheduled_end_timestamp());
      break;
    case v1::Operation::kCallbackDetails:
      operation.callback_id = message.callback_details().callback_id();
      TakeOutcome(*message.mutable_callback_details(), operation);
      break;
    case v1::Operation::kChainedInvokeDetails:
      TakeOutcome(*message.mutable_chained_invoke_details(), operation);
      break;
    case v1::Operation::DETAILS_NOT_SET:
      break;
  }
}

template <typename Operations>
StatePage TakePage(Operations& operations, std::string next_marker) {
  StatePage page;
  page.operations.reserve(operations.size());
  for (v1::Operation& operation : operations) {
    page.operations.push_back(FromProto(std::move(operation)));
  }
  page.next_marker = std::move(next_marker);
  return page;
}

StatePage FromState(v1::ExecutionState state) {
  return TakePage(*state.mutable_operations(), state.next_marker());
}

nlohmann::ordered_json ErrorToJson(const ErrorObject& error) {
  nlohmann::ordered_json json;
  if (!error.type.empty()) json["ErrorType"] = error.type;
  json["ErrorMessage"] = error.message;
  if (!error.data.empty()) json["ErrorData"] = error.data;
  if (!error.stack_trace.empty()) json["StackTrace"] = error.stack_trace;
  return json;
}

const char* StatusText(InvocationStatus status) {
  switch (status) {
    case InvocationStatus::kSucceeded:
      return "SUCCEEDED";
    case InvocationStatus::kFailed:
      return "FAILED";
    default:
      return "PENDING";
  }
}

std::string AnswerText(const InvocationOutput& output) {
  nlohmann::ordered_json json;
  json["Status"] = StatusText(output.status);
  if (output.result.has_value()) json["Result"] = *output.result;
  if (output.error.has_value()) json["Error"] = ErrorToJson(*output.error);
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// What does not fit is over every bound as well: the service refuses it.
int32_t SecondsOf(int64_t seconds) {
  return static_cast<int32_t>(std::min<int64_t>(seconds, std::numeric_limits<int32_t>::max()));
}

void SetOptions(const OperationUpdate& update, v1::OperationUpdate& message) {
  if (update.replay_children) message.mutable_context_options()->set_replay_children(true);
  if (update.next_attempt_delay_seconds > 0) {
    message.mutable_step_options()->set_next_attempt_delay_seconds(
        SecondsOf(update.next_attempt_delay_seconds));
  }
  if (update.wait_seconds > 0)
    message.mutable_wait_options()->set_wait_seconds(SecondsOf(update.wait_seconds));
  if (update.type == OperationType::kCallback) {
    message.mutable_callback_options()->set_timeout_seconds(SecondsOf(update.timeout_seconds));
    message.mutable_callback_options()->set_heartbeat_timeout_seconds(
        SecondsOf(update.heartbeat_timeout_seconds));
  }
  if (update.type == OperationType::kChainedInvoke) {
    message.mutable_chained_invoke_options()->set_function_name(update.function_name);
    if (!update.tenant_id.empty()) {
      message.mutable_chained_invoke_options()->set_tenant_id(update.tenant_id);
    }
    if (!update.x_amzn_trace_id.empty()) {
      message.mutable_chained_invoke_options()->set_x_amzn_trace_id(update.x_amzn_trace_id);
    }
  }
}

}  // namespace

v1::OperationUpdate ToProto(const OperationUpdate& update) {
  v1::OperationUpdate message;
  message.set_id(update.id);
  if (!update.parent_id.empty()) message.set_parent_id(update.parent_id);
  if (!update.name.empty()) message.set_name(update.name);
  message.set_type(EnumToProto<v1::OperationType>(update.type));
  if (!update.sub_type.empty()) message.set_sub_type(update.sub_type);
  message.set_action(EnumToProto<v1::OperationAction>(update.action));
  if (update.payload.has_value()) message.set_payload(*update.payload);
  if (update.error.has_value()) *message.mutable_error() = ErrorToProto(*update.error);
  SetOptions(update, message);
  return message;
}

v1::CheckpointRequest ToProto(const CheckpointRequest& request) {
  v1::CheckpointRequest message;
  message.set_durable_execution_arn(request.durable_execution_arn);
  message.set_checkpoint_token(request.checkpoint_token);
  message.set_client_token(request.client_token);
  for (const OperationUpdate& update : request.updates) *message.add_updates() = ToProto(update);
  return message;
}

v1::GetExecutionStateRequest ToProto(const GetStateRequest& request) {
  v1::GetExecutionStateRequest message;
  message.set_durable_execution_arn(request.durable_execution_arn);
  message.set_checkpoint_token(request.checkpoint_token);
  message.set_marker(request.marker);
  message.set_max_items(request.max_items);
  return message;
}

v1::ServeRequest::Outcome ToProto(const InvocationOutput& output) {
  v1::ServeRequest::Outcome message;
  if (output.status == InvocationStatus::kRetry) {
    *message.mutable_error() = ErrorToProto(output.error.value_or(ErrorObject()));
  } else {
    message.set_payload(AnswerText(output));
  }
  return message;
}

Operation FromProto(v1::Operation message) {
  Operation operation;
  operation.id = std::move(*message.mutable_id());
  operation.parent_id = message.parent_id();
  operation.name = message.name();
  operation.type = EnumFromProto<OperationType>(message.type());
  operation.sub_type = message.sub_type();
  operation.status = EnumFromProto<OperationStatus>(message.status());
  if (message.has_start_timestamp()) operation.start_time = TimeOf(message.start_timestamp());
  if (message.has_end_timestamp()) operation.end_time = TimeOf(message.end_timestamp());
  TakeDetails(message, operation);
  return operation;
}

CheckpointResponse FromProto(v1::CheckpointResponse message) {
  return {message.checkpoint_token(), FromState(std::move(*message.mutable_new_execution_state()))};
}

StatePage FromProto(v1::GetExecutionStateResponse message) {
  return TakePage(*message.mutable_operations(), message.next_marker());
}

InvocationInput FromProto(const v1::ServeResponse::Invocation& message) {
  const auto& updated = message.durable().updated_operation_ids();
  return {message.durable().durable_execution_arn(),
          message.durable().checkpoint_token(),
          FromState(message.durable().initial_execution_state()),
          {updated.begin(), updated.end()},
          message.request_id()};
}

}  // namespace internal
}  // namespace durable
