// What somebody outside does to an execution: pause, resume, stop, delete, callbacks.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kConflict[] = "ResourceConflictException";

std::string NameOf(const absl::Status& status) { return status.ok() ? "" : ErrorNameOf(status); }

TEST(PauseTest, APausedExecutionKeepsItsTimersAndOwesAnInvocation) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction(
      "main", Script{{Checkpoint({StartCallback("c"), StartWait("w", 10)}), Hold(), Pending()},
                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSING);
  service.workers.Release();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_THAT(service.WaitingFor(arn),
              ElementsAre("being resumed; resume it", "callback \"c\" (no deadline); send it"));
  EXPECT_TRUE(service.Inspect(arn).invocation_owed());
  EXPECT_EQ(service.SendSuccess(service.CallbackId(arn, "c")), absl::OkStatus());
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED CALLBACK_STARTED WAIT_STARTED INVOCATION_COMPLETED EXECUTION_PAUSED "
            "WAIT_SUCCEEDED CALLBACK_SUCCEEDED EXECUTION_RESUMED INVOCATION_COMPLETED "
            "EXECUTION_SUCCEEDED");
}

TEST(PauseTest, OfASleepingExecutionHoldsAtOnceAndResumesToSleep) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(PauseTest, TheNextCheckpointIsKeptAndAnsweredWithoutAToken) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Hold(), Checkpoint({StartStep("a"), SucceedStep("a", "1")}),
                                      Poll(), Hold(), Fail("Ignored", "ignored")},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  service.workers.Release();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  const auto run = service.workers.runs()[0];
  ASSERT_THAT(run->answers, SizeIs(2));
  EXPECT_FALSE(run->answers[0]->has_checkpoint_token());
  EXPECT_THAT(run->answers[0]->new_execution_state().operations(), IsEmpty());
  EXPECT_TRUE(IsStaleCheckpointToken(run->answers[1].status()));
  // Resumed while the cut-off invocation is still there: the next one waits for its end.
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  service.workers.Release();
  EXPECT_EQ(service.End(arn).result(), "done");
}

TEST(PauseTest, APauseThatIsWithdrawnLeavesNoTrace) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Hold(), Poll(), Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  service.workers.Release();
  EXPECT_EQ(service.End(arn).result(), "done");
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST(PauseTest, ACrashWhilePausingCountsAndIsOwed) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Hold(), Crash()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  service.workers.Release();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(service.Inspect(arn).consecutive_failures(), 1);
  EXPECT_TRUE(service.Inspect(arn).invocation_owed());
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  EXPECT_EQ(service.End(arn).result(), "done");
}

TEST(PauseTest, AQueuedInvocationIsGivenUpAndOwed) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.workers.set_slots(0);
  service.AddFunction("main", Script{{Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Pause(arn), absl::OkStatus());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  service.workers.set_slots(1);
  service.Run();
  EXPECT_THAT(service.workers.runs(), IsEmpty());
  EXPECT_EQ(service.workers.free_slots(), 1);
  EXPECT_EQ(service.Resume(arn), absl::OkStatus());
  EXPECT_EQ(service.End(arn).result(), "done");
}

TEST(PauseTest, TheExecutionTimeOutStandsStillUnlessToldOtherwise) {
  for (const bool stands : {true, false}) {
    SimulatedService service(v1::CLOCK_MODE_REAL);
    v1::FunctionSpec spec;
    spec.mutable_durable_config()->set_execution_timeout(100);
    service.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Pending()}}, spec);
    const std::string arn = service.Start("main");
    service.scheduler.AdvanceWall(absl::Seconds(40));
    v1::PauseExecutionRequest request;
    request.set_durable_execution_arn(arn);
    request.set_execution_timeout_paused(stands);
    ASSERT_TRUE(service.Call(&Executor::PauseExecution, request).ok());
    service.scheduler.AdvanceWall(absl::Seconds(1000));
    EXPECT_EQ(service.StatusOf(arn),
              stands ? v1::EXECUTION_STATUS_PAUSED : v1::EXECUTION_STATUS_TIMED_OUT);
    if (!stands) continue;
    EXPECT_EQ(service.Resume(arn), absl::OkStatus());
    service.scheduler.AdvanceWall(absl::Seconds(59));
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
    service.scheduler.AdvanceWall(absl::Seconds(2));
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_TIMED_OUT);
  }
}

TEST(PauseTest, ConflictsAndRepetitions) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Pending()}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.Resume(arn).message(),
            "Cannot resume an execution that is RUNNING; only a PAUSED or PAUSING one can be "
            "resumed.");
  v1::PauseExecutionRequest pause;
  pause.set_durable_execution_arn(arn);
  pause.set_client_token("p");
  EXPECT_TRUE(service.Call(&Executor::PauseExecution, pause).ok());
  EXPECT_TRUE(service.Call(&Executor::PauseExecution, pause).ok());
  EXPECT_EQ(service.Pause(arn).message(),
            "Cannot pause an execution that is PAUSED; only a RUNNING one can be paused.");
  v1::ResumeExecutionRequest resume;
  resume.set_durable_execution_arn(arn);
  resume.set_client_token("r");
  EXPECT_TRUE(service.Call(&Executor::ResumeExecution, resume).ok());
  EXPECT_TRUE(service.Call(&Executor::ResumeExecution, resume).ok());
  // The repeated pause has no second effect; another request may not use its token.
  EXPECT_TRUE(service.Call(&Executor::PauseExecution, pause).ok());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
  pause.set_reason("other");
  EXPECT_EQ(service.Call(&Executor::PauseExecution, pause).status().message(),
            "ClientToken 'p' was used for another request.");
  // Fifteen minutes later it is a new request.
  service.scheduler.AdvanceWall(absl::Minutes(16));
  EXPECT_TRUE(service.Call(&Executor::PauseExecution, pause).ok());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  EXPECT_EQ(NameOf(service.Pause(arn)), kConflict);
  EXPECT_EQ(NameOf(service.Resume(arn)), kConflict);
  EXPECT_EQ(NameOf(service.Pause("nobody")), "ResourceNotFoundException");
}

