#include "service/store/memory/memory_store.h"

#include <malloc.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "service/store/execution_store_contract.h"
#include "service/store/fault_injecting_store.h"

namespace rehearse {
namespace {

class MemoryFixture : public StoreFixture {
 public:
  ExecutionStore& store() override { return store_; }
  void Reopen() override {}

 private:
  MemoryStore store_;
};

std::unique_ptr<StoreFixture> MakeMemoryFixture() { return std::make_unique<MemoryFixture>(); }

INSTANTIATE_TEST_SUITE_P(Memory, ExecutionStoreContractTest, testing::Values(MakeMemoryFixture));

// A store with faults, but none set, is a store.
class FaultlessFixture : public StoreFixture {
 public:
  ExecutionStore& store() override { return store_; }
  void Reopen() override {}

 private:
  MemoryStore base_;
  FaultInjectingStore store_{base_};
};

std::unique_ptr<StoreFixture> MakeFaultlessFixture() {
  return std::make_unique<FaultlessFixture>();
}

INSTANTIATE_TEST_SUITE_P(FaultInjecting, ExecutionStoreContractTest,
                         testing::Values(MakeFaultlessFixture));

// An execution as it stands after its first wait: two operations, three events.
std::vector<ExecutionDelta> AsleepAfterAWait(int number) {
  const std::string id = absl::StrCat("0f8e1c5a-77b1-4e52-9c39-", 100000000000 + number);
  const std::string name = absl::StrCat("order-", number);
  ExecutionDelta started;
  started.arn = absl::StrCat("arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/",
                             "durable-execution/", name, "/", id);
  record::ExecutionRecord& record = started.created.emplace();
  record.set_arn(started.arn);
  record.set_execution_id(id);
  record.set_name(name);
  record.set_session("default");
  record.set_function_name("orders");
  record.set_registered_function_name("orders");
  record.set_version("$LATEST");
  record.mutable_start_time()->set_seconds(1790000000 + number);
  started.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  v1::Operation& execution = *started.operations.emplace_back().mutable_operation();
  execution.set_id(id);
  execution.set_name(name);
  execution.set_type(v1::OPERATION_TYPE_EXECUTION);
  execution.mutable_start_timestamp()->set_seconds(1790000000);
  execution.mutable_execution_details()->set_input_payload("{\"order\": 17}");
  v1::Event& event = started.events.emplace_back();
  event.set_event_id(1);
  event.set_id(id);
  event.set_name(name);
  event.mutable_event_timestamp()->set_seconds(1790000000);
  event.mutable_execution_started_details()->mutable_input()->set_payload("{\"order\": 17}");

  ExecutionDelta waiting;
  waiting.arn = started.arn;
  waiting.progress = started.progress;
  waiting.progress.mutable_invocation()->set_request_id(id);
  waiting.progress.mutable_invocation()->set_secret("0123456789abcdef");
  record::OperationRecord& wait_record = waiting.operations.emplace_back();
  wait_record.set_index(1);
  v1::Operation& wait = *wait_record.mutable_operation();
  wait.set_id("6b86b273ff34fce19d6b804eff5a3f57");
  wait.set_name("pause");
  wait.set_sub_type("Wait");
  wait.set_type(v1::OPERATION_TYPE_WAIT);
  wait.mutable_start_timestamp()->set_seconds(1790000000);
  wait.mutable_wait_details()->mutable_scheduled_end_timestamp()->set_seconds(1790002000);
  v1::Event& wait_started = waiting.events.emplace_back();
  wait_started.set_event_id(2);
  wait_started.set_id(wait.id());
  wait_started.set_name("pause");
  wait_started.set_sub_type("Wait");
  wait_started.mutable_event_timestamp()->set_seconds(1790000000);
  wait_started.mutable_wait_started_details()->mutable_scheduled_end_timestamp()->set_seconds(1);
  waiting.reply.emplace().set_client_token(id);
  waiting.reply->set_checkpoint_token(std::string(88, 't'));
  waiting.reply->set_response(wait.SerializeAsString() + std::string(88, 't'));

  ExecutionDelta ended;
  ended.arn = started.arn;
  ended.progress = started.progress;
  v1::Event& completed = ended.events.emplace_back();
  completed.set_event_id(3);
  completed.mutable_event_timestamp()->set_seconds(1790000000);
  completed.mutable_invocation_completed_details()->set_request_id(id);
  return {std::move(started), std::move(waiting), std::move(ended)};
}

TEST(MemoryStoreTest, ASleepingExecutionIsSmall) {
  constexpr int kExecutions = 20000;
  MemoryStore store;
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kExecutions; ++i) {
    for (const ExecutionDelta& delta : AsleepAfterAWait(i)) {
      store.Commit({&delta}, [](absl::Status status) { ASSERT_EQ(status, absl::OkStatus()); });
    }
  }
  const size_t bytes_each = (mallinfo2().uordblks - before) / kExecutions;
  RecordProperty("bytes_each", static_cast<int>(bytes_each));
  EXPECT_LT(bytes_each, 2048u);
}

TEST(FaultInjectingStoreTest, TheChosenCommitFailsAndWritesNothing) {
  MemoryStore base;
  FaultInjectingStore store(base);
  store.SetFaults(
      [](int64_t number) { return number == 2 ? CommitFault::kFail : CommitFault::kNone; });
  const std::vector<ExecutionDelta> deltas = AsleepAfterAWait(1);
  std::vector<absl::Status> answers;
  for (const ExecutionDelta& delta : deltas) {
    store.Commit({&delta}, [&](absl::Status status) { answers.push_back(status); });
  }
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(answers[2].ok());
  EXPECT_EQ((*store.Load(deltas[0].arn))->operation_count(), 1);
}

TEST(FaultInjectingStoreTest, ADeferredCommitIsWrittenOrFailsWhenItIsLetGo) {
  MemoryStore base;
  FaultInjectingStore store(base);
  std::deque<absl::AnyInvocable<void()>> late;
  store.SetFaults(
      [](int64_t number) { return number == 1 ? CommitFault::kDefer : CommitFault::kDeferAndFail; },
      [&](absl::AnyInvocable<void()> commit) { late.push_back(std::move(commit)); });
  const std::vector<ExecutionDelta> deltas = AsleepAfterAWait(1);
  std::vector<absl::Status> answers;
  for (int i = 0; i < 2; ++i) {
    store.Commit({&deltas[i]}, [&](absl::Status status) { answers.push_back(status); });
  }
  EXPECT_TRUE(answers.empty());
  EXPECT_FALSE(store.Load(deltas[0].arn).ok());
  ASSERT_EQ(late.size(), 2u);
  late[0]();
  EXPECT_TRUE(store.Load(deltas[0].arn).ok());
  late[1]();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_FALSE(answers[1].ok());
  EXPECT_EQ((*store.Load(deltas[0].arn))->operation_count(), 1);
}

}  // namespace
}  // namespace rehearse
