// RuntimeOptions::suspend_by_status: what code without exceptions sees of a suspension.
#include <string>
#include <vector>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "client/cpp/durable/internal/functions_without_exceptions.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SuspendByStatusTest : public ::testing::Test {
 protected:
  SuspendByStatusTest() { service_.options().suspend_by_status = true; }

  FakeService service_;
};

TEST(SuspendByStatusBuildTest, FlagIsTheDefault) {
#ifdef DURABLE_SUSPEND_BY_STATUS
  EXPECT_TRUE(RuntimeOptions().suspend_by_status);
#else
  EXPECT_FALSE(RuntimeOptions().suspend_by_status);
#endif
}

TEST_F(SuspendByStatusTest, CodeWithoutExceptionsRunsToItsEnd) {
  EXPECT_EQ(service_.Run(WaitsAndWorks()).status, InvocationStatus::kPending);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(WaitsAndWorks()).status, InvocationStatus::kPending);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(WaitsAndWorks()).result, "7");
  EXPECT_THAT(service_.Updates(),
              ElementsAre("WAIT START pause", "CONTEXT START child", "WAIT START inner pause",
                          "STEP START work", "STEP SUCCEED work", "CONTEXT SUCCEED child"));
  EXPECT_THAT(service_.DiagnosticMessages(), IsEmpty());
}

TEST_F(SuspendByStatusTest, CodeThatTakesItForAnErrorRecordsNothing) {
  const InvocationOutput output = service_.Run(IgnoresSuspension());
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_THAT(service_.Updates(), ElementsAre("CONTEXT START child", "WAIT START pause"));
  EXPECT_THAT(service_.DiagnosticMessages(),
              ElementsAre(HasSubstr("child context \"child\" swallowed"),
                          HasSubstr("the handler swallowed")));
}

TEST_F(SuspendByStatusTest, EveryLaterOperationIsSuspendedToo) {
  std::vector<absl::Status> statuses;
  service_.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, ctx.CreateCallback("cb"));
    statuses.push_back(callback.Result().status());
    statuses.push_back(ctx.Wait("w", absl::Seconds(1)));
    statuses.push_back(ctx.Step("s", [](StepContext&) {}));
    statuses.push_back(ctx.CreateCallback("cb2").status());
    statuses.push_back(ctx.Invoke<int>("i", "f", 1).status());
    statuses.push_back(ctx.WaitForCallback("wc", [](absl::string_view, StepContext&) {}).status());
    statuses.push_back(ctx.RunInChildContext("c", [](DurableContext&) {}));
    statuses.push_back(ctx.WithRetry("r", [](DurableContext&, int) {}));
    return statuses.front();
  });
  ASSERT_EQ(statuses.size(), 8u);
  for (const absl::Status& status : statuses) {
    EXPECT_TRUE(IsSuspended(status)) << status;
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
    EXPECT_FALSE(GetError(status).has_value());
  }
  EXPECT_THAT(service_.Updates(), ElementsAre("CALLBACK START cb"));
}

TEST_F(SuspendByStatusTest, SuspensionIsNoAttemptThatFailed) {
  int attempts = 0;
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    return ctx.WithRetry("retry", [&](DurableContext& child, int) {
      ++attempts;
      return child.Wait("pause", absl::Seconds(1));
    });
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(attempts, 1);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kSucceeded);
}

TEST_F(SuspendByStatusTest, MisuseIsFatalAllTheSame) {
  absl::Status status;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.Step("outer",
                    [&](StepContext&) { status = ctx.Step("inner", [](StepContext&) {}); });
  });
  EXPECT_TRUE(IsSuspended(status));
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

TEST_F(SuspendByStatusTest, FailedCheckpointEndsTheInvocation) {
  service_.set_checkpoint_fault([](const CheckpointRequest&) {
    return absl::make_optional<absl::StatusOr<CheckpointResponse>>(absl::UnavailableError("away"));
  });
  absl::Status status;
  const InvocationOutput output = service_.Run(
      [&](DurableContext& ctx, const Json&) { status = ctx.Step("s", [](StepContext&) {}); });
  EXPECT_TRUE(IsSuspended(status));
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
}

TEST(IsSuspendedTest, OnlyWhatTheSdkSaysIsASuspension) {
  EXPECT_FALSE(IsSuspended(absl::OkStatus()));
  EXPECT_FALSE(IsSuspended(absl::CancelledError("by somebody else")));
  EXPECT_FALSE(IsSuspended(MakeError("Cancelled", "")));
}

}  // namespace
}  // namespace internal
}  // namespace durable
