#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/arn.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- Transitions in detail ----

TEST(StepProcessorTest, CountsAttemptsAndKeepsTheLastOutcome) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 0);
  v1::OperationUpdate retry = Valid("STEP", "RETRY");
  retry.mutable_error()->set_error_type("Oops");
  ASSERT_TRUE(test.Checkpoint({retry}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 1);
  EXPECT_EQ(ToAbsl(test.Operation("op").step_details().next_attempt_timestamp()),
            test.moment.time + absl::Seconds(5));
  const v1::StepFailedDetails& failed = test.events().back().step_failed_details();
  EXPECT_EQ(failed.retry_details().current_attempt(), 1);
  EXPECT_EQ(failed.retry_details().next_attempt_delay_seconds(), 5);
  EXPECT_EQ(failed.error().payload().error_type(), "Oops");

  test.Advance(absl::Seconds(5));
  ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
  EXPECT_EQ(test.Operation("op").status(), v1::OPERATION_STATUS_READY);
  EXPECT_FALSE(test.Operation("op").step_details().has_next_attempt_timestamp());
  const auto start_timestamp = test.Operation("op").start_timestamp();
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().error().error_type(), "Oops");
  EXPECT_EQ(test.Operation("op").start_timestamp().seconds(), start_timestamp.seconds());

  retry = Valid("STEP", "RETRY");
  retry.set_payload("state");
  ASSERT_TRUE(test.Checkpoint({retry}).ok());
  EXPECT_FALSE(test.Operation("op").step_details().has_error());
  EXPECT_EQ(test.events().back().step_succeeded_details().result().payload(), "state");
  test.Advance(absl::Seconds(5));
  ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().result(), "state");

  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "FAIL")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 3);
  EXPECT_FALSE(test.Operation("op").step_details().has_result());
  EXPECT_FALSE(test.Operation("op").step_details().has_error());
  const v1::StepFailedDetails& last = test.events().back().step_failed_details();
  EXPECT_EQ(last.retry_details().current_attempt(), 3);
  EXPECT_FALSE(last.retry_details().has_next_attempt_delay_seconds());
  EXPECT_TRUE(last.error().has_payload());
}

TEST(ContextProcessorTest, KeepsWhetherChildrenAreReplayed) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CONTEXT", "START", "a"),
                               Parse("CONTEXT", "SUCCEED", "a",
                                     "payload: '' context_options { replay_children: true }"),
                               Valid("CONTEXT", "SUCCEED", "b"),
                               Parse("CONTEXT", "FAIL", "c",
                                     "error { error_message: 'm' } "
                                     "context_options { replay_children: true }")})
                  .ok());
  EXPECT_TRUE(test.Operation("a").context_details().replay_children());
  EXPECT_TRUE(test.Operation("a").context_details().has_result());
  EXPECT_FALSE(test.Operation("b").context_details().replay_children());
  EXPECT_FALSE(test.Operation("b").context_details().has_result());
  EXPECT_FALSE(test.Operation("c").context_details().replay_children());
  EXPECT_EQ(test.Operation("c").context_details().error().error_message(), "m");
}

TEST(CallbackProcessorTest, TellsItsIdAndTimeouts) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Parse("CALLBACK", "START", "a",
             "callback_options { timeout_seconds: 60 heartbeat_timeout_seconds: 7 }"),
       Update("CALLBACK", "START", "b")});
  ASSERT_TRUE(outcome.ok());
  const std::string& id =
      outcome->response.new_execution_state().operations(0).callback_details().callback_id();
  const absl::optional<CallbackId> decoded = DecodeCallbackId(id);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->execution_id, test.execution().record().execution_id());
  EXPECT_EQ(decoded->operation_index, 1);
  EXPECT_EQ(test.events()[1].callback_started_details().callback_id(), id);
  EXPECT_EQ(test.events()[1].callback_started_details().timeout(), 60);
  EXPECT_EQ(test.events()[1].callback_started_details().heartbeat_timeout(), 7);
  EXPECT_FALSE(test.events()[2].callback_started_details().has_timeout());
  EXPECT_FALSE(test.events()[2].callback_started_details().has_heartbeat_timeout());
  EXPECT_NE(test.Operation("b").callback_details().callback_id(), id);
}

