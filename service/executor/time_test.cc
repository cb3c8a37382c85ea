// Time: jumps, advances, idle workers; waiting calls and what they say.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

v1::SessionConfig Config(v1::ClockMode mode, bool skip_deadlines = false, bool stepped = false) {
  v1::SessionConfig config;
  config.set_clock_mode(mode);
  config.set_skip_deadlines(skip_deadlines);
  config.set_stepped(stepped);
  return config;
}

TEST(SkipTest, ThirtyDaysPassInNoTimeAndInDueOrder) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction(
      "main",
      Script{{Checkpoint({StartWait("month", 30 * 86400), StartWait("day", 86400)}), Pending()},
             {Pending()},
             {Succeed("done")}});
  const std::string arn = service.Start("main");
  const absl::Time before = service.scheduler.Now();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.scheduler.Now(), before);
  EXPECT_THAT(service.History(arn),
              testing::Contains("+720h 7 WAIT_SUCCEEDED month duration: 2592000"));
}

// One tree's jump moves no other; a running handler holds its own tree only.
TEST(SkipTest, TreesHaveTheirOwnTime) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction(
      "busy", Script{{Checkpoint({StartWait("w", 60)}), Hold(), Pending()}, {Succeed("done")}});
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 3600)}), Pending()}, {Succeed("done")}});
  const std::string busy = service.Start("busy");
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.Inspect(busy).operations(1).status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_EQ(ToAbsl(service.Inspect(busy).now()), service.scheduler.Now());
  service.workers.Release();
  service.Run();
  EXPECT_EQ(service.StatusOf(busy), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(SkipTest, DeadlinesAreCarriedAlongUnlessTheyAreSkipped) {
  for (const bool skip_deadlines : {false, true}) {
    SimulatedService service(Config(v1::CLOCK_MODE_SKIP, skip_deadlines));
    service.AddFunction(
        "main", Script{{Checkpoint({StartCallback("c", 3600), StartWait("w", 86400)}), Pending()},
                       {Pending()},
                       {Succeed("done")}});
    const std::string arn = service.Start("main");
    service.Run();
    if (skip_deadlines) {
      EXPECT_EQ(service.EventTypes(arn),
                "EXECUTION_STARTED CALLBACK_STARTED WAIT_STARTED INVOCATION_COMPLETED "
                "CALLBACK_TIMED_OUT INVOCATION_COMPLETED WAIT_SUCCEEDED INVOCATION_COMPLETED "
                "EXECUTION_SUCCEEDED");
      continue;
    }
    EXPECT_THAT(service.WaitingFor(arn),
                ElementsAre("callback \"c\" (1h left); send it, advance time, or set "
                            "skip_deadlines"));
    service.scheduler.AdvanceWall(absl::Minutes(59));
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
    service.scheduler.AdvanceWall(absl::Minutes(1));
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  }
}

TEST(SkipTest, AnIdleWorkerCountsAsNotRunning) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 60), StartWait("x", 86400)}),
                                      Idle("w"), Poll(), Idle("x"), Poll(), Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const auto run = service.workers.runs()[0];
  ASSERT_THAT(run->idles, SizeIs(2));
  EXPECT_EQ(ToAbsl(run->idles[1]->now()) - ToAbsl(run->idles[0]->now()), absl::Seconds(86340));
  EXPECT_EQ(run->answers[1]->new_execution_state().operations(0).status(),
            v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(IdleTest, EndsAtItsMomentWithoutATimerAndWhenTheInvocationIsOver) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string request_id = service.workers.runs()[0]->invocation.request_id();
  std::vector<absl::Status> ends;
  const auto idle = [&](absl::Duration until, const std::string& id) {
    service.executor().Idle(arn, id, service.scheduler.Now() + until,
                            [&](absl::StatusOr<v1::ServeResponse::IdleEnded> ended) {
                              ends.push_back(ended.status());
                            });
    service.Run();
  };
  idle(absl::Seconds(10), request_id);
  EXPECT_THAT(ends, IsEmpty());
  service.scheduler.AdvanceWall(absl::Seconds(10));
  EXPECT_THAT(ends, ElementsAre(absl::OkStatus()));
  idle(absl::Seconds(-1), request_id);
  EXPECT_THAT(ends, SizeIs(2));
  idle(absl::Hours(1), "another");
  ASSERT_THAT(ends, SizeIs(3));
  EXPECT_EQ(ends[2].message(), "The invocation is not in flight any more.");
  idle(absl::Hours(1), request_id);
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  EXPECT_THAT(ends, SizeIs(4));
}

