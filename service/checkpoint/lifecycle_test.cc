#include "service/checkpoint/lifecycle.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using Outcome = InvocationResult::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kExecutionId[] = "5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002a";

v1::ErrorObject ErrorOf(const std::string& type) {
  v1::ErrorObject error;
  error.set_error_type(type);
  return error;
}

NextStep End(TestExecution& test, Outcome outcome,
             const absl::optional<v1::ErrorObject>& error = absl::nullopt,
             const absl::optional<std::string>& result = absl::nullopt) {
  NextStep next = NextStep::kNothing;
  test.Change([&](ExecutionChange& change) {
    next =
        EndInvocation(change, {outcome, result, error}, *FailurePolicyPreset("aws"), test.limits);
  });
  return next;
}

absl::Status PauseNow(TestExecution& test, const v1::PauseExecutionRequest& request = {}) {
  absl::Status status;
  test.Change([&](ExecutionChange& change) { status = Pause(change, request); });
  return status;
}

absl::StatusOr<NextStep> ResumeNow(TestExecution& test,
                                   const v1::ResumeExecutionRequest& request = {}) {
  absl::StatusOr<NextStep> next = NextStep::kNothing;
  test.Change([&](ExecutionChange& change) { next = Resume(change, request); });
  return next;
}

const record::ExecutionProgress& ProgressOf(const TestExecution& test) {
  return test.execution().progress();
}

absl::Duration BackoffOf(const TestExecution& test) {
  return ToAbsl(ProgressOf(test).backoff_until()) - test.moment.time;
}

TestExecution WithTimeout(int seconds) {
  record::ExecutionRecord record = TestExecution::Record();
  record.mutable_durable_config()->set_execution_timeout(seconds);
  return TestExecution(record);
}

// ---- Start ----

TEST(StartTest, HasOneOperationAndOneEvent) {
  record::ExecutionRecord record = TestExecution::Record();
  record.mutable_durable_config()->set_execution_timeout(60);
  const Moment moment{absl::FromUnixSeconds(1790000000), absl::FromUnixSeconds(1700000000)};
  const ExecutionDelta delta = StartExecution(record, std::string("{}"), moment);
  EXPECT_EQ(ToAbsl(delta.created->start_time()), moment.time);
  ASSERT_EQ(delta.operations.size(), 1u);
  const v1::Operation& root = delta.operations[0].operation();
  EXPECT_EQ(root.id(), kExecutionId);
  EXPECT_EQ(root.name(), "order-17");
  EXPECT_EQ(root.type(), v1::OPERATION_TYPE_EXECUTION);
  EXPECT_EQ(root.status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_EQ(root.execution_details().input_payload(), "{}");
  ASSERT_EQ(delta.events.size(), 1u);
  EXPECT_EQ(delta.events[0].event_id(), 1);
  EXPECT_EQ(delta.events[0].id(), kExecutionId);
  EXPECT_EQ(ToAbsl(delta.events[0].event_timestamp()), moment.time);
  const v1::ExecutionStartedDetails& started = delta.events[0].execution_started_details();
  EXPECT_EQ(started.execution_timeout(), 60);
  EXPECT_EQ(started.input().payload(), "{}");
  EXPECT_FALSE(started.input().truncated());
  EXPECT_EQ(delta.progress.status(), v1::EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(ToAbsl(delta.progress.timeout_deadline()), moment.deadline_time + absl::Seconds(60));
  EXPECT_EQ(delta.progress.stored_bytes(), 2);
  EXPECT_TRUE(MayInvoke(delta.progress));
}

TEST(StartTest, InputAndTimeoutMayBeAbsent) {
  const ExecutionDelta delta = StartExecution(TestExecution::Record(), absl::nullopt, {});
  EXPECT_FALSE(delta.operations[0].operation().execution_details().has_input_payload());
  EXPECT_TRUE(delta.events[0].execution_started_details().has_input());
  EXPECT_FALSE(delta.events[0].execution_started_details().input().has_payload());
  EXPECT_EQ(delta.events[0].execution_started_details().execution_timeout(), 0);
  EXPECT_FALSE(delta.progress.has_timeout_deadline());
}

// ---- Begin of an invocation ----

TEST(BeginTest, TellsWhatChangedFromOutsideInCreationOrder) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CALLBACK", "START", "a"), Valid("WAIT", "START", "b"),
                               Valid("CALLBACK", "START", "c"), Valid("CALLBACK", "START", "d")})
                  .ok());
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kNothing);
  const auto complete = [&test](int64_t index, const std::string& id) {
    const std::string callback_id = test.Operation(id).callback_details().callback_id();
    test.Change([&](ExecutionChange& change) {
      ASSERT_TRUE(CompleteCallback(change, index, callback_id, absl::nullopt, test.limits).ok());
    });
  };
  complete(3, "c");
  complete(1, "a");
  std::vector<std::string> updated;
  const auto begin = [&](const std::string& request_id) {
    test.Change([&](ExecutionChange& change) {
      updated = BeginInvocation(change, request_id, NewSecret(test.ids));
    });
  };
  begin("request-2");
  EXPECT_THAT(updated, ElementsAre("a", "c"));
  EXPECT_FALSE(MayInvoke(ProgressOf(test)));
  EXPECT_EQ(ProgressOf(test).invocation().request_id(), "request-2");
  EXPECT_EQ(ToAbsl(ProgressOf(test).invocation().start_time()), test.moment.time);
  EXPECT_EQ(ProgressOf(test).seen_sequence(), ProgressOf(test).change_sequence());
  // Once told, not told again.
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kNothing);
  begin("request-3");
  EXPECT_THAT(updated, IsEmpty());
}

