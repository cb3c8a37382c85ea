#include "service/checkpoint/checkpoint_processor.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- Tokens, replies, delta, watermark ----

TEST(TokenTest, EachIsGoodForOneCheckpoint) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  ASSERT_TRUE(test.Checkpoint(first).ok());
  ExpectStale(test, first);
  EXPECT_TRUE(test.Checkpoint(test.Request({})).ok());
}

TEST(TokenTest, StaleTextFollowsTheCaller) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  ASSERT_TRUE(test.Checkpoint(first).ok());
  test.spelling = StaleTokenSpelling::kLegacy;
  ExpectStale(test, first);
}

TEST(TokenTest, OfAnotherInvocationIsStale) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  test.Reinvoke();
  ExpectStale(test, first);
}

TEST(TokenTest, WithoutAnInvocationIsStale) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  test.Change([](ExecutionChange& change) { change.progress().clear_invocation(); });
  ExpectStale(test, first);
}

TEST(TokenTest, MalformedIsNotStale) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({});
  const std::string message = "CheckpointToken must have 1 to 2048 characters of base64.";
  for (const std::string& token :
       {std::string(), std::string("!"), std::string("a==="), std::string("=="), PayloadOf(2049)}) {
    request.set_checkpoint_token(token);
    ExpectRefused(test, request, message);
  }
  request.set_checkpoint_token(PayloadOf(2048));
  ExpectStale(test, request);
}

TEST(ReplyTest, RepeatsByteForByteWithoutASecondEffect) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("CALLBACK", "START")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> first = test.Checkpoint(request);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "s")}).ok());
  const std::string before = test.Dump();
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->delta.has_value());
  EXPECT_THAT(again->effects, IsEmpty());
  EXPECT_EQ(again->response.SerializeAsString(), first->response.SerializeAsString());
  EXPECT_EQ(test.Dump(), before);
}

TEST(ReplyTest, RepeatsAlsoWithoutAnInvocationAndAfterTheEnd) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("EXECUTION", "SUCCEED")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> first = test.Checkpoint(request);
  ASSERT_TRUE(first.ok());
  test.Change([](ExecutionChange& change) { change.progress().clear_invocation(); });
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->response.SerializeAsString(), first->response.SerializeAsString());
}

TEST(ReplyTest, RefusesOtherUpdatesUnderTheSameToken) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("STEP", "START")});
  request.set_client_token("t");
  ASSERT_TRUE(test.Checkpoint(request).ok());
  request.mutable_updates(0)->set_id("other");
  ExpectRefused(test, request,
                "ClientToken 't' was used for other updates; use a new one for each checkpoint.");
}

TEST(ReplyTest, IsKeptForFifteenMinutes) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({});
  request.set_client_token("t");
  ASSERT_TRUE(test.Checkpoint(request).ok());
  test.Advance(absl::Minutes(15));
  EXPECT_TRUE(test.Checkpoint(request).ok());
  test.Advance(absl::Nanoseconds(1));
  ExpectStale(test, request);
}

TEST(ReplyTest, SixteenAreKept) {
  TestExecution test;
  std::vector<v1::CheckpointRequest> requests;
  for (int i = 0; i < kMaxCheckpointReplies + 1; ++i) {
    requests.push_back(test.Request({}));
    requests.back().set_client_token("t");
    ASSERT_TRUE(test.Checkpoint(requests.back()).ok());
  }
  ExpectStale(test, requests[0]);
  EXPECT_TRUE(test.Checkpoint(requests[1]).ok());
  EXPECT_TRUE(test.Checkpoint(requests.back()).ok());
}

TEST(DeltaTest, TellsOnlyWhatIsNew) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "a"), Valid("CALLBACK", "START", "b")}).ok());
  EXPECT_THAT(Ids(test.Checkpoint(TestExecution::Updates{})->response.new_execution_state()),
              IsEmpty());
  const std::string id = test.Operation("b").callback_details().callback_id();
  test.Change([&](ExecutionChange& change) {
    ASSERT_TRUE(CompleteCallback(change, 2, id, std::string("1"), test.limits).ok());
  });
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint({Valid("STEP", "FAIL", "a")});
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("a", "b"));
  EXPECT_EQ(test.execution().progress().seen_sequence(),
            test.execution().progress().change_sequence());
}