TEST(ManualTest, TimeStandsStillUntilItIsAdvanced) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60), StartCallback("c", 90)}), Pending()},
                             {Checkpoint({StartWait("x", 10)}), Pending()},
                             {Pending()},
                             {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.scheduler.AdvanceWall(absl::Hours(5));
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  EXPECT_THAT(service.Advance(absl::Seconds(59)), IsEmpty());
  // The invocation that the first wait causes ends before the next timer fires, and the wait that
  // it starts is on the way.
  EXPECT_THAT(service.Advance(absl::Seconds(100)),
              ElementsAre("WAIT w", "WAIT x", "CALLBACK_TIMEOUT c"));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED WAIT_STARTED CALLBACK_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED "
            "WAIT_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED INVOCATION_COMPLETED "
            "CALLBACK_TIMED_OUT INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST(AdvanceTest, GoesToTheNextTimerAndToAMoment) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("b", 20), StartWait("a", 10)}), Pending()},
                             {Pending()},
                             {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const absl::Time start = ToAbsl(service.Inspect(arn).now());
  v1::AdvanceTimeRequest next;
  next.set_next_timer(true);
  auto response = service.Call(&Executor::AdvanceTime, next);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->fired_count(), 1);
  EXPECT_EQ(response->fired(0).operation_id(), "a");
  EXPECT_EQ(ToAbsl(response->fired(0).due()), start + absl::Seconds(10));

  // Two calls to one moment move once.
  v1::AdvanceTimeRequest until;
  SetTimestamp(start + absl::Seconds(15), until.mutable_until());
  int answered = 0;
  for (int i = 0; i < 2; ++i) {
    service.executor().AdvanceTime(until, [&](absl::StatusOr<v1::AdvanceTimeResponse> got) {
      EXPECT_TRUE(got.ok());
      ++answered;
    });
  }
  service.Run();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(ToAbsl(service.Inspect(arn).now()), start + absl::Seconds(15));
  EXPECT_TRUE(service.Call(&Executor::AdvanceTime, next).ok());
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  // Nothing is left to go to.
  response = service.Call(&Executor::AdvanceTime, next);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->fired_count(), 0);
}

TEST(AdvanceTest, MovesDeadlinesInEveryMode) {
  for (const v1::ClockMode mode :
       {v1::CLOCK_MODE_REAL, v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_MANUAL}) {
    SimulatedService service(mode);
    v1::FunctionSpec spec;
    spec.mutable_durable_config()->set_execution_timeout(100);
    service.AddFunction("main",
                        Script{{Checkpoint({StartCallback("c", 60, 30)}), Pending()},
                               {Checkpoint({StartCallback("d")}), Pending()}},
                        spec);
    const std::string arn = service.Start("main");
    service.Run();
    EXPECT_THAT(service.Advance(absl::Seconds(99)), ElementsAre("CALLBACK_HEARTBEAT c"));
    EXPECT_THAT(service.Advance(absl::Seconds(2)), ElementsAre("EXECUTION_TIMEOUT"));
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_TIMED_OUT);
  }
}

TEST(AdvanceTest, RefusesWhatIsNoAdvance) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  v1::AdvanceTimeRequest request;
  EXPECT_EQ(service.Call(&Executor::AdvanceTime, request).status().message(),
            "Say how far to advance: duration, until or next_timer.");
  request.mutable_duration();
  EXPECT_EQ(service.Call(&Executor::AdvanceTime, request).status().message(),
            "duration must be more than 0; time does not run backwards.");
  request.set_session("nobody");
  EXPECT_TRUE(absl::IsNotFound(service.Call(&Executor::AdvanceTime, request).status()));
}

TEST(SteppedTest, InvocationsStartWhenTheyAreAskedFor) {
  SimulatedService service(Config(v1::CLOCK_MODE_SKIP, false, true));
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_THAT(service.workers.runs(), IsEmpty());
  EXPECT_THAT(service.WaitingFor(arn),
              ElementsAre("its next invocation; the session is stepped, ask for it"));
  v1::InvokeNextRequest request;
  request.set_durable_execution_arn(arn);
  auto response = service.Call(&Executor::InvokeNext, request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->invoked());
  EXPECT_EQ(response->request_id(), service.workers.runs()[0]->invocation.request_id());
  EXPECT_EQ(response->execution().status(), v1::EXECUTION_STATUS_RUNNING);
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  response = service.Call(&Executor::InvokeNext, request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->execution().result(), "done");
  response = service.Call(&Executor::InvokeNext, request);
  ASSERT_TRUE(response.ok());
  EXPECT_FALSE(response->invoked());

  SimulatedService other(v1::CLOCK_MODE_SKIP);
  other.AddFunction("main", Script{{Hold()}});
  request.set_durable_execution_arn(other.Start("main"));
  EXPECT_EQ(other.Call(&Executor::InvokeNext, request).status().message(),
            "The session is not stepped: its invocations start by themselves.");
}