TEST(BeginTest, TokenOfThePredecessorIsDead) {
  TestExecution test;
  const v1::CheckpointRequest request = test.Request({});
  EXPECT_EQ(End(test, Outcome::kBroken, ErrorOf("E")), NextStep::kNothing);
  test.Reinvoke();
  ExpectStale(test, request);
  EXPECT_FALSE(ProgressOf(test).has_backoff_until());
  EXPECT_TRUE(test.Checkpoint(test.Request({})).ok());
}

// ---- End of an invocation ----

// Where the execution stands when its invocation ends.
enum class Before { kIdle, kWaiting, kUndelivered, kOwed };

struct Ending {
  std::string name;
  Before before;
  Outcome outcome;
  NextStep next;
  v1::ExecutionStatus status;
  std::string events;
  // Error type in the end of the invocation; empty: none.
  std::string recorded_error;
};

std::vector<Ending> Endings() {
  constexpr v1::ExecutionStatus kRunning = v1::EXECUTION_STATUS_RUNNING;
  constexpr v1::ExecutionStatus kSucceeded = v1::EXECUTION_STATUS_SUCCEEDED;
  constexpr v1::ExecutionStatus kFailed = v1::EXECUTION_STATUS_FAILED;
  const std::string kEnds = "INVOCATION_COMPLETED";
  const std::string kInvalid = "InvalidParameterValueException";
  return {
      {"Succeeded", Before::kIdle, Outcome::kSucceeded, NextStep::kFinished, kSucceeded,
       kEnds + " EXECUTION_SUCCEEDED", ""},
      {"SucceededWithOpenWait", Before::kWaiting, Outcome::kSucceeded, NextStep::kFinished,
       kSucceeded, kEnds + " EXECUTION_SUCCEEDED", ""},
      {"Failed", Before::kIdle, Outcome::kFailed, NextStep::kFinished, kFailed,
       kEnds + " EXECUTION_FAILED", ""},
      {"InvalidOutput", Before::kWaiting, Outcome::kInvalidOutput, NextStep::kFinished, kFailed,
       kEnds + " EXECUTION_FAILED", "E"},
      {"Broken", Before::kWaiting, Outcome::kBroken, NextStep::kNothing, kRunning, kEnds, "E"},
      {"Pending", Before::kWaiting, Outcome::kPending, NextStep::kNothing, kRunning, kEnds, ""},
      {"PendingWithNothingPending", Before::kIdle, Outcome::kPending, NextStep::kNothing, kRunning,
       kEnds, kInvalid},
      {"PendingButOvertaken", Before::kUndelivered, Outcome::kPending, NextStep::kInvoke, kRunning,
       kEnds, ""},
      {"PendingAndOwed", Before::kOwed, Outcome::kPending, NextStep::kInvoke, kRunning, kEnds, ""},
  };
}

