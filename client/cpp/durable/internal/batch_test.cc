// Parallel and Map, one branch at a time: what is recorded, and what a replay makes of it.
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr size_t kInlineLimit = 262'144;

BatchOptions OneAtATime() { return BatchOptions().set_max_concurrency(1); }

absl::Status Boom(DurableContext&) { return MakeError("Boom", "boom"); }

// A record of a closed map "map" with `items` closed iterations.
Operation MapRecord() {
  return Record("1", OperationType::kContext, "Map", "map", OperationStatus::kSucceeded);
}
Operation IterationRecord(int index, OperationStatus status = OperationStatus::kSucceeded) {
  Operation record = Record(absl::StrCat("1-", index + 1), OperationType::kContext, "MapIteration",
                            absl::StrCat("map-item-", index), status);
  record.parent_id = OperationId("1");
  record.payload = absl::StrCat(index);
  return record;
}

class BatchTest : public ::testing::Test {
 protected:
  // Runs "map" over 0, 1, ... and keeps the result; the body is `body_`.
  Handler MapOf(int count, BatchOptions options = OneAtATime()) {
    return [this, count, options](DurableContext& ctx, const Json&) -> absl::Status {
      std::vector<int> items;
      for (int i = 0; i < count; ++i) items.push_back(i);
      absl::StatusOr<BatchResult<int>> result = ctx.Map(
          "map", items,
          [this](DurableContext& item_context, int item, int index) {
            EXPECT_EQ(item, index);
            runs_.push_back(index);
            return body_(item_context, item);
          },
          options);
      status_ = result.status();
      if (result.ok()) result_ = *std::move(result);
      return status_;
    };
  }

  std::vector<ItemStatus> Statuses() const {
    std::vector<ItemStatus> statuses;
    for (const auto& item : result_.items()) statuses.push_back(item.status);
    return statuses;
  }

  FakeService service_;
  std::function<absl::StatusOr<int>(DurableContext&, int)> body_ = [](DurableContext&, int item) {
    return item;
  };
  std::vector<int> runs_;
  BatchResult<int> result_;
  absl::Status status_;
};

// Records of the first run.

TEST_F(BatchTest, EachBranchIsARecordBelowTheBatch) {
  body_ = [](DurableContext& context, int item) {
    return context.Step("work", [&](StepContext&) { return item + 10; });
  };
  EXPECT_EQ(service_.Run(MapOf(2)).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(result_.Results(), ElementsAre(10, 11));
  EXPECT_EQ(result_.completion_reason(), CompletionReason::kAllCompleted);
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START map", "CONTEXT START map-item-0", "STEP START work",
                          "STEP SUCCEED work", "CONTEXT SUCCEED map-item-0",
                          "CONTEXT START map-item-1", "STEP START work", "STEP SUCCEED work",
                          "CONTEXT SUCCEED map-item-1", "CONTEXT SUCCEED map"));
  EXPECT_EQ(service_.At("1")->sub_type, "Map");
  EXPECT_EQ(service_.At("1-2")->sub_type, "MapIteration");
  EXPECT_EQ(service_.At("1-2")->parent_id, OperationId("1"));
  EXPECT_EQ(service_.At("1-2-1")->parent_id, OperationId("1-2"));
  EXPECT_EQ(service_.At("1")->payload,
            R"({"all":[{"index":0,"status":"SUCCEEDED","result":10},)"
            R"({"index":1,"status":"SUCCEEDED","result":11}],"completionReason":"ALL_COMPLETED"})");
}

