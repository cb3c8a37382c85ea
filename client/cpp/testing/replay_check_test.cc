// RunnerOptions::set_replay_check.
#include <atomic>
#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using ReplayCheckTest = RunnerFixture;

template <typename F>
absl::StatusOr<RunResult> RunChecked(F function, RunnerOptions options) {
  return DurableFunctionTestRunner(std::move(function), options.set_replay_check(true))
      .Run(nullptr, kFar);
}

TEST_P(ReplayCheckTest, AFunctionThatIsDeterministicPasses) {
  std::atomic<int> bodies{0};
  const auto result = RunChecked(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step("one", [&](StepContext&) { ++bodies; }));
        DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext("two", [&](DurableContext& child) {
          ++bodies;
          return child.Step("inner", [&](StepContext&) { ++bodies; });
        }));
        DURABLE_RETURN_IF_ERROR(ctx.CreateCallback("unanswered").status());
        return 1;
      },
      Options());
  EXPECT_THAT(result, IsOkAndHolds(Succeeded()));
  EXPECT_EQ(bodies, 3) << "recorded bodies must not run again";
}

TEST_P(ReplayCheckTest, AFailedRunIsCheckedToo) {
  const auto fail = [](DurableContext& ctx, const Json&) {
    return ctx.Step(
        "charge", [](StepContext&) { return MakeError("Declined", "no"); },
        StepOptions().set_retry(NoRetry()));
  };
  EXPECT_THAT(RunChecked(fail, Options()), IsOkAndHolds(Failed()));
}

TEST_P(ReplayCheckTest, NamesAnOperationThatWouldBeStarted) {
  std::atomic<int> runs{0};
  std::atomic<int> extra_bodies{0};
  const auto result = RunChecked(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step("one", [](StepContext&) {}));
        if (++runs > 1)
          DURABLE_RETURN_IF_ERROR(ctx.Step("two", [&](StepContext&) { ++extra_bodies; }));
        return 1;
      },
      Options());
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("replay check: step \"two\" would be started, but is not recorded"),
                    HasSubstr("StepSucceeded")));
  EXPECT_EQ(extra_bodies, 0);
}

TEST_P(ReplayCheckTest, NamesAnOperationThatIsNotReached) {
  std::atomic<int> runs{0};
  const auto result = RunChecked(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(ctx.Step("one", [](StepContext&) {}));
        if (++runs > 1) return 1;
        DURABLE_RETURN_IF_ERROR(ctx.Wait("two", absl::Seconds(1)));
        return 1;
      },
      Options());
  // The second invocation of the run itself leaves out the wait, too.
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("wait \"two\" SUCCEEDED is recorded, but is not reached"),
                    HasSubstr("\n>  4  ")));
}

TEST_P(ReplayCheckTest, NamesAnOperationThatHasBecomeAnother) {
  std::atomic<int> runs{0};
  const auto result = RunChecked(
      [&](DurableContext& ctx, const Json&) {
        return ctx.Step(++runs > 1 ? "new name" : "old name", [](StepContext&) { return 1; });
      },
      Options());
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("\"old name\""), HasSubstr("\"new name\"")));
}

TEST_P(ReplayCheckTest, ABodyWhoseResultWasTooLargeIsCheckedInside) {
  std::atomic<int> runs{0};
  const auto result = RunChecked(
      [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(
            ctx.RunInChildContext("large",
                                  [&](DurableContext& child) -> absl::StatusOr<std::string> {
                                    DURABLE_RETURN_IF_ERROR(child.Step("one", [](StepContext&) {}));
                                    if (++runs == 1)
                                      DURABLE_RETURN_IF_ERROR(
                                          child.Step("two", [](StepContext&) {}));
                                    return std::string(300 * 1024, 'x');
                                  })
                .status());
        return 1;
      },
      Options());
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("step \"two\" SUCCEEDED, result null is recorded, but is not reached"));
}

TEST_P(ReplayCheckTest, IsNotMadeUnlessAskedFor) {
  std::atomic<int> runs{0};
  DurableFunctionTestRunner runner([&](DurableContext&, const Json&) { return ++runs; }, Options());
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_EQ(runs, 1);
}

REHEARSE_ON_BOTH_SERVICES(ReplayCheckTest);

}  // namespace
}  // namespace durable::testing
