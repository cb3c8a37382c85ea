// Calls that wait for something of an execution.
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

TEST(InvocationEndedTest, WaitsForAnInvocationThatIsQueuedForABusyWorker) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.workers.set_slots(1);
  service.AddFunction("busy", Script{{Hold(), Succeed("done")}});
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 60)}), Pending()}});
  service.Start("busy");
  service.Run();
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(service.Start("main"));
  request.add_statuses(v1::EXECUTION_STATUS_RUNNING);
  request.set_invocation_ended(true);
  absl::optional<absl::StatusOr<v1::WaitForExecutionResponse>> answer;
  service.executor().WaitForExecution(
      request, [&](absl::StatusOr<v1::WaitForExecutionResponse> got) { answer = std::move(got); });
  service.Run();
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(service.workers.Release(), 1);
  service.Run();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok()) << answer->status();
  EXPECT_EQ(service.EventTypes(request.durable_execution_arn()),
            "EXECUTION_STARTED WAIT_STARTED INVOCATION_COMPLETED");
}

TEST(InvocationEndedTest, DoesNotWaitForAWorkerThatIsNotThere) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.workers.set_slots(0);
  service.AddFunction("main", Script{{Succeed("done")}});
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(service.Start("main"));
  request.add_statuses(v1::EXECUTION_STATUS_RUNNING);
  request.set_invocation_ended(true);
  EXPECT_TRUE(service.Call(&Executor::WaitForExecution, request).ok());
}

}  // namespace
}  // namespace rehearse