TEST(ChainedInvokeProcessorTest, StartsAResolvedTarget) {
  record::ExecutionRecord record = TestExecution::Record();
  record.set_x_amzn_trace_id("Root=parent");
  TestExecution test(record);
  test.targets["pay:live"] = {absl::nullopt, "pay", "7", true};
  test.targets["plain"] = {absl::nullopt, "plain", "$LATEST", false};
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Parse("CHAINED_INVOKE", "START", "a",
             "payload: '{\"n\": 1}' "
             "chained_invoke_options { function_name: 'pay:live' tenant_id: 't' }"),
       Parse("CHAINED_INVOKE", "START", "b",
             "chained_invoke_options { function_name: 'plain' x_amzn_trace_id: 'Root=own' }")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->effects.size(), 2u);
  EXPECT_EQ(outcome->effects[0].kind, Effect::Kind::kStartChainedInvoke);
  EXPECT_EQ(outcome->effects[0].operation_id, "a");
  const record::ChainedTarget& target = test.RecordOf("a").chained_target();
  const std::string child_id = ChildExecutionId(record.execution_id(), "a");
  EXPECT_EQ(target.child_arn(),
            absl::StrCat("arn:aws:lambda:us-east-1:123456789012:function:pay:7/durable-execution/",
                         child_id, "/", child_id));
  EXPECT_EQ(target.input(), "{\"n\": 1}");
  EXPECT_EQ(target.x_amzn_trace_id(), "Root=parent");
  EXPECT_EQ(test.RecordOf("b").chained_target().x_amzn_trace_id(), "Root=own");
  const v1::ChainedInvokeStartedDetails& durable =
      test.events()[1].chained_invoke_started_details();
  EXPECT_EQ(durable.function_name(), "pay:live");
  EXPECT_EQ(durable.tenant_id(), "t");
  EXPECT_EQ(durable.input().payload(), "{\"n\": 1}");
  EXPECT_EQ(durable.executed_version(), "7");
  EXPECT_EQ(durable.durable_execution_arn(), target.child_arn());
  const v1::ChainedInvokeStartedDetails& plain = test.events()[2].chained_invoke_started_details();
  EXPECT_FALSE(plain.has_durable_execution_arn());
  EXPECT_TRUE(plain.has_input());
  EXPECT_FALSE(plain.input().has_payload());
}

TEST(ChainedInvokeProcessorTest, FailsInItsOwnAnswerWhenTheTargetIsUnknown) {
  TestExecution test;
  v1::ErrorObject error;
  error.set_error_type("ResourceNotFoundException");
  test.targets["pay"] = {error, "", "", false};
  v1::OperationUpdate update = Valid("CHAINED_INVOKE", "START");
  update.set_payload("1");
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint({update});
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(outcome->effects, IsEmpty());
  const v1::Operation& operation = outcome->response.new_execution_state().operations(0);
  EXPECT_EQ(operation.status(), v1::OPERATION_STATUS_FAILED);
  EXPECT_EQ(operation.chained_invoke_details().error().error_type(), "ResourceNotFoundException");
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED CHAINED_INVOKE_STARTED CHAINED_INVOKE_FAILED");
  EXPECT_EQ(test.events()[1].chained_invoke_started_details().ShortDebugString(),
            "function_name: \"pay\"");
  EXPECT_FALSE(test.execution().AnythingPending());
}

TEST(ChainedInvokeProcessorTest, FunctionsMayHaveDotsInTheirNames) {
  record::ExecutionRecord record = TestExecution::Record();
  record.set_function_name("or.ders");
  record.set_arn("arn:aws:lambda:us-east-1:123456789012:function:or.ders:1/durable-execution/n/" +
                 record.execution_id());
  TestExecution test(record);
  test.targets["p.ay"] = {absl::nullopt, "p.ay", "$LATEST", true};
  ASSERT_TRUE(test.Checkpoint({Parse("CHAINED_INVOKE", "START", "op",
                                     "chained_invoke_options { function_name: 'p.ay' }")})
                  .ok());
  EXPECT_TRUE(ExecutionArn::Parse(test.RecordOf("op").chained_target().child_arn()).has_value());
}

TEST(ChainedInvokeProcessorTest, NamesOfTargets) {
  TestExecution test;
  EXPECT_THAT(
      ChainedTargetNames(test.Request({Valid("STEP", "START"), Valid("CHAINED_INVOKE", "START"),
                                       Update("CHAINED_INVOKE", "START", "b")})),
      ElementsAre("pay"));
}

TEST(ExecutionProcessorTest, ClosesAtOnceWithoutATokenAndLeavesTheEventToTheEnd) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome =
      test.Checkpoint({Valid("STEP", "SUCCEED", "s"),
                       Parse("EXECUTION", "SUCCEED", "execution-result-17", "payload: '42'")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->response.has_checkpoint_token());
  const record::ExecutionProgress& progress = test.execution().progress();
  EXPECT_EQ(progress.status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(progress.result(), "42");
  EXPECT_EQ(ToAbsl(progress.end_time()), test.moment.time);
  EXPECT_TRUE(progress.terminal_event_pending());
  EXPECT_EQ(test.execution().operation(0).operation().status(), v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(test.execution().operation_count(), 2);
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED STEP_SUCCEEDED");
  ASSERT_EQ(outcome->effects.size(), 1u);
  EXPECT_EQ(outcome->effects[0].kind, Effect::Kind::kExecutionClosed);
  ExpectStale(test, test.Request({}));
}

TEST(ExecutionProcessorTest, FailsWithOrWithoutAnError) {
  TestExecution bare;
  ASSERT_TRUE(bare.Checkpoint({Valid("EXECUTION", "FAIL")}).ok());
  EXPECT_EQ(bare.execution().progress().status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_FALSE(bare.execution().progress().has_error());
  TestExecution with_error;
  ASSERT_TRUE(
      with_error.Checkpoint({Parse("EXECUTION", "FAIL", "x", "error { error_type: 'E' }")}).ok());
  EXPECT_EQ(with_error.execution().progress().error().error_type(), "E");
}

}  // namespace
}  // namespace rehearse