TEST_F(BatchTest, BranchesOfParallelMayHaveNamesAndNone) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx
        .Parallel<Json>("",
                        {{"first", [](DurableContext&) { return Json("hello"); }},
                         {"", [](DurableContext&) -> absl::StatusOr<Json> { return Json(42); }},
                         [](DurableContext&) {
                           return Json{{"k", "v"}};
                         }},
                        OneAtATime())
        ->Results();
  });
  EXPECT_EQ(output.result, R"(["hello",42,{"k":"v"}])");
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START", "CONTEXT START first", "CONTEXT SUCCEED first",
                          "CONTEXT START", "CONTEXT SUCCEED", "CONTEXT START parallel-branch-2",
                          "CONTEXT SUCCEED parallel-branch-2", "CONTEXT SUCCEED"));
  EXPECT_EQ(service_.At("1")->sub_type, "Parallel");
  EXPECT_EQ(service_.At("1-1")->sub_type, "ParallelBranch");
  EXPECT_EQ(service_.At("1-1")->payload, "\"hello\"");
}

TEST_F(BatchTest, BranchesOfParallelWithoutAValue) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    const auto result =
        ctx.Parallel<absl::monostate>("",
                                      {{"nothing", [](DurableContext&) {}},
                                       {"status", [](DurableContext&) { return absl::OkStatus(); }},
                                       {"error", &Boom}},
                                      OneAtATime());
    return absl::StrCat(result->success_count(), " ", GetError(result->FirstError())->type);
  });
  EXPECT_EQ(output.result, R"("2 Boom")");
  EXPECT_EQ(service_.At("1-1")->payload, "null");
  EXPECT_EQ(service_.At("1-2")->payload, "null");
}

TEST_F(BatchTest, EmptyBatchIsRecorded) {
  EXPECT_EQ(service_.Run(MapOf(0)).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(service_.Updates(), ElementsAre("CONTEXT START map", "CONTEXT SUCCEED map"));
  EXPECT_EQ(service_.At("1")->payload, R"({"all":[],"completionReason":"ALL_COMPLETED"})");
}

TEST_F(BatchTest, FunctionWithoutAnIndexAndWithoutAValue) {
  int sum = 0;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    const auto result = ctx.Map(
        "", std::vector<int>{3, 4}, [&](DurableContext&, int item) { sum += item; }, OneAtATime());
    return result->success_count();
  });
  EXPECT_EQ(output.result, "2");
  EXPECT_EQ(sum, 7);
  EXPECT_EQ(service_.At("1-1")->payload, "null");
}

