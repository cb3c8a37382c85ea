#include "client/cpp/testing/runner.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ResultOf;

using RunnerTest = RunnerFixture;

// A step, a context with two steps of one name around a wait, and a step that fails once.
absl::StatusOr<int> Sum(DurableContext& ctx, const std::vector<int>& numbers) {
  DURABLE_ASSIGN_OR_RETURN(const int first,
                           ctx.Step("first", [&](StepContext&) { return numbers.at(0); }));
  DURABLE_ASSIGN_OR_RETURN(
      const int rest,
      ctx.RunInChildContext("rest", [&](DurableContext& child) -> absl::StatusOr<int> {
        DURABLE_ASSIGN_OR_RETURN(const int second,
                                 child.Step("add", [&](StepContext&) { return numbers.at(1); }));
        DURABLE_RETURN_IF_ERROR(child.Wait("pause", absl::Hours(24 * 30)));
        return child.Step("add", [&](StepContext&) { return second + numbers.at(2); });
      }));
  return ctx.Step("total", [&](StepContext& step) -> absl::StatusOr<int> {
    if (step.attempt() == 1) return MakeError("Flaky", "try again");
    return first + rest;
  });
}

absl::StatusOr<std::string> Reject(DurableContext& ctx, const Json&) {
  return ctx.Step(
      "charge",
      [](StepContext&) -> absl::StatusOr<std::string> {
        return MakeError("CardDeclined", "the bank said no", "code 51");
      },
      StepOptions().set_retry(NoRetry()));
}

TEST_P(RunnerTest, RunsAFunctionToItsEnd) {
  DurableFunctionTestRunner runner(Sum, Options());
  const auto result = runner.Run({1, 2, 3}, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, AllOf(Succeeded(), ResultIs<int>(6), ResultJson("6")));
  EXPECT_THAT(*result, HistoryIs("SS2 SX3 CS4 SS5[parent 4] SX6 WS7[duration 2592000] IC8 WX9 SS10 "
                                 "SX11 CX12[payload 5] SS13 SF14[attempt 1, error Flaky] IC15 SS16 "
                                 "SX17[attempt 2, payload 6] IC18 XS19"));
}

TEST_P(RunnerTest, ShowsEveryOperation) {
  DurableFunctionTestRunner runner(Sum, Options());
  const auto result = runner.Run({1, 2, 3}, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HasStep("first", ResultIs<int>(1)));
  const OperationView rest = result->GetContext("rest").value();
  EXPECT_EQ(rest.sub_type(), "RunInChildContext");
  ASSERT_EQ(rest.GetSteps("add").size(), 2u);
  EXPECT_THAT(rest.GetSteps("add")[1], ResultIs<int>(5));
  const OperationView pause = rest.GetWait("pause").value();
  EXPECT_EQ(pause.parent_id(), rest.id());
  EXPECT_EQ(pause.scheduled_end_time() - pause.start_time(), absl::Hours(24 * 30));
  EXPECT_GE(pause.end_time(), pause.scheduled_end_time());
  const OperationView total = result->GetStep("total").value();
  EXPECT_EQ(total.attempt(), 2);
  EXPECT_THAT(total.History(), ::testing::SizeIs(4));
  EXPECT_EQ(result->GetOperation("add", 1)->ResultAs<int>(), 5);
  EXPECT_EQ(result->GetOperationById(total.id())->name(), "total");
  EXPECT_EQ(result->GetOperationByIndex(1)->name(), "rest");
}

TEST_P(RunnerTest, ShowsEveryInvocation) {
  DurableFunctionTestRunner runner(Sum, Options());
  const auto result = runner.Run({1, 2, 3}, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->invocation_count(), 3);
  const std::vector<InvocationView> invocations = result->Invocations();
  ASSERT_EQ(invocations.size(), 3u);
  EXPECT_NE(invocations[0].request_id, invocations[1].request_id);
  EXPECT_GE(invocations[0].start_time, result->start_time());
  EXPECT_GE(invocations[1].start_time - invocations[0].end_time, absl::Hours(24 * 29));
  EXPECT_LE(invocations[2].end_time, result->end_time());
  EXPECT_FALSE(invocations[2].error.has_value());
}

TEST_P(RunnerTest, AFailedExecutionIsAnOkResult) {
  DurableFunctionTestRunner runner(Reject, Options());
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(
      *result,
      AllOf(Failed(), Not(Succeeded()),
            FailedWith(AllOf(ErrorTypeIs("StepError"), ErrorMessageIs("the bank said no")))));
  EXPECT_THAT(*result, HasStep("charge", FailedWith(ErrorTypeIs("CardDeclined"))));
  EXPECT_EQ(result->GetStep("charge")->error()->data, "code 51");
  EXPECT_FALSE(result->has_result());
}