class EndingTest : public ::testing::TestWithParam<Ending> {};

TEST_P(EndingTest, KeepsTheTable) {
  const Ending& row = GetParam();
  TestExecution test;
  if (row.before == Before::kWaiting || row.before == Before::kUndelivered) {
    ASSERT_TRUE(test.Checkpoint({Valid("WAIT", "START", "w")}).ok());
  }
  if (row.before == Before::kUndelivered) {
    test.Advance(absl::Seconds(10));
    test.Change([](ExecutionChange& change) { ASSERT_TRUE(CompleteIfDue(change, "w")); });
  }
  if (row.before == Before::kOwed) {
    test.Change([](ExecutionChange& change) { OweInvocation(change); });
  }
  const std::string before = test.EventTypes();
  test.Advance(absl::Seconds(1));
  const bool with_error = row.outcome != Outcome::kSucceeded && row.outcome != Outcome::kPending;
  EXPECT_EQ(End(test, row.outcome, with_error ? absl::make_optional(ErrorOf("E")) : absl::nullopt),
            row.next);
  EXPECT_EQ(ProgressOf(test).status(), row.status);
  EXPECT_EQ(test.EventTypes(), absl::StrCat(before, " ", row.events));
  EXPECT_FALSE(ProgressOf(test).has_invocation());
  EXPECT_EQ(ProgressOf(test).has_end_time(), row.next == NextStep::kFinished);
  for (const v1::Event& event : test.events()) {
    if (!event.has_invocation_completed_details()) continue;
    EXPECT_FALSE(event.has_id());
    const v1::InvocationCompletedDetails& details = event.invocation_completed_details();
    EXPECT_EQ(details.error().payload().error_type(), row.recorded_error);
    EXPECT_EQ(details.has_error(), !row.recorded_error.empty());
    EXPECT_FALSE(details.request_id().empty());
    EXPECT_GT(ToAbsl(details.end_timestamp()), ToAbsl(details.start_timestamp()));
  }
}

INSTANTIATE_TEST_SUITE_P(EveryOutcome, EndingTest, ::testing::ValuesIn(Endings()),
                         [](const auto& info) { return info.param.name; });

// The handler is told of the ready step by its checkpoint, and suspends all the same.
TEST(EndTest, AStepLeftReadyIsInvokedForOnce) {
  TestExecution test;
  v1::OperationUpdate retry = Valid("STEP", "RETRY", "s");
  retry.mutable_step_options()->set_next_attempt_delay_seconds(1);
  ASSERT_TRUE(test.Checkpoint({retry}).ok());
  test.Advance(absl::Seconds(1));
  test.Change([](ExecutionChange& change) { ASSERT_TRUE(CompleteIfDue(change, "s")); });
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "SUCCEED", "other")}).ok());
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kInvoke);
  test.Reinvoke();
  EXPECT_EQ(test.Operation("s").status(), v1::OPERATION_STATUS_READY);
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kNothing);
}