TEST(StopTest, EndsTheRunningInvocationFirstAndIsIdempotent) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartStep("a")}), Hold(), Succeed("late")}});
  const std::string arn = service.Start("main");
  service.Run();
  v1::StopExecutionRequest request;
  request.set_durable_execution_arn(arn);
  const auto stopped = service.Call(&Executor::StopExecution, request);
  ASSERT_TRUE(stopped.ok());
  service.scheduler.AdvanceWall(absl::Seconds(5));
  const auto again = service.Call(&Executor::StopExecution, request);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->ShortDebugString(), stopped->ShortDebugString());
  EXPECT_EQ(service.Get(arn).error().error_message(), "Execution was stopped.");
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED STEP_STARTED INVOCATION_COMPLETED EXECUTION_STOPPED");
  EXPECT_THAT(service.workers.runs()[0]->aborts,
              ElementsAre(v1::ServeResponse::Abort::EXECUTION_STOPPED));
  request.mutable_error()->set_error_data(std::string(1048577, 'x'));
  EXPECT_EQ(service.Call(&Executor::StopExecution, request).status().message(),
            "Error object size must be less than or equal to 1048576 bytes.");
}

TEST(DeleteTest, NeedsAClosedExecutionAndLeavesNothing) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Pending()}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string callback = service.CallbackId(arn, "c");
  v1::DeleteExecutionRequest request;
  request.set_durable_execution_arn(arn);
  EXPECT_EQ(service.Call(&Executor::DeleteExecution, request).status().message(),
            "Cannot delete an execution that has not ended; stop it first.");
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  EXPECT_TRUE(service.Call(&Executor::DeleteExecution, request).ok());
  EXPECT_EQ(service.Call(&Executor::DeleteExecution, request).status().message(),
            absl::StrCat("Durable Execution does not exist: ", arn));
  EXPECT_EQ(NameOf(service.SendSuccess(callback)), "ResourceNotFoundException");
  EXPECT_FALSE(service.memory.Load(arn).ok());
}

TEST(RetentionTest, AClosedExecutionIsGoneWhenItsDaysAreOver) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  v1::FunctionSpec spec;
  spec.mutable_durable_config()->set_retention_period_in_days(2);
  service.AddFunction("main", Script{{Succeed("done")}}, spec);
  v1::StartExecutionRequest request;
  request.set_function_name("main");
  request.set_durable_execution_name("n");
  const std::string arn = service.Start(request)->durable_execution_arn();
  service.End(arn);
  service.scheduler.AdvanceWall(absl::Hours(47));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(service.Advance(absl::Hours(2)), ElementsAre("RETENTION"));
  EXPECT_FALSE(service.memory.Load(arn).ok());
  const auto anew = service.Start(request);
  ASSERT_TRUE(anew.ok());
  EXPECT_FALSE(anew->already_started());
}

TEST(CallbackTest, AnswersWithTheExactError) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction(
      "main", Script{{Checkpoint({StartCallback("c"), StartCallback("d"), StartCallback("e", 5)}),
                      Pending()},
                     {Pending()},
                     {Pending()},
                     {Pending()}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string id = service.CallbackId(arn, "c");
  const std::string other = service.CallbackId(arn, "d");
  const std::string late = service.CallbackId(arn, "e");
  struct Row {
    std::string id;
    std::string result;
    std::string error;
    std::string message;
  };
  const std::string closed =
      "Callback is closed: it has timed out or been completed, or its execution has ended";
  const auto check = [&](const Row& row) {
    SCOPED_TRACE(row.message);
    const absl::Status status = service.SendSuccess(row.id, row.result);
    EXPECT_EQ(NameOf(status), row.error);
    EXPECT_EQ(status.message(), row.message);
  };
  const std::string invalid = "InvalidParameterValueException";
  check({"", "1", invalid, "CallbackId must be 1-1024 characters long."});
  check({std::string(1025, 'A'), "1", invalid, "CallbackId must be 1-1024 characters long."});
  check({"bm90aGluZw==", "1", "ResourceNotFoundException", "Callback does not exist"});
  check({id, std::string(1048577, 'x'), invalid,
         "CALLBACK output payload size must be less than or equal to 1048576 bytes."});
  check({id, "\xff", invalid, "The result of a CALLBACK must be UTF-8 text."});
  EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_STARTED);
  check({id, std::string(1048576, 'x'), "", ""});
  check({id, "1", "CallbackTimeoutException", closed});
  service.scheduler.AdvanceWall(absl::Seconds(6));
  check({late, "1", "CallbackTimeoutException", closed});
  v1::SendCallbackFailureRequest failure;
  failure.set_callback_id(other);
  EXPECT_TRUE(service.Call(&Executor::SendCallbackFailure, failure).ok());
  const v1::Operation failed = service.Inspect(arn).operations(2);
  EXPECT_EQ(failed.status(), v1::OPERATION_STATUS_FAILED);
  EXPECT_TRUE(failed.callback_details().has_error());
  EXPECT_EQ(failed.callback_details().error().ShortDebugString(), "");
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  check({id, "1", "CallbackTimeoutException", closed});
}

}  // namespace
}  // namespace rehearse