TEST_F(BatchTest, FailedBranchEndsTheBatchAndDoesNotFailIt) {
  body_ = [](DurableContext& context, int item) -> absl::StatusOr<int> {
    if (item == 1) return Boom(context);
    return item;
  };
  EXPECT_EQ(service_.Run(MapOf(3)).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(
      service_.Updates(),
      ElementsAre("CONTEXT START map", "CONTEXT START map-item-0", "CONTEXT SUCCEED map-item-0",
                  "CONTEXT START map-item-1", "CONTEXT FAIL map-item-1", "CONTEXT SUCCEED map"));
  EXPECT_EQ(result_.completion_reason(), CompletionReason::kFailureToleranceExceeded);
  EXPECT_EQ(result_.status(), ItemStatus::kFailed);
  EXPECT_THAT(Statuses(), ElementsAre(ItemStatus::kSucceeded, ItemStatus::kFailed));
  const absl::optional<ErrorInfo> error = GetError(result_.FirstError());
  EXPECT_EQ(error->kind, ErrorKind::kChildContext);
  EXPECT_EQ(error->type, "Boom");
  EXPECT_EQ(error->message, "boom");
}

TEST_F(BatchTest, ErrorOfABranchHasTheTypeThatEscapedItsBody) {
  const InvocationOutput output =
      service_.Run([](DurableContext& ctx, const Json&) -> absl::Status {
        const auto fail = [](DurableContext& context) {
          return context.Step(
              "work", [](StepContext&) -> int { throw std::runtime_error("broken"); },
              StepOptions().set_retry(NoRetry()));
        };
        return ctx.Parallel<int>("", {fail}, OneAtATime())->FirstError();
      });
  EXPECT_EQ(service_.At("1-1")->error->type, "StepError");
  EXPECT_THAT(*service_.At("1")->payload, HasSubstr(R"("ErrorType":"StepError")"));
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_EQ(output.error->message, "broken");
}

TEST_F(BatchTest, SatisfiedBatchLeavesTheRestUnstarted) {
  service_.Run(MapOf(4, OneAtATime().set_completion(CompletionConfig().set_min_successful(2))));
  EXPECT_EQ(result_.total_count(), 2);
  EXPECT_EQ(result_.completion_reason(), CompletionReason::kMinSuccessfulReached);
  EXPECT_THAT(runs_, ElementsAre(0, 1));
}

TEST_F(BatchTest, PredicateEndsTheBatch) {
  const auto predicate = [](const BatchProgress& progress) {
    return progress.branches[1].status == ItemStatus::kSucceeded
               ? CompletionDecision::kCompleteFailed
               : CompletionDecision::kContinue;
  };
  service_.Run(MapOf(4, OneAtATime().set_completion_predicate(predicate)));
  EXPECT_EQ(result_.completion_reason(), CompletionReason::kCustomCompletionFailed);
  EXPECT_EQ(result_.status(), ItemStatus::kFailed);
  EXPECT_EQ(result_.FirstError().message(), "the completion predicate ended the batch as failed");
  EXPECT_EQ(result_.total_count(), 2);
}

TEST_F(BatchTest, PredicateThatFailsFailsTheBatch) {
  service_.Run(MapOf(2, OneAtATime().set_completion_predicate(
                            [](const BatchProgress& progress) -> CompletionDecision {
                              if (progress.succeeded == 1) throw std::logic_error("confused");
                              return CompletionDecision::kContinue;
                            })));
  EXPECT_TRUE(IsError(status_, ErrorKind::kChildContext));
  EXPECT_EQ(service_.At("1")->error->type, "logic_error");
  EXPECT_EQ(service_.Updates().back(), "CONTEXT FAIL map");
  service_.Run(MapOf(2));
  EXPECT_EQ(status_.message(), "confused");
}

TEST_F(BatchTest, FlatBranchesLeaveNoRecords) {
  body_ = [](DurableContext& context, int item) {
    return context.Step("work", [&](StepContext&) { return item; });
  };
  service_.Run(MapOf(2, OneAtATime().set_nesting(Nesting::kFlat)));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START map", "STEP START work", "STEP SUCCEED work",
                          "STEP START work", "STEP SUCCEED work", "CONTEXT SUCCEED map"));
  EXPECT_EQ(service_.At("1-2-1")->parent_id, OperationId("1"));
  EXPECT_THAT(result_.Results(), ElementsAre(0, 1));
}

TEST_F(BatchTest, NamesByIndex) {
  service_.Run(MapOf(
      2, OneAtATime().set_item_namer([](int index) { return absl::StrCat("item-", index + 1); })));
  EXPECT_EQ(service_.At("1-1")->name, "item-1");
  EXPECT_EQ(service_.At("1-2")->name, "item-2");
}

TEST_F(BatchTest, SerdesOfItemsAndOfTheWhole) {
  const auto read_item = [](absl::string_view text, const SerdesContext&) {
    return std::string(text.substr(8));
  };
  const BatchOptions options =
      OneAtATime()
          .set_item_serdes<std::string>(
              [](const std::string& value, const SerdesContext&) { return "wrapped:" + value; },
              read_item)
          .set_serdes<std::string>(
              [](const BatchResult<std::string>& batch, const SerdesContext&) {
                return absl::StrCat("OPSERDE:", batch.Results()[0], ",", batch.Results()[1]);
              },
              [](absl::string_view text, const SerdesContext&) {
                return BatchResult<std::string>(
                    {{0, ItemStatus::kSucceeded, std::string(text.substr(8, 1)), absl::OkStatus()},
                     {1, ItemStatus::kSucceeded, std::string(text.substr(10, 1)),
                      absl::OkStatus()}},
                    CompletionReason::kAllCompleted);
              });
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    const auto result = ctx.Map(
        "", std::vector<std::string>{"X", "Y"},
        [](DurableContext&, const std::string& item) { return item; }, options);
    return result->Results();
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(service_.Run(handler).result, R"(["X","Y"])");
  EXPECT_EQ(service_.At("1-1")->payload, "wrapped:X");
  EXPECT_EQ(service_.At("1")->payload, "OPSERDE:X,Y");
}

