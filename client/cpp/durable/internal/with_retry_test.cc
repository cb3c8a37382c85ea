#include <stdexcept>
#include <string>
#include <vector>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RetryStrategy TwiceAfterFourSeconds() {
  return ExponentialBackoff()
      .set_max_attempts(2)
      .set_initial_delay(absl::Seconds(4))
      .set_jitter(Jitter::kNone)
      .Build();
}

// A step per attempt, which fails as often as `failures_` says.
class WithRetryTest : public ::testing::Test {
 protected:
  Handler Retried(std::string name, RetryStrategy strategy, ChildOptions options = {}) {
    return [=](DurableContext& ctx, const Json&) {
      return ctx.WithRetry(
          name,
          [this](DurableContext& child, int attempt) -> absl::StatusOr<int> {
            attempts_.push_back(attempt);
            return child.Step(
                "work",
                [&](StepContext&) -> absl::StatusOr<int> {
                  if (attempt <= failures_) return MakeError("Flaky", "again");
                  return attempt;
                },
                StepOptions().set_retry(NoRetry()));
          },
          strategy, options);
    };
  }

  FakeService service_;
  int failures_ = 1;
  std::vector<int> attempts_;
};

TEST_F(WithRetryTest, FailedAttemptWaitsAndTheNextOneGoesOnCounting) {
  const Handler handler = Retried("charge", TwiceAfterFourSeconds());
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(service_.UpdateAt("1-2", OperationAction::kStart).wait_seconds, 4);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).result, "2");
  EXPECT_THAT(attempts_, ElementsAre(1, 1, 2));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START charge", "STEP START work", "STEP FAIL work",
                          "WAIT START charge-backoff-1", "STEP START work", "STEP SUCCEED work",
                          "CONTEXT SUCCEED charge"));
  EXPECT_EQ(service_.At("1")->sub_type, "RunInChildContext");
  EXPECT_EQ(service_.At("1-3")->payload, "2");
}

TEST_F(WithRetryTest, LastErrorEscapesWhenTheStrategyGivesUp) {
  failures_ = 2;
  const Handler handler = Retried("charge", TwiceAfterFourSeconds());
  service_.Run(handler);
  service_.CompleteTimers();
  const InvocationOutput output = service_.Run(handler);
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_EQ(output.error->message, "again");
  EXPECT_EQ(service_.At("1")->error->type, "StepError");
}

TEST_F(WithRetryTest, UnnamedRetryLeavesItsWaitsUnnamed) {
  service_.Run(Retried("", TwiceAfterFourSeconds()));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START", "STEP START work", "STEP FAIL work", "WAIT START"));
}

TEST_F(WithRetryTest, VirtualContextLeavesNoRecord) {
  const Handler handler =
      Retried("charge", TwiceAfterFourSeconds(), ChildOptions().set_virtual(true));
  service_.Run(handler);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).result, "2");
  EXPECT_EQ(service_.Updates().front(), "STEP START work");
  EXPECT_EQ(service_.Updates().back(), "STEP SUCCEED work");
}

TEST_F(WithRetryTest, StrategySeesTheErrorAndWhatWasThrown) {
  bool threw = false;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.WithRetry(
        "", [](DurableContext&, int) { throw std::out_of_range("past the end"); },
        [&](const ErrorInfo& error, int attempt) {
          threw = error.exception != nullptr && error.type == "out_of_range" && attempt == 1;
          return RetryDecision();
        });
  });
  EXPECT_TRUE(threw);
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_EQ(service_.At("1")->error->type, "out_of_range");
}

TEST_F(WithRetryTest, SuspensionIsNoFailure) {
  bool asked = false;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.WithRetry(
        "", [](DurableContext& child, int) { return child.Wait("", absl::Seconds(1)); },
        [&](const ErrorInfo&, int) {
          asked = true;
          return RetryDecision{true, absl::Seconds(1)};
        });
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_FALSE(asked);
}

TEST_F(WithRetryTest, RetriesThreeTimesByDefault) {
  failures_ = 100;
  const Handler handler = Retried("", nullptr);
  while (service_.Run(handler).status == InvocationStatus::kPending) service_.CompleteTimers();
  EXPECT_EQ(attempts_.back(), 3);
}

TEST_F(WithRetryTest, NameLeavesRoomForThoseOfTheWaits) {
  failures_ = 0;
  EXPECT_EQ(service_.Run(Retried(std::string(238, 'n'), nullptr)).error->type, "ValidationError");
  EXPECT_THAT(service_.Updates(), IsEmpty());
  EXPECT_EQ(service_.Run(Retried(std::string(237, 'n'), nullptr)).result, "1");
}

}  // namespace
}  // namespace internal
}  // namespace durable
