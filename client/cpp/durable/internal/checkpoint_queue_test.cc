#include "client/cpp/durable/internal/checkpoint_queue.h"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cpp/durable/internal/update_size.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

OperationUpdate Update(absl::string_view id, OperationAction action = OperationAction::kStart) {
  OperationUpdate update;
  update.id = std::string(id);
  update.action = action;
  return update;
}

// An update of exactly `bytes`.
OperationUpdate UpdateOfBytes(absl::string_view id, size_t bytes) {
  OperationUpdate update = Update(id);
  update.payload = "";
  update.payload->assign(bytes - UpdateBytes(update), 'x');
  return update;
}

// Answers what a test makes it answer and keeps what it was sent.
class ScriptedClient : public ServiceClient {
 public:
  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override {
    EXPECT_FALSE(in_flight_.exchange(true)) << "two calls in flight";
    absl::StatusOr<CheckpointResponse> response = on_checkpoint(request);
    in_flight_ = false;
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    return response;
  }

  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override {
    return on_get_state(request);
  }

  std::vector<CheckpointRequest> requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  // The ids of each call.
  std::vector<std::vector<std::string>> batches() {
    std::vector<std::vector<std::string>> batches;
    for (const CheckpointRequest& request : requests()) {
      batches.emplace_back();
      for (const OperationUpdate& update : request.updates) batches.back().push_back(update.id);
    }
    return batches;
  }

  static CheckpointResponse Token(absl::string_view token) {
    CheckpointResponse response;
    response.checkpoint_token = std::string(token);
    return response;
  }

  std::function<absl::StatusOr<CheckpointResponse>(const CheckpointRequest&)> on_checkpoint =
      [](const CheckpointRequest&) { return Token("t"); };
  std::function<absl::StatusOr<StatePage>(const GetStateRequest&)> on_get_state =
      [](const GetStateRequest&) { return StatePage(); };

 private:
  std::atomic<bool> in_flight_{false};
  absl::Mutex mutex_;
  std::vector<CheckpointRequest> requests_;
};

class CheckpointQueueTest : public ::testing::Test {
 protected:
  CheckpointQueueTest() {
    // Long enough that no test waits for it.
    limits_.window = absl::Hours(1);
  }

  ~CheckpointQueueTest() override { queue().Stop(); }

  CheckpointQueue& queue() {
    if (queue_ == nullptr) {
      queue_ = std::make_shared<CheckpointQueue>(client_, store_, "arn", "first", limits_);
    }
    return *queue_;
  }

  ScriptedClient client_;
  StateStore store_;
  CheckpointLimits limits_;
  ContextScope root_{nullptr};

 private:
  std::shared_ptr<CheckpointQueue> queue_;
};

TEST_F(CheckpointQueueTest, AsyncUpdatesRideWithTheNextAwaitedOne) {
  EXPECT_EQ(queue().SendAsync(Update("a"), root_), CheckpointResult::kAccepted);
  EXPECT_EQ(queue().SendAsync(Update("b"), root_), CheckpointResult::kAccepted);
  EXPECT_THAT(client_.requests(), IsEmpty());
  EXPECT_EQ(queue().SendSync(Update("c"), root_), CheckpointResult::kAccepted);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a", "b", "c")));
}

TEST_F(CheckpointQueueTest, EachCallHasTheNewestTokenAndAClientTokenOfItsOwn) {
  int calls = 0;
  client_.on_checkpoint = [&](const CheckpointRequest&) {
    return ScriptedClient::Token(absl::StrCat("token-", ++calls));
  };
  for (const char* id : {"a", "b", "c"}) queue().SendSync(Update(id), root_);
  const std::vector<CheckpointRequest> requests = client_.requests();
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[0].durable_execution_arn, "arn");
  EXPECT_EQ(requests[0].checkpoint_token, "first");
  EXPECT_EQ(requests[1].checkpoint_token, "token-1");
  EXPECT_EQ(requests[2].checkpoint_token, "token-2");
  std::set<std::string> client_tokens;
  for (const CheckpointRequest& request : requests) client_tokens.insert(request.client_token);
  EXPECT_THAT(client_tokens, SizeIs(3));
  EXPECT_LE(requests[0].client_token.size(), 64u);
}