TEST_F(BatchTest, NestedBatches) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    const auto inner = [](DurableContext& context) -> absl::StatusOr<std::vector<std::string>> {
      DURABLE_ASSIGN_OR_RETURN(
          BatchResult<std::string> batch,
          context.Parallel<std::string>("inner",
                                        {[](DurableContext&) { return std::string("i1"); },
                                         [](DurableContext&) { return std::string("i2"); }},
                                        OneAtATime()));
      return batch.Results();
    };
    return ctx.Parallel<std::vector<std::string>>("outer", {inner}, OneAtATime())->Results();
  });
  EXPECT_EQ(output.result, R"([["i1","i2"]])");
  EXPECT_EQ(service_.At("1-1-1")->sub_type, "Parallel");
  EXPECT_EQ(service_.At("1-1-1-2")->parent_id, OperationId("1-1-1"));
}

// Suspension with one branch at a time.

TEST_F(BatchTest, WaitingBranchKeepsItsPlaceAndSuspendsTheBatch) {
  body_ = [](DurableContext& context, int item) -> absl::StatusOr<int> {
    if (item == 1) DURABLE_RETURN_IF_ERROR(context.Wait("pause", absl::Seconds(2)));
    return item;
  };
  EXPECT_EQ(service_.Run(MapOf(3)).status, InvocationStatus::kPending);
  EXPECT_THAT(runs_, ElementsAre(0, 1));
  service_.CompleteTimers();
  runs_.clear();
  EXPECT_EQ(service_.Run(MapOf(3)).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(runs_, ElementsAre(1, 2));
  EXPECT_THAT(
      service_.Updates(),
      ElementsAre("CONTEXT START map", "CONTEXT START map-item-0", "CONTEXT SUCCEED map-item-0",
                  "CONTEXT START map-item-1", "WAIT START pause", "CONTEXT SUCCEED map-item-1",
                  "CONTEXT START map-item-2", "CONTEXT SUCCEED map-item-2", "CONTEXT SUCCEED map"));
  EXPECT_THAT(result_.Results(), ElementsAre(0, 1, 2));
}

TEST_F(BatchTest, BranchThatSwallowsASuspensionSuspendsAllTheSame) {
  body_ = [](DurableContext& context, int item) -> absl::StatusOr<int> {
    try {
      DURABLE_RETURN_IF_ERROR(context.Wait("pause", absl::Seconds(2)));
    } catch (...) {
    }
    return item;
  };
  EXPECT_EQ(service_.Run(MapOf(2)).status, InvocationStatus::kPending);
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START map", "CONTEXT START map-item-0", "WAIT START pause"));
}

TEST_F(BatchTest, SwallowingOutsideTheBatchSuspendsAllTheSame) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    try {
      (void)ctx.Map("map", std::vector<int>{1}, [](DurableContext& context, int) {
        return context.Wait("pause", absl::Seconds(2));
      });
    } catch (...) {
    }
    return 1;
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
}

// Replay of a closed batch.

TEST_F(BatchTest, ClosedBatchReturnsItsRecordAndRunsNothing) {
  service_.Run(MapOf(2));
  const size_t updates = service_.Updates().size();
  runs_.clear();
  result_ = {};
  service_.Run(MapOf(2));
  EXPECT_THAT(result_.Results(), ElementsAre(0, 1));
  EXPECT_THAT(runs_, IsEmpty());
  EXPECT_EQ(service_.Updates().size(), updates);
}

TEST_F(BatchTest, TypeSubTypeAndNameOfTheBatchHaveToMatch) {
  service_.Put(Record("1", OperationType::kContext, "Parallel", "map", OperationStatus::kStarted));
  const InvocationOutput output = service_.Run(MapOf(1));
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(output.error->message, HasSubstr("sub type \"Parallel\", the code has \"Map\""));
}

