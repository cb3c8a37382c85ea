#include "client/cpp/durable/internal/proto_conversion.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

namespace v1 = ::rehearse::v1;
using ::testing::ElementsAre;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

template <typename Message>
void ExpectMessage(const Message& actual, const std::string& expected) {
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(actual, Parse<Message>(expected)))
      << actual.DebugString();
}

OperationUpdate UpdateOf(OperationType type, OperationAction action) {
  OperationUpdate update;
  update.id = "i";
  update.type = type;
  update.action = action;
  return update;
}

TEST(ToProtoTest, AbsentMembersStayAbsent) {
  ExpectMessage(ToProto(UpdateOf(OperationType::kStep, OperationAction::kStart)),
                "id: 'i' type: OPERATION_TYPE_STEP action: OPERATION_ACTION_START");
}

TEST(ToProtoTest, EveryKindOfUpdate) {
  OperationUpdate update = UpdateOf(OperationType::kStep, OperationAction::kRetry);
  update.parent_id = "p";
  update.name = "n";
  update.sub_type = "s";
  update.error = ErrorObject{"T", "m", "d", {"f"}};
  update.next_attempt_delay_seconds = 3;
  ExpectMessage(ToProto(update), R"(
      id: 'i' parent_id: 'p' name: 'n' sub_type: 's'
      type: OPERATION_TYPE_STEP action: OPERATION_ACTION_RETRY
      error { error_type: 'T' error_message: 'm' error_data: 'd' stack_trace: 'f' }
      step_options { next_attempt_delay_seconds: 3 })");
  update = UpdateOf(OperationType::kContext, OperationAction::kSucceed);
  update.payload = "";
  update.replay_children = true;
  ExpectMessage(ToProto(update), R"(
      id: 'i' type: OPERATION_TYPE_CONTEXT action: OPERATION_ACTION_SUCCEED payload: ''
      context_options { replay_children: true })");
  update = UpdateOf(OperationType::kWait, OperationAction::kStart);
  update.wait_seconds = 60;
  ExpectMessage(ToProto(update), R"(
      id: 'i' type: OPERATION_TYPE_WAIT action: OPERATION_ACTION_START
      wait_options { wait_seconds: 60 })");
  update = UpdateOf(OperationType::kCallback, OperationAction::kStart);
  update.timeout_seconds = 5;
  ExpectMessage(ToProto(update), R"(
      id: 'i' type: OPERATION_TYPE_CALLBACK action: OPERATION_ACTION_START
      callback_options { timeout_seconds: 5 heartbeat_timeout_seconds: 0 })");
  update = UpdateOf(OperationType::kChainedInvoke, OperationAction::kStart);
  update.function_name = "f";
  update.tenant_id = "t";
  ExpectMessage(ToProto(update), R"(
      id: 'i' type: OPERATION_TYPE_CHAINED_INVOKE action: OPERATION_ACTION_START
      chained_invoke_options { function_name: 'f' tenant_id: 't' })");
  update = UpdateOf(OperationType::kExecution, OperationAction::kFail);
  ExpectMessage(ToProto(update),
                "id: 'i' type: OPERATION_TYPE_EXECUTION action: OPERATION_ACTION_FAIL");
}

TEST(ToProtoTest, Requests) {
  CheckpointRequest checkpoint = {"arn", "token", "client", {}};
  checkpoint.updates.push_back(UpdateOf(OperationType::kStep, OperationAction::kStart));
  ExpectMessage(ToProto(checkpoint), R"(
      durable_execution_arn: 'arn' checkpoint_token: 'token' client_token: 'client'
      updates { id: 'i' type: OPERATION_TYPE_STEP action: OPERATION_ACTION_START })");
  ExpectMessage(
      ToProto(GetStateRequest{"arn", "token", "marker", 7}),
      "durable_execution_arn: 'arn' checkpoint_token: 'token' marker: 'marker' max_items: 7");
}

TEST(ToProtoTest, Outcomes) {
  InvocationOutput output;
  EXPECT_EQ(ToProto(output).payload(), R"({"Status":"PENDING"})");
  output.status = InvocationStatus::kSucceeded;
  output.result = "\"x\"";
  EXPECT_EQ(ToProto(output).payload(), R"({"Status":"SUCCEEDED","Result":"\"x\""})");
  output = InvocationOutput();
  output.status = InvocationStatus::kFailed;
  output.error = ErrorObject{"T", "m", "d", {"f"}};
  EXPECT_EQ(
      ToProto(output).payload(),
      R"({"Status":"FAILED","Error":{"ErrorType":"T","ErrorMessage":"m","ErrorData":"d","StackTrace":["f"]}})");
  output.error = ErrorObject{"T", "", "", {}};
  EXPECT_EQ(ToProto(output).payload(),
            R"({"Status":"FAILED","Error":{"ErrorType":"T","ErrorMessage":""}})");
  output.status = InvocationStatus::kRetry;
  ExpectMessage(ToProto(output), "error { error_type: 'T' error_message: '' }");
}

