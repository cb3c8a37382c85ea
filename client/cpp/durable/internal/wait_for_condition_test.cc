#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PollOptions EveryTwoSeconds() {
  return PollOptions()
      .set_initial_delay(absl::Seconds(2))
      .set_backoff_rate(1)
      .set_jitter(Jitter::kNone);
}

// A handler that counts up from 0 until 2.
class WaitForConditionTest : public ::testing::Test {
 protected:
  Handler CountToTwo(PollOptions poll = EveryTwoSeconds()) {
    return [this, poll](DurableContext& ctx, const Json&) {
      return ctx.WaitForCondition(
          "ready", 0,
          [this](const int& count, CheckContext& check) {
            attempts_.push_back(check.attempt());
            check.logger().Info(absl::StrCat("count ", count));
            return count + 1;
          },
          PollUntil<int>([](int count) { return count >= 2; }, poll));
    };
  }

  Operation ConditionRecord(OperationStatus status) {
    return Record("1", OperationType::kStep, "WaitForCondition", "ready", status);
  }

  FakeService service_;
  std::vector<int> attempts_;
};

TEST_F(WaitForConditionTest, UnmetCheckIsRecordedWithItsStateAndTriedAgain) {
  EXPECT_EQ(service_.Run(CountToTwo()).status, InvocationStatus::kPending);
  EXPECT_THAT(service_.Batches(), ElementsAre(ElementsAre("STEP START ready", "STEP RETRY ready")));
  const OperationUpdate retry = service_.UpdateAt("1", OperationAction::kRetry);
  EXPECT_EQ(retry.sub_type, "WaitForCondition");
  EXPECT_EQ(retry.payload, "1");
  EXPECT_FALSE(retry.error.has_value());
  EXPECT_EQ(retry.next_attempt_delay_seconds, 2);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(CountToTwo()).result, "2");
  EXPECT_THAT(attempts_, ElementsAre(1, 2));
  EXPECT_THAT(service_.LogMessages(), ElementsAre("count 0", "count 1"));
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kSucceed).payload, "2");
  EXPECT_EQ(service_.Run(CountToTwo()).result, "2");
  EXPECT_EQ(attempts_.size(), 2u);
}

TEST_F(WaitForConditionTest, ConditionMetAtOnceDoesNotSuspend) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.WaitForCondition(
        "", 4, [](const int& count, CheckContext&) -> absl::StatusOr<int> { return count + 1; },
        [](const int&, int) { return WaitDecision{true}; });
  });
  EXPECT_EQ(output.result, "5");
  EXPECT_THAT(service_.Batches(), ElementsAre(ElementsAre("STEP START", "STEP SUCCEED")));
}

TEST_F(WaitForConditionTest, CheckThatTheLastInvocationHadStartedRunsAgainWithoutAnotherStart) {
  Operation record = ConditionRecord(OperationStatus::kStarted);
  record.payload = "1";
  record.attempt = 4;
  service_.Put(record);
  EXPECT_EQ(service_.Run(CountToTwo()).result, "2");
  EXPECT_THAT(attempts_, ElementsAre(5));
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP SUCCEED ready"));
}

TEST_F(WaitForConditionTest, PendingCheckSuspends) {
  service_.Put(ConditionRecord(OperationStatus::kPending));
  EXPECT_EQ(service_.Run(CountToTwo()).status, InvocationStatus::kPending);
  EXPECT_THAT(attempts_, IsEmpty());
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(WaitForConditionTest, ExhaustionFailsTheOperation) {
  Operation record = ConditionRecord(OperationStatus::kReady);
  record.attempt = 1;
  service_.Put(record);
  absl::Status status;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    status =
        ctx.WaitForCondition(
               "ready", false, [](const bool& met, CheckContext&) { return met; },
               PollUntil<bool>([](bool met) { return met; }, EveryTwoSeconds().set_max_attempts(2)))
            .status();
    return status;
  });
  EXPECT_TRUE(IsError(status, ErrorKind::kWaitForCondition));
  EXPECT_EQ(status.message(), "the condition was not met after 2 checks");
  EXPECT_EQ(output.error->type, "WaitForConditionError");
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP START ready", "STEP FAIL ready"));
}

TEST_F(WaitForConditionTest, FailingCheckIsNotTriedAgain) {
  absl::Status status;
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    status = ctx.WaitForCondition(
                    "ready", 0,
                    [](const int&, CheckContext&) -> int { throw std::runtime_error("broken"); },
                    PollUntil<int>([](int) { return false; }))
                 .status();
  };
  for (int i = 0; i < 2; ++i) {
    service_.Run(handler);
    ASSERT_TRUE(IsError(status, ErrorKind::kWaitForCondition));
    EXPECT_EQ(GetError(status)->type, "runtime_error");
    EXPECT_EQ(status.message(), "broken");
  }
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP START ready", "STEP FAIL ready"));
}