TEST_F(BatchTest, NameOfABranchHasToMatch) {
  Operation record = MapRecord();
  record.status = OperationStatus::kStarted;
  service_.Put(record);
  Operation iteration = IterationRecord(0);
  iteration.name = "other";
  service_.Put(iteration);
  const InvocationOutput output = service_.Run(MapOf(1));
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(output.error->message, HasSubstr("operation 1-1"));
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

// The service does not show what lies in a closed context.
TEST_F(BatchTest, BranchesThatTheResultListsMayBePrunedAndElseHaveToBeRecordedAsEnded) {
  Operation record = MapRecord();
  record.payload = R"({"all":[{"index":0,"status":"SUCCEEDED","result":0},)"
                   R"({"index":1,"status":"STARTED"}],"completionReason":"ALL_COMPLETED"})";
  service_.Put(record);
  EXPECT_EQ(service_.Run(MapOf(2)).status, InvocationStatus::kSucceeded);
  service_.Put(IterationRecord(0, OperationStatus::kStarted));
  EXPECT_EQ(service_.Run(MapOf(2)).error->type, "NonDeterministicExecutionError");
  service_.Put(IterationRecord(0));
  EXPECT_EQ(service_.Run(MapOf(2)).status, InvocationStatus::kSucceeded);
}

TEST_F(BatchTest, FlatBatchThatWasNestedIsNonDeterministic) {
  service_.Run(MapOf(1));
  const InvocationOutput output = service_.Run(MapOf(1, OneAtATime().set_nesting(Nesting::kFlat)));
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(output.error->message, HasSubstr("a record where none may be"));
}

TEST_F(BatchTest, OpenBatchReturnsTheRecordsOfItsClosedBranches) {
  Operation record = MapRecord();
  record.status = OperationStatus::kStarted;
  service_.Put(record);
  Operation closed = IterationRecord(0);
  closed.payload = "41";
  service_.Put(closed);
  service_.Put(IterationRecord(1, OperationStatus::kStarted));
  service_.Run(MapOf(3));
  EXPECT_THAT(runs_, ElementsAre(1, 2));
  EXPECT_THAT(result_.Results(), ElementsAre(41, 1, 2));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT SUCCEED map-item-1", "CONTEXT START map-item-2",
                          "CONTEXT SUCCEED map-item-2", "CONTEXT SUCCEED map"));
}

TEST_F(BatchTest, UnreadableRecordIsASerdesError) {
  Operation record = MapRecord();
  record.payload = "7";
  service_.Put(record);
  service_.Run(MapOf(1));
  EXPECT_TRUE(IsError(status_, ErrorKind::kSerdes));
}

// Large results.

// A map over `sizes.size()` items whose values are texts of two-byte characters.
Handler LargeMap(const std::vector<size_t>& sizes, std::vector<std::string>& results,
                 BatchOptions options = OneAtATime()) {
  return [&sizes, &results, options](DurableContext& ctx, const Json&) {
    const auto batch = ctx.Map(
        "map", sizes,
        [](DurableContext&, size_t size) {
          std::string text;
          for (size_t i = 0; i < size / 2; ++i) text += "\xc3\xa9";
          return text + std::string(size % 2, 'x');
        },
        options);
    results = batch->Results();
    return batch->total_count();
  };
}

TEST_F(BatchTest, ResultOfExactlyTheLimitIsKeptAndOneByteMoreIsNot) {
  // {"all":[{"index":0,"status":"SUCCEEDED","result":"..."}],"completionReason":"ALL_COMPLETED"}
  constexpr size_t kFrame = 89;
  std::vector<std::string> results;
  for (const size_t over : {0, 1}) {
    FakeService service;
    const std::vector<size_t> sizes = {kInlineLimit - kFrame + over};
    EXPECT_EQ(service.Run(LargeMap(sizes, results)).result, "1");
    EXPECT_EQ(service.At("1")->replay_children, over == 1);
    EXPECT_EQ(service.At("1")->payload->size() == kInlineLimit, over == 0);
    EXPECT_EQ(results[0].size(), sizes[0]);
  }
}

