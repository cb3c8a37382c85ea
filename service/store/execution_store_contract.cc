#include "service/store/execution_store_contract.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "service/base/errors.h"
#include "service/base/limits.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1790000000);

std::string Bytes(const google::protobuf::Message& message) { return message.SerializeAsString(); }

// The start of an execution: EXECUTION and its event.
ExecutionDelta Started(const std::string& arn, const std::string& session = "default",
                       const std::string& function = "orders", int64_t seconds = 0) {
  ExecutionDelta delta;
  delta.arn = arn;
  record::ExecutionRecord& record = delta.created.emplace();
  record.set_arn(arn);
  record.set_execution_id(absl::StrCat("id-", arn));
  record.set_name(absl::StrCat("name-", arn));
  record.set_session(session);
  record.set_function_name(function);
  record.set_registered_function_name(function);
  record.set_version("$LATEST");
  SetTimestamp(kStart + absl::Seconds(seconds), record.mutable_start_time());

  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  delta.progress.set_change_sequence(1);
  delta.progress.set_event_count(1);

  record::OperationRecord& operation = delta.operations.emplace_back();
  operation.set_last_touched(1);
  operation.mutable_operation()->set_id(record.execution_id());
  operation.mutable_operation()->set_type(v1::OPERATION_TYPE_EXECUTION);
  operation.mutable_operation()->set_status(v1::OPERATION_STATUS_STARTED);
  operation.mutable_operation()->mutable_execution_details()->set_input_payload(
      absl::StrCat("input of ", arn));

  v1::Event& event = delta.events.emplace_back();
  event.set_event_id(1);
  event.set_event_type(v1::EVENT_TYPE_EXECUTION_STARTED);
  return delta;
}

// A change of an execution in the state `progress`: touches the operation at `index`, which may be
// new.
ExecutionDelta Changed(const std::string& arn, record::ExecutionProgress progress, int64_t index) {
  ExecutionDelta delta;
  delta.arn = arn;
  progress.set_change_sequence(progress.change_sequence() + 1);
  progress.set_event_count(progress.event_count() + 1);
  progress.set_token_sequence(progress.token_sequence() + 1);

  record::OperationRecord& operation = delta.operations.emplace_back();
  operation.set_index(index);
  operation.set_last_touched(progress.change_sequence());
  operation.mutable_operation()->set_id(absl::StrCat("step-", index));
  operation.mutable_operation()->set_type(v1::OPERATION_TYPE_STEP);
  operation.mutable_operation()->set_status(v1::OPERATION_STATUS_STARTED);
  operation.mutable_operation()->mutable_step_details()->set_attempt(
      static_cast<int>(progress.change_sequence()));

  v1::Event& event = delta.events.emplace_back();
  event.set_event_id(progress.event_count());
  event.set_event_type(v1::EVENT_TYPE_STEP_STARTED);
  event.set_id(operation.operation().id());
  delta.progress = std::move(progress);
  return delta;
}

record::CheckpointReply Reply(int number) {
  record::CheckpointReply reply;
  reply.set_client_token(absl::StrCat("token-", number));
  reply.set_response(absl::StrCat("response ", number));
  return reply;
}

ExecutionDelta Closed(const std::string& arn, record::ExecutionProgress progress) {
  ExecutionDelta delta;
  delta.arn = arn;
  progress.set_status(v1::EXECUTION_STATUS_SUCCEEDED);
  progress.set_result("done");
  delta.progress = std::move(progress);
  return delta;
}

void ExpectEqual(const Execution& actual, const Execution& expected) {
  EXPECT_EQ(Bytes(actual.record()), Bytes(expected.record()));
  EXPECT_EQ(Bytes(actual.progress()), Bytes(expected.progress()));
  ASSERT_EQ(actual.operation_count(), expected.operation_count());
  for (int64_t i = 0; i < expected.operation_count(); ++i) {
    EXPECT_EQ(Bytes(actual.operation(i)), Bytes(expected.operation(i)));
  }
  ASSERT_EQ(actual.replies().size(), expected.replies().size());
  for (size_t i = 0; i < expected.replies().size(); ++i) {
    EXPECT_EQ(Bytes(actual.replies()[i]), Bytes(expected.replies()[i]));
  }
  EXPECT_EQ(actual.TouchedAfter(0), expected.TouchedAfter(0));
}