TEST(FromProtoTest, EveryKindOfOperation) {
  Operation operation = FromProto(Parse<v1::Operation>(R"(
      id: 'i' parent_id: 'p' name: 'n' sub_type: 's'
      type: OPERATION_TYPE_STEP status: OPERATION_STATUS_PENDING
      step_details { attempt: 2 next_attempt_timestamp { seconds: 5 nanos: 7 } result: 'r'
                     error { error_type: 'T' error_message: 'm' error_data: 'd' stack_trace: 'f' } })"));
  EXPECT_EQ(operation.id, "i");
  EXPECT_EQ(operation.parent_id, "p");
  EXPECT_EQ(operation.name, "n");
  EXPECT_EQ(operation.sub_type, "s");
  EXPECT_EQ(operation.type, OperationType::kStep);
  EXPECT_EQ(operation.status, OperationStatus::kPending);
  EXPECT_EQ(operation.attempt, 2);
  EXPECT_EQ(operation.next_attempt_time, absl::FromUnixSeconds(5) + absl::Nanoseconds(7));
  EXPECT_EQ(operation.payload, "r");
  EXPECT_EQ(operation.error->type, "T");
  EXPECT_EQ(operation.error->message, "m");
  EXPECT_EQ(operation.error->data, "d");
  EXPECT_THAT(operation.error->stack_trace, ElementsAre("f"));

  operation = FromProto(Parse<v1::Operation>(
      "type: OPERATION_TYPE_EXECUTION status: OPERATION_STATUS_STARTED execution_details {}"));
  EXPECT_EQ(operation.type, OperationType::kExecution);
  EXPECT_EQ(operation.payload, absl::nullopt);
  operation = FromProto(Parse<v1::Operation>(
      "type: OPERATION_TYPE_EXECUTION execution_details { input_payload: '' }"));
  EXPECT_EQ(operation.payload, "");
  operation = FromProto(
      Parse<v1::Operation>("type: OPERATION_TYPE_CONTEXT status: OPERATION_STATUS_SUCCEEDED "
                           "context_details { replay_children: true result: '' }"));
  EXPECT_EQ(operation.status, OperationStatus::kSucceeded);
  EXPECT_TRUE(operation.replay_children);
  EXPECT_EQ(operation.payload, "");
  operation = FromProto(Parse<v1::Operation>(
      "type: OPERATION_TYPE_WAIT wait_details { scheduled_end_timestamp { seconds: 9 } }"));
  EXPECT_EQ(operation.scheduled_end_time, absl::FromUnixSeconds(9));
  operation = FromProto(Parse<v1::Operation>(
      "type: OPERATION_TYPE_CALLBACK status: OPERATION_STATUS_TIMED_OUT "
      "callback_details { callback_id: 'c' error { error_message: 'late' } }"));
  EXPECT_EQ(operation.status, OperationStatus::kTimedOut);
  EXPECT_EQ(operation.callback_id, "c");
  EXPECT_EQ(operation.error->message, "late");
  operation = FromProto(
      Parse<v1::Operation>("type: OPERATION_TYPE_CHAINED_INVOKE status: OPERATION_STATUS_STOPPED "
                           "chained_invoke_details { result: 'r' }"));
  EXPECT_EQ(operation.type, OperationType::kChainedInvoke);
  EXPECT_EQ(operation.status, OperationStatus::kStopped);
  EXPECT_EQ(operation.payload, "r");
}

TEST(FromProtoTest, AnswersAndInput) {
  const CheckpointResponse response =
      FromProto(Parse<v1::CheckpointResponse>("checkpoint_token: 't' new_execution_state { "
                                              "operations { id: 'a' type: OPERATION_TYPE_STEP } "
                                              "next_marker: 'm' }"));
  EXPECT_EQ(response.checkpoint_token, "t");
  EXPECT_EQ(response.new_state.operations.at(0).id, "a");
  EXPECT_EQ(response.new_state.next_marker, "m");
  EXPECT_EQ(FromProto(v1::CheckpointResponse()).checkpoint_token, "");
  const StatePage page = FromProto(
      Parse<v1::GetExecutionStateResponse>("operations { id: 'a' type: OPERATION_TYPE_STEP } "
                                           "operations { id: 'b' type: OPERATION_TYPE_WAIT }"));
  EXPECT_EQ(page.operations.size(), 2u);
  EXPECT_EQ(page.next_marker, "");
  const InvocationInput input = FromProto(Parse<v1::ServeResponse::Invocation>(R"(
      request_id: 'r' durable {
        durable_execution_arn: 'arn' checkpoint_token: 't'
        initial_execution_state { operations { id: 'e' type: OPERATION_TYPE_EXECUTION } next_marker: 'm' }
      })"));
  EXPECT_EQ(input.durable_execution_arn, "arn");
  EXPECT_EQ(input.checkpoint_token, "t");
  EXPECT_EQ(input.initial_state.operations.at(0).type, OperationType::kExecution);
  EXPECT_EQ(input.initial_state.next_marker, "m");
  EXPECT_EQ(input.request_id, "r");
}

}  // namespace
}  // namespace internal
}  // namespace durable