TEST(EndTest, ResultAndErrorAreKeptAsGiven) {
  TestExecution succeeded;
  End(succeeded, Outcome::kSucceeded, absl::nullopt, std::string("42"));
  EXPECT_EQ(ProgressOf(succeeded).result(), "42");
  EXPECT_EQ(succeeded.events().back().execution_succeeded_details().result().payload(), "42");
  TestExecution failed;
  End(failed, Outcome::kFailed);
  EXPECT_FALSE(ProgressOf(failed).has_error());
  EXPECT_TRUE(failed.events().back().execution_failed_details().error().has_payload());
  EXPECT_EQ(failed.Operation(kExecutionId).status(), v1::OPERATION_STATUS_FAILED);
}

TEST(EndTest, ResultIsBounded) {
  for (const bool sync : {false, true}) {
    const int64_t bound = sync ? 6291456 : 1048576;
    for (const int64_t excess : {0, 1}) {
      record::ExecutionRecord record = TestExecution::Record();
      if (sync) record.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
      TestExecution test(record);
      EXPECT_EQ(End(test, Outcome::kSucceeded, absl::nullopt, PayloadOf(bound + excess)),
                NextStep::kFinished);
      EXPECT_EQ(ProgressOf(test).status(),
                excess == 0 ? v1::EXECUTION_STATUS_SUCCEEDED : v1::EXECUTION_STATUS_FAILED);
      const std::string message = absl::StrCat(
          "Execution output payload size must be less than or equal to ", bound, " bytes.");
      EXPECT_EQ(ProgressOf(test).error().error_message(), excess == 0 ? "" : message);
      EXPECT_FALSE(ProgressOf(test).error().has_error_type());
    }
  }
}

TEST(EndTest, AnExecutionUpdateHasDecidedAlready) {
  for (const Outcome outcome : {Outcome::kSucceeded, Outcome::kFailed, Outcome::kPending,
                                Outcome::kInvalidOutput, Outcome::kBroken}) {
    TestExecution test;
    ASSERT_TRUE(test.Checkpoint({Parse("EXECUTION", "SUCCEED", "x", "payload: '1'")}).ok());
    EXPECT_EQ(End(test, outcome, ErrorOf("E"), std::string("2")), NextStep::kFinished);
    EXPECT_EQ(ProgressOf(test).result(), "1");
    EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
    const v1::InvocationCompletedDetails& details = test.events()[1].invocation_completed_details();
    EXPECT_EQ(details.has_error(), outcome == Outcome::kBroken);
  }
}

// ---- Failure policy ----

TEST(FailurePolicyTest, PresetsBackOffAsTheyAreDocumented) {
  const absl::StatusOr<FailurePolicy> aws = FailurePolicyPreset("aws");
  const absl::StatusOr<FailurePolicy> python = FailurePolicyPreset("python-testing");
  const std::vector<int> aws_seconds = {1, 2, 4, 8, 16, 32, 60, 60};
  for (size_t i = 0; i < aws_seconds.size(); ++i) {
    const int failures = static_cast<int>(i) + 1;
    EXPECT_EQ(aws->DelayAfter(failures), absl::Seconds(aws_seconds[i]));
    EXPECT_EQ(python->DelayAfter(failures), absl::Seconds(5));
  }
  EXPECT_EQ(aws->max_consecutive_failures, 5);
  EXPECT_EQ(aws->max_empty_pendings, 3);
  const absl::Status unknown = FailurePolicyPreset("gcp").status();
  EXPECT_EQ(unknown.message(), "Unknown failure policy 'gcp'; use 'aws' or 'python-testing'.");
  EXPECT_EQ(ErrorNameOf(unknown), "InvalidParameterValueException");
}

TEST(FailurePolicyTest, TheFifthBrokenInvocationInARowFailsTheExecution) {
  TestExecution test;
  for (const int seconds : {1, 2, 4, 8}) {
    EXPECT_EQ(End(test, Outcome::kBroken, ErrorOf("Runtime.ExitError")), NextStep::kNothing);
    EXPECT_EQ(BackoffOf(test), absl::Seconds(seconds));
    EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_RUNNING);
    test.Reinvoke();
  }
  EXPECT_EQ(End(test, Outcome::kBroken, ErrorOf("Last")), NextStep::kFinished);
  EXPECT_EQ(ProgressOf(test).error().error_type(), "Last");
  EXPECT_EQ(test.events().back().execution_failed_details().error().payload().error_type(), "Last");
}