TEST_F(WaitForConditionTest, FailingStrategyFailsTheOperation) {
  absl::Status status;
  service_.Run([&](DurableContext& ctx, const Json&) {
    status = ctx.WaitForCondition(
                    "ready", 0, [](const int& count, CheckContext&) { return count; },
                    [](const int&, int) -> absl::StatusOr<WaitDecision> {
                      return MakeError("Impatient", "no more");
                    })
                 .status();
  });
  EXPECT_EQ(GetError(status)->type, "Impatient");
  EXPECT_EQ(service_.At("1")->status, OperationStatus::kFailed);
}

TEST_F(WaitForConditionTest, CheckAndStrategySeeRoundTrippedStates) {
  std::vector<std::string> seen;
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    return ctx.WaitForCondition(
        "", std::string("a"),
        [&](const std::string& state, CheckContext&) {
          seen.push_back(state);
          return state;
        },
        [&](const std::string& state, int) {
          seen.push_back(state);
          return WaitDecision{true};
        },
        ConditionOptions().set_serdes<std::string>(
            [](const std::string& value, const SerdesContext&) { return value + "+"; },
            [](absl::string_view text, const SerdesContext&) { return std::string(text); }));
  };
  EXPECT_EQ(service_.Run(handler).result, "\"a++\"");
  EXPECT_THAT(seen, ElementsAre("a+", "a++"));
}

TEST_F(WaitForConditionTest, StateThatCannotBeWrittenFailsTheOperation) {
  absl::Status status;
  service_.Run([&](DurableContext& ctx, const Json&) {
    status = ctx.WaitForCondition(
                    "", std::string("\xff"),
                    [](const std::string& state, CheckContext&) { return state; },
                    PollUntil<std::string>([](const std::string&) { return true; }))
                 .status();
  });
  EXPECT_TRUE(IsError(status, ErrorKind::kSerdes));
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP START", "STEP FAIL"));
}

TEST_F(WaitForConditionTest, ChangedNameIsNonDeterministic) {
  service_.Put(
      Record("1", OperationType::kStep, "WaitForCondition", "other", OperationStatus::kReady));
  EXPECT_EQ(service_.Run(CountToTwo()).error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(attempts_, IsEmpty());
}

TEST_F(WaitForConditionTest, OperationInACheckIsFatal) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.WaitForCondition(
        "ready", 0,
        [&](const int&, CheckContext&) { return ctx.Step("", [](StepContext&) { return 1; }); },
        PollUntil<int>([](int) { return true; }));
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

TEST_F(WaitForConditionTest, RefusedArgumentsRecordNothing) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.WaitForCondition(
        "caf\xc3\xa9", 0, [](const int& count, CheckContext&) { return count; },
        PollUntil<int>([](int) { return true; }));
  });
  EXPECT_EQ(output.error->type, "ValidationError");
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

// PollUntil

std::vector<double> Delays(const PollOptions& options) {
  const WaitStrategy<int> strategy = PollUntil<int>([](int) { return false; }, options);
  std::vector<double> delays;
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<WaitDecision> decision = strategy(0, attempt);
    if (!decision.ok()) return delays;
    delays.push_back(absl::ToDoubleSeconds(decision->delay));
  }
}

TEST(PollUntilTest, DelaysGrowToTheirLimit) {
  EXPECT_THAT(Delays(PollOptions()
                         .set_jitter(Jitter::kNone)
                         .set_max_attempts(5)
                         .set_initial_delay(absl::Seconds(10))
                         .set_max_delay(absl::Seconds(25))),
              ElementsAre(10, 15, 22.5, 25));
}

TEST(PollUntilTest, ChecksSixtyTimesByDefault) {
  const std::vector<double> delays = Delays(PollOptions().set_jitter(Jitter::kNone));
  EXPECT_EQ(delays.size(), 59u);
  EXPECT_EQ(delays.front(), 5);
  EXPECT_EQ(delays.back(), 300);
}

TEST(PollUntilTest, LastCheckMayStillMeetTheCondition) {
  const WaitStrategy<int> strategy =
      PollUntil<int>([](int state) { return state == 3; }, PollOptions().set_max_attempts(3));
  EXPECT_TRUE(strategy(3, 3)->done);
  EXPECT_FALSE(strategy(2, 3).ok());
}

}  // namespace
}  // namespace internal
}  // namespace durable
