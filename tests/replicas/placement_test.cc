// Where executions and invocations run.
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

using ::testing::UnorderedElementsAre;

v1::FunctionSpec SpecOf(const std::string& name, bool durable) {
  v1::FunctionSpec spec;
  spec.set_function_name(name);
  spec.set_durable(durable);
  return spec;
}

// Adds an exclamation mark to what it gets.
v1::ServeRequest::Outcome Exclaim(worker::InvocationChannel& channel) {
  const v1::ServeResponse::Invocation& invocation = channel.invocation();
  if (invocation.has_durable()) {
    std::string input = invocation.durable()
                            .initial_execution_state()
                            .operations(0)
                            .execution_details()
                            .input_payload();
    input.pop_back();
    v1::ServeRequest::Outcome outcome;
    outcome.set_payload(R"({"Status":"SUCCEEDED","Result":"\)" + input + R"(!\""})");
    return outcome;
  }
  std::string payload = invocation.payload();
  payload.pop_back();
  v1::ServeRequest::Outcome outcome;
  outcome.set_payload(payload + "!\"");
  return outcome;
}

// Invokes the function `child` with "go".
v1::ServeRequest::Outcome Chain(worker::InvocationChannel& channel) {
  const auto& operations = channel.invocation().durable().initial_execution_state().operations();
  if (operations.size() == 1) {
    v1::OperationUpdate update;
    update.set_id("c");
    update.set_type(v1::OPERATION_TYPE_CHAINED_INVOKE);
    update.set_action(v1::OPERATION_ACTION_START);
    update.set_payload("\"go\"");
    update.mutable_chained_invoke_options()->set_function_name("child");
    EXPECT_EQ(TextOf(channel.Checkpoint(CheckpointOf(channel.invocation(), {update}).checkpoint())),
              "OK");
    return Pend();
  }
  EXPECT_EQ(operations[1].chained_invoke_details().result(), "\"go!\"")
      << operations[1].ShortDebugString();
  return Succeed("\"chained\"");
}

class PlacementTest : public ReplicasTest {};

