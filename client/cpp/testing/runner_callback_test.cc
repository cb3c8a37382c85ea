// The runner's callbacks.
#include <string>

#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using RunnerCallbackTest = RunnerFixture;

absl::StatusOr<std::string> Approval(DurableContext& ctx, const Json&) {
  return ctx.WaitForCallback(
      "approval", [](absl::string_view, StepContext&) {},
      CallbackOptions().set_timeout(absl::Hours(24)).set_heartbeat_timeout(absl::Hours(1)));
}

// Two callbacks, answered in any order.
absl::StatusOr<std::string> Both(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> a, ctx.CreateCallback("a"));
  DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> b, ctx.CreateCallback("b"));
  DURABLE_ASSIGN_OR_RETURN(const std::string first, a.Result());
  DURABLE_ASSIGN_OR_RETURN(const std::string second, b.Result());
  return first + second;
}

TEST_P(RunnerCallbackTest, IsAnsweredWithAResult) {
  DurableFunctionTestRunner runner(Approval, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const auto id = runner.WaitForCallback(arn, "approval", kFar);
  ASSERT_THAT(id, IsOk());
  EXPECT_THAT(runner.SendCallbackSuccess(*id, "yes"), IsOk());
  const auto result = runner.WaitForResult(arn, kFar);
  EXPECT_THAT(result, IsOkAndHolds(ResultJson("\"yes\"")));
  EXPECT_THAT(*result->GetContext("approval"), Succeeded());
  EXPECT_EQ(result->GetOperation("approval-callback")->callback_id(), *id);
}

TEST_P(RunnerCallbackTest, IsAnsweredWithAFailure) {
  DurableFunctionTestRunner runner(Approval, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const std::string id = runner.WaitForCallback(arn, "approval", kFar).value();
  EXPECT_THAT(runner.SendCallbackFailure(id, {"Rejected", "too expensive", "", {}}), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar),
              IsOkAndHolds(FailedWith(ErrorMessageIs("too expensive"))));
}

TEST_P(RunnerCallbackTest, IsHandedOutAfterItsInvocationHasEnded) {
  absl::Notification submitted;
  absl::Notification go_on;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
        DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> callback, ctx.CreateCallback("late"));
        DURABLE_RETURN_IF_ERROR(ctx.Step("submit", [&](StepContext&) {
          submitted.Notify();
          go_on.WaitForNotification();
        }));
        return callback.Result();
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  submitted.WaitForNotification();
  EXPECT_THAT(runner.WaitForCallback(arn, "late", absl::Milliseconds(100)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  go_on.Notify();
  const std::string id = runner.WaitForCallback(arn, "late", kFar).value();
  EXPECT_EQ(runner.GetResult(arn)->Invocations().size(), 1u);
  EXPECT_THAT(runner.SendCallbackSuccess(id, "done"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(HistoryIs("BS2 SS3 SX4 IC5 BX6 IC7")));
}

TEST_P(RunnerCallbackTest, WithoutANameIsTheNewest) {
  DurableFunctionTestRunner runner(Both, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const std::string newest = runner.WaitForCallback(arn, "", kFar).value();
  EXPECT_EQ(newest, runner.WaitForCallback(arn, "b", kFar).value());
  EXPECT_NE(newest, runner.WaitForCallback(arn, "a", kFar).value());
  EXPECT_THAT(runner.SendCallbackSuccess(newest, "B"), IsOk());
  const std::string other = runner.WaitForCallback(arn, "", kFar).value();
  EXPECT_THAT(runner.SendCallbackSuccess(other, "A"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(ResultIs<std::string>("AB")));
}

TEST_P(RunnerCallbackTest, HeartbeatsHoldOffTheHeartbeatTimeout) {
  DurableFunctionTestRunner runner(Approval, Options().set_manual_time(true));
  const std::string arn = runner.RunAsync(nullptr).value();
  const std::string id = runner.WaitForCallback(arn, "approval", kFar).value();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(runner.AdvanceTime(absl::Minutes(59)), IsOk());
    EXPECT_THAT(runner.SendCallbackHeartbeat(id), IsOk());
  }
  EXPECT_EQ(runner.GetResult(arn)->status(), ExecutionStatus::kRunning);
  EXPECT_THAT(runner.AdvanceTime(absl::Minutes(60)), IsOk());
  const auto result = runner.WaitForResult(arn, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, FailedWith(ErrorTypeIs("CallbackTimeoutError")));
  EXPECT_THAT(*result, HistoryIs("... BT7[error Callback.Heartbeat] ..."));
}

TEST_P(RunnerCallbackTest, TimesOutWhenTimeIsMoved) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) {
        return ctx.WaitForCallback(
            "approval", [](absl::string_view, StepContext&) {},
            CallbackOptions().set_timeout(absl::Hours(24)));
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  ASSERT_THAT(runner.WaitForCallback(arn, "approval", kFar), IsOk());
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(24)), IsOk());
  const auto result = runner.WaitForResult(arn, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result->GetOperation("approval-callback"), TimedOut());
}

TEST_P(RunnerCallbackTest, AnsweredTwiceIsRefused) {
  DurableFunctionTestRunner runner(Both, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const std::string id = runner.WaitForCallback(arn, "a", kFar).value();
  EXPECT_THAT(runner.SendCallbackSuccess(id, "A"), IsOk());
  EXPECT_FALSE(runner.SendCallbackFailure(id, {"Rejected", "no", "", {}}).ok());
  EXPECT_FALSE(runner.SendCallbackHeartbeat(id).ok());
}

TEST_P(RunnerCallbackTest, WaitingForOneThatNobodyCreatesSaysWhatTheRunWaitsFor) {
  DurableFunctionTestRunner runner(Approval, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const auto id = runner.WaitForCallback(arn, "rejection", absl::Milliseconds(200));
  EXPECT_THAT(id, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(std::string(id.status().message()),
              AllOf(HasSubstr("\"rejection"), HasSubstr("waiting for callback \"approval"),
                    HasSubstr("CallbackStarted")));
}

TEST_P(RunnerCallbackTest, WaitingInARunThatEndsWithoutItFails) {
  DurableFunctionTestRunner runner([](DurableContext&, const Json&) { return 1; }, Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  EXPECT_THAT(runner.WaitForCallback(arn, "approval", kFar),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(RunnerCallbackTest, AnUnknownIdIsRefused) {
  DurableFunctionTestRunner runner(Approval, Options());
  EXPECT_FALSE(runner.SendCallbackSuccess("no such id", "yes").ok());
}

REHEARSE_ON_BOTH_SERVICES(RunnerCallbackTest);

}  // namespace
}  // namespace durable::testing
