// What a restart makes of what the store has.
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::SessionConfig Config(v1::ClockMode mode, bool stepped = false) {
  v1::SessionConfig config;
  config.set_clock_mode(mode);
  config.set_stepped(stepped);
  return config;
}

v1::CheckpointRequest StepCheckpoint(const SimulatedWorkers::Run& run, const std::string& id) {
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(run.arn());
  request.set_checkpoint_token(run.token);
  request.set_client_token(absl::StrCat("client-", id));
  *request.add_updates() = StartStep(id);
  *request.add_updates() = SucceedStep(id, "\"1\"");
  return request;
}

absl::StatusOr<v1::CheckpointResponse> Send(SimulatedService& service,
                                            const v1::CheckpointRequest& request) {
  absl::optional<absl::StatusOr<v1::CheckpointResponse>> answer;
  service.executor().Checkpoint(
      request, StaleTokenSpelling::kReal,
      [&](absl::StatusOr<v1::CheckpointResponse> response) { answer = std::move(response); });
  service.scheduler.RunUntil([&] { return answer.has_value(); });
  return *answer;
}

absl::Time TimeOf(SimulatedService& service, const std::string& arn) {
  return ToAbsl(service.Inspect(arn).now());
}

TEST(RecoveryTest, TimersFireAtTheirStoredDeadlines) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 3600)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart(absl::Minutes(10));
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
  service.scheduler.AdvanceWall(absl::Minutes(49));
  EXPECT_EQ(service.workers.runs().size(), 1u);
  service.scheduler.AdvanceWall(absl::Minutes(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(service.History(arn),
              ElementsAre(HasSubstr("1 EXECUTION_STARTED"), HasSubstr("2 WAIT_STARTED"),
                          HasSubstr("3 INVOCATION_COMPLETED"), HasSubstr("+1h 4 WAIT_SUCCEEDED"),
                          HasSubstr("5 INVOCATION_COMPLETED"), HasSubstr("6 EXECUTION_SUCCEEDED")));
}

TEST(RecoveryTest, WhatHasFallenDueMeanwhileFiresAtOnceInDueOrder) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction(
      "main",
      Script{{Checkpoint({StartWait("late", 300), StartWait("early", 60), StartCallback("c", 120)}),
              Pending()},
             {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart(absl::Hours(1));
  service.Run();
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED WAIT_STARTED WAIT_STARTED CALLBACK_STARTED INVOCATION_COMPLETED "
            "WAIT_SUCCEEDED CALLBACK_TIMED_OUT WAIT_SUCCEEDED INVOCATION_COMPLETED "
            "EXECUTION_SUCCEEDED");
  EXPECT_THAT(service.History(arn), Contains(HasSubstr("6 WAIT_SUCCEEDED early")));
}

TEST(RecoveryTest, TreesThatAreDueFireInOrderOfTheirTime) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("late",
                      Script{{Checkpoint({StartWait("w", 300)}), Pending()}, {Succeed("done")}});
  service.AddFunction("early",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("done")}});
  const std::string late = service.Start("late");
  const std::string early = service.Start("early");
  service.Run();
  service.Restart(absl::Hours(1));
  service.Run();
  EXPECT_EQ(service.StatusOf(late), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.StatusOf(early), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, ExecutionTimeoutsRetriesAndBackOffsGoOn) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  v1::FunctionSpec spec;
  spec.mutable_durable_config()->set_execution_timeout(600);
  service.AddFunction("timed", Script{{Checkpoint({StartCallback("c")}), Pending()}}, spec);
  service.AddFunction(
      "retried", Script{{Checkpoint({StartStep("s"), RetryStep("s", 100, "again")}), Pending()},
                        {Succeed("done")}});
  service.AddFunction("crashing", Script{{Crash()}, {Succeed("done")}});
  const std::string timed = service.Start("timed");
  const std::string retried = service.Start("retried");
  const std::string crashing = service.Start("crashing");
  service.Run();
  service.Restart();
  service.scheduler.AdvanceWall(absl::Seconds(2));
  EXPECT_EQ(service.StatusOf(crashing), v1::EXECUTION_STATUS_SUCCEEDED);
  service.scheduler.AdvanceWall(absl::Seconds(100));
  EXPECT_EQ(service.StatusOf(retried), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.StatusOf(timed), v1::EXECUTION_STATUS_RUNNING);
  service.scheduler.AdvanceWall(absl::Seconds(500));
  EXPECT_EQ(service.StatusOf(timed), v1::EXECUTION_STATUS_TIMED_OUT);
}

