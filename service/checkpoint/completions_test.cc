#include "service/checkpoint/completions.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/test_execution.h"

namespace rehearse {
namespace {

class CallbackTest : public ::testing::Test {
 protected:
  // Starts the callback "c" with these time-outs, in seconds.
  void Start(int timeout, int heartbeat) {
    v1::OperationUpdate update = Update("CALLBACK", "START", "c");
    update.set_name("approval");
    update.mutable_callback_options()->set_timeout_seconds(timeout);
    update.mutable_callback_options()->set_heartbeat_timeout_seconds(heartbeat);
    ASSERT_TRUE(test_.Checkpoint({update}).ok());
    id_ = test_.Operation("c").callback_details().callback_id();
  }

  absl::Status Complete(absl::optional<std::string> result) {
    absl::Status status;
    test_.Change([&](ExecutionChange& change) {
      status = CompleteCallback(change, 1, id_, result, test_.limits);
    });
    return status;
  }
  absl::Status Fail(const v1::ErrorObject& error) {
    absl::Status status;
    test_.Change([&](ExecutionChange& change) {
      status = FailCallback(change, 1, id_, error, test_.limits);
    });
    return status;
  }
  absl::Status Heartbeat() {
    absl::Status status;
    test_.Change([&](ExecutionChange& change) { status = HeartbeatCallback(change, 1, id_); });
    return status;
  }
  bool Due() {
    bool due = false;
    test_.Change([&](ExecutionChange& change) { due = CompleteIfDue(change, "c"); });
    return due;
  }