TEST(FailurePolicyTest, TheFourthEmptyPendingInARowFailsTheExecution) {
  TestExecution test;
  for (const int seconds : {1, 2, 4}) {
    EXPECT_EQ(End(test, Outcome::kPending), NextStep::kNothing);
    EXPECT_EQ(BackoffOf(test), absl::Seconds(seconds));
    test.Reinvoke();
  }
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kFinished);
  EXPECT_EQ(ProgressOf(test).error().ShortDebugString(),
            "error_message: \"The function answered PENDING, but no operation of the execution is "
            "pending.\" error_type: \"InvalidParameterValueException\"");
}

TEST(FailurePolicyTest, ACleanSuspensionForgivesBoth) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CALLBACK", "START", "c")}).ok());
  End(test, Outcome::kBroken, ErrorOf("E"));
  EXPECT_EQ(ProgressOf(test).consecutive_failures(), 1);
  test.Reinvoke();
  EXPECT_EQ(End(test, Outcome::kPending), NextStep::kNothing);
  EXPECT_EQ(ProgressOf(test).consecutive_failures(), 0);
  EXPECT_EQ(ProgressOf(test).consecutive_empty_pendings(), 0);
}

TEST(FailurePolicyTest, TakingTurnsWithEmptyPendingsEndsAsWell) {
  TestExecution test;
  int invocations = 0;
  while (!test.execution().closed()) {
    if (invocations > 0) test.Reinvoke();
    End(test, invocations++ % 2 == 0 ? Outcome::kBroken : Outcome::kPending, ErrorOf("E"));
    ASSERT_LT(invocations, 20);
  }
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_FAILED);
}

// ---- Closing from outside ----

TEST(StopTest, RunningInvocationCountsAsEnded) {
  TestExecution test = WithTimeout(60);
  ASSERT_TRUE(test.Checkpoint({Valid("WAIT", "START", "w")}).ok());
  const v1::CheckpointRequest late = test.Request({});
  test.Change([](ExecutionChange& change) { Stop(change, ErrorOf("Enough")); });
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_STOPPED);
  EXPECT_EQ(test.EventTypes(),
            "EXECUTION_STARTED WAIT_STARTED INVOCATION_COMPLETED EXECUTION_STOPPED");
  EXPECT_EQ(test.events().back().execution_stopped_details().error().payload().error_type(),
            "Enough");
  EXPECT_EQ(test.Operation("w").status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_EQ(test.Operation(kExecutionId).status(), v1::OPERATION_STATUS_STOPPED);
  EXPECT_FALSE(ProgressOf(test).has_timeout_deadline());
  EXPECT_FALSE(MayInvoke(ProgressOf(test)));
  ExpectStale(test, late);
  // Nothing fires any more.
  test.Advance(absl::Hours(1));
  test.Change([](ExecutionChange& change) { EXPECT_FALSE(CompleteIfDue(change, "w")); });
}

TEST(StopTest, ClearsABackOff) {
  TestExecution test;
  End(test, Outcome::kBroken, ErrorOf("E"));
  test.Change([](ExecutionChange& change) { Stop(change, {}); });
  EXPECT_FALSE(ProgressOf(test).has_backoff_until());
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_STOPPED");
  EXPECT_TRUE(test.events().back().execution_stopped_details().error().has_payload());
}

TEST(TimeOutTest, SaysAfterHowLong) {
  TestExecution test = WithTimeout(90);
  test.Change([](ExecutionChange& change) { TimeOut(change); });
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(ProgressOf(test).error().ShortDebugString(),
            "error_message: \"Execution timed out after 90 seconds.\"");
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_TIMED_OUT");
  EXPECT_EQ(test.Operation(kExecutionId).status(), v1::OPERATION_STATUS_TIMED_OUT);
}