TEST(RecoveryTest, AnInterruptedInvocationRunsAgainUnderTheFailurePolicy) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartStep("s")}), Hold()},
                                     {Checkpoint({SucceedStep("s", "\"1\"")}), Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart();
  service.Run();
  // The back-off after a first failure.
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  service.scheduler.AdvanceWall(absl::Seconds(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(service.History(arn),
              ElementsAre(HasSubstr("1 EXECUTION_STARTED"), HasSubstr("2 STEP_STARTED s"),
                          AllOf(HasSubstr("3 INVOCATION_COMPLETED"), HasSubstr("Runtime.ExitError"),
                                HasSubstr("The service was restarted while the invocation ran.")),
                          HasSubstr("4 STEP_SUCCEEDED s"), HasSubstr("5 INVOCATION_COMPLETED"),
                          HasSubstr("6 EXECUTION_SUCCEEDED")));
}

TEST(RecoveryTest, ATokenFromBeforeIsGoodUntilTheFunctionCanRunAgain) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Hold()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  SimulatedWorkers::Run& run = *service.workers.runs()[0];
  const v1::CheckpointRequest first = StepCheckpoint(run, "a");
  const absl::StatusOr<v1::CheckpointResponse> before = Send(service, first);
  ASSERT_TRUE(before.ok());

  service.workers.set_slots(0);
  service.Restart();
  EXPECT_THAT(service.WaitingFor(arn), ElementsAre(HasSubstr("worker")));
  // Byte for byte.
  const absl::StatusOr<v1::CheckpointResponse> again = Send(service, first);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), before->SerializeAsString());
  run.token = before->checkpoint_token();
  const v1::CheckpointRequest second = StepCheckpoint(run, "b");
  const absl::StatusOr<v1::CheckpointResponse> after = Send(service, second);
  ASSERT_TRUE(after.ok()) << after.status();
  run.token = after->checkpoint_token();

  service.workers.set_slots(1);
  service.Run();
  EXPECT_TRUE(IsStaleCheckpointToken(Send(service, StepCheckpoint(run, "c")).status()));
  EXPECT_EQ(Send(service, second)->SerializeAsString(), after->SerializeAsString());
  service.scheduler.AdvanceWall(absl::Seconds(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  // Of a finished execution, too, and after another restart.
  service.Restart();
  EXPECT_EQ(Send(service, second)->SerializeAsString(), after->SerializeAsString());
}

TEST(RecoveryTest, AnInterruptedInvocationEndsWithItsTimeIfNoWorkerComes) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  v1::FunctionSpec spec;
  spec.mutable_timeout()->set_seconds(30);
  service.AddFunction("main", Script{{Hold()}, {Succeed("done")}}, spec);
  const std::string arn = service.Start("main");
  service.Run();
  service.workers.set_slots(0);
  service.Restart();
  service.scheduler.AdvanceWall(absl::Seconds(29));
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED");
  service.scheduler.AdvanceWall(absl::Seconds(1));
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED INVOCATION_COMPLETED");
  service.workers.set_slots(1);
  service.scheduler.AdvanceWall(absl::Seconds(2));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, AnInterruptedInvocationThatHasClosedItsExecutionFinishesIt) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({SucceedExecution("\"17\"")}), Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart();
  service.Run();
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  EXPECT_EQ(service.Get(arn).result(), "\"17\"");
}