class ChainTest : public ReplicasTest, public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(, ChainTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Durable" : "Plain"; });

TEST_P(ChainTest, AChildRunsWhereItsFunctionIsServed) {
  const auto child = b_->Serve("default", SpecOf("child", GetParam()), 1, Exclaim);
  const auto parent = a_->Serve("default", "parent", 1, Chain);
  for (TestClient* client : {&a(), &b()}) {
    const std::string arn = client->Start("default", "parent");
    EXPECT_EQ(a().AwaitEnd(arn).result(), "chained");
    EXPECT_EQ(b().AwaitEnd(arn).result(), "chained");
  }
}

TEST_F(PlacementTest, APlainFunctionIsInvokedWhereItIsServed) {
  const auto workers = b_->Serve("default", SpecOf("exclaim", false), 1, Exclaim);
  v1::InvokeFunctionRequest request;
  request.set_function_name("exclaim");
  request.set_payload("\"go\"");
  for (TestClient* client : {&b(), &a()}) {
    const auto response = client->Call(&Executions::InvokeFunction, request);
    ASSERT_EQ(TextOf(response), "OK");
    EXPECT_EQ(response->payload(), "\"go!\"");
    EXPECT_EQ(response->executed_version(), "$LATEST");
  }
}

TEST_F(PlacementTest, ACallWaitsForAWorkerOfAnyReplica) {
  { const auto workers = a_->Serve("default", SpecOf("exclaim", false), 1, Exclaim); }
  v1::InvokeFunctionRequest request;
  request.set_function_name("exclaim");
  request.set_payload("\"go\"");
  std::thread call([&] {
    const auto response = a().Call(&Executions::InvokeFunction, request);
    ASSERT_EQ(TextOf(response), "OK");
    EXPECT_EQ(response->payload(), "\"go!\"");
  });
  // Until it waits.
  v1::ListFunctionsResponse functions;
  do {
    functions = *a().Call(&Functions::ListFunctions, v1::ListFunctionsRequest());
  } while (functions.functions(0).queued_invocations() == 0);
  const auto workers = b_->Serve("default", SpecOf("exclaim", false), 1, Exclaim);
  call.join();
}

TEST_F(PlacementTest, OneNameIsOneExecution) {
  ScriptedWorker worker(a().functions());
  worker.Register("default", {"orders"});
  EXPECT_EQ(TextOf(worker.Close()), "OK");
  for (int i = 0; i < 20; ++i) {
    // With the same input, and with another.
    const bool same = i % 2 == 0;
    v1::StartExecutionRequest request;
    request.set_function_name("orders");
    request.set_durable_execution_name(absl::StrCat("order-", i));
    request.set_input("1");
    v1::StartExecutionRequest other = request;
    if (!same) other.set_input("2");
    absl::StatusOr<v1::StartExecutionResponse> at_a;
    std::thread first([&] { at_a = a().Call(&Executions::StartExecution, request); });
    const auto at_b = b().Call(&Executions::StartExecution, other);
    first.join();
    if (same) {
      ASSERT_EQ(TextOf(at_a), "OK");
      ASSERT_EQ(TextOf(at_b), "OK");
      EXPECT_EQ(at_a->durable_execution_arn(), at_b->durable_execution_arn());
      EXPECT_NE(at_a->already_started(), at_b->already_started());
    } else {
      EXPECT_THAT((std::vector<std::string>{TextOf(at_a), TextOf(at_b)}),
                  UnorderedElementsAre(
                      "OK", absl::StrCat("ALREADY_EXISTS DurableExecutionAlreadyStartedException: "
                                         "Durable Execution already started with another input: "
                                         "order-",
                                         i)));
    }
  }
  EXPECT_EQ(
      b().Call(&Executions::ListExecutions, v1::ListExecutionsRequest())->durable_executions_size(),
      20);
}

// Counts invocations by execution.
class Counted {
 public:
  v1::ServeRequest::Outcome Run(worker::InvocationChannel& channel) {
    {
      absl::MutexLock lock(&mutex_);
      ++invocations_[channel.invocation().durable().durable_execution_arn()];
    }
    EXPECT_EQ(
        TextOf(channel.Checkpoint(
            CheckpointOf(channel.invocation(), {StepUpdate("s", v1::OPERATION_ACTION_SUCCEED)})
                .checkpoint())),
        "OK");
    return Succeed("\"17\"");
  }
  std::map<std::string, int> invocations() {
    absl::MutexLock lock(&mutex_);
    return invocations_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, int> invocations_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(PlacementTest, MoreExecutionsThanPlacesEachRunOnce) {
  const auto c = StartReplica();
  Counted counted;
  std::vector<std::unique_ptr<worker::WorkerPool>> workers;
  for (Served* replica : {a_.get(), b_.get(), c.get()}) {
    workers.push_back(
        replica->Serve("default", "orders", 1,
                       [&](worker::InvocationChannel& channel) { return counted.Run(channel); }));
  }
  std::map<std::string, int> expected;
  for (int i = 0; i < 60; ++i) {
    expected[(i % 3 == 0 ? a() : i % 3 == 1 ? b() : c->client()).Start("default", "orders")] = 1;
  }
  for (const auto& [arn, invocations] : expected) {
    EXPECT_EQ(a().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  }
  EXPECT_EQ(counted.invocations(), expected);
}

// The one at which they are started is full for ever.
TEST_F(PlacementTest, WhatWaitsAtAFullReplicaRunsAtAnother) {
  ScriptedWorker busy(a().functions());
  busy.Register("default", {"orders"});
  const std::string blocking = a().Start("default", "orders");
  busy.ReceiveInvocation();
  std::vector<std::string> arns;
  for (int i = 0; i < 5; ++i) arns.push_back(a().Start("default", "orders"));
  Counted counted;
  const auto workers = b_->Serve("default", "orders", 1, [&](worker::InvocationChannel& channel) {
    return counted.Run(channel);
  });
  for (const std::string& arn : arns) {
    EXPECT_EQ(a().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  }
  EXPECT_EQ(counted.invocations().size(), arns.size());
  busy.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(b().AwaitEnd(blocking).result(), "17");
}

}  // namespace
}  // namespace rehearse