TEST(UnknownFunctionTest, FailsAtOnce) {
  TestExecution test;
  End(test, Outcome::kBroken, ErrorOf("E"));
  test.Change([](ExecutionChange& change) { FailUnknownFunction(change); });
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_EQ(ProgressOf(test).error().ShortDebugString(),
            "error_message: \"Function not found: orders\" error_type: "
            "\"ResourceNotFoundException\"");
}

// ---- Pause and resume ----

TEST(PauseTest, TakesEffectAtOnceWithoutAnInvocation) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CALLBACK", "START", "c")}).ok());
  End(test, Outcome::kPending);
  v1::PauseExecutionRequest request;
  request.set_reason("look");
  ASSERT_TRUE(PauseNow(test, request).ok());
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_PAUSED);
  const v1::ExecutionPausedDetails& paused = test.events().back().execution_paused_details();
  EXPECT_EQ(ToAbsl(paused.pause_request_timestamp()), test.moment.time);
  EXPECT_TRUE(paused.execution_timeout_paused());
  EXPECT_EQ(paused.reason().payload(), "look");
  EXPECT_FALSE(ProgressOf(test).invocation_owed());
  const absl::StatusOr<NextStep> next = ResumeNow(test);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(*next, NextStep::kNothing);
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_RUNNING);
  EXPECT_FALSE(ProgressOf(test).has_pause());
  EXPECT_EQ(test.EventTypes(),
            "EXECUTION_STARTED CALLBACK_STARTED INVOCATION_COMPLETED EXECUTION_PAUSED "
            "EXECUTION_RESUMED");
  EXPECT_FALSE(test.events().back().execution_resumed_details().has_reason());
}

TEST(PauseTest, ABackOffBecomesAnOwedInvocation) {
  TestExecution test;
  End(test, Outcome::kBroken, ErrorOf("E"));
  ASSERT_TRUE(PauseNow(test).ok());
  EXPECT_FALSE(ProgressOf(test).has_backoff_until());
  EXPECT_TRUE(ProgressOf(test).invocation_owed());
  EXPECT_EQ(*ResumeNow(test), NextStep::kInvoke);
}

TEST(PauseTest, ResumedBeforeItTookEffectLeavesNoTrace) {
  TestExecution test;
  const v1::CheckpointRequest request = test.Request({});
  ASSERT_TRUE(PauseNow(test).ok());
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_PAUSING);
  EXPECT_EQ(*ResumeNow(test), NextStep::kNothing);
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED");
  EXPECT_TRUE(test.Checkpoint(request)->response.has_checkpoint_token());
}

struct PausingEnd {
  std::string name;
  Outcome outcome;
  v1::ExecutionStatus status;
  bool owed;
  int failures;
};

class PausingEndTest : public ::testing::TestWithParam<PausingEnd> {};

TEST_P(PausingEndTest, KeepsTheTable) {
  const PausingEnd& row = GetParam();
  TestExecution test;
  ASSERT_TRUE(PauseNow(test).ok());
  const NextStep next = End(test, row.outcome, ErrorOf("E"));
  const bool closed = IsTerminal(row.status);
  EXPECT_EQ(next, closed ? NextStep::kFinished : NextStep::kNothing);
  EXPECT_EQ(ProgressOf(test).status(), row.status);
  EXPECT_EQ(ProgressOf(test).invocation_owed(), row.owed);
  EXPECT_EQ(ProgressOf(test).consecutive_failures(), row.failures);
  EXPECT_EQ(test.events().back().has_execution_paused_details(), !closed);
  if (closed) return;
  EXPECT_EQ(*ResumeNow(test), row.owed ? NextStep::kInvoke : NextStep::kNothing);
}