TEST(RecoveryTest, CallbackIdsStayGoodAndAreAppliedOnce) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartCallback("c")}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string id = service.CallbackId(arn, "c");
  service.Restart();
  ASSERT_EQ(service.SendSuccess(id), absl::OkStatus());
  service.Restart();
  EXPECT_EQ(service.SendSuccess(id), errors::CallbackClosed());
  service.scheduler.AdvanceWall(absl::Seconds(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.SendSuccess(id), errors::CallbackClosed());
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED CALLBACK_STARTED INVOCATION_COMPLETED CALLBACK_SUCCEEDED "
            "INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST(RecoveryTest, APausedExecutionStaysPausedAndOwesItsInvocation) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  ASSERT_EQ(service.Pause(arn), absl::OkStatus());
  service.Restart(absl::Hours(1));
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  service.Restart();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSED);
  ASSERT_EQ(service.Resume(arn), absl::OkStatus());
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, ChildrenAndPlainFunctionsGoOn) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction(
      "main",
      Script{{Checkpoint({StartInvoke("c", "child"), StartInvoke("p", "plain")}), Pending()},
             {Pending()},
             {Succeed("done")}});
  service.AddFunction("child",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("child")}});
  service.AddPlainFunction("plain", Script{{Hold()}, {Answer("\"plain\"")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart();
  service.Run();
  service.Restart();
  service.scheduler.AdvanceWall(absl::Minutes(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(service.History(arn), Contains(HasSubstr("CHAINED_INVOKE_SUCCEEDED c")));
  EXPECT_THAT(service.History(arn), Contains(HasSubstr("CHAINED_INVOKE_SUCCEEDED p")));
  EXPECT_THAT(service.workers.violations(), IsEmpty());
}

TEST(RecoveryTest, FinishedExecutionsAreFoundUntilTheirRetentionEnds) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  v1::FunctionSpec spec;
  spec.mutable_durable_config()->set_retention_period_in_days(1);
  service.AddFunction("main", Script{{Succeed("done")}}, spec);
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart(absl::Hours(20));
  EXPECT_EQ(service.Get(arn).result(), "done");
  service.scheduler.AdvanceWall(absl::Hours(5));
  EXPECT_EQ(service.memory.Load(arn).status(), errors::ExecutionNotFound(arn));
}

TEST(RecoveryTest, SkippedTimeStandsWhereItWas) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 86400)}), Pending()},
                                     {Checkpoint({StartCallback("c", 3600)}), Pending()},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const absl::Time before = TimeOf(service, arn);
  EXPECT_EQ(before, service.scheduler.Now() + absl::Hours(24));
  service.Restart(absl::Minutes(20));
  EXPECT_EQ(TimeOf(service, arn), before + absl::Minutes(20));
  // What was carried along unspent runs on.
  service.scheduler.AdvanceWall(absl::Minutes(39));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
  service.scheduler.AdvanceWall(absl::Minutes(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, TimeThatWasAboutToBeSkippedIs) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 86400)}), Hold()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Restart();
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, ManualTimeStandsWhereItWasMovedTo) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 3600)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const absl::Time start = TimeOf(service, arn);
  // Nothing fires, and still it is kept.
  EXPECT_THAT(service.Advance(absl::Minutes(50)), IsEmpty());
  service.Restart(absl::Hours(5));
  EXPECT_EQ(TimeOf(service, arn), start + absl::Minutes(50));
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_RUNNING);
  EXPECT_THAT(service.Advance(absl::Minutes(10)), ElementsAre("WAIT w"));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, RealTimeThatWasMovedStaysAhead) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 3600)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.Advance(absl::Minutes(50));
  service.Restart();
  EXPECT_EQ(TimeOf(service, arn), service.scheduler.Now() + absl::Minutes(50));
  service.scheduler.AdvanceWall(absl::Minutes(10));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(RecoveryTest, AnAdvanceThatCannotBeStoredIsNotAnsweredUntilItIs) {
  SimulatedService service(v1::CLOCK_MODE_MANUAL);
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 3600)}), Pending()}});
  service.Start("main");
  service.Run();
  const absl::Time before = service.scheduler.Now();
  service.store.SetFaults(
      [](int64_t number) { return number == 1 ? CommitFault::kFail : CommitFault::kNone; });
  EXPECT_THAT(service.Advance(absl::Minutes(50)), IsEmpty());
  EXPECT_GT(service.scheduler.Now(), before);
}

TEST(RecoveryTest, SessionsComeBackWithTheirClockAndFunctions) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Succeed("done")}});
  v1::CreateSessionRequest create;
  create.set_name("s");
  *create.mutable_config() = Config(v1::CLOCK_MODE_MANUAL);
  create.mutable_config()->mutable_limits()->set_open_executions(3);
  ASSERT_TRUE(service.executor().CreateSession(create).ok());
  v1::FunctionSpec spec;
  spec.set_function_name("main");
  spec.set_durable(true);
  ASSERT_EQ(service.executor().RegisterFunctions("s", {spec}), absl::OkStatus());
  v1::GetSessionRequest get;
  get.set_name("s");
  const std::string before = service.executor().GetSession(get)->SerializeAsString();

  service.Restart(absl::Minutes(9));
  const absl::StatusOr<v1::GetSessionResponse> after = service.executor().GetSession(get);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->SerializeAsString(), before);
  EXPECT_TRUE(service.executor().ResolveFunction("s", "main", absl::nullopt).ok());
  EXPECT_TRUE(service.executor().ResolveFunction("", "main", absl::nullopt).ok());
  EXPECT_EQ(ErrorNameOf(service.executor().CreateSession(create).status()),
            "ResourceConflictException");

  // Its idle time begins anew.
  service.scheduler.AdvanceWall(absl::Minutes(9));
  EXPECT_TRUE(service.executor().GetSession(get).ok());
  service.scheduler.AdvanceWall(absl::Minutes(20));
  EXPECT_EQ(service.executor().GetSession(get).status(), errors::SessionNotFound("s"));
  service.Restart();
  EXPECT_EQ(service.executor().GetSession(get).status(), errors::SessionNotFound("s"));
}