std::vector<int64_t> Ids(const absl::StatusOr<std::vector<v1::Event>>& events) {
  std::vector<int64_t> ids;
  if (!events.ok()) return {-1};
  for (const v1::Event& event : *events) ids.push_back(event.event_id());
  return ids;
}

std::vector<std::string> Arns(const absl::StatusOr<std::vector<StoredExecution>>& page) {
  std::vector<std::string> arns;
  if (!page.ok()) return {page.status().ToString()};
  for (const StoredExecution& stored : *page) arns.push_back(stored.record.arn());
  return arns;
}

// By ARN.
std::map<std::string, RecoveredExecution> Visited(ExecutionStore& store) {
  std::map<std::string, RecoveredExecution> found;
  const absl::Status status = store.VisitExecutions([&](RecoveredExecution execution) {
    const std::string arn = execution.record.arn();
    EXPECT_TRUE(found.emplace(arn, std::move(execution)).second) << arn << " twice";
  });
  EXPECT_EQ(status, absl::OkStatus());
  return found;
}

std::vector<std::string> KeysOf(const std::map<std::string, RecoveredExecution>& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

ExecutionQuery Query(const std::string& session = "default") {
  ExecutionQuery query;
  query.session = session;
  return query;
}

ExecutionPosition PositionOf(const StoredExecution& stored) {
  return {ToAbsl(stored.record.start_time()), stored.record.arn()};
}

// All pages of a query, with `page_size` items each.
std::vector<std::string> AllPages(ExecutionStore& store, ExecutionQuery query, int page_size) {
  std::vector<std::string> arns;
  query.max_items = page_size;
  while (true) {
    const auto page = store.List(query);
    if (!page.ok() || page->empty()) return arns;
    EXPECT_LE(page->size(), static_cast<size_t>(page_size));
    for (const std::string& arn : Arns(page)) arns.push_back(arn);
    query.after = PositionOf(page->back());
  }
}

}  // namespace