TEST_P(RunnerTest, WhatIsThrownFailsTheExecution) {
  DurableFunctionTestRunner runner(
      [](DurableContext&, const Json& what) -> int {
        if (what == "int") throw 17;  // NOLINT(hicpp-exception-baseclass): it may be anything
        throw std::runtime_error("out of order");
      },
      Options());
  EXPECT_THAT(runner.Run("exception", kFar),
              IsOkAndHolds(FailedWith(ErrorMessageIs("out of order"))));
  EXPECT_THAT(runner.Run("int", kFar), IsOkAndHolds(Failed()));
}

TEST_P(RunnerTest, AResultThatIsNoTextFailsTheExecution) {
  DurableFunctionTestRunner runner(
      [](DurableContext&, const Json&) { return std::string("\xC3\x28"); }, Options());
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(FailedWith(ErrorTypeIs("SerDesError"))));
}

TEST_P(RunnerTest, RefusesInputThatIsNoJson) {
  DurableFunctionTestRunner runner(Sum, Options());
  EXPECT_THAT(runner.Run("\xFF", kFar), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(RunnerTest, RefusesInputThatIsTooLarge) {
  DurableFunctionTestRunner runner([](DurableContext&, const std::string&) { return 1; },
                                   Options());
  constexpr int kQuotes = 2;
  constexpr int kLimit = 6 * 1024 * 1024;
  EXPECT_THAT(runner.Run(std::string(kLimit - kQuotes, 'x'), kFar), IsOkAndHolds(Succeeded()));
  EXPECT_THAT(runner.Run(std::string(kLimit - kQuotes + 1, 'x'), kFar),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_P(RunnerTest, InputOfAnotherTypeFailsTheExecution) {
  DurableFunctionTestRunner runner(Sum, Options());
  EXPECT_THAT(runner.Run("no list", kFar), IsOkAndHolds(FailedWith(ErrorTypeIs("SerDesError"))));
}

TEST_P(RunnerTest, RunsManyExecutionsAtOnce) {
  DurableFunctionTestRunner runner(Sum, Options());
  std::vector<std::string> arns;
  for (int i = 0; i < 8; ++i) arns.push_back(runner.RunAsync({i, 0, 0}).value());
  for (int i = 0; i < 8; ++i)
    EXPECT_THAT(runner.WaitForResult(arns[i], kFar), IsOkAndHolds(ResultIs<int>(i)));
}

TEST_P(RunnerTest, UsesTheNamesItIsGiven) {
  DurableFunctionTestRunner runner(Sum,
                                   Options().set_function_name("sum").set_execution_name("monday"));
  const std::string arn = runner.RunAsync({1, 2, 3}).value();
  EXPECT_THAT(arn, HasSubstr(":function:sum:$LATEST/durable-execution/monday/"));
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(Succeeded()));
}

TEST_P(RunnerTest, AnExecutionNameInUseStartsNothingNew) {
  DurableFunctionTestRunner runner(Sum, Options().set_execution_name("monday"));
  const std::string arn = runner.RunAsync({1, 2, 3}).value();
  EXPECT_THAT(runner.RunAsync({1, 2, 3}), IsOkAndHolds(arn));
  EXPECT_THAT(runner.RunAsync({4, 5, 6}), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(RunnerTest, ShowsWhatIsRecordedSoFar) {
  absl::Notification stepped;
  absl::Notification go_on;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step("one", [](StepContext&) { return 1; }).status());
        return ctx.Step("two", [&](StepContext&) {
          if (!stepped.HasBeenNotified()) stepped.Notify();
          go_on.WaitForNotification();
          return 2;
        });
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  stepped.WaitForNotification();
  const auto so_far = runner.GetResult(arn);
  ASSERT_THAT(so_far, IsOk());
  EXPECT_EQ(so_far->status(), ExecutionStatus::kRunning);
  EXPECT_EQ(so_far->end_time(), absl::InfiniteFuture());
  EXPECT_THAT(*so_far, HasStep("one", ResultIs<int>(1)));
  EXPECT_THAT(runner.InvocationCount(arn), IsOkAndHolds(1));
  EXPECT_THAT(runner.WaitForOperation(arn, "one", {OperationStatus::kSucceeded}, kFar),
              IsOkAndHolds(ResultIs<int>(1)));
  go_on.Notify();
  EXPECT_THAT(runner.WaitForOperation(arn, "two", {OperationStatus::kSucceeded}, kFar),
              IsOkAndHolds(ResultIs<int>(2)));
  EXPECT_THAT(runner.WaitForResult(arn, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_THAT(runner.WaitForOperation(arn, "three", {}, kFar),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(RunnerTest, ShowsEventsAsTheyAreRecorded) {
  absl::Notification seen;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step("one", [](StepContext&) { return 1; }).status());
        return ctx.Step("two", [&](StepContext&) {
          seen.WaitForNotification();
          return 2;
        });
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  const auto until_first_result = [](const Event& event) {
    return event.type != EventType::kStepSucceeded;
  };
  EXPECT_THAT(runner.Watch(arn, until_first_result, kFar), IsOk());
  std::vector<Event> events;
  const auto keep = [&](const Event& event) {
    events.push_back(event);
    if (event.name == "one" && event.type == EventType::kStepSucceeded) seen.Notify();
    return true;
  };
  EXPECT_THAT(runner.Watch(arn, keep, kFar), IsOk());
  EXPECT_EQ(CompactHistory(events), "SS2 SX3 SS4 SX5 IC6 XS7");
}

TEST_P(RunnerTest, AWatchThatTakesTooLongSaysSo) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) {
        return ctx.WaitForCallback("approval", [](absl::string_view, StepContext&) {});
      },
      Options());
  const std::string arn = runner.RunAsync(nullptr).value();
  EXPECT_THAT(runner.Watch(
                  arn, [](const Event&) { return true; }, absl::Milliseconds(100)),
              AllOf(StatusIs(absl::StatusCode::kDeadlineExceeded),
                    ResultOf([](const absl::Status& status) { return status.message(); },
                             "the execution is still open after 100ms")));
}

TEST_P(RunnerTest, AnUnknownExecutionIsNotFound) {
  DurableFunctionTestRunner runner(Sum, Options());
  DurableFunctionTestRunner other(Sum, Options());
  const std::string arn = other.RunAsync({1, 2, 3}).value();
  EXPECT_THAT(runner.GetResult(arn), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(runner.WaitForResult(arn, kFar), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(runner.WaitForOperation(arn, "first", {}, kFar),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(runner.Watch(
                  arn, [](const Event&) { return true; }, kFar),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(RunnerTest, ATimeOutSaysWhatTheRunWaitsForAndShowsTheHistory) {
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) {
        return ctx.WaitForCallback(
            "approval", [](absl::string_view, StepContext&) {},
            CallbackOptions().set_timeout(absl::Hours(24)));
      },
      Options());
  const auto result = runner.Run(nullptr, absl::Milliseconds(200));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("callback \"approval"),
                    HasSubstr("send it, advance time, or set skip_deadlines"),
                    HasSubstr("CallbackStarted")));
}

TEST_P(RunnerTest, ResultsOutliveTheRunner) {
  absl::StatusOr<RunResult> result = absl::UnknownError("not run");
  {
    DurableFunctionTestRunner runner(Sum, Options());
    result = runner.Run({1, 2, 3}, kFar);
  }
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HasStep("total", ResultIs<int>(6)));
}

TEST_P(RunnerTest, LogsGoToTheSinkOncePerLine) {
  absl::Mutex mutex;
  std::vector<std::string> lines;
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) {
        ctx.logger().Info("before");
        const absl::Status waited = ctx.Wait("pause", absl::Seconds(1));
        ctx.logger().Info("after");
        return waited;
      },
      Options().set_log_sink([&](const LogRecord& record) {
        absl::MutexLock lock(&mutex);
        lines.emplace_back(record.message);
      }));
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(lines, ElementsAre("before", "after"));
}

TEST_P(RunnerTest, PluginsWatchItsFunctions) {
  class Counts final : public Plugin {
   public:
    explicit Counts(std::atomic<int>& ends) : ends_(ends) {}
    void OnOperationEnd(const OperationInfo&) override { ++ends_; }

   private:
    std::atomic<int>& ends_;
  };
  std::atomic<int> ends{0};
  DurableFunctionTestRunner runner(
      [](DurableContext& ctx, const Json&) {
        return ctx.Step("one", [](StepContext&) { return 1; });
      },
      Options().set_plugins(
          {{[&](const InvocationInfo&) { return std::make_unique<Counts>(ends); }, ""}}));
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_EQ(ends, 1);
}

TEST_P(RunnerTest, UnknownProfilesAreRefused) {
  DurableFunctionTestRunner limits(Sum, Options().set_limits_profile("azure"));
  EXPECT_THAT(limits.RunAsync({1, 2, 3}), StatusIs(absl::StatusCode::kInvalidArgument));
  DurableFunctionTestRunner failures(Sum, Options().set_failure_policy("azure"));
  EXPECT_THAT(failures.RunAsync({1, 2, 3}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(RunnerTest, KnownProfilesAreTaken) {
  DurableFunctionTestRunner runner(
      Sum, Options().set_limits_profile("aws-2025").set_failure_policy("python-testing"));
  EXPECT_THAT(runner.Run({1, 2, 3}, kFar), IsOkAndHolds(Succeeded()));
}

REHEARSE_ON_BOTH_SERVICES(RunnerTest);

}  // namespace
}  // namespace durable::testing