TEST_F(CheckpointQueueTest, StateIsMergedWithAllItsPagesBeforeAWaiterReturns) {
  client_.on_checkpoint = [](const CheckpointRequest&) {
    CheckpointResponse response = ScriptedClient::Token("second");
    response.new_state.operations.resize(1);
    response.new_state.operations[0].id = "a";
    response.new_state.next_marker = "m1";
    return response;
  };
  std::vector<std::string> tokens;
  client_.on_get_state = [&](const GetStateRequest& request) {
    tokens.push_back(request.checkpoint_token);
    StatePage page;
    page.operations.resize(1);
    page.operations[0].id = request.marker;
    if (request.marker == "m1") page.next_marker = "m2";
    return page;
  };
  queue().SendSync(Update("a"), root_);
  for (const char* id : {"a", "m1", "m2"}) EXPECT_NE(store_.Find(id), nullptr) << id;
  EXPECT_THAT(tokens, ElementsAre("second", "second"));
}

// Limits: at the bound, and one past it.

TEST_F(CheckpointQueueTest, CountLimit) {
  for (int i = 0; i < 249; ++i) queue().SendAsync(Update(absl::StrCat(i)), root_);
  queue().SendSync(Update("last"), root_);
  EXPECT_THAT(client_.batches(), ElementsAre(SizeIs(250)));
}

TEST_F(CheckpointQueueTest, CountLimitPassed) {
  for (int i = 0; i < 250; ++i) queue().SendAsync(Update(absl::StrCat(i)), root_);
  queue().SendSync(Update("last"), root_);
  EXPECT_THAT(client_.batches(), ElementsAre(SizeIs(250), ElementsAre("last")));
}

TEST_F(CheckpointQueueTest, ByteLimit) {
  const size_t half = limits_.max_bytes / 2;
  queue().SendAsync(UpdateOfBytes("a", half), root_);
  queue().SendSync(UpdateOfBytes("b", half), root_);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a", "b")));
}

