// What is due while no replica works on it, and when the replica that did is gone.
#include <csignal>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/rehearse_process.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

class TimeTest : public ReplicasTest {
 protected:
  // Starts an execution at a, which a worker at `replica` suspends with this operation. Nobody
  // serves it any more.
  std::string Suspend(TestClient& replica, const v1::OperationUpdate& update) {
    ScriptedWorker worker(replica.functions());
    worker.Register("default", {"orders"});
    const std::string arn = a().Start("default", "orders");
    worker.Send(CheckpointOf(worker.ReceiveInvocation(), {update}));
    EXPECT_TRUE(worker.Receive().has_checkpoint());
    worker.Send(OutcomeOf(kPending));
    EXPECT_EQ(TextOf(worker.Close()), "OK");
    return arn;
  }

  static std::string AwaitOperation(TestClient& client, const std::string& arn,
                                    v1::OperationStatus status) {
    v1::WaitForOperationRequest wait = Of<v1::WaitForOperationRequest>(arn);
    wait.set_operation_id("o");
    wait.add_statuses(status);
    return Try(client, &Sessions::WaitForOperation, wait);
  }
};

TEST_F(TimeTest, AWaitEndsAndTheExecutionGoesOnAnywhere) {
  // So long that it sleeps meanwhile.
  const std::string arn = Suspend(b(), WaitUpdate("o", 2));
  ScriptedWorker worker(a().functions());
  worker.Register("default", {"orders"});
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  EXPECT_EQ(invocation.durable().initial_execution_state().operations(1).status(),
            v1::OPERATION_STATUS_SUCCEEDED);
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(b().AwaitEnd(arn).result(), "17");
}

TEST_F(TimeTest, ACallbackTimesOutWithNobodyConnected) {
  v1::OperationUpdate callback = CallbackUpdate("o");
  callback.mutable_callback_options()->set_timeout_seconds(2);
  const std::string arn = Suspend(b(), callback);
  EXPECT_EQ(AwaitOperation(a(), arn, v1::OPERATION_STATUS_TIMED_OUT), "OK");
  EXPECT_EQ(AwaitOperation(b(), arn, v1::OPERATION_STATUS_TIMED_OUT), "OK");
}

TEST_F(TimeTest, AHeartbeatThroughAnyReplicaIsInTime) {
  v1::OperationUpdate callback = CallbackUpdate("o");
  callback.mutable_callback_options()->set_heartbeat_timeout_seconds(3600);
  const std::string arn = Suspend(b(), callback);
  v1::SendCallbackHeartbeatRequest heartbeat;
  heartbeat.set_callback_id(OperationOf(a().Inspect(arn), "o").callback_details().callback_id());
  for (TestClient* client : {&a(), &b()}) {
    EXPECT_EQ(Try(*client, &Executions::SendCallbackHeartbeat, heartbeat), "OK");
  }
}

TEST_F(TimeTest, AnExecutionTimesOutWithNobodyConnected) {
  ScriptedWorker worker(a().functions());
  worker.Register("default", {"orders"});
  EXPECT_EQ(TextOf(worker.Close()), "OK");
  v1::StartExecutionRequest request;
  request.set_function_name("orders");
  request.mutable_durable_config()->set_execution_timeout(2);
  const std::string arn = a().Start(request);
  EXPECT_EQ(b().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(a().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_TIMED_OUT);
}

// How the replica at which everything has happened so far ends, while another one stays.
class GoneTest : public TimeTest, public ::testing::WithParamInterface<int> {
 protected:
  GoneTest() : gone_({"--store=" + store(/*lease_seconds=*/1)}) {
    // It ends leases as soon as that is sure of its own.
    Server::Options options;
    options.store = store(/*lease_seconds=*/3);
    options.grpc_address = "127.0.0.1:0";
    stays_ = std::make_unique<Served>(std::move(options));
    a_.reset();
    b_.reset();
  }

  void End() {
    gone_.process().Signal(GetParam());
    EXPECT_EQ(gone_.process().AwaitExit(), GetParam() == SIGKILL ? -SIGKILL : 0);
  }

  Up gone_;
  std::unique_ptr<Served> stays_;
};

INSTANTIATE_TEST_SUITE_P(, GoneTest, ::testing::Values(SIGTERM, SIGKILL), [](const auto& info) {
  return info.param == SIGKILL ? "Killed" : "Terminated";
});

TEST_P(GoneTest, AWaitEndsAndTheExecutionGoesOn) {
  std::string arn;
  {
    ScriptedWorker worker(gone_.client().functions());
    worker.Register("default", {"orders"});
    arn = gone_.client().Start("default", "orders");
    // It stays where it is for so short a wait.
    worker.Send(CheckpointOf(worker.ReceiveInvocation(), {WaitUpdate("w", 1)}));
    EXPECT_TRUE(worker.Receive().has_checkpoint());
    worker.Send(OutcomeOf(kPending));
    End();
  }
  ScriptedWorker worker(stays_->client().functions());
  worker.Register("default", {"orders"});
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  EXPECT_EQ(invocation.durable().durable_execution_arn(), arn);
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(stays_->client().AwaitEnd(arn).result(), "17");
}

TEST_P(GoneTest, AnInterruptedInvocationRunsAgain) {
  std::string arn;
  {
    ScriptedWorker worker(gone_.client().functions());
    worker.Register("default", {"orders"});
    arn = gone_.client().Start("default", "orders");
    worker.Send(
        CheckpointOf(worker.ReceiveInvocation(), {StepUpdate("s", v1::OPERATION_ACTION_SUCCEED)}));
    EXPECT_TRUE(worker.Receive().has_checkpoint());
    End();
  }
  ScriptedWorker worker(stays_->client().functions());
  worker.Register("default", {"orders"});
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  EXPECT_EQ(invocation.durable().durable_execution_arn(), arn);
  EXPECT_EQ(invocation.durable().initial_execution_state().operations_size(), 2);
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(stays_->client().AwaitEnd(arn).result(), "17");
}

}  // namespace
}  // namespace rehearse
