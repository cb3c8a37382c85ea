// The runner's clock: skipped, moved by hand, real; pauses; steps.
#include <string>

#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"

namespace durable::testing {
namespace {

using RunnerTimeTest = RunnerFixture;

absl::StatusOr<int> TwoWaits(DurableContext& ctx, const Json&) {
  DURABLE_RETURN_IF_ERROR(ctx.Wait("day", absl::Hours(24)));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("hour", absl::Hours(1)));
  return 2;
}

absl::StatusOr<std::string> Unanswered(DurableContext& ctx, const Json&) {
  return ctx.WaitForCallback(
      "approval", [](absl::string_view, StepContext&) {},
      CallbackOptions().set_timeout(absl::Hours(24)));
}

TEST_P(RunnerTimeTest, WaitsAndRetriesAreSkipped) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json& input) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(TwoWaits(ctx, input).status());
        return ctx.Step(
            "flaky",
            [](StepContext& step) -> absl::StatusOr<int> {
              if (step.attempt() < 3) return MakeError("Flaky", "not yet");
              return step.attempt();
            },
            StepOptions().set_retry(FixedRetry(absl::Hours(48))));
      },
      Options());
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<int>(3));
  EXPECT_GE(result->end_time() - result->start_time(), absl::Hours(24 + 1 + 2 * 48));
}

TEST_P(RunnerTimeTest, DeadlinesAreNotSkippedUnlessAskedFor) {
  DurableFunctionTestRunner runner(Unanswered, Options());
  EXPECT_THAT(runner.Run(nullptr, absl::Milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  DurableFunctionTestRunner skipping(Unanswered, Options().set_skip_deadlines(true));
  EXPECT_THAT(skipping.Run(nullptr, kFar),
              IsOkAndHolds(FailedWith(ErrorTypeIs("CallbackTimeoutError"))));
}

TEST_P(RunnerTimeTest, AnExecutionTimesOut) {
  DurableFunctionTestRunner runner(
      Unanswered, Options().set_skip_deadlines(true).set_execution_timeout(absl::Hours(1)));
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, TimedOut());
  EXPECT_GE(result->end_time() - result->start_time(), absl::Hours(1));
  EXPECT_THAT(*result, HistoryIs("CS2 BS3 SS4 SX5 IC6 XT7"));
}

TEST_P(RunnerTimeTest, ManualTimeStandsStillUntilItIsMoved) {
  DurableFunctionTestRunner runner(TwoWaits, Options().set_manual_time(true));
  const std::string arn = runner.RunAsync(nullptr).value();
  ASSERT_THAT(runner.WaitForOperation(arn, "day", {}, kFar), IsOk());
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(24) - absl::Seconds(1)), IsOk());
  EXPECT_EQ(runner.GetResult(arn)->GetWait("day")->status(), OperationStatus::kStarted);
  EXPECT_THAT(runner.AdvanceTime(absl::Seconds(1)), IsOk());
  EXPECT_EQ(runner.GetResult(arn)->GetWait("day")->status(), OperationStatus::kSucceeded);
  EXPECT_EQ(runner.GetResult(arn)->status(), ExecutionStatus::kRunning);
  ASSERT_THAT(runner.WaitForOperation(arn, "hour", {}, kFar), IsOk());
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(1)), IsOk());
  const auto result = runner.WaitForResult(arn, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->end_time() - result->start_time(), absl::Hours(25));
}

TEST_P(RunnerTimeTest, MovesToTheNextTimer) {
  DurableFunctionTestRunner runner(TwoWaits, Options().set_manual_time(true));
  const std::string arn = runner.RunAsync(nullptr).value();
  ASSERT_THAT(runner.WaitForOperation(arn, "day", {}, kFar), IsOk());
  EXPECT_THAT(runner.AdvanceToNextTimer(), IsOkAndHolds(1));
  ASSERT_THAT(runner.WaitForOperation(arn, "hour", {}, kFar), IsOk());
  EXPECT_THAT(runner.AdvanceToNextTimer(), IsOkAndHolds(1));
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(Succeeded()));
}

TEST_P(RunnerTimeTest, WithoutATimerNothingMoves) {
  DurableFunctionTestRunner runner(TwoWaits, Options().set_manual_time(true));
  EXPECT_THAT(runner.AdvanceToNextTimer(), IsOkAndHolds(0));
  EXPECT_THAT(runner.AdvanceTime(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(RunnerTimeTest, RealTimeTakesItsTime) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) { return ctx.Wait("second", absl::Seconds(1)); },
      Options().set_skip_time(false));
  const absl::Time before = absl::Now();
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_GE(absl::Now() - before, absl::Seconds(1));
}