TEST_F(CheckpointQueueTest, ByteLimitPassed) {
  const size_t half = limits_.max_bytes / 2;
  queue().SendAsync(UpdateOfBytes("a", half), root_);
  queue().SendSync(UpdateOfBytes("b", half + 1), root_);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST_F(CheckpointQueueTest, UpdateLargerThanTheLimitGoesAlone) {
  queue().SendAsync(Update("a"), root_);
  queue().SendAsync(UpdateOfBytes("b", limits_.max_bytes + 1), root_);
  queue().SendSync(Update("c"), root_);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a"), ElementsAre("b"), ElementsAre("c")));
}

// The window.

TEST_F(CheckpointQueueTest, AsyncUpdateIsSentWhenItsWindowHasPassed) {
  limits_.window = absl::Milliseconds(1);
  absl::Notification sent;
  client_.on_checkpoint = [&](const CheckpointRequest&) {
    sent.Notify();
    return ScriptedClient::Token("t");
  };
  queue().SendAsync(Update("a"), root_);
  sent.WaitForNotification();
  queue().Stop();
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a")));
}

TEST_F(CheckpointQueueTest, UpdatesQueuedBehindACallInFlightAreSentAfterIt) {
  limits_.window = absl::Milliseconds(1);
  absl::Notification first_in_flight;
  absl::Notification first_may_end;
  absl::Notification second_sent;
  client_.on_checkpoint = [&](const CheckpointRequest& request) {
    if (request.updates[0].id == "a") {
      first_in_flight.Notify();
      first_may_end.WaitForNotification();
    } else {
      second_sent.Notify();
    }
    return ScriptedClient::Token("t");
  };
  queue().SendAsync(Update("a"), root_);
  first_in_flight.WaitForNotification();
  queue().SendAsync(Update("b"), root_);
  first_may_end.Notify();
  second_sent.WaitForNotification();
  queue().Stop();
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST_F(CheckpointQueueTest, WithoutAWindowAsyncUpdatesGoAtOnce) {
  limits_.window = absl::ZeroDuration();
  EXPECT_EQ(queue().SendAsync(Update("a"), root_), CheckpointResult::kAccepted);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a")));
  client_.on_checkpoint = [](const CheckpointRequest&) { return absl::InternalError("down"); };
  EXPECT_EQ(queue().SendAsync(Update("b"), root_), CheckpointResult::kFailed);
}

// Several threads.

TEST_F(CheckpointQueueTest, WaitersBehindACallShareTheNextOne) {
  absl::Notification first_in_flight;
  absl::Notification others_queued;
  client_.on_checkpoint = [&](const CheckpointRequest& request) {
    if (request.updates[0].id == "a") {
      first_in_flight.Notify();
      others_queued.WaitForNotification();
    }
    return ScriptedClient::Token("t");
  };
  std::thread first([&] { queue().SendSync(Update("a"), root_); });
  first_in_flight.WaitForNotification();
  queue().SendAsync(Update("b"), root_);
  queue().SendAsync(Update("c"), root_);
  others_queued.Notify();
  EXPECT_EQ(queue().SendSync(Update("d"), root_), CheckpointResult::kAccepted);
  first.join();
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a"), ElementsAre("b", "c", "d")));
}

TEST_F(CheckpointQueueTest, ManyThreadsLoseNothingAndKeepTheirOrder) {
  limits_.window = absl::Microseconds(50);
  limits_.max_updates = 3;
  constexpr int kThreads = 8;
  constexpr int kRounds = 50;
  queue();
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kRounds; ++i) {
        queue().SendAsync(Update(absl::StrCat(t, ":", i, "a")), root_);
        EXPECT_EQ(queue().SendSync(Update(absl::StrCat(t, ":", i, "b")), root_),
                  CheckpointResult::kAccepted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::vector<std::string>> by_thread(kThreads);
  for (const std::vector<std::string>& batch : client_.batches()) {
    EXPECT_LE(batch.size(), 3u);
    for (const std::string& id : batch) by_thread[id[0] - '0'].push_back(id.substr(2));
  }
  std::vector<std::string> expected;
  for (int i = 0; i < kRounds; ++i) {
    expected.push_back(absl::StrCat(i, "a"));
    expected.push_back(absl::StrCat(i, "b"));
  }
  for (const std::vector<std::string>& ids : by_thread) EXPECT_EQ(ids, expected);
}

// Ends.

TEST_F(CheckpointQueueTest, FailureReachesTheBatchTheQueueAndLaterCalls) {
  absl::Notification in_flight;
  absl::Notification may_fail;
  client_.on_checkpoint = [&](const CheckpointRequest&) -> absl::StatusOr<CheckpointResponse> {
    in_flight.Notify();
    may_fail.WaitForNotification();
    return absl::UnavailableError("down");
  };
  CheckpointResult of_batch = CheckpointResult::kAccepted;
  std::thread first([&] { of_batch = queue().SendSync(Update("a"), root_); });
  in_flight.WaitForNotification();
  EXPECT_EQ(queue().SendAsync(Update("b"), root_), CheckpointResult::kAccepted);
  CheckpointResult of_queued = CheckpointResult::kAccepted;
  std::thread second([&] { of_queued = queue().SendSync(Update("c"), root_); });
  may_fail.Notify();
  first.join();
  second.join();
  EXPECT_EQ(of_batch, CheckpointResult::kFailed);
  EXPECT_EQ(of_queued, CheckpointResult::kFailed);
  EXPECT_EQ(queue().SendSync(Update("d"), root_), CheckpointResult::kFailed);
  EXPECT_EQ(queue().SendAsync(Update("e"), root_), CheckpointResult::kFailed);
  EXPECT_EQ(queue().failure(), absl::UnavailableError("down"));
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a")));
}

TEST_F(CheckpointQueueTest, FailureToReadAFurtherPageCounts) {
  client_.on_checkpoint = [](const CheckpointRequest&) {
    CheckpointResponse response = ScriptedClient::Token("t");
    response.new_state.next_marker = "m";
    return response;
  };
  client_.on_get_state = [](const GetStateRequest&) { return absl::InternalError("no page"); };
  EXPECT_EQ(queue().SendSync(Update("a"), root_), CheckpointResult::kFailed);
  EXPECT_EQ(queue().failure(), absl::InternalError("no page"));
}

TEST_F(CheckpointQueueTest, CancelledOrphansEverything) {
  client_.on_checkpoint = [](const CheckpointRequest&) { return absl::CancelledError("stopped"); };
  EXPECT_EQ(queue().SendSync(Update("a"), root_), CheckpointResult::kOrphaned);
  EXPECT_EQ(queue().SendAsync(Update("b"), root_), CheckpointResult::kOrphaned);
  EXPECT_EQ(queue().failure(), absl::CancelledError("stopped"));
}

TEST_F(CheckpointQueueTest, WithdrawnTokenSuspendsTheBatchAndLaterCalls) {
  client_.on_checkpoint = [](const CheckpointRequest&) { return CheckpointResponse(); };
  EXPECT_EQ(queue().SendSync(Update("a"), root_), CheckpointResult::kWithdrawn);
  EXPECT_EQ(queue().SendAsync(Update("b"), root_), CheckpointResult::kWithdrawn);
  EXPECT_TRUE(queue().withdrawn());
  EXPECT_TRUE(queue().failure().ok());
}

TEST_F(CheckpointQueueTest, ClosingTheExecutionIsAcceptedAndOrphansLaterCalls) {
  client_.on_checkpoint = [](const CheckpointRequest&) { return CheckpointResponse(); };
  OperationUpdate closing = Update("e", OperationAction::kSucceed);
  closing.type = OperationType::kExecution;
  EXPECT_EQ(queue().SendSync(std::move(closing), root_), CheckpointResult::kAccepted);
  EXPECT_FALSE(queue().withdrawn());
  EXPECT_EQ(queue().SendSync(Update("b"), root_), CheckpointResult::kOrphaned);
}

TEST_F(CheckpointQueueTest, ClosedScopeAndThoseInsideAreRejected) {
  ContextScope outer(&root_);
  ContextScope inner(&outer);
  EXPECT_EQ(queue().SendAsync(Update("a"), inner), CheckpointResult::kAccepted);
  outer.Close();
  EXPECT_EQ(queue().SendAsync(Update("b"), inner), CheckpointResult::kOrphaned);
  EXPECT_EQ(queue().SendSync(Update("c"), outer), CheckpointResult::kOrphaned);
  EXPECT_EQ(queue().SendSync(Update("d"), root_), CheckpointResult::kAccepted);
  EXPECT_THAT(client_.batches(), ElementsAre(ElementsAre("a", "d")));
}

TEST_F(CheckpointQueueTest, StopDropsWhatNobodyWaitsFor) {
  queue().SendAsync(Update("a"), root_);
  queue().Stop();
  EXPECT_THAT(client_.batches(), IsEmpty());
  EXPECT_EQ(queue().SendSync(Update("b"), root_), CheckpointResult::kOrphaned);
}

TEST_F(CheckpointQueueTest, StopWaitsForTheCallInFlightAndTakesItsNewsIntoAccount) {
  limits_.window = absl::Milliseconds(1);
  absl::Notification in_flight;
  absl::Notification stopping;
  client_.on_checkpoint = [&](const CheckpointRequest&) {
    in_flight.Notify();
    stopping.WaitForNotification();
    return CheckpointResponse();
  };
  queue().SendAsync(Update("a"), root_);
  in_flight.WaitForNotification();
  stopping.Notify();
  queue().Stop();
  EXPECT_TRUE(queue().withdrawn());
}

}  // namespace
}  // namespace internal
}  // namespace durable