TEST(RecoveryTest, SessionsCountTheirExecutionsAgain) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("open", Script{{Checkpoint({StartCallback("c")}), Pending()}});
  service.AddFunction("closed", Script{{Succeed("done")}});
  service.Start("open");
  service.Start("closed");
  service.Start("closed");
  service.Run();
  service.Restart();
  service.Run();
  const absl::StatusOr<v1::GetSessionResponse> session =
      service.executor().GetSession(v1::GetSessionRequest());
  EXPECT_EQ(session->session().open_executions(), 1);
  EXPECT_EQ(session->session().closed_executions(), 2);
}

TEST(RecoveryTest, ADeregisteredFunctionStaysForgotten) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  ASSERT_EQ(service.executor().DeregisterFunction("", "main"), absl::OkStatus());
  service.Restart();
  service.scheduler.AdvanceWall(absl::Minutes(1));
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_FAILED);
}

TEST(RecoveryTest, ANameIsTakenAcrossARestart) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Pending()}});
  v1::StartExecutionRequest request;
  request.set_function_name("main");
  request.set_durable_execution_name("order-17");
  request.set_input("{}");
  const std::string arn = service.Start(request)->durable_execution_arn();
  service.Restart();
  const absl::StatusOr<v1::StartExecutionResponse> again = service.Start(request);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->already_started());
  EXPECT_EQ(again->durable_execution_arn(), arn);
  request.set_input("[]");
  EXPECT_EQ(service.Start(request).status(), errors::ExecutionAlreadyStarted("order-17"));
}

TEST(RecoveryTest, NothingIsLoadedForWhatSleeps) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 3600)}), Pending()}, {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  int loads = 0;
  service.store.SetLoadFaults([&] { return ++loads < 0; });
  service.Restart();
  service.scheduler.AdvanceWall(absl::Minutes(30));
  EXPECT_EQ(loads, 0);
  service.scheduler.AdvanceWall(absl::Minutes(30));
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
}

// The service is killed at every commit in turn: just when it has been written, and just when not.
TEST(RecoveryTest, ACrashAtAnyCommitLosesNothingAndRepeatsNothing) {
  const auto run = [](int64_t killed, bool written, int64_t& commits) {
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    service.AddFunction("main", Program{{Op::kStep},
                                        {Op::kRetriedStep, 5},
                                        {Op::kWait, 60},
                                        {Op::kChainedInvoke, 1, "child"},
                                        {Op::kChainedInvoke, 1, "plain"}});
    service.AddFunction("child", Program{{Op::kWait, 30}});
    service.AddPlainFunction("plain", Program());
    bool crash = false;
    service.store.SetFaults(
        [&](int64_t number) {
          commits = number;
          return number == killed ? CommitFault::kDefer : CommitFault::kNone;
        },
        [&](absl::AnyInvocable<void()> commit) {
          crash = true;
          if (written) commit();
        });
    v1::StartExecutionRequest request;
    request.set_function_name("main");
    request.set_durable_execution_name("order-17");
    service.executor().StartExecution(request, [](absl::StatusOr<v1::StartExecutionResponse>) {});
    service.scheduler.RunUntil([&] { return crash || !service.scheduler.HasTasks(); });
    if (crash) {
      service.Restart();
      service.Run();
    }
    const std::string arn = service.Start(request)->durable_execution_arn();
    EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
    EXPECT_THAT(service.workers.violations(), IsEmpty());
    EXPECT_EQ(service.workers.free_slots(), 100);
    for (const auto& [acknowledged, operation] : service.workers.acknowledged()) {
      const auto execution = service.memory.Load(acknowledged);
      EXPECT_EQ((*execution)->Find(operation)->operation().status(),
                v1::OPERATION_STATUS_SUCCEEDED);
    }
    // Interrupted invocations show; nothing else differs.
    std::string types = absl::StrCat(" ", service.EventTypes(arn));
    for (size_t at; (at = types.find(" INVOCATION_COMPLETED")) != std::string::npos;) {
      types.erase(at, strlen(" INVOCATION_COMPLETED"));
    }
    return types;
  };
  int64_t commits = 0;
  const std::string expected = run(0, true, commits);
  const int64_t all = commits;
  ASSERT_GT(all, 15);
  for (int64_t killed = 1; killed <= all; ++killed) {
    for (const bool written : {false, true}) {
      SCOPED_TRACE(absl::StrCat("commit ", killed, written ? " written" : " lost"));
      EXPECT_EQ(run(killed, written, commits), expected);
    }
  }
}

}  // namespace
}  // namespace rehearse