TEST_P(RunnerTimeTest, RunnersDoNotMoveEachOther) {
  DurableFunctionTestRunner still(TwoWaits, Options().set_manual_time(true));
  DurableFunctionTestRunner moved(TwoWaits, Options().set_manual_time(true));
  const std::string arn = still.RunAsync(nullptr).value();
  ASSERT_THAT(still.WaitForOperation(arn, "day", {}, kFar), IsOk());
  EXPECT_THAT(moved.AdvanceTime(absl::Hours(48)), IsOk());
  EXPECT_EQ(still.GetResult(arn)->GetWait("day")->status(), OperationStatus::kStarted);
}

TEST_P(RunnerTimeTest, ASteppedRunnerInvokesWhenAsked) {
  DurableFunctionTestRunner runner(TwoWaits, Options().set_stepped(true));
  const std::string arn = runner.RunAsync(nullptr).value();
  EXPECT_THAT(runner.InvocationCount(arn), IsOkAndHolds(0));
  EXPECT_THAT(runner.InvokeNext(arn, kFar), IsOkAndHolds(true));
  EXPECT_THAT(*runner.GetResult(arn), HistoryIs("WS2 IC3 ..."));
  ASSERT_THAT(runner.WaitForOperation(arn, "day", {OperationStatus::kSucceeded}, kFar), IsOk());
  EXPECT_THAT(runner.InvokeNext(arn, kFar), IsOkAndHolds(true));
  ASSERT_THAT(runner.WaitForOperation(arn, "hour", {OperationStatus::kSucceeded}, kFar), IsOk());
  EXPECT_THAT(runner.InvokeNext(arn, kFar), IsOkAndHolds(true));
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_THAT(runner.InvokeNext(arn, kFar), IsOkAndHolds(false));
}

TEST_P(RunnerTimeTest, OnlyASteppedRunnerIsStepped) {
  DurableFunctionTestRunner runner(Unanswered, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  EXPECT_THAT(runner.InvokeNext(arn, kFar), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(RunnerTimeTest, PausesAndResumes) {
  DurableFunctionTestRunner runner(Unanswered, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const std::string id = runner.WaitForCallback(arn, "approval", kFar).value();
  EXPECT_THAT(runner.Pause(arn, kFar), IsOk());
  EXPECT_EQ(runner.GetResult(arn)->status(), ExecutionStatus::kPaused);
  EXPECT_THAT(runner.SendCallbackSuccess(id, "yes"), IsOk());
  EXPECT_THAT(runner.InvocationCount(arn), IsOkAndHolds(1));
  EXPECT_THAT(runner.Resume(arn), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar),
              IsOkAndHolds(HistoryIs("CS2 BS3 SS4 SX5 IC6 XH7 BX8 XR9 CX10 IC11 XS12")));
}

TEST_P(RunnerTimeTest, APauseWaitsForTheRunningInvocation) {
  absl::Notification started;
  absl::Notification go_on;
  // The start of such a step is recorded before its body runs: there is nothing to record until the
  // body ends, and so nothing at which the pause could take effect.
  const StepOptions recorded_first =
      StepOptions().set_semantics(StepSemantics::kAtMostOncePerRetry);
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step(
            "first",
            [&](StepContext&) {
              started.Notify();
              go_on.WaitForNotification();
            },
            recorded_first));
        return ctx.Step("second", [](StepContext&) { return 2; });
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  started.WaitForNotification();
  EXPECT_THAT(runner.Pause(arn, absl::Milliseconds(100)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(runner.GetResult(arn)->status(), ExecutionStatus::kPausing);
  go_on.Notify();
  EXPECT_THAT(runner.WaitForOperation(arn, "first", {OperationStatus::kSucceeded}, kFar), IsOk());
  EXPECT_THAT(runner.Resume(arn), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(ResultIs<int>(2)));
}

TEST_P(RunnerTimeTest, AnEndedExecutionCannotBePaused) {
  DurableFunctionTestRunner runner([](DurableContext&, const Json&) { return 1; }, Options());
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(runner.Pause(result->durable_execution_arn(), kFar).ok());
}

TEST_P(RunnerTimeTest, StopsAnExecution) {
  DurableFunctionTestRunner runner(Unanswered, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  ASSERT_THAT(runner.WaitForCallback(arn, "approval", kFar), IsOk());
  EXPECT_THAT(runner.Stop(arn, {"Operator", "not today", "", {}}), IsOk());
  const auto result = runner.WaitForResult(arn, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Stopped());
  EXPECT_EQ(result->error()->message, "not today");
  EXPECT_THAT(*result, HistoryIs("CS2 BS3 SS4 SX5 IC6 XP7[error Operator]"));
}

REHEARSE_ON_BOTH_SERVICES(RunnerTimeTest);

}  // namespace
}  // namespace durable::testing
