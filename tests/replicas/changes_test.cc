// Requests that change an execution, by way of the replica that works on it and by way of another:
// what they do and how they are refused is the same.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/worker/channel.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

enum class Through { kOwner, kOther };

class ChangesTest : public ReplicasTest, public ::testing::WithParamInterface<Through> {
 protected:
  // The worker is at b: so is whatever runs.
  ChangesTest() : worker_(b().functions()) {
    worker_.Register("default", {"orders"});
    arn_ = a().Start("default", "orders");
    token_ = worker_.ReceiveInvocation().durable().checkpoint_token();
  }

  Served& asked() { return GetParam() == Through::kOwner ? *b_ : *a_; }
  TestClient& client() { return asked().client(); }

  template <typename Method, typename Request>
  std::string Ask(Method method, const Request& request) {
    return Try(client(), method, request);
  }

  v1::CheckpointRequest CheckpointRequestOf(const std::vector<v1::OperationUpdate>& updates) const {
    return CheckpointOf(arn_, token_, updates).checkpoint();
  }

  // Has the worker record callbacks; their ids.
  std::vector<std::string> RecordCallbacks(const std::vector<std::string>& ids) {
    std::vector<v1::OperationUpdate> updates;
    for (const std::string& id : ids) {
      updates.push_back(CallbackUpdate(id));
      updates.back().mutable_callback_options()->set_heartbeat_timeout_seconds(3600);
    }
    worker_.Send(CheckpointOf(arn_, token_, updates));
    const v1::CheckpointResponse response = worker_.Receive().checkpoint();
    token_ = response.checkpoint_token();
    std::vector<std::string> callbacks;
    for (const v1::Operation& operation : response.new_execution_state().operations()) {
      callbacks.push_back(operation.callback_details().callback_id());
    }
    return callbacks;
  }

  ScriptedWorker worker_;
  std::string arn_;
  std::string token_;
};

INSTANTIATE_TEST_SUITE_P(, ChangesTest, ::testing::Values(Through::kOwner, Through::kOther),
                         [](const auto& info) {
                           return info.param == Through::kOwner ? "Owner" : "Other";
                         });

TEST_P(ChangesTest, ACheckpointIsTakenOnceAndAnsweredByItsTokenEverywhere) {
  v1::CheckpointRequest request =
      CheckpointRequestOf({StepUpdate("s", v1::OPERATION_ACTION_START)});
  request.set_client_token("once");
  const auto first = client().Call(&Executions::Checkpoint, request);
  ASSERT_EQ(TextOf(first), "OK");
  for (TestClient* replica : {&a(), &b()}) {
    const auto again = replica->Call(&Executions::Checkpoint, request);
    ASSERT_EQ(TextOf(again), "OK");
    EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  }
  EXPECT_EQ(a().Inspect(arn_).operations_size(), 2);
  // The worker goes on behind it.
  worker_.Send(CheckpointOf(arn_, first->checkpoint_token(),
                            {StepUpdate("s", v1::OPERATION_ACTION_SUCCEED)}));
  EXPECT_TRUE(worker_.Receive().has_checkpoint());
  worker_.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client().AwaitEnd(arn_).result(), "17");
  const auto late = client().Call(&Executions::Checkpoint, request);
  ASSERT_EQ(TextOf(late), "OK");
  EXPECT_EQ(late->SerializeAsString(), first->SerializeAsString());
}

TEST_P(ChangesTest, ACheckpointThatIsWrongIsRefused) {
  EXPECT_EQ(Ask(&Executions::Checkpoint,
                CheckpointRequestOf({StepUpdate("", v1::OPERATION_ACTION_START)})),
            Invalid("Updates[0].Id must have 1 to 64 characters of A-Z a-z 0-9 - _."));
  EXPECT_EQ(Ask(&Executions::Checkpoint, CheckpointRequestOf({WaitUpdate("w", 0)})),
            Invalid("Updates[0].WaitOptions.WaitSeconds must be 1 to 31622400."));
  EXPECT_EQ(client().Inspect(arn_).operations_size(), 1);
  EXPECT_EQ(Ask(&Executions::Checkpoint,
                CheckpointRequestOf({StepUpdate("s", v1::OPERATION_ACTION_START)})),
            "OK");
}

