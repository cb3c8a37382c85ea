// Requests that read: every replica gives the same answer, whoever works on the execution.
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/watch.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class ReadsTest : public ReplicasTest {
 protected:
  // What both answer, without what depends on when they are asked.
  template <typename Method, typename Request>
  auto FromBoth(Method method, const Request& request) {
    auto from_a = a().Call(method, request);
    auto from_b = b().Call(method, request);
    EXPECT_EQ(TextOf(from_a), "OK");
    EXPECT_EQ(TextOf(from_b), "OK");
    EXPECT_EQ(WithoutNow(*from_a).DebugString(), WithoutNow(*from_b).DebugString());
    return *from_a;
  }
  static v1::InspectExecutionResponse WithoutNow(v1::InspectExecutionResponse response) {
    response.clear_now();
    return response;
  }
  template <typename Response>
  static Response WithoutNow(Response response) {
    return response;
  }

  void ExpectSameReads(const std::string& arn) {
    FromBoth(&Executions::GetExecution, Of<v1::GetExecutionRequest>(arn));
    FromBoth(&Executions::GetExecutionHistory, Of<v1::GetExecutionHistoryRequest>(arn));
    FromBoth(&Sessions::InspectExecution, Of<v1::InspectExecutionRequest>(arn));
    const auto list = FromBoth(&Executions::ListExecutions, v1::ListExecutionsRequest());
    EXPECT_THAT(list.durable_executions(), SizeIs(1));
  }
};

TEST_F(ReadsTest, ARunIsTheSameFromEverywhere) {
  ScriptedWorker worker(b().functions());
  worker.Register("default", {"orders"});
  const std::string arn = a().Start("default", "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  Watch watch_a(a(), arn);
  Watch watch_b(b(), arn);
  ExpectSameReads(arn);
  EXPECT_EQ(a().Inspect(arn).waiting_for(0).text(), "the running invocation of orders");

  v1::OperationUpdate step = StepUpdate("s", v1::OPERATION_ACTION_SUCCEED);
  step.set_payload("\"done\"");
  worker.Send(CheckpointOf(invocation, {step}));
  const std::string token = worker.Receive().checkpoint().checkpoint_token();
  ExpectSameReads(arn);
  const auto state =
      FromBoth(&Executions::GetExecutionState, StateRequestOf(arn, token).get_execution_state());
  EXPECT_THAT(state.operations(), SizeIs(2));
  v1::WaitForOperationRequest wait = Of<v1::WaitForOperationRequest>(arn);
  wait.set_operation_id("s");
  EXPECT_EQ(FromBoth(&Sessions::WaitForOperation, wait).operation().step_details().result(),
            "\"done\"");

  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(a().AwaitEnd(arn).result(), "17");
  EXPECT_EQ(b().AwaitEnd(arn).result(), "17");
  ExpectSameReads(arn);
  FromBoth(&Sessions::WaitForExecution, Of<v1::WaitForExecutionRequest>(arn));
  for (Watch* watch : {&watch_a, &watch_b}) {
    EXPECT_THAT(watch->IdsToTheEnd(), ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(watch->End(), "OK");
  }
}

// Each change is waited for before the next one is made: nobody could see it in passing.
TEST_F(ReadsTest, WaitsAndWatchesHearOfWhatOtherReplicasDo) {
  ScriptedWorker worker(b().functions());
  worker.Register("default", {"orders"});
  const std::string arn = a().Start("default", "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  Watch watch(a(), arn);
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_EXECUTION_STARTED);
  std::string token = invocation.durable().checkpoint_token();
  v1::WaitForOperationRequest wait = Of<v1::WaitForOperationRequest>(arn);
  for (const char* id : {"first", "second", "third"}) {
    wait.set_operation_id(id);
    std::thread waiting([&] { EXPECT_EQ(Try(a(), &Sessions::WaitForOperation, wait), "OK"); });
    worker.Send(CheckpointOf(arn, token, {StepUpdate(id, v1::OPERATION_ACTION_START)}));
    token = worker.Receive().checkpoint().checkpoint_token();
    waiting.join();
    EXPECT_EQ(watch.Next().step_started_details().ByteSizeLong(), 0u);
  }
  std::thread waiting([&] { EXPECT_EQ(a().AwaitEnd(arn).result(), "17"); });
  worker.Send(OutcomeOf(kSucceeded));
  waiting.join();
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_INVOCATION_COMPLETED);
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_EXECUTION_SUCCEEDED);
  EXPECT_EQ(watch.Next().event_id(), 0);
  EXPECT_EQ(watch.End(), "OK");
}

TEST_F(ReadsTest, AWaitThatTakesTooLongSaysWhatForWhoeverWorksOnIt) {
  ScriptedWorker worker(b().functions());
  worker.Register("default", {"orders"});
  const std::string arn = a().Start("default", "orders");
  worker.ReceiveInvocation();
  v1::WaitForExecutionRequest end = Of<v1::WaitForExecutionRequest>(arn);
  end.mutable_timeout()->set_nanos(1);
  for (TestClient* client : {&a(), &b()}) {
    EXPECT_EQ(Try(*client, &Sessions::WaitForExecution, end),
              "DEADLINE_EXCEEDED WaitTimedOut: the end of execution " + arn +
                  " did not happen within 1ns; waiting for the running invocation of orders");
  }
}

TEST_F(ReadsTest, WhatNobodyServesWaitsForAWorkerEverywhere) {
  ScriptedWorker worker(b().functions());
  worker.Register("default", {"orders"});
  EXPECT_EQ(TextOf(worker.Close()), "OK");
  const std::string arn = a().Start("default", "orders");
  for (TestClient* client : {&a(), &b()}) {
    const auto execution =
        client->Call(&Executions::GetExecution, Of<v1::GetExecutionRequest>(arn));
    ASSERT_EQ(TextOf(execution), "OK");
    ASSERT_THAT(execution->waiting_for(), SizeIs(1));
    EXPECT_EQ(execution->waiting_for(0).text(), "a worker that serves orders; start one");
  }
}

TEST_F(ReadsTest, WatchesAndReadsOfWhatIsNotThereAreRefused) {
  const std::string arn =
      "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/none/"
      "5b0d6a54-6bd1-4c52-9a66-0ec7a0e30000";
  EXPECT_EQ(Try(a(), &Executions::GetExecution, Of<v1::GetExecutionRequest>(arn)),
            NoExecution(arn));
  EXPECT_EQ(Try(a(), &Sessions::WaitForExecution, Of<v1::WaitForExecutionRequest>(arn)),
            NoExecution(arn));
  EXPECT_EQ(Try(a(), &Executions::StopExecution, Of<v1::StopExecutionRequest>(arn)),
            NoExecution(arn));
  Watch watch(a(), arn);
  EXPECT_EQ(watch.Next().event_id(), 0);
  EXPECT_EQ(watch.End(), NoExecution(arn));
}

}  // namespace
}  // namespace rehearse
