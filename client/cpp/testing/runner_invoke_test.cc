// Targets of chained invokes.
#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using RunnerInvokeTest = RunnerFixture;

absl::StatusOr<Json> CallTarget(DurableContext& ctx, const Json& payload) {
  return ctx.Invoke<Json>("call", "target", payload);
}

absl::StatusOr<int> Double(DurableContext& ctx, const int& number) {
  DURABLE_RETURN_IF_ERROR(ctx.Wait("think", absl::Hours(1)));
  return ctx.Step("double", [&](StepContext&) { return 2 * number; });
}

TEST_P(RunnerInvokeTest, RunsADurableTarget) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", Double);
  const auto result = runner.Run(21, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<int>(42));
  EXPECT_THAT(*result, HistoryIs("IS2[function target, payload 21] IC3 IX4[payload 42] IC5"));
}

TEST_P(RunnerInvokeTest, ShowsTheExecutionOfADurableTarget) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", Double);
  const auto result = runner.Run(21, kFar);
  ASSERT_THAT(result, IsOk());
  const std::string child_arn = result->GetInvoke("call")->invoked_execution_arn();
  EXPECT_THAT(child_arn, HasSubstr(":function:target:"));
  const auto child = runner.GetResult(child_arn);
  ASSERT_THAT(child, IsOk());
  EXPECT_THAT(*child, HistoryIs("WS2 IC3 WX4 SS5 SX6[payload 42] IC7 XS8"));
}

TEST_P(RunnerInvokeTest, RunsAPlainTarget) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", [](const std::string& name) { return "Hello, " + name; });
  const auto result = runner.Run("Ada", kFar);
  EXPECT_THAT(result, IsOkAndHolds(ResultIs<std::string>("Hello, Ada")));
  EXPECT_EQ(result->GetInvoke("call")->invoked_execution_arn(), "");
}

TEST_P(RunnerInvokeTest, TargetsFail) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", [](DurableContext&, const Json&) -> absl::StatusOr<int> {
    return MakeError("OutOfStock", "none left");
  });
  const auto result = runner.Run(nullptr, kFar);
  EXPECT_THAT(result, IsOkAndHolds(FailedWith(ErrorTypeIs("InvokeError"))));
  EXPECT_THAT(*result->GetInvoke("call"), FailedWith(ErrorTypeIs("OutOfStock")));

  runner.RegisterFunction("target", [](const Json&) -> absl::StatusOr<int> {
    return MakeError("OutOfService", "closed");
  });
  EXPECT_THAT(*runner.Run(nullptr, kFar)->GetInvoke("call"),
              FailedWith(ErrorTypeIs("OutOfService")));
}

TEST_P(RunnerInvokeTest, AnUnknownTargetFailsTheInvoke) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HistoryIs("IS2 IF3[error ResourceNotFoundException] IC4"));
}

TEST_P(RunnerInvokeTest, TargetsMayBeRegisteredWhileARunGoesOn) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json& payload) -> absl::StatusOr<Json> {
        DURABLE_RETURN_IF_ERROR(
            ctx.WaitForCallback("go", [](absl::string_view, StepContext&) {}).status());
        return CallTarget(ctx, payload);
      },
      Options());
  const std::string arn = runner.RunAsync(21).value();
  const std::string id = runner.WaitForCallback(arn, "go", kFar).value();
  runner.RegisterFunction("target", Double);
  EXPECT_THAT(runner.SendCallbackSuccess(id, "go"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(ResultIs<int>(42)));
}

TEST_P(RunnerInvokeTest, ATargetMayBeReplaced) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", CannedResult{1});
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(ResultIs<int>(1)));
  runner.RegisterFunction("target", CannedResult{2});
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(ResultIs<int>(2)));
}

TEST_P(RunnerInvokeTest, ACannedResult) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", CannedResult{{{"receipt", 17}}});
  EXPECT_THAT(runner.Run("anything", kFar), IsOkAndHolds(ResultJson(R"({"receipt": 17})")));
}

TEST_P(RunnerInvokeTest, ACannedFailure) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", CannedFailure{{"Declined", "no money", "code 51", {}}});
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  const OperationView call = result->GetInvoke("call").value();
  EXPECT_THAT(call, FailedWith(AllOf(ErrorTypeIs("Declined"), ErrorMessageIs("no money"))));
  EXPECT_EQ(call.error()->data, "code 51");
}

TEST_P(RunnerInvokeTest, ACannedTimeout) {
  DurableFunctionTestRunner runner(CallTarget, Options().set_skip_deadlines(true));
  runner.RegisterFunction("target", CannedTimeout());
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Failed());
  EXPECT_THAT(*result->GetInvoke("call"), TimedOut());
  EXPECT_THAT(*result, HistoryIs("IS2 IC3 IT4[error ChainedInvoke.Timeout] IC5"));
}

TEST_P(RunnerInvokeTest, ACannedStop) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", CannedStop{{"Operator", "maintenance", "", {}}});
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Failed());
  EXPECT_THAT(*result->GetInvoke("call"), Stopped());
  EXPECT_THAT(*result, HistoryIs("IS2 IC3 IP4[error Operator, message maintenance] IC5"));
}

TEST_P(RunnerInvokeTest, ATargetMayHaveAnExecutionTimeout) {
  DurableFunctionTestRunner runner(CallTarget, Options().set_skip_deadlines(true));
  runner.RegisterFunction("target", Double, absl::Minutes(59));
  EXPECT_THAT(*runner.Run(21, kFar)->GetInvoke("call"), TimedOut());
  runner.RegisterFunction("target", Double, absl::Minutes(61));
  EXPECT_THAT(*runner.Run(21, kFar)->GetInvoke("call"), Succeeded());
}

TEST_P(RunnerInvokeTest, ARunningTargetMayBeStopped) {
  DurableFunctionTestRunner runner(CallTarget, Options());
  runner.RegisterFunction("target", [](DurableContext& ctx, const Json&) {
    return ctx.WaitForCallback("never", [](absl::string_view, StepContext&) {});
  });
  const std::string arn = runner.RunAsync(nullptr).value();
  const auto call = runner.WaitForOperation(arn, "call", {}, kFar);
  ASSERT_THAT(call, IsOk());
  EXPECT_THAT(runner.Stop(call->invoked_execution_arn(), {"Operator", "enough", "", {}}), IsOk());
  EXPECT_THAT(*runner.WaitForResult(arn, kFar)->GetInvoke("call"), Stopped());
}

REHEARSE_ON_BOTH_SERVICES(RunnerInvokeTest);

}  // namespace
}  // namespace durable::testing