TEST_P(ChangesTest, AStaleTokenIsSpelledAsTheCallerExpects) {
  const v1::CheckpointRequest request =
      CheckpointRequestOf({StepUpdate("s", v1::OPERATION_ACTION_START)});
  ASSERT_EQ(Ask(&Executions::Checkpoint, request), "OK");
  EXPECT_EQ(Ask(&Executions::Checkpoint, request),
            "FAILED_PRECONDITION InvalidParameterValueException: Invalid checkpoint token");
  TestClient old(
      worker::CreateChannel(asked().address(), "aws-durable-execution-sdk-python/1.0.0"));
  EXPECT_EQ(Try(old, &Executions::Checkpoint, request),
            "FAILED_PRECONDITION InvalidParameterValueException: Invalid Checkpoint Token");
}

TEST_P(ChangesTest, CallbacksAreCompletedFromOutside) {
  const std::vector<std::string> callbacks = RecordCallbacks({"a", "b"});
  v1::SendCallbackHeartbeatRequest heartbeat;
  heartbeat.set_callback_id(callbacks[0]);
  EXPECT_EQ(Ask(&Executions::SendCallbackHeartbeat, heartbeat), "OK");
  v1::SendCallbackSuccessRequest success;
  success.set_callback_id(callbacks[0]);
  success.set_result("yes");
  EXPECT_EQ(Ask(&Executions::SendCallbackSuccess, success), "OK");
  v1::SendCallbackFailureRequest failure;
  failure.set_callback_id(callbacks[1]);
  failure.mutable_error()->set_error_message("no");
  EXPECT_EQ(Ask(&Executions::SendCallbackFailure, failure), "OK");
  const v1::InspectExecutionResponse execution = client().Inspect(arn_);
  EXPECT_EQ(OperationOf(execution, "a").callback_details().result(), "yes");
  EXPECT_EQ(OperationOf(execution, "b").callback_details().error().error_message(), "no");

  const std::string closed =
      "FAILED_PRECONDITION CallbackTimeoutException: Callback is closed: it has timed out or been "
      "completed, or its execution has ended";
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Ask(&Executions::SendCallbackSuccess, success), closed);
    EXPECT_EQ(Ask(&Executions::SendCallbackFailure, failure), closed);
    EXPECT_EQ(Ask(&Executions::SendCallbackHeartbeat, heartbeat), closed);
    // Also of an execution that has ended.
    if (round == 0) worker_.Send(OutcomeOf(kSucceeded));
    client().AwaitEnd(arn_);
  }
  const std::string unknown = "NOT_FOUND ResourceNotFoundException: Callback does not exist";
  success.set_session("other");
  EXPECT_EQ(Ask(&Executions::SendCallbackSuccess, success), unknown);
  failure.set_callback_id("none");
  EXPECT_EQ(Ask(&Executions::SendCallbackFailure, failure), unknown);
}

