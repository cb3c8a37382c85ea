#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Handler WaitFor(absl::Duration duration) {
  return [duration](DurableContext& ctx, const Json&) { return ctx.Wait("pause", duration); };
}

TEST(WaitTest, UnrecordedWaitIsStartedAndSuspends) {
  FakeService service;
  EXPECT_EQ(service.Run(WaitFor(absl::Seconds(60))).status, InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), ElementsAre("WAIT START pause"));
  EXPECT_EQ(service.UpdateAt("1", OperationAction::kStart).wait_seconds, 60);
  EXPECT_EQ(service.UpdateAt("1", OperationAction::kStart).sub_type, "Wait");
}

TEST(WaitTest, StartedWaitSuspends) {
  FakeService service;
  service.Put(Record("1", OperationType::kWait, "Wait", "pause", OperationStatus::kStarted));
  EXPECT_EQ(service.Run(WaitFor(absl::Seconds(60))).status, InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(WaitTest, SucceededWaitReturns) {
  FakeService service;
  service.Put(Record("1", OperationType::kWait, "Wait", "pause", OperationStatus::kSucceeded));
  EXPECT_EQ(service.Run(WaitFor(absl::Seconds(60))).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(WaitTest, WaitThatTheServiceCompletedAtOnceReturns) {
  FakeService service;
  service.set_checkpoint_fault([&](const CheckpointRequest& request) {
    CheckpointResponse response;
    response.checkpoint_token = "next";
    response.new_state.operations = {
        Record("1", OperationType::kWait, "Wait", "pause", OperationStatus::kSucceeded)};
    EXPECT_EQ(request.updates.size(), 1u);
    return absl::optional<absl::StatusOr<CheckpointResponse>>(std::move(response));
  });
  EXPECT_EQ(service.Run(WaitFor(absl::Seconds(1))).status, InvocationStatus::kSucceeded);
}

TEST(WaitTest, CancelledWaitIsAnError) {
  FakeService service;
  service.Put(Record("1", OperationType::kWait, "Wait", "pause", OperationStatus::kCancelled));
  const InvocationOutput output = service.Run(WaitFor(absl::Seconds(60)));
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "InvalidStateError");
}

struct DurationCase {
  absl::Duration duration;
  // 0: refused.
  int64_t seconds;
};

class WaitDurationTest : public ::testing::TestWithParam<DurationCase> {};

TEST_P(WaitDurationTest, IsRoundedUpOrRefused) {
  FakeService service;
  const InvocationOutput output = service.Run(WaitFor(GetParam().duration));
  if (GetParam().seconds == 0) {
    EXPECT_EQ(output.error->type, "ValidationError");
    EXPECT_THAT(service.Updates(), IsEmpty());
  } else {
    EXPECT_EQ(service.UpdateAt("1", OperationAction::kStart).wait_seconds, GetParam().seconds);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, WaitDurationTest,
    ::testing::Values(DurationCase{absl::Seconds(1), 1}, DurationCase{absl::Milliseconds(1001), 2},
                      DurationCase{absl::Milliseconds(999), 0},
                      DurationCase{absl::ZeroDuration(), 0}, DurationCase{-absl::Seconds(1), 0},
                      DurationCase{absl::Seconds(31'622'400), 31'622'400},
                      DurationCase{absl::Seconds(31'622'400) + absl::Nanoseconds(1), 0},
                      DurationCase{absl::InfiniteDuration(), 0}));

TEST(WaitTest, TwoWaitsTakeThreeInvocations) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
    DURABLE_RETURN_IF_ERROR(ctx.Wait("one", absl::Seconds(1)));
    DURABLE_RETURN_IF_ERROR(ctx.Wait("two", absl::Seconds(1)));
    return 2;
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  service.CompleteTimers();
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  service.CompleteTimers();
  EXPECT_EQ(service.Run(handler).result, "2");
  EXPECT_THAT(service.Updates(), ElementsAre("WAIT START one", "WAIT START two"));
}

}  // namespace
}  // namespace internal
}  // namespace durable
