#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

// ---- Histories of the reference scenarios, with the end of invocations ----

class ScenarioTest : public ::testing::Test {
 protected:
  void End(InvocationResult::Outcome outcome) {
    test_.Change([&](ExecutionChange& change) {
      EndInvocation(change, {outcome, absl::nullopt, absl::nullopt}, FailurePolicy(), test_.limits);
    });
  }
  // As a handler that suspends until the earliest timer.
  void SuspendFor(absl::Duration duration, const std::string& id) {
    End(InvocationResult::Outcome::kPending);
    test_.Advance(duration);
    test_.Change([&](ExecutionChange& change) { EXPECT_TRUE(CompleteIfDue(change, id)); });
    test_.Reinvoke();
  }

  TestExecution test_;
};

TEST_F(ScenarioTest, Wait) {
  ASSERT_TRUE(
      test_
          .Checkpoint({Parse("WAIT", "START", "w", "name: 'nap' wait_options { wait_seconds: 1 }")})
          .ok());
  SuspendFor(absl::Seconds(1), "w");
  End(InvocationResult::Outcome::kSucceeded);
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED WAIT_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED "
            "INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  EXPECT_EQ(test_.events()[3].wait_succeeded_details().duration(), 1);
  EXPECT_EQ(test_.events()[3].name(), "nap");
  for (size_t i = 0; i < test_.events().size(); ++i) {
    EXPECT_EQ(test_.events()[i].event_id(), static_cast<int64_t>(i + 1));
  }
}

TEST_F(ScenarioTest, StepRetriedTwice) {
  for (const int delay : {2, 6}) {
    ASSERT_TRUE(test_
                    .Checkpoint({Valid("STEP", "START"),
                                 Parse("STEP", "RETRY", "op",
                                       absl::StrCat("error { error_type: 'E' } step_options { "
                                                    "next_attempt_delay_seconds: ",
                                                    delay, " }"))})
                    .ok());
    SuspendFor(absl::Seconds(delay), "op");
  }
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "START"), Valid("STEP", "SUCCEED")}).ok());
  End(InvocationResult::Outcome::kSucceeded);
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED STEP_STARTED STEP_FAILED INVOCATION_COMPLETED STEP_STARTED "
            "STEP_FAILED INVOCATION_COMPLETED STEP_STARTED STEP_SUCCEEDED INVOCATION_COMPLETED "
            "EXECUTION_SUCCEEDED");
  EXPECT_EQ(test_.events()[5].step_failed_details().retry_details().ShortDebugString(),
            "current_attempt: 2 next_attempt_delay_seconds: 6");
  EXPECT_EQ(test_.events()[8].step_succeeded_details().retry_details().ShortDebugString(),
            "current_attempt: 3");
}

TEST_F(ScenarioTest, ChildContext) {
  ASSERT_TRUE(test_
                  .Checkpoint({Valid("CONTEXT", "START", "c"),
                               Parse("STEP", "START", "s", "parent_id: 'c'"),
                               Parse("STEP", "SUCCEED", "s", "parent_id: 'c'"),
                               Valid("CONTEXT", "SUCCEED", "c")})
                  .ok());
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED CONTEXT_STARTED STEP_STARTED STEP_SUCCEEDED CONTEXT_SUCCEEDED");
  EXPECT_EQ(test_.events()[2].parent_id(), "c");
  EXPECT_EQ(test_.events()[3].parent_id(), "c");
  EXPECT_TRUE(test_.events()[4].context_succeeded_details().has_result());
}

TEST_F(ScenarioTest, TerminalEventFollowsTheInvocationOfAnExecutionUpdate) {
  ASSERT_TRUE(test_.Checkpoint({Valid("EXECUTION", "SUCCEED")}).ok());
  End(InvocationResult::Outcome::kPending);
  EXPECT_EQ(test_.EventTypes(), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST_F(ScenarioTest, TimeNeverRunsBackwards) {
  test_.Advance(absl::Seconds(10));
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "START")}).ok());
  test_.Advance(-absl::Seconds(5));
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "SUCCEED")}).ok());
  EXPECT_EQ(ToAbsl(test_.events()[2].event_timestamp()),
            ToAbsl(test_.events()[1].event_timestamp()));
}

}  // namespace
}  // namespace rehearse