TEST_F(BatchTest, LargeResultIsPutTogetherFromItsBranches) {
  const std::vector<size_t> sizes(4, 70'000);
  std::vector<std::string> first;
  std::vector<std::string> replayed;
  const BatchOptions options =
      OneAtATime().set_summary<std::string>([](const BatchResult<std::string>& batch) {
        return absl::StrCat(batch.success_count(), " texts");
      });
  EXPECT_EQ(service_.Run(LargeMap(sizes, first, options)).result, "4");
  EXPECT_EQ(service_.At("1")->payload,
            R"({"type":"MapResult","totalCount":4,"completionReason":"ALL_COMPLETED",)"
            R"("startedIndexes":[],"startedCount":0,"successCount":4,"failureCount":0,)"
            R"("status":"SUCCEEDED","summary":"4 texts"})");
  const size_t updates = service_.Updates().size();
  EXPECT_EQ(service_.Run(LargeMap(sizes, replayed, options)).result, "4");
  EXPECT_EQ(replayed, first);
  EXPECT_EQ(service_.Updates().size(), updates);
}

TEST_F(BatchTest, SummaryThatFailsFailsTheBatch) {
  const std::vector<size_t> sizes(4, 70'000);
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx
        .Map(
            "map", sizes, [](DurableContext&, size_t size) { return std::string(size, 'x'); },
            OneAtATime().set_summary<std::string>(
                [](const BatchResult<std::string>&) -> std::string {
                  throw std::logic_error("no words");
                }))
        .status();
  });
  EXPECT_EQ(output.error->message, "no words");
  EXPECT_EQ(service_.Updates().back(), "CONTEXT FAIL map");
}

TEST_F(BatchTest, LargeFlatBatchRunsItsBodiesOverTheirRecords) {
  const std::vector<int> items = {0, 1, 2, 3};
  int steps = 0;
  std::vector<ItemStatus> statuses;
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    const auto batch = ctx.Map(
        "map", items,
        [&](DurableContext& context, int item) -> absl::StatusOr<std::string> {
          DURABLE_ASSIGN_OR_RETURN(std::string text, context.Step("work", [&](StepContext&) {
            ++steps;
            return std::string(90'000, static_cast<char>('a' + item));
          }));
          if (item == 1) return Boom(context);
          return text;
        },
        OneAtATime().set_nesting(Nesting::kFlat).set_completion(CompletionConfig::AllCompleted()));
    statuses.clear();
    for (const auto& item : batch->items()) statuses.push_back(item.status);
    return batch->Results()[2].substr(0, 3);
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(service_.Run(handler).result, "\"ddd\"");
    EXPECT_THAT(statuses, ElementsAre(ItemStatus::kSucceeded, ItemStatus::kFailed,
                                      ItemStatus::kSucceeded, ItemStatus::kSucceeded));
  }
  EXPECT_TRUE(service_.At("1")->replay_children);
  EXPECT_EQ(steps, 4);
}

TEST_F(BatchTest, SummarySaysWhichBranchesCount) {
  Operation record = MapRecord();
  record.replay_children = true;
  record.payload =
      R"({"totalCount":3,"completionReason":"MIN_SUCCESSFUL_REACHED","startedIndexes":[1]})";
  service_.Put(record);
  service_.Put(IterationRecord(0));
  service_.Put(IterationRecord(1));
  Operation failed = IterationRecord(2, OperationStatus::kFailed);
  failed.error = ErrorObject{"Boom", "boom", "", {}};
  service_.Put(failed);
  EXPECT_EQ(service_.Run(MapOf(5)).status, InvocationStatus::kSucceeded);
  EXPECT_THAT(Statuses(),
              ElementsAre(ItemStatus::kSucceeded, ItemStatus::kStarted, ItemStatus::kFailed));
  EXPECT_EQ(result_.completion_reason(), CompletionReason::kMinSuccessfulReached);
  EXPECT_EQ(result_.FirstError().message(), "boom");
  EXPECT_THAT(runs_, IsEmpty());
}