INSTANTIATE_TEST_SUITE_P(
    EveryOutcome, PausingEndTest,
    ::testing::ValuesIn(std::vector<PausingEnd>{
        {"Succeeded", Outcome::kSucceeded, v1::EXECUTION_STATUS_SUCCEEDED, false, 0},
        {"Failed", Outcome::kFailed, v1::EXECUTION_STATUS_FAILED, false, 0},
        {"PendingWithNothingPending", Outcome::kPending, v1::EXECUTION_STATUS_PAUSED, false, 0},
        {"InvalidOutput", Outcome::kInvalidOutput, v1::EXECUTION_STATUS_PAUSED, true, 1},
        {"Broken", Outcome::kBroken, v1::EXECUTION_STATUS_PAUSED, true, 1},
    }),
    [](const auto& info) { return info.param.name; });

TEST(PauseTest, ACleanSuspensionForgivesFailuresWhilePausingToo) {
  TestExecution test;
  End(test, Outcome::kBroken, ErrorOf("E"));
  test.Reinvoke();
  ASSERT_TRUE(PauseNow(test).ok());
  End(test, Outcome::kPending);
  EXPECT_EQ(ProgressOf(test).consecutive_failures(), 0);
}

TEST(PauseTest, WithdrawnInvocationIsFollowedByAnother) {
  for (const Outcome outcome : {Outcome::kSucceeded, Outcome::kFailed, Outcome::kPending,
                                Outcome::kInvalidOutput, Outcome::kBroken}) {
    TestExecution test;
    ASSERT_TRUE(PauseNow(test).ok());
    ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
    EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_PAUSED);
    // Resumed while the cut-off invocation is still running: the other one waits for its end.
    EXPECT_EQ(*ResumeNow(test), NextStep::kNothing);
    EXPECT_EQ(End(test, outcome, ErrorOf("E")), NextStep::kInvoke);
    EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_RUNNING);
    // Ended while paused: the other one waits for the resumption.
    TestExecution paused;
    ASSERT_TRUE(PauseNow(paused).ok());
    ASSERT_TRUE(paused.Checkpoint(TestExecution::Updates{}).ok());
    EXPECT_EQ(End(paused, outcome, ErrorOf("E")), NextStep::kNothing);
    EXPECT_EQ(*ResumeNow(paused), NextStep::kInvoke);
  }
}

TEST(PauseTest, StopsThePausedExecution) {
  TestExecution test = WithTimeout(60);
  ASSERT_TRUE(PauseNow(test).ok());
  ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
  test.Change([](ExecutionChange& change) { Stop(change, {}); });
  EXPECT_EQ(ProgressOf(test).status(), v1::EXECUTION_STATUS_STOPPED);
  EXPECT_FALSE(ProgressOf(test).has_pause());
  EXPECT_FALSE(ProgressOf(test).has_held_timeout_seconds());
  EXPECT_FALSE(ProgressOf(test).invocation_owed());
}

TEST(PauseTest, TheTimeoutStandsStillUnlessAskedToRun) {
  for (const bool held : {true, false}) {
    TestExecution test = WithTimeout(60);
    End(test, Outcome::kBroken, ErrorOf("E"));
    test.Advance(absl::Seconds(20));
    const absl::Time deadline = ToAbsl(ProgressOf(test).timeout_deadline());
    v1::PauseExecutionRequest request;
    request.set_execution_timeout_paused(held);
    ASSERT_TRUE(PauseNow(test, request).ok());
    EXPECT_EQ(ProgressOf(test).has_timeout_deadline(), !held);
    test.Advance(absl::Hours(1));
    ASSERT_TRUE(ResumeNow(test).ok());
    EXPECT_EQ(ToAbsl(ProgressOf(test).timeout_deadline()),
              held ? test.moment.deadline_time + absl::Seconds(40) : deadline);
  }
}