absl::Status ExecutionStoreContractTest::Commit(std::vector<const ExecutionDelta*> deltas) {
  absl::Notification answered;
  absl::Status answer;
  store().Commit(std::move(deltas), [&](absl::Status status) {
    answer = std::move(status);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

TEST_P(ExecutionStoreContractTest, WhatIsCommittedIsRead) {
  const ExecutionDelta started = Started("a");
  ASSERT_EQ(Commit({&started}), absl::OkStatus());
  const auto header = store().LoadHeader("a");
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(Bytes(header->record), Bytes(*started.created));
  EXPECT_EQ(Bytes(header->progress), Bytes(started.progress));
  EXPECT_EQ(header->input, "input of a");
  const auto execution = store().Load("a");
  ASSERT_TRUE(execution.ok());
  ExpectEqual(**execution, Execution(started));
  EXPECT_THAT(Ids(store().ReadEvents("a", 1, 100)), ElementsAre(1));
}

TEST_P(ExecutionStoreContractTest, AnAbsentInputStaysAbsentAndAnEmptyOneEmpty) {
  ExecutionDelta absent = Started("absent");
  absent.operations[0].mutable_operation()->mutable_execution_details()->clear_input_payload();
  ExecutionDelta empty = Started("empty");
  empty.operations[0].mutable_operation()->mutable_execution_details()->set_input_payload("");
  ASSERT_EQ(Commit({&absent, &empty}), absl::OkStatus());
  EXPECT_EQ(store().LoadHeader("absent")->input, absl::nullopt);
  EXPECT_EQ(store().LoadHeader("empty")->input, "");
}

TEST_P(ExecutionStoreContractTest, ALoadedExecutionIsTheOneThatTookTheSameDeltas) {
  ExecutionDelta delta = Started("a");
  Execution expected(delta);
  ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  std::mt19937 random(17);
  for (int i = 0; i < 200; ++i) {
    const int64_t index = 1 + random() % expected.operation_count();
    delta = Changed("a", expected.progress(), index);
    if (random() % 2 == 0) delta.reply = Reply(i);
    ASSERT_EQ(Commit({&delta}), absl::OkStatus());
    expected.Apply(delta);
    if (i % 20 == 0) Reopen();
    const auto actual = store().Load("a");
    ASSERT_TRUE(actual.ok());
    ExpectEqual(**actual, expected);
  }
  EXPECT_EQ(expected.replies().size(), static_cast<size_t>(kMaxCheckpointReplies));
}

TEST_P(ExecutionStoreContractTest, TheNewestRepliesAreKept) {
  ExecutionDelta delta = Started("a");
  for (int i = 0; i < kMaxCheckpointReplies + 1; ++i) {
    delta.reply = Reply(i);
    ASSERT_EQ(Commit({&delta}), absl::OkStatus());
    delta = Changed("a", delta.progress, 1);
    const auto loaded = store().Load("a");
    ASSERT_TRUE(loaded.ok());
    const auto& replies = (*loaded)->replies();
    ASSERT_EQ(replies.size(), static_cast<size_t>(std::min(i + 1, kMaxCheckpointReplies)));
    EXPECT_EQ(replies.back().client_token(), absl::StrCat("token-", i));
  }
  EXPECT_EQ((*store().Load("a"))->replies().front().client_token(), "token-1");
}

TEST_P(ExecutionStoreContractTest, AnUnknownExecutionIsNotFound) {
  const ExecutionDelta known = Started("a");
  ASSERT_EQ(Commit({&known}), absl::OkStatus());
  EXPECT_EQ(store().Load("b").status(), errors::ExecutionNotFound("b"));
  EXPECT_EQ(store().LoadHeader("b").status(), errors::ExecutionNotFound("b"));
  EXPECT_EQ(store().ReadEvents("b", 1, 2).status(), errors::ExecutionNotFound("b"));
}

TEST_P(ExecutionStoreContractTest, ACommitOfSeveralExecutionsIsWrittenWhole) {
  const ExecutionDelta parent = Started("parent");
  ASSERT_EQ(Commit({&parent}), absl::OkStatus());
  const ExecutionDelta invoked = Changed("parent", parent.progress, 1);
  const ExecutionDelta child = Started("child");
  ASSERT_EQ(Commit({&invoked, &child}), absl::OkStatus());
  EXPECT_EQ((*store().Load("parent"))->operation_count(), 2);
  EXPECT_TRUE(store().Load("child").ok());
}

TEST_P(ExecutionStoreContractTest, TwoDeltasOfOneExecutionAreWrittenInOrder) {
  const ExecutionDelta started = Started("a");
  const ExecutionDelta changed = Changed("a", started.progress, 1);
  ASSERT_EQ(Commit({&started, &changed}), absl::OkStatus());
  EXPECT_EQ((*store().Load("a"))->operation_count(), 2);
  EXPECT_THAT(Ids(store().ReadEvents("a", 1, 9)), ElementsAre(1, 2));
}

TEST_P(ExecutionStoreContractTest, ARefusedCommitWritesNothing) {
  const ExecutionDelta known = Started("a");
  ASSERT_EQ(Commit({&known}), absl::OkStatus());
  const ExecutionDelta good = Started("b");
  const ExecutionDelta change = Changed("a", known.progress, 1);

  const ExecutionDelta unknown = Changed("c", known.progress, 1);
  EXPECT_EQ(Commit({&good, &change, &unknown}), errors::ExecutionNotFound("c"));
  const ExecutionDelta again = Started("a");
  EXPECT_EQ(ErrorNameOf(Commit({&good, &change, &again})), "ServiceException");
  EXPECT_EQ(ErrorNameOf(Commit({&good, &good})), "ServiceException");
  ExecutionDelta same_name = Started("c");
  same_name.created->set_name("name-a");
  EXPECT_EQ(Commit({&good, &change, &same_name}), errors::ExecutionAlreadyStarted("name-a"));
  ExecutionDelta also_b = Started("c");
  also_b.created->set_name("name-b");
  EXPECT_EQ(Commit({&good, &also_b}), errors::ExecutionAlreadyStarted("name-b"));

  EXPECT_EQ(store().Load("b").status(), errors::ExecutionNotFound("b"));
  EXPECT_EQ(store().Load("c").status(), errors::ExecutionNotFound("c"));
  EXPECT_EQ((*store().Load("a"))->operation_count(), 1);
  EXPECT_THAT(Ids(store().ReadEvents("a", 1, 9)), ElementsAre(1));
  EXPECT_THAT(Arns(store().List(Query())), ElementsAre("a"));
  EXPECT_EQ(*store().FindByName("default", "orders", "name-b"), absl::nullopt);
}

TEST_P(ExecutionStoreContractTest, EventsAreReadByRange) {
  ExecutionDelta delta = Started("a");
  ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  for (int i = 0; i < 10; ++i) {
    delta = Changed("a", delta.progress, 1);
    // Commits of one, two and three events.
    for (int more = 0; more < i % 3; ++more) {
      delta.events.push_back(delta.events.back());
      delta.progress.set_event_count(delta.progress.event_count() + 1);
      delta.events.back().set_event_id(delta.progress.event_count());
    }
    ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  }
  // One that adds none.
  const ExecutionDelta silent = Closed("a", delta.progress);
  ASSERT_EQ(Commit({&silent}), absl::OkStatus());
  const int64_t count = delta.progress.event_count();
  Reopen();
  for (int64_t first = 0; first <= count + 2; ++first) {
    for (int64_t last = first - 1; last <= count + 2; ++last) {
      std::vector<int64_t> expected;
      for (int64_t id = std::max<int64_t>(first, 1); id <= std::min(last, count); ++id) {
        expected.push_back(id);
      }
      ASSERT_EQ(Ids(store().ReadEvents("a", first, last)), expected) << first << " " << last;
    }
  }
  EXPECT_EQ(store().ReadEvents("a", 2, 2)->front().id(), "step-1");
}

TEST_P(ExecutionStoreContractTest, ListsAreInOrderOfStartThenArn) {
  for (const auto& [arn, seconds] :
       std::vector<std::pair<std::string, int>>{{"d", 1}, {"a", 2}, {"c", 1}, {"b", 2}, {"e", 0}}) {
    const ExecutionDelta delta = Started(arn, "default", "orders", seconds);
    ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  }
  ExecutionQuery query = Query();
  EXPECT_THAT(Arns(store().List(query)), ElementsAre("b", "a", "d", "c", "e"));
  query.oldest_first = true;
  EXPECT_THAT(Arns(store().List(query)), ElementsAre("e", "c", "d", "a", "b"));
  for (int page_size = 1; page_size <= 6; ++page_size) {
    EXPECT_THAT(AllPages(store(), query, page_size), ElementsAre("e", "c", "d", "a", "b"));
    EXPECT_THAT(AllPages(store(), Query(), page_size), ElementsAre("b", "a", "d", "c", "e"));
  }
  query.max_items = 0;
  EXPECT_THAT(Arns(store().List(query)), IsEmpty());
}

TEST_P(ExecutionStoreContractTest, AListShowsHeadersWithoutTheInput) {
  const ExecutionDelta delta = Started("a");
  ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  const auto page = store().List(Query());
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(Bytes(page->front().record), Bytes(*delta.created));
  EXPECT_EQ(Bytes(page->front().progress), Bytes(delta.progress));
  EXPECT_EQ(page->front().input, absl::nullopt);
}

TEST_P(ExecutionStoreContractTest, PagingIsStableUnderStartsAndDeletes) {
  for (int i = 0; i < 10; ++i) {
    const ExecutionDelta delta = Started(absl::StrCat("a", i), "default", "orders", i);
    ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  }
  ExecutionQuery query = Query();
  query.max_items = 4;
  const auto page = store().List(query);
  EXPECT_THAT(Arns(page), ElementsAre("a9", "a8", "a7", "a6"));
  // The place goes on being one when its execution is gone.
  query.after = PositionOf(page->back());
  ASSERT_EQ(store().Delete({"a6", "a4"}), absl::OkStatus());
  const ExecutionDelta newer = Started("new", "default", "orders", 100);
  const ExecutionDelta between = Started("between", "default", "orders", 3);
  ASSERT_EQ(Commit({&newer, &between}), absl::OkStatus());
  EXPECT_THAT(Arns(store().List(query)), ElementsAre("a5", "between", "a3", "a2"));
}

TEST_P(ExecutionStoreContractTest, ListsAreFiltered) {
  ExecutionDelta a = Started("a", "default", "orders", 1);
  ExecutionDelta b = Started("b", "default", "bills", 2);
  ExecutionDelta c = Started("c", "default", "orders", 3);
  ExecutionDelta d = Started("d", "other", "orders", 4);
  c.created->set_version("7");
  b.progress.set_status(v1::EXECUTION_STATUS_PAUSED);
  ASSERT_EQ(Commit({&a, &b, &c, &d}), absl::OkStatus());
  const ExecutionDelta closed = Closed("a", a.progress);
  ASSERT_EQ(Commit({&closed}), absl::OkStatus());

  const auto list = [&](const std::function<void(ExecutionQuery&)>& change) {
    ExecutionQuery query = Query();
    query.oldest_first = true;
    change(query);
    return Arns(store().List(query));
  };
  const auto at = [](int seconds) { return kStart + absl::Seconds(seconds); };
  using Q = ExecutionQuery;
  EXPECT_THAT(list([](Q&) {}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(list([](Q& q) { q.session = "other"; }), ElementsAre("d"));
  EXPECT_THAT(list([](Q& q) { q.session = "none"; }), IsEmpty());
  EXPECT_THAT(list([](Q& q) { q.function_name = "orders"; }), ElementsAre("a", "c"));
  EXPECT_THAT(list([](Q& q) { q.function_name = "none"; }), IsEmpty());
  EXPECT_THAT(list([](Q& q) { q.version = "7"; }), ElementsAre("c"));
  EXPECT_THAT(list([](Q& q) { q.name = "name-b"; }), ElementsAre("b"));
  EXPECT_THAT(list([](Q& q) { q.name = "name-b", q.function_name = "bills"; }), ElementsAre("b"));
  EXPECT_THAT(list([](Q& q) { q.name = "name-b", q.function_name = "orders"; }), IsEmpty());
  EXPECT_THAT(list([](Q& q) { q.name = "name-a", q.version = "7"; }), IsEmpty());
  EXPECT_THAT(list([](Q& q) { q.statuses = {v1::EXECUTION_STATUS_SUCCEEDED}; }), ElementsAre("a"));
  EXPECT_THAT(list([](Q& q) {
                q.statuses = {v1::EXECUTION_STATUS_RUNNING, v1::EXECUTION_STATUS_PAUSED};
              }),
              ElementsAre("b", "c"));
  EXPECT_THAT(list([&](Q& q) { q.started_after = at(2); }), ElementsAre("b", "c"));
  EXPECT_THAT(list([&](Q& q) { q.started_before = at(2); }), ElementsAre("a", "b"));
  EXPECT_THAT(list([&](Q& q) { q.started_after = at(2), q.started_before = at(2); }),
              ElementsAre("b"));
  EXPECT_THAT(list([&](Q& q) { q.started_after = at(3), q.started_before = at(2); }), IsEmpty());
  EXPECT_THAT(list([&](Q& q) {
                q.statuses = {v1::EXECUTION_STATUS_RUNNING, v1::EXECUTION_STATUS_PAUSED};
                q.max_items = 1;
                q.after = ExecutionPosition{at(2), "b"};
              }),
              ElementsAre("c"));
}

TEST_P(ExecutionStoreContractTest, NamesAreTakenWithinSessionAndFunctionUntilDeleted) {
  ExecutionDelta a = Started("a");
  ExecutionDelta b = Started("b", "default", "bills");
  ExecutionDelta c = Started("c", "other");
  for (ExecutionDelta* delta : {&a, &b, &c}) delta->created->set_name("order-17");
  ASSERT_EQ(Commit({&a, &b, &c}), absl::OkStatus());
  EXPECT_EQ(*store().FindByName("default", "orders", "order-17"), "a");
  EXPECT_EQ(*store().FindByName("default", "bills", "order-17"), "b");
  EXPECT_EQ(*store().FindByName("other", "orders", "order-17"), "c");
  EXPECT_EQ(*store().FindByName("default", "orders", "order-18"), absl::nullopt);
  EXPECT_EQ(*store().FindByName("default", "none", "order-17"), absl::nullopt);
  EXPECT_EQ(*store().FindByName("none", "orders", "order-17"), absl::nullopt);

  // Closing does not free a name, deleting does.
  const ExecutionDelta closed = Closed("a", a.progress);
  ASSERT_EQ(Commit({&closed}), absl::OkStatus());
  EXPECT_EQ(*store().FindByName("default", "orders", "order-17"), "a");
  ASSERT_EQ(store().Delete({"a"}), absl::OkStatus());
  EXPECT_EQ(*store().FindByName("default", "orders", "order-17"), absl::nullopt);
  ExecutionDelta again = Started("again");
  again.created->set_name("order-17");
  ASSERT_EQ(Commit({&again}), absl::OkStatus());
  EXPECT_EQ(*store().FindByName("default", "orders", "order-17"), "again");
}

TEST_P(ExecutionStoreContractTest, ARestartFindsAllExecutions) {
  ExecutionDelta a = Started("a");
  ExecutionDelta b = Started("b", "other");
  b.created->set_root_arn("a");
  b.progress.set_status(v1::EXECUTION_STATUS_PAUSED);
  const ExecutionDelta c = Started("c");
  const ExecutionDelta closed = Closed("c", c.progress);
  ASSERT_EQ(Commit({&a, &b, &c, &closed}), absl::OkStatus());
  Reopen();
  const auto found = Visited(store());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(Bytes(found.at("a").record), Bytes(*a.created));
  EXPECT_EQ(Bytes(found.at("a").progress), Bytes(a.progress));
  EXPECT_EQ(Bytes(found.at("b").record), Bytes(*b.created));
  EXPECT_EQ(Bytes(found.at("b").progress), Bytes(b.progress));
  EXPECT_EQ(Bytes(found.at("c").record), Bytes(*c.created));
  EXPECT_EQ(Bytes(found.at("c").progress), Bytes(closed.progress));
  for (const auto& [arn, execution] : found) EXPECT_THAT(execution.pending, IsEmpty());
}

TEST_P(ExecutionStoreContractTest, ARestartFindsTheOperationsThatAnOpenExecutionWaitsFor) {
  ExecutionDelta delta = Started("a");
  const auto add = [&](v1::OperationType type, v1::OperationStatus status) {
    record::OperationRecord& operation = delta.operations.emplace_back();
    operation.set_index(delta.operations.size() - 1);
    operation.mutable_operation()->set_id(absl::StrCat("operation-", operation.index()));
    operation.mutable_operation()->set_type(type);
    operation.mutable_operation()->set_status(status);
    operation.mutable_operation()->mutable_wait_details();
  };
  add(v1::OPERATION_TYPE_WAIT, v1::OPERATION_STATUS_STARTED);
  add(v1::OPERATION_TYPE_WAIT, v1::OPERATION_STATUS_SUCCEEDED);
  add(v1::OPERATION_TYPE_STEP, v1::OPERATION_STATUS_STARTED);
  add(v1::OPERATION_TYPE_STEP, v1::OPERATION_STATUS_PENDING);
  add(v1::OPERATION_TYPE_CONTEXT, v1::OPERATION_STATUS_STARTED);
  add(v1::OPERATION_TYPE_CALLBACK, v1::OPERATION_STATUS_STARTED);
  add(v1::OPERATION_TYPE_CHAINED_INVOKE, v1::OPERATION_STATUS_STARTED);
  ExecutionDelta another = Started("b");
  another.operations.push_back(delta.operations[1]);
  ASSERT_EQ(Commit({&delta, &another}), absl::OkStatus());

  const auto expect_pending = [&](const std::string& arn,
                                  const std::vector<record::OperationRecord>& expected) {
    const auto found = Visited(store());
    ASSERT_EQ(found.at(arn).pending.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(Bytes(found.at(arn).pending[i]), Bytes(expected[i]));
    }
  };
  expect_pending("b", {delta.operations[1]});
  expect_pending(
      "a", {delta.operations[1], delta.operations[4], delta.operations[6], delta.operations[7]});

  // One of them is completed, another begins to wait.
  ExecutionDelta changed = Changed("a", delta.progress, 1);
  changed.operations = {delta.operations[1], delta.operations[3]};
  changed.operations[0].mutable_operation()->set_status(v1::OPERATION_STATUS_SUCCEEDED);
  changed.operations[1].mutable_operation()->set_status(v1::OPERATION_STATUS_READY);
  ASSERT_EQ(Commit({&changed}), absl::OkStatus());
  Reopen();
  expect_pending(
      "a", {changed.operations[1], delta.operations[4], delta.operations[6], delta.operations[7]});

  // Nothing completes what a closed execution has left open.
  const ExecutionDelta closed = Closed("a", changed.progress);
  ASSERT_EQ(Commit({&closed}), absl::OkStatus());
  expect_pending("a", {});
}

TEST_P(ExecutionStoreContractTest, SessionsAreKeptUntilDeleted) {
  record::SessionRecord b;
  b.set_name("b");
  b.set_revision(1);
  b.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
  b.mutable_create_time()->set_seconds(1790000000);
  record::SessionRecord a;
  a.set_name("a'\"%");
  a.set_revision(1);
  EXPECT_THAT(*store().Sessions(), IsEmpty());
  ASSERT_EQ(store().PutSession(b), absl::OkStatus());
  ASSERT_EQ(store().PutSession(a), absl::OkStatus());
  b.add_functions()->set_function_name("orders");
  b.set_revision(2);
  ASSERT_EQ(store().PutSession(b), absl::OkStatus());
  Reopen();
  auto sessions = store().Sessions();
  ASSERT_EQ(sessions->size(), 2u);
  EXPECT_EQ(Bytes((*sessions)[0]), Bytes(a));
  EXPECT_EQ(Bytes((*sessions)[1]), Bytes(b));

  ASSERT_EQ(store().DeleteSession("b"), absl::OkStatus());
  Reopen();
  sessions = store().Sessions();
  ASSERT_EQ(sessions->size(), 1u);
  EXPECT_EQ(Bytes((*sessions)[0]), Bytes(a));
}

TEST_P(ExecutionStoreContractTest, DeletingRemovesEverythingOfAnExecution) {
  const ExecutionDelta a = Started("a");
  const ExecutionDelta b = Started("b");
  ASSERT_EQ(Commit({&a, &b}), absl::OkStatus());
  ASSERT_EQ(store().Delete({"a", "unknown", "a"}), absl::OkStatus());
  EXPECT_EQ(store().Load("a").status(), errors::ExecutionNotFound("a"));
  EXPECT_EQ(store().ReadEvents("a", 1, 1).status(), errors::ExecutionNotFound("a"));
  EXPECT_THAT(Arns(store().List(Query())), ElementsAre("b"));
  EXPECT_THAT(KeysOf(Visited(store())), ElementsAre("b"));
  const ExecutionDelta late = Changed("a", a.progress, 1);
  EXPECT_EQ(Commit({&late}), errors::ExecutionNotFound("a"));
  // Nothing of the old one shows in a new one.
  ASSERT_EQ(Commit({&a}), absl::OkStatus());
  ExpectEqual(**store().Load("a"), Execution(a));
  EXPECT_THAT(Ids(store().ReadEvents("a", 1, 9)), ElementsAre(1));
}

TEST_P(ExecutionStoreContractTest, DeletingASessionLeavesTheOthers) {
  const ExecutionDelta a = Started("a", "s");
  const ExecutionDelta b = Started("b", "s", "bills");
  const ExecutionDelta c = Started("c", "t");
  ASSERT_EQ(Commit({&a, &b, &c}), absl::OkStatus());
  ASSERT_EQ(store().DeleteSession("s"), absl::OkStatus());
  ASSERT_EQ(store().DeleteSession("unknown"), absl::OkStatus());
  EXPECT_THAT(Arns(store().List(Query("s"))), IsEmpty());
  EXPECT_EQ(store().Load("b").status(), errors::ExecutionNotFound("b"));
  EXPECT_EQ(*store().FindByName("s", "orders", "name-a"), absl::nullopt);
  EXPECT_THAT(Arns(store().List(Query("t"))), ElementsAre("c"));
  Reopen();
  EXPECT_THAT(KeysOf(Visited(store())), ElementsAre("c"));
}

TEST_P(ExecutionStoreContractTest, AnythingGoesThroughUnchanged) {
  // Zero bytes, quotes, multi-byte characters, and something large.
  const std::string arn = "arn:aws:lambda:eu:1:function:f:$LATEST/durable-execution/n'\"%/1";
  const std::string data = std::string("\0'\"\\%_\xc3\xa9\n", 9) + std::string(1 << 20, 'x');
  ExecutionDelta delta = Started(arn);
  delta.created->set_name("n'\"%_");
  delta.operations[0].mutable_operation()->mutable_execution_details()->set_input_payload(data);
  delta.events[0].mutable_execution_started_details()->mutable_input()->set_payload(data);
  record::CheckpointReply reply = Reply(1);
  reply.set_response(data);
  delta.reply = reply;
  ASSERT_EQ(Commit({&delta}), absl::OkStatus());
  Reopen();
  ExpectEqual(**store().Load(arn), Execution(delta));
  EXPECT_EQ(store().LoadHeader(arn)->input, data);
  EXPECT_EQ(Bytes(store().ReadEvents(arn, 1, 1)->front()), Bytes(delta.events[0]));
  EXPECT_EQ(*store().FindByName("default", "orders", "n'\"%_"), arn);
}

TEST_P(ExecutionStoreContractTest, RandomCommitsListsAndDeletesAgreeWithAModel) {
  struct Known {
    std::unique_ptr<Execution> execution;
    int64_t events;
  };
  std::map<std::string, Known> model;
  std::mt19937 random(29);
  const auto pick = [&](int bound) { return static_cast<int>(random() % bound); };
  for (int step = 0; step < 1500; ++step) {
    const std::string arn = absl::StrCat("arn-", pick(60));
    const auto known = model.find(arn);
    if (known == model.end()) {
      const ExecutionDelta delta =
          Started(arn, absl::StrCat("s", pick(2)), absl::StrCat("f", pick(2)), pick(20));
      ASSERT_EQ(Commit({&delta}), absl::OkStatus());
      model[arn] = {std::make_unique<Execution>(delta), 1};
    } else if (pick(6) == 0) {
      ASSERT_EQ(store().Delete({arn}), absl::OkStatus());
      model.erase(known);
    } else {
      Execution& execution = *known->second.execution;
      const ExecutionDelta delta =
          pick(8) == 0 ? Closed(arn, execution.progress())
                       : Changed(arn, execution.progress(), 1 + pick(execution.operation_count()));
      ASSERT_EQ(Commit({&delta}), absl::OkStatus());
      execution.Apply(delta);
      known->second.events += delta.events.size();
      ExpectEqual(**store().Load(arn), execution);
      ASSERT_EQ(Ids(store().ReadEvents(arn, 1, 1000)).size(),
                static_cast<size_t>(known->second.events));
    }
    ExecutionQuery query = Query(absl::StrCat("s", pick(2)));
    if (pick(2) == 0) query.function_name = absl::StrCat("f", pick(2));
    if (pick(3) == 0) query.statuses = {v1::EXECUTION_STATUS_RUNNING};
    if (pick(3) == 0) query.started_after = kStart + absl::Seconds(pick(20));
    query.oldest_first = pick(2) == 0;
    std::vector<std::pair<absl::Time, std::string>> expected;
    for (const auto& [name, entry] : model) {
      const record::ExecutionRecord& record = entry.execution->record();
      const absl::Time start = ToAbsl(record.start_time());
      if (record.session() == query.session &&
          (query.function_name.empty() || record.function_name() == query.function_name) &&
          (query.statuses.empty() || !entry.execution->closed()) &&
          (!query.started_after.has_value() || start >= *query.started_after)) {
        expected.emplace_back(start, name);
      }
    }
    std::sort(expected.begin(), expected.end());
    if (!query.oldest_first) std::reverse(expected.begin(), expected.end());
    std::vector<std::string> expected_arns;
    for (const auto& place : expected) expected_arns.push_back(place.second);
    ASSERT_EQ(AllPages(store(), query, 1 + pick(10)), expected_arns);
  }
}

TEST_P(ExecutionStoreContractTest, ReadersBesideAWriterSeeWholeCommits) {
  // Each commit changes both executions alike.
  ExecutionDelta a = Started("a");
  ExecutionDelta b = Started("b");
  ASSERT_EQ(Commit({&a, &b}), absl::OkStatus());
  std::atomic<int64_t> acknowledged{1};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const int64_t before = acknowledged;
        const auto page = store().List(Query());
        ASSERT_EQ(page->size(), 2u);
        EXPECT_EQ(page->front().progress.event_count(), page->back().progress.event_count());
        EXPECT_GE(page->front().progress.event_count(), before);
        const auto execution = store().Load("a");
        EXPECT_EQ((*execution)->operation_count(), (*execution)->progress().event_count());
        const int64_t count = store().LoadHeader("b")->progress.event_count();
        const std::vector<int64_t> ids = Ids(store().ReadEvents("b", count - 1, count));
        ASSERT_FALSE(ids.empty());
        EXPECT_EQ(ids.back(), count);
      }
    });
  }
  for (int64_t i = 1; i <= 300; ++i) {
    a = Changed("a", a.progress, i);
    b = Changed("b", b.progress, i);
    ASSERT_EQ(Commit({&a, &b}), absl::OkStatus());
    acknowledged = i + 1;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_P(ExecutionStoreContractTest, WritersOfDifferentExecutionsDoNotDisturbEachOther) {
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string arn = absl::StrCat("arn-", writer);
      ExecutionDelta delta = Started(arn);
      for (int64_t i = 1; i <= 100; ++i) {
        ASSERT_EQ(Commit({&delta}), absl::OkStatus());
        delta = Changed(arn, delta.progress, i);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int writer = 0; writer < 4; ++writer) {
    const std::string arn = absl::StrCat("arn-", writer);
    EXPECT_EQ((*store().Load(arn))->operation_count(), 100);
    EXPECT_EQ(Ids(store().ReadEvents(arn, 1, 1000)).size(), 100u);
  }
}

}  // namespace rehearse
