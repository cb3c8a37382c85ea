#include "service/aws_json/aws_json.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/event.pb.h"
#include "rehearse/v1/execution.pb.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {
namespace {

template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

TEST(AwsJsonTest, WritesAwsMembersAndLeavesOutOthers) {
  EXPECT_EQ(ToAwsJson(Parse<v1::StartExecutionResponse>(R"pb(durable_execution_arn: "a"
                                                             executed_version: "1"
                                                             already_started: true)pb")),
            R"({"DurableExecutionArn":"a","ExecutedVersion":"1"})");
}

TEST(AwsJsonTest, KeepsAbsentMembersAbsentAndEmptyOnesEmpty) {
  EXPECT_EQ(ToAwsJson(v1::ErrorObject()), "{}");
  EXPECT_EQ(ToAwsJson(Parse<v1::ErrorObject>(R"pb(error_message: "")pb")),
            R"({"ErrorMessage":""})");
  EXPECT_EQ(ToAwsJson(v1::ExecutionState()), R"({"Operations":[]})");
  EXPECT_EQ(ToAwsJson(Parse<v1::Operation>(R"pb(id: "1"
                                                type: OPERATION_TYPE_CONTEXT
                                                status: OPERATION_STATUS_STARTED
                                                context_details {})pb")),
            R"({"ContextDetails":{},"Id":"1","Status":"STARTED","Type":"CONTEXT"})");
  EXPECT_EQ(ToAwsJson(v1::EventResult()), R"({"Truncated":false})");
  EXPECT_EQ(ToAwsJson(Parse<v1::StepDetails>("attempt: 0")), R"({"Attempt":0})");
}

TEST(AwsJsonTest, WritesTimestampsAsNumbersInTheUnitAskedFor) {
  const auto details =
      Parse<v1::WaitDetails>("scheduled_end_timestamp { seconds: 1790000000 nanos: 123999999 }");
  EXPECT_EQ(ToAwsJson(details), R"({"ScheduledEndTimestamp":1790000000.123})");
  EXPECT_EQ(ToAwsJson(details, AwsTime::kMilliseconds),
            R"({"ScheduledEndTimestamp":1790000000123})");
}

TEST(AwsJsonTest, WritesEventTypesInCamelCaseAndOtherEnumsInCapitals) {
  EXPECT_EQ(ToAwsJson(Parse<v1::Event>(R"pb(event_type: EVENT_TYPE_CHAINED_INVOKE_TIMED_OUT
                                            event_id: 7)pb")),
            R"({"EventId":7,"EventType":"ChainedInvokeTimedOut"})");
  EXPECT_EQ(AwsEnumName(*v1::ExecutionStatus_descriptor()->FindValueByNumber(
                v1::EXECUTION_STATUS_TIMED_OUT)),
            "TIMED_OUT");
}

TEST(AwsJsonTest, ReplacesTextThatIsNotUtf8) {
  v1::ErrorObject error;
  error.set_error_message("a\xff");
  EXPECT_EQ(ToAwsJson(error), "{\"ErrorMessage\":\"a\xef\xbf\xbd\"}");
}

TEST(AwsJsonTest, ReadsWhatItWrites) {
  const auto request = Parse<v1::CheckpointRequest>(R"pb(
    durable_execution_arn: "arn"
    checkpoint_token: "AQ=="
    client_token: "c"
    updates {
      id: "1"
      parent_id: "0"
      name: "\303\244"
      type: OPERATION_TYPE_STEP
      sub_type: "Step"
      action: OPERATION_ACTION_RETRY
      error { error_message: "boom" error_type: "T" stack_trace: "a" stack_trace: "b" }
      step_options { next_attempt_delay_seconds: 7 }
    }
    updates {
      id: "2"
      type: OPERATION_TYPE_CONTEXT
      action: OPERATION_ACTION_SUCCEED
      payload: ""
      context_options { replay_children: true }
    }
  )pb");
  v1::CheckpointRequest read;
  ASSERT_EQ(FromAwsJson(ToAwsJson(request), read), absl::OkStatus());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, request))
      << read.DebugString();
}

TEST(AwsJsonTest, ReadsTimestampsInTheUnitAskedFor) {
  v1::Operation operation;
  ASSERT_EQ(FromAwsJson(R"({"StartTimestamp": 1790000000.25, "EndTimestamp": -0.5})", operation),
            absl::OkStatus());
  EXPECT_EQ(operation.start_timestamp().seconds(), 1790000000);
  EXPECT_EQ(operation.start_timestamp().nanos(), 250000000);
  EXPECT_EQ(operation.end_timestamp().seconds(), -1);
  EXPECT_EQ(operation.end_timestamp().nanos(), 500000000);
  ASSERT_EQ(FromAwsJson(R"({"StartTimestamp": 1790000000123})", operation, AwsTime::kMilliseconds),
            absl::OkStatus());
  EXPECT_EQ(operation.start_timestamp().nanos(), 123000000);
}

TEST(AwsJsonTest, PassesOverUnknownMembersAndNulls) {
  v1::CheckpointRequest request;
  EXPECT_EQ(
      FromAwsJson(R"({"Unknown": [1, {"a": 2}], "ClientToken": null, "session": "x"})", request),
      absl::OkStatus());
  EXPECT_FALSE(request.has_client_token());
}

TEST(AwsJsonTest, NamesTheMemberThatIsWrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case kCases[] = {
      {"", "expected a JSON object"},
      {"{", "expected a JSON object"},
      {"{} {}", "expected a JSON object"},
      {"\"a\xff\"", "expected a JSON object"},
      {"[]", "expected an object"},
      {"null", "expected an object"},
      {R"({"CheckpointToken": 7})", "CheckpointToken: expected a string"},
      {R"({"Updates": {}})", "Updates: expected a list"},
      {R"({"Updates": [{}, 7]})", "Updates[1]: expected an object"},
      {R"({"Updates": [{"Error": "x"}]})", "Updates[0].Error: expected an object"},
      {R"({"Updates": [{"Error": {"StackTrace": "x"}}]})",
       "Updates[0].Error.StackTrace: expected a list"},
      {R"({"Updates": [{"Error": {"StackTrace": ["x", 1]}}]})",
       "Updates[0].Error.StackTrace[1]: expected a string"},
      {R"({"Updates": [{"Type": "LOOP"}]})",
       "Updates[0].Type: expected one of EXECUTION, CONTEXT, STEP, WAIT, CALLBACK, "
       "CHAINED_INVOKE"},
      {R"({"Updates": [{"Type": "UNSPECIFIED"}]})",
       "Updates[0].Type: expected one of EXECUTION, CONTEXT, STEP, WAIT, CALLBACK, "
       "CHAINED_INVOKE"},
      {R"({"Updates": [{"WaitOptions": {"WaitSeconds": "1"}}]})",
       "Updates[0].WaitOptions.WaitSeconds: expected a whole number of 32 bits"},
      {R"({"Updates": [{"WaitOptions": {"WaitSeconds": 1.5}}]})",
       "Updates[0].WaitOptions.WaitSeconds: expected a whole number of 32 bits"},
      {R"({"Updates": [{"WaitOptions": {"WaitSeconds": 2147483648}}]})",
       "Updates[0].WaitOptions.WaitSeconds: expected a whole number of 32 bits"},
      {R"({"Updates": [{"ContextOptions": {"ReplayChildren": 1}}]})",
       "Updates[0].ContextOptions.ReplayChildren: expected true or false"},
  };
  for (const Case& bad : kCases) {
    v1::CheckpointRequest request;
    EXPECT_EQ(FromAwsJson(bad.text, request), absl::InvalidArgumentError(bad.message)) << bad.text;
  }
  v1::Operation operation;
  EXPECT_EQ(FromAwsJson(R"({"StartTimestamp": "now"})", operation),
            absl::InvalidArgumentError("StartTimestamp: expected a timestamp"));
  EXPECT_EQ(FromAwsJson(R"({"StartTimestamp": 1e300})", operation),
            absl::InvalidArgumentError(
                "StartTimestamp: expected a timestamp between the years 1 and 9999"));
}

TEST(AwsJsonTest, TakesWholeNumbersWrittenWithAFraction) {
  v1::WaitOptions options;
  ASSERT_EQ(FromAwsJson(R"({"WaitSeconds": 5.0})", options), absl::OkStatus());
  EXPECT_EQ(options.wait_seconds(), 5);
}

// The invocation payload of the AWS documentation's shape.
TEST(AwsJsonTest, WritesWhatAFunctionIsInvokedWith) {
  const auto input = Parse<v1::DurableExecutionInvocationInput>(R"pb(
    durable_execution_arn: "arn"
    checkpoint_token: "AQ=="
    initial_execution_state {
      operations {
        id: "5b0d"
        name: "order-17"
        type: OPERATION_TYPE_EXECUTION
        status: OPERATION_STATUS_STARTED
        start_timestamp { seconds: 1790000000 nanos: 123000000 }
        execution_details { input_payload: "{\"orderId\":17}" }
      }
      next_marker: ""
    }
  )pb");
  EXPECT_EQ(
      ToAwsJson(input, AwsTime::kMilliseconds),
      R"({"CheckpointToken":"AQ==","DurableExecutionArn":"arn","InitialExecutionState":)"
      R"({"NextMarker":"","Operations":[{"ExecutionDetails":{"InputPayload":"{\"orderId\":17}"},)"
      R"("Id":"5b0d","Name":"order-17","StartTimestamp":1790000000123,"Status":"STARTED",)"
      R"("Type":"EXECUTION"}]}})");
}

}  // namespace
}  // namespace rehearse