TEST_P(ChangesTest, PauseHoldsAnExecutionUntilItIsResumed) {
  const auto pause = Of<v1::PauseExecutionRequest>(arn_);
  const auto resume = Of<v1::ResumeExecutionRequest>(arn_);
  EXPECT_EQ(Ask(&Executions::ResumeExecution, resume),
            Conflict("Cannot resume an execution that is RUNNING; only a PAUSED or PAUSING one can "
                     "be resumed."));
  EXPECT_EQ(Ask(&Executions::PauseExecution, pause), "OK");
  EXPECT_EQ(
      Ask(&Executions::PauseExecution, pause),
      Conflict("Cannot pause an execution that is PAUSING; only a RUNNING one can be paused."));
  RecordCallbacks({"a"});
  worker_.Send(OutcomeOf(kPending));
  v1::WaitForExecutionRequest paused = Of<v1::WaitForExecutionRequest>(arn_);
  paused.add_statuses(v1::EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(Ask(&Sessions::WaitForExecution, paused), "OK");
  EXPECT_EQ(
      Ask(&Executions::PauseExecution, pause),
      Conflict("Cannot pause an execution that is PAUSED; only a RUNNING one can be paused."));
  EXPECT_EQ(Ask(&Executions::ResumeExecution, resume), "OK");
}

TEST_P(ChangesTest, StopEndsTheInvocationAndDeleteTheExecution) {
  EXPECT_EQ(Ask(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn_)),
            Conflict("Cannot delete an execution that has not ended; stop it first."));
  v1::StopExecutionRequest elsewhere = Of<v1::StopExecutionRequest>(arn_);
  elsewhere.set_session("other");
  EXPECT_EQ(Ask(&Executions::StopExecution, elsewhere), NoExecution(arn_));

  v1::StopExecutionRequest stop = Of<v1::StopExecutionRequest>(arn_);
  stop.mutable_error()->set_error_message("enough");
  const auto stopped = client().Call(&Executions::StopExecution, stop);
  ASSERT_EQ(TextOf(stopped), "OK");
  EXPECT_EQ(worker_.Receive().abort().reason(), v1::ServeResponse::Abort::EXECUTION_STOPPED);
  stop.mutable_error()->set_error_message("again");
  const auto again = client().Call(&Executions::StopExecution, stop);
  ASSERT_EQ(TextOf(again), "OK");
  EXPECT_EQ(again->stop_timestamp().DebugString(), stopped->stop_timestamp().DebugString());
  EXPECT_EQ(client().AwaitEnd(arn_).error().error_message(), "enough");
  EXPECT_EQ(Ask(&Executions::PauseExecution, Of<v1::PauseExecutionRequest>(arn_)),
            Conflict("Cannot pause an execution that is closed."));
  EXPECT_EQ(Ask(&Executions::ResumeExecution, Of<v1::ResumeExecutionRequest>(arn_)),
            Conflict("Cannot resume an execution that is closed."));

  EXPECT_EQ(Ask(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn_)), "OK");
  for (TestClient* replica : {&a(), &b()}) {
    EXPECT_EQ(Try(*replica, &Executions::GetExecution, Of<v1::GetExecutionRequest>(arn_)),
              NoExecution(arn_));
    EXPECT_EQ(Try(*replica, &Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn_)),
              NoExecution(arn_));
    EXPECT_EQ(replica->Call(&Executions::ListExecutions, v1::ListExecutionsRequest())
                  ->durable_executions_size(),
              0);
  }
}

// Of what sleeps no replica is the owner: any takes it over.
TEST_P(ChangesTest, ACallbackWakesWhatSleeps) {
  const std::string callback = RecordCallbacks({"a"})[0];
  worker_.Send(OutcomeOf(kPending));
  v1::WaitForOperationRequest suspended = Of<v1::WaitForOperationRequest>(arn_);
  suspended.set_operation_id("a");
  suspended.set_invocation_ended(true);
  ASSERT_EQ(Ask(&Sessions::WaitForOperation, suspended), "OK");
  v1::SendCallbackSuccessRequest success;
  success.set_callback_id(callback);
  success.set_result("yes");
  EXPECT_EQ(Ask(&Executions::SendCallbackSuccess, success), "OK");
  const v1::ServeResponse::Invocation invocation = worker_.ReceiveInvocation();
  EXPECT_EQ(
      invocation.durable().initial_execution_state().operations(1).callback_details().result(),
      "yes");
  worker_.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client().AwaitEnd(arn_).result(), "17");
}

TEST_P(ChangesTest, WhatSleepsIsStoppedAndDeleted) {
  RecordCallbacks({"a"});
  worker_.Send(OutcomeOf(kPending));
  EXPECT_EQ(Ask(&Executions::StopExecution, Of<v1::StopExecutionRequest>(arn_)), "OK");
  EXPECT_EQ(client().AwaitEnd(arn_).status(), v1::EXECUTION_STATUS_STOPPED);
  EXPECT_EQ(Ask(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn_)), "OK");
  EXPECT_EQ(Try(b(), &Executions::GetExecution, Of<v1::GetExecutionRequest>(arn_)),
            NoExecution(arn_));
}

}  // namespace
}  // namespace rehearse