TEST(DeltaTest, CompletesWhatIsDueBehindTheUpdates) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Parse("WAIT", "START", "late", "wait_options { wait_seconds: 3 }"),
                               Parse("WAIT", "START", "early", "wait_options { wait_seconds: 2 }"),
                               Parse("STEP", "RETRY", "retry",
                                     "step_options { next_attempt_delay_seconds: 2 }"),
                               Parse("WAIT", "START", "future", "wait_options { wait_seconds: 4 }"),
                               Parse("WAIT", "START", "gone", "wait_options { wait_seconds: 1 }")})
                  .ok());
  test.Advance(absl::Seconds(3));
  const absl::StatusOr<CheckpointOutcome> outcome =
      test.Checkpoint({Valid("STEP", "START", "s"), Valid("WAIT", "CANCEL", "gone")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(test.EventTypes(),
              ::testing::EndsWith("STEP_STARTED WAIT_CANCELLED WAIT_SUCCEEDED WAIT_SUCCEEDED"));
  EXPECT_EQ(test.events()[test.events().size() - 2].id(), "early");
  EXPECT_EQ(test.events().back().id(), "late");
  EXPECT_THAT(Ids(outcome->response.new_execution_state()),
              ElementsAre("late", "early", "retry", "gone", "s"));
  EXPECT_EQ(test.Operation("retry").status(), v1::OPERATION_STATUS_READY);
  EXPECT_EQ(test.Operation("future").status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_FALSE(test.RecordOf("early").touched_outside());
}

TEST(DeltaTest, IsPagedByBytesAndContinuedByMarker) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "before")}).ok());
  test.limits.state_page_bytes = 300;
  TestExecution::Updates updates;
  for (int i = 0; i < 3; ++i) {
    updates.push_back(Valid("STEP", "SUCCEED", absl::StrCat("s", i)));
    updates.back().set_payload(PayloadOf(200));
  }
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(updates);
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("s0"));
  v1::GetExecutionStateRequest request;
  request.set_checkpoint_token(outcome->response.checkpoint_token());
  request.set_marker(outcome->response.new_execution_state().next_marker());
  std::vector<std::string> rest;
  while (!request.marker().empty()) {
    const absl::StatusOr<v1::GetExecutionStateResponse> page =
        ReadState(test.execution(), request, test.limits, test.spelling);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Operation& operation : page->operations()) rest.push_back(operation.id());
    request.set_marker(page->next_marker());
  }
  EXPECT_THAT(rest, ElementsAre("s1", "s2"));
}

TEST(DeltaTest, IsTheSameHoweverItIsPaged) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CONTEXT", "START", "c")}).ok());
  test.limits.state_page_bytes = 1;
  // The step lies below a context that closes with the same batch.
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Parse("STEP", "SUCCEED", "s", "parent_id: 'c'"), Valid("CONTEXT", "SUCCEED", "c")});
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("c"));
  v1::GetExecutionStateRequest request;
  request.set_checkpoint_token(test.Token());
  request.set_marker(outcome->response.new_execution_state().next_marker());
  const absl::StatusOr<v1::GetExecutionStateResponse> rest =
      ReadState(test.execution(), request, test.limits, test.spelling);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->operations_size(), 1);
  EXPECT_EQ(rest->operations(0).id(), "s");
  EXPECT_FALSE(rest->has_next_marker());
}

TEST(DeltaTest, WithoutATokenThereIsNothingToReadOnWith) {
  TestExecution test;
  test.limits.state_page_bytes = 1;
  const absl::StatusOr<CheckpointOutcome> outcome =
      test.Checkpoint({Valid("STEP", "SUCCEED", "s"), Valid("EXECUTION", "SUCCEED")});
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->response.has_checkpoint_token());
  EXPECT_EQ(outcome->response.new_execution_state().operations_size(), 1);
  EXPECT_FALSE(outcome->response.new_execution_state().has_next_marker());
}

// ---- Pause ----

TEST(PauseTest, KeepsTheUpdatesAndTakesTheToken) {
  TestExecution test;
  ASSERT_TRUE(
      test.Checkpoint({Parse("WAIT", "START", "w", "wait_options { wait_seconds: 1 }")}).ok());
  v1::PauseExecutionRequest pause;
  pause.set_reason("look");
  test.Change([&](ExecutionChange& change) { ASSERT_TRUE(Pause(change, pause).ok()); });
  test.Advance(absl::Seconds(1));
  v1::CheckpointRequest request = test.Request({Valid("STEP", "SUCCEED", "s")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->response.has_checkpoint_token());
  EXPECT_TRUE(outcome->response.has_new_execution_state());
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), IsEmpty());
  EXPECT_EQ(test.Operation("s").status(), v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(test.Operation("w").status(), v1::OPERATION_STATUS_STARTED);
  const record::ExecutionProgress& progress = test.execution().progress();
  EXPECT_EQ(progress.status(), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_TRUE(progress.invocation_owed());
  EXPECT_TRUE(test.execution().invocation_in_flight());
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED WAIT_STARTED STEP_SUCCEEDED EXECUTION_PAUSED");
  ExpectStale(test, test.Request({}));
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->response.SerializeAsString(), outcome->response.SerializeAsString());
}

TEST(PauseTest, GivesWayToTheEndOfTheExecution) {
  TestExecution test;
  test.Change([&](ExecutionChange& change) { ASSERT_TRUE(Pause(change, {}).ok()); });
  ASSERT_TRUE(test.Checkpoint({Valid("EXECUTION", "SUCCEED")}).ok());
  EXPECT_EQ(test.execution().progress().status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_FALSE(test.execution().progress().has_pause());
  EXPECT_FALSE(test.execution().progress().invocation_owed());
}

}  // namespace
}  // namespace rehearse