TEST_F(BatchTest, WithoutAValidSummaryTheRecordsOfTheBranchesCount) {
  for (const char* summary :
       {"", "some text", R"({"totalCount":9,"completionReason":"ALL_COMPLETED"})"}) {
    FakeService service;
    Operation record = MapRecord();
    record.replay_children = true;
    record.payload = summary;
    service.Put(record);
    service.Put(IterationRecord(0));
    service.Put(IterationRecord(2));
    service.Run(MapOf(4, OneAtATime().set_completion(CompletionConfig().set_min_successful(2))));
    EXPECT_THAT(Statuses(), ElementsAre(ItemStatus::kSucceeded, ItemStatus::kStarted,
                                        ItemStatus::kSucceeded, ItemStatus::kStarted));
    EXPECT_EQ(result_.completion_reason(), CompletionReason::kMinSuccessfulReached);
    EXPECT_THAT(runs_, IsEmpty());
  }
}

TEST_F(BatchTest, BranchThatTheSummaryCountsHasToBeRecorded) {
  Operation record = MapRecord();
  record.replay_children = true;
  record.payload = R"({"totalCount":1,"completionReason":"ALL_COMPLETED","startedIndexes":[]})";
  service_.Put(record);
  EXPECT_EQ(service_.Run(MapOf(1)).error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(runs_, IsEmpty());
}

// Refused arguments: the error, and no number taken.

TEST_F(BatchTest, RefusedArgumentsRecordNothing) {
  struct Refusal {
    BatchOptions options;
    const char* message;
  };
  const auto predicate = [](const BatchProgress&) { return CompletionDecision::kContinue; };
  const auto text = [](const auto&, const SerdesContext&) { return std::string(); };
  const std::vector<Refusal> refusals = {
      {BatchOptions().set_max_concurrency(0), "max_concurrency is 0; it is at least 1"},
      {BatchOptions().set_completion(CompletionConfig().set_min_successful(3)),
       "min_successful is 3"},
      {BatchOptions().set_completion(CompletionConfig()).set_completion_predicate(predicate),
       "not both"},
      {BatchOptions().set_item_namer([](int) { return std::string("caf\xc3\xa9"); }), "a name has"},
      {BatchOptions().set_item_serdes<std::string>(
           text, [](absl::string_view, const SerdesContext&) { return std::string(); }),
       "set_serdes was called for another type"},
      {BatchOptions().set_serdes<std::string>(
           text,
           [](absl::string_view, const SerdesContext&) { return BatchResult<std::string>(); }),
       "set_serdes was called for another type"},
      {BatchOptions().set_summary<std::string>(
           [](const BatchResult<std::string>&) { return std::string(); }),
       "set_summary was called for another type"},
  };
  for (const Refusal& refusal : refusals) {
    FakeService service;
    const InvocationOutput output =
        service.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
          const absl::Status status =
              ctx.Map(
                     "map", std::vector<int>{1, 2}, [](DurableContext&, int item) { return item; },
                     refusal.options)
                  .status();
          EXPECT_TRUE(IsError(status, ErrorKind::kValidation)) << refusal.message;
          EXPECT_THAT(std::string(status.message()), HasSubstr(refusal.message));
          return ctx.Step("next", [](StepContext&) {});
        });
    EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
    EXPECT_TRUE(service.At("1").has_value());
    EXPECT_THAT(service.Updates(), Not(::testing::Contains(HasSubstr("map"))));
  }
}

TEST_F(BatchTest, TheCallersContextMayNotBeUsedInABranch) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx
        .Map("map", std::vector<int>{1},
             [&](DurableContext&, int) { return ctx.Step("", [](StepContext&) {}); })
        .status();
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

}  // namespace
}  // namespace internal
}  // namespace durable