TEST(PauseTest, TheTimeoutNeverMovesBeyond366Days) {
  TestExecution test = WithTimeout(kMaxDelaySeconds);
  const absl::Time start = test.moment.deadline_time;
  End(test, Outcome::kBroken, ErrorOf("E"));
  ASSERT_TRUE(PauseNow(test).ok());
  test.Advance(absl::Hours(24));
  ASSERT_TRUE(ResumeNow(test).ok());
  EXPECT_EQ(ToAbsl(ProgressOf(test).timeout_deadline()), start + absl::Seconds(kMaxDelaySeconds));
}

struct Held {
  std::string name;
  std::function<void(TestExecution&)> enter;
  // Texts of the refusals; empty: accepted.
  std::string pause;
  std::string resume;
};

class HoldTest : public ::testing::TestWithParam<Held> {};

TEST_P(HoldTest, KeepsTheTable) {
  const Held& row = GetParam();
  for (const bool pause : {true, false}) {
    TestExecution test;
    row.enter(test);
    const std::string before = test.Dump();
    const absl::Status status = pause ? PauseNow(test) : ResumeNow(test).status();
    const std::string& expected = pause ? row.pause : row.resume;
    EXPECT_EQ(status.message(), expected);
    if (expected.empty()) continue;
    EXPECT_EQ(ErrorNameOf(status), "ResourceConflictException");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(test.Dump(), before);
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryStatus, HoldTest,
    ::testing::ValuesIn(std::vector<Held>{
        {"Running", [](TestExecution&) {}, "",
         "Cannot resume an execution that is RUNNING; only a PAUSED or PAUSING one can be "
         "resumed."},
        {"Pausing", [](TestExecution& test) { ASSERT_TRUE(PauseNow(test).ok()); },
         "Cannot pause an execution that is PAUSING; only a RUNNING one can be paused.", ""},
        {"Paused",
         [](TestExecution& test) {
           End(test, Outcome::kBroken, ErrorOf("E"));
           ASSERT_TRUE(PauseNow(test).ok());
         },
         "Cannot pause an execution that is PAUSED; only a RUNNING one can be paused.", ""},
        {"Closed", [](TestExecution& test) { End(test, Outcome::kSucceeded); },
         "Cannot pause an execution that is SUCCEEDED; only a RUNNING one can be paused.",
         "Cannot resume an execution that is SUCCEEDED; only a PAUSED or PAUSING one can be "
         "resumed."},
    }),
    [](const auto& info) { return info.param.name; });

TEST(PauseTest, ARepeatedClientTokenIsKnownForFifteenMinutes) {
  TestExecution test;
  v1::PauseExecutionRequest pause;
  pause.set_client_token("t");
  pause.set_reason("look");
  EXPECT_FALSE(*IsRepeated(test.execution(), pause, test.moment.time));
  ASSERT_TRUE(PauseNow(test, pause).ok());
  EXPECT_TRUE(*IsRepeated(test.execution(), pause, test.moment.time));
  EXPECT_TRUE(*IsRepeated(test.execution(), pause, test.moment.time + absl::Minutes(15)));
  EXPECT_FALSE(*IsRepeated(test.execution(), pause,
                           test.moment.time + absl::Minutes(15) + absl::Nanoseconds(1)));
  pause.set_reason("another");
  const absl::Status other = IsRepeated(test.execution(), pause, test.moment.time).status();
  EXPECT_EQ(other.message(), "ClientToken 't' was used for another request.");
  EXPECT_EQ(ErrorNameOf(other), "InvalidParameterValueException");
  v1::ResumeExecutionRequest resume;
  resume.set_client_token("t");
  EXPECT_FALSE(*IsRepeated(test.execution(), resume, test.moment.time));
  ASSERT_TRUE(ResumeNow(test, resume).ok());
  EXPECT_TRUE(*IsRepeated(test.execution(), resume, test.moment.time));
}

}  // namespace
}  // namespace rehearse