  TestExecution test_;
  std::string id_;
};

TEST_F(CallbackTest, SucceedsWithAResult) {
  Start(60, 0);
  ASSERT_TRUE(Complete(std::string("\"yes\"")).ok());
  EXPECT_EQ(test_.Operation("c").status(), v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(test_.Operation("c").callback_details().result(), "\"yes\"");
  EXPECT_TRUE(test_.RecordOf("c").touched_outside());
  const v1::Event& event = test_.events().back();
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_CALLBACK_SUCCEEDED);
  EXPECT_EQ(event.name(), "approval");
  EXPECT_EQ(event.callback_succeeded_details().result().payload(), "\"yes\"");
  EXPECT_FALSE(TimerOf(test_.RecordOf("c")).has_value());
  EXPECT_FALSE(test_.execution().AnythingPending());
}

TEST_F(CallbackTest, EmptyResultIsNone) {
  Start(0, 0);
  ASSERT_TRUE(Complete(std::string()).ok());
  EXPECT_FALSE(test_.Operation("c").callback_details().has_result());
  EXPECT_TRUE(test_.events().back().callback_succeeded_details().has_result());
  EXPECT_FALSE(test_.events().back().callback_succeeded_details().result().has_payload());
}

TEST_F(CallbackTest, FailsAlsoWithoutDetails) {
  Start(0, 0);
  ASSERT_TRUE(Fail({}).ok());
  EXPECT_EQ(test_.Operation("c").status(), v1::OPERATION_STATUS_FAILED);
  EXPECT_TRUE(test_.Operation("c").callback_details().has_error());
  EXPECT_TRUE(test_.events().back().callback_failed_details().error().has_payload());
}

TEST_F(CallbackTest, IsCompletedOnce) {
  Start(0, 0);
  ASSERT_TRUE(Complete(std::string("1")).ok());
  const std::string before = test_.Dump();
  for (const absl::Status& status : {Complete(std::string("2")), Fail({}), Heartbeat()}) {
    EXPECT_EQ(ErrorNameOf(status), "CallbackTimeoutException");
    EXPECT_EQ(HttpStatusOf(status), 400);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(test_.Dump(), before);
}

TEST_F(CallbackTest, OfAClosedExecutionIsClosed) {
  Start(0, 0);
  test_.Change([](ExecutionChange& change) { Stop(change, {}); });
  EXPECT_EQ(ErrorNameOf(Complete(absl::nullopt)), "CallbackTimeoutException");
  EXPECT_FALSE(Due());
}

TEST_F(CallbackTest, UnknownIdIsNotFound) {
  Start(0, 0);
  const std::string before = test_.Dump();
  id_ = EncodeCallbackId({test_.execution().record().execution_id(), 1, NewSecret(test_.ids)});
  EXPECT_EQ(ErrorNameOf(Complete(absl::nullopt)), "ResourceNotFoundException");
  ExecutionChange change(test_.execution(), test_.moment, ExecutionChange::Origin::kOutside);
  for (const int64_t index : {-1, 0, 2}) {
    EXPECT_EQ(ErrorNameOf(HeartbeatCallback(change, index, id_)), "ResourceNotFoundException");
  }
  EXPECT_EQ(test_.Dump(), before);
}

TEST_F(CallbackTest, ResultIsBounded) {
  Start(0, 0);
  const absl::Status status = Complete(std::string(1048577, 'x'));
  EXPECT_EQ(ErrorNameOf(status), "InvalidParameterValueException");
  EXPECT_EQ(status.message(),
            "CALLBACK output payload size must be less than or equal to 1048576 bytes.");
  EXPECT_EQ(test_.Operation("c").status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_TRUE(Complete(std::string(1048576, 'x')).ok());
}

TEST_F(CallbackTest, BoundsWereSmallerBeforeAutumn2026) {
  Start(0, 0);
  test_.limits = *LimitsProfile("aws-2025");
  EXPECT_EQ(Complete(std::string(262145, 'x')).message(),
            "CALLBACK output payload size must be less than or equal to 262144 bytes.");
  v1::ErrorObject error;
  error.set_error_message(std::string(262145, 'x'));
  EXPECT_EQ(Fail(error).message(),
            "CALLBACK error size must be less than or equal to 262144 bytes.");
  EXPECT_TRUE(Complete(std::string(262144, 'x')).ok());
}

TEST_F(CallbackTest, ErrorIsBounded) {
  Start(0, 0);
  v1::ErrorObject error;
  error.set_error_data(std::string(1048577, 'x'));
  EXPECT_EQ(Fail(error).message(),
            "CALLBACK error size must be less than or equal to 1048576 bytes.");
  error.mutable_error_data()->pop_back();
  EXPECT_TRUE(Fail(error).ok());
}

TEST_F(CallbackTest, ResultIsText) {
  Start(0, 0);
  EXPECT_EQ(Complete(std::string("\xC3\x28")).message(),
            "The result of a CALLBACK must be UTF-8 text.");
}

TEST_F(CallbackTest, TimesOutInDeadlineTime) {
  Start(60, 0);
  // Skipped time moves no deadline.
  test_.moment.time += absl::Hours(24);
  EXPECT_FALSE(Due());
  test_.moment.deadline_time += absl::Seconds(60) - absl::Nanoseconds(1);
  EXPECT_FALSE(Due());
  test_.moment.deadline_time += absl::Nanoseconds(1);
  EXPECT_TRUE(Due());
  EXPECT_EQ(test_.Operation("c").status(), v1::OPERATION_STATUS_TIMED_OUT);
  EXPECT_EQ(test_.events().back().callback_timed_out_details().error().payload().ShortDebugString(),
            "error_message: \"Callback timed out\" error_type: \"Callback.Timeout\"");
}

TEST_F(CallbackTest, HeartbeatMovesItsOwnDeadlineOnly) {
  Start(60, 10);
  test_.Advance(absl::Seconds(9));
  const std::string progress = test_.execution().progress().DebugString();
  const size_t events = test_.events().size();
  ASSERT_TRUE(Heartbeat().ok());
  EXPECT_EQ(test_.execution().progress().DebugString(), progress);
  EXPECT_EQ(test_.events().size(), events);
  EXPECT_FALSE(test_.execution().AnyTouchedAfter(test_.execution().progress().seen_sequence()));
  test_.Advance(absl::Seconds(9));
  EXPECT_FALSE(Due());
  test_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Due());
  EXPECT_EQ(
      test_.events().back().callback_timed_out_details().error().payload().ShortDebugString(),
      "error_message: \"Callback timed out on heartbeat\" error_type: \"Callback.Heartbeat\"");
}

TEST_F(CallbackTest, HeartbeatWithoutTimeoutHasNoEffect) {
  Start(60, 0);
  const std::string before = test_.Dump();
  EXPECT_TRUE(Heartbeat().ok());
  EXPECT_EQ(test_.Dump(), before);
}

TEST_F(CallbackTest, EqualDeadlinesCountAsTimeout) {
  Start(10, 10);
  EXPECT_EQ(TimerOf(test_.RecordOf("c"))->kind, OperationTimer::Kind::kCallbackTimeout);
}

TEST_F(CallbackTest, EarlierDeadlineWins) {
  Start(10, 9);
  EXPECT_EQ(TimerOf(test_.RecordOf("c"))->kind, OperationTimer::Kind::kCallbackHeartbeat);
  EXPECT_EQ(TimerOf(test_.RecordOf("c"))->due, test_.moment.deadline_time + absl::Seconds(9));
}

TEST(TimerTest, WaitEndsWhenDue) {
  TestExecution test;
  v1::OperationUpdate update = Update("WAIT", "START", "w");
  update.mutable_wait_options()->set_wait_seconds(5);
  ASSERT_TRUE(test.Checkpoint({update}).ok());
  EXPECT_EQ(TimerOf(test.RecordOf("w"))->kind, OperationTimer::Kind::kWait);
  EXPECT_EQ(TimerOf(test.RecordOf("w"))->due, test.moment.time + absl::Seconds(5));
  test.Advance(absl::Seconds(4));
  test.Change([](ExecutionChange& change) { EXPECT_FALSE(CompleteIfDue(change, "w")); });
  test.Advance(absl::Seconds(1));
  test.Change([](ExecutionChange& change) {
    EXPECT_TRUE(CompleteIfDue(change, "w"));
    EXPECT_FALSE(CompleteIfDue(change, "w"));
    EXPECT_FALSE(CompleteIfDue(change, "unknown"));
  });
  EXPECT_EQ(test.events().back().wait_succeeded_details().duration(), 5);
  EXPECT_FALSE(TimerOf(test.RecordOf("w")).has_value());
}

TEST(TimerTest, RetryBecomesReadyWithoutAnEvent) {
  TestExecution test;
  v1::OperationUpdate update = Update("STEP", "RETRY", "s");
  update.mutable_step_options()->set_next_attempt_delay_seconds(5);
  ASSERT_TRUE(test.Checkpoint({update}).ok());
  EXPECT_EQ(TimerOf(test.RecordOf("s"))->kind, OperationTimer::Kind::kRetry);
  const size_t events = test.events().size();
  test.Advance(absl::Seconds(5));
  test.Change([](ExecutionChange& change) { EXPECT_TRUE(CompleteIfDue(change, "s")); });
  EXPECT_EQ(test.Operation("s").status(), v1::OPERATION_STATUS_READY);
  EXPECT_EQ(test.events().size(), events);
  EXPECT_TRUE(test.execution().AnythingPending());
}

class ChainedOutcomeTest : public ::testing::Test {
 protected:
  ChainedOutcomeTest() {
    test_.targets["pay"] = {absl::nullopt, "pay", "$LATEST", true};
    v1::OperationUpdate update = Update("CHAINED_INVOKE", "START", "i");
    update.mutable_chained_invoke_options()->set_function_name("pay");
    update.set_payload("{}");
    EXPECT_TRUE(test_.Checkpoint({update}).ok());
  }
  void Complete(v1::OperationStatus status, absl::optional<std::string> result,
                absl::optional<v1::ErrorObject> error) {
    test_.Change([&](ExecutionChange& change) {
      CompleteChainedInvoke(change, "i", {status, result, error});
    });
  }
  TestExecution test_;
};

TEST_F(ChainedOutcomeTest, SucceedsWithTheResult) {
  EXPECT_TRUE(test_.execution().AnythingPending());
  Complete(v1::OPERATION_STATUS_SUCCEEDED, std::string("7"), absl::nullopt);
  EXPECT_EQ(test_.Operation("i").chained_invoke_details().result(), "7");
  EXPECT_EQ(test_.events().back().chained_invoke_succeeded_details().result().payload(), "7");
  EXPECT_FALSE(test_.RecordOf("i").chained_target().has_input());
  EXPECT_FALSE(test_.execution().AnythingPending());
}

TEST_F(ChainedOutcomeTest, SucceedsWithoutAResult) {
  Complete(v1::OPERATION_STATUS_SUCCEEDED, absl::nullopt, absl::nullopt);
  EXPECT_FALSE(test_.Operation("i").chained_invoke_details().has_result());
  EXPECT_TRUE(test_.events().back().chained_invoke_succeeded_details().has_result());
}

TEST_F(ChainedOutcomeTest, HasAnEventForEachEnd) {
  v1::ErrorObject error;
  error.set_error_type("E");
  Complete(v1::OPERATION_STATUS_STOPPED, absl::nullopt, error);
  EXPECT_EQ(test_.Operation("i").status(), v1::OPERATION_STATUS_STOPPED);
  EXPECT_EQ(test_.events().back().chained_invoke_stopped_details().error().payload().error_type(),
            "E");
  const std::string before = test_.Dump();
  Complete(v1::OPERATION_STATUS_FAILED, absl::nullopt, error);
  EXPECT_EQ(test_.Dump(), before);
}

TEST_F(ChainedOutcomeTest, TimesOut) {
  Complete(v1::OPERATION_STATUS_TIMED_OUT, absl::nullopt, v1::ErrorObject());
  EXPECT_EQ(test_.events().back().event_type(), v1::EVENT_TYPE_CHAINED_INVOKE_TIMED_OUT);
  EXPECT_TRUE(test_.events().back().chained_invoke_timed_out_details().error().has_payload());
}

TEST_F(ChainedOutcomeTest, Fails) {
  Complete(v1::OPERATION_STATUS_FAILED, absl::nullopt, absl::nullopt);
  EXPECT_EQ(test_.events().back().event_type(), v1::EVENT_TYPE_CHAINED_INVOKE_FAILED);
  EXPECT_TRUE(test_.Operation("i").chained_invoke_details().has_error());
}

}  // namespace
}  // namespace rehearse