TEST(WaitForTest, ATimeOutSaysWhatTheExecutionWaitsFor) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  v1::OperationUpdate invoke = StartInvoke("i", "child");
  invoke.set_name("prices");
  service.AddFunction("main",
                      Script{{Checkpoint({StartCallback("approval", 86400), StartWait("w", 90),
                                          StartStep("s"), RetryStep("s", 5, "no"), invoke}),
                              Pending()}});
  service.AddFunction("child", Script{{Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(arn);
  request.mutable_timeout()->set_seconds(10);
  const std::string reasons =
      "callback \"approval\" (24h left); send it, advance time, or set skip_deadlines and for "
      "wait \"w\" (1m30s left) and for retry of step \"s\" (5s left) and for chained invoke "
      "\"prices\" of child";
  absl::Status status = service.Call(&Executor::WaitForExecution, request).status();
  EXPECT_EQ(ErrorNameOf(status), "WaitTimedOut");
  EXPECT_EQ(status.message(), absl::StrCat("the end of execution ", arn,
                                           " did not happen within 10s; waiting for ", reasons));
  request.add_statuses(v1::EXECUTION_STATUS_PAUSED);
  status = service.Call(&Executor::WaitForExecution, request).status();
  EXPECT_EQ(status.message(), absl::StrCat("status PAUSED of execution ", arn,
                                           " did not happen within 10s; waiting for ", reasons));
  v1::WaitForOperationRequest operation;
  operation.set_durable_execution_arn(arn);
  operation.set_name("approval");
  operation.set_type(v1::OPERATION_TYPE_CALLBACK);
  operation.add_statuses(v1::OPERATION_STATUS_SUCCEEDED);
  operation.add_statuses(v1::OPERATION_STATUS_FAILED);
  operation.mutable_timeout()->set_seconds(3);
  status = service.Call(&Executor::WaitForOperation, operation).status();
  EXPECT_EQ(status.message(),
            absl::StrCat("an operation named \"approval\" of type CALLBACK that is SUCCEEDED or "
                         "FAILED of execution ",
                         arn, " did not happen within 3s; waiting for ", reasons));
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  EXPECT_EQ(service.Call(&Executor::WaitForExecution, request).status().message(),
            "The execution has closed as STOPPED.");
  EXPECT_EQ(service.Call(&Executor::WaitForOperation, operation).status().message(),
            "The execution has closed as STOPPED without an operation named \"approval\" of type "
            "CALLBACK that is SUCCEEDED or FAILED.");
  request.mutable_timeout()->set_seconds(-1);
  EXPECT_EQ(service.Call(&Executor::WaitForExecution, request).status().message(),
            "timeout must not be negative.");
}

// READY lasts for a moment: whoever waits for it is told all the same.
TEST(WaitForTest, WhatWasThereForAMomentIsSeen) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedService service(Config(v1::CLOCK_MODE_MANUAL), seed);
    service.AddFunction(
        "main", Script{{Checkpoint({StartStep("s"), RetryStep("s", 5, "no")}), Pending()},
                       {Checkpoint({StartStep("s"), SucceedStep("s", "1")}), Succeed("done")}});
    const std::string arn = service.Start("main");
    service.Run();
    v1::WaitForOperationRequest request;
    request.set_durable_execution_arn(arn);
    request.set_operation_id("s");
    request.add_statuses(v1::OPERATION_STATUS_READY);
    absl::optional<absl::StatusOr<v1::WaitForOperationResponse>> answer;
    service.executor().WaitForOperation(
        request,
        [&](absl::StatusOr<v1::WaitForOperationResponse> got) { answer = std::move(got); });
    service.Run();
    EXPECT_FALSE(answer.has_value());
    EXPECT_THAT(service.Advance(absl::Seconds(5)), ElementsAre("RETRY s"));
    service.Run();
    ASSERT_TRUE(answer.has_value() && answer->ok());
    EXPECT_EQ((*answer)->operation().status(), v1::OPERATION_STATUS_READY);
  }
}

TEST(WaitForTest, TheEndOfTheServiceAnswersEveryCall) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.AddFunction("main", Script{{Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(arn);
  std::vector<absl::Status> answers;
  const auto wait = [&] {
    service.executor().WaitForExecution(
        request,
        [&](absl::StatusOr<v1::WaitForExecutionResponse> got) { answers.push_back(got.status()); });
  };
  wait();
  service.Run();
  // On its way to the lane while the service shuts down.
  wait();
  service.executor().Shutdown();
  wait();
  service.Run();
  EXPECT_THAT(answers,
              ElementsAre(errors::ShuttingDown(), errors::ShuttingDown(), errors::ShuttingDown()));
  EXPECT_THAT(service.workers.runs()[0]->aborts,
              ElementsAre(v1::ServeResponse::Abort::SESSION_ENDED));
}

// Ends the service while a call that it has let in is being made ready.
struct EndingIdSource final : IdSource {
  uint64_t Next() override {
    if (executor != nullptr) executor->Shutdown();
    return 1;
  }
  Executor* executor = nullptr;
};

TEST(InvokeFunctionTest, TheEndOfTheServiceAnswersACallThatComesBehindIt) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  EndingIdSource ids;
  Executor executor({}, service.scheduler, service.store, service.workers, ids);
  v1::FunctionSpec plain;
  plain.set_function_name("plain");
  ASSERT_TRUE(executor.RegisterFunctions("default", {plain}).ok());
  ids.executor = &executor;
  v1::InvokeFunctionRequest request;
  request.set_function_name("plain");
  std::vector<absl::Status> answers;
  executor.InvokeFunction(request, [&](absl::StatusOr<v1::InvokeFunctionResponse> got) {
    answers.push_back(got.status());
  });
  service.Run();
  EXPECT_THAT(answers, ElementsAre(errors::ShuttingDown()));
}

}  // namespace
}  // namespace rehearse
