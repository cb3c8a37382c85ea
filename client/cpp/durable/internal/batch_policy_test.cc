#include <string>
#include <vector>

#include "client/cpp/durable/internal/batch_summary.h"
#include "client/cpp/durable/internal/completion_policy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// How a batch of `total` goes on when its branches end one after the other as `ends` says: S or F.
// The number of ends it took, and why it was over; -1 when it was not.
struct Case {
  const char* name;
  CompletionConfig config;
  int total;
  std::string ends;
  int taken;
  CompletionReason reason;
};

class CompletionPolicyTest : public ::testing::TestWithParam<Case> {};

TEST_P(CompletionPolicyTest, Ends) {
  const Case& c = GetParam();
  CompletionPolicy policy(c.config, nullptr, std::vector<std::string>(c.total));
  int taken = 0;
  while (!policy.complete() && taken < static_cast<int>(c.ends.size())) {
    policy.Start(taken);
    policy.End(taken, c.ends[taken] == 'S' ? ItemStatus::kSucceeded : ItemStatus::kFailed);
    ++taken;
  }
  ASSERT_TRUE(policy.complete());
  EXPECT_EQ(taken, c.taken);
  EXPECT_EQ(policy.reason(), c.reason);
}

constexpr CompletionReason kAll = CompletionReason::kAllCompleted;
constexpr CompletionReason kMin = CompletionReason::kMinSuccessfulReached;
constexpr CompletionReason kExceeded = CompletionReason::kFailureToleranceExceeded;

CompletionConfig Min(int count) { return CompletionConfig().set_min_successful(count); }
CompletionConfig Tolerate(int count) { return CompletionConfig().set_tolerated_failures(count); }
CompletionConfig Percent(double share) {
  return CompletionConfig().set_tolerated_failure_percentage(share);
}

INSTANTIATE_TEST_SUITE_P(
    All, CompletionPolicyTest,
    ::testing::Values(
        Case{"Empty", CompletionConfig(), 0, "", 0, kAll},
        Case{"NoCriterionFailsFast", CompletionConfig(), 3, "SFS", 2, kExceeded},
        Case{"NoCriterionAllSucceed", CompletionConfig(), 3, "SSS", 3, kAll},
        Case{"AllSuccessful", CompletionConfig::AllSuccessful(), 3, "SFS", 2, kExceeded},
        Case{"AllCompleted", CompletionConfig::AllCompleted(), 3, "FFF", 3, kAll},
        Case{"FirstSuccessful", CompletionConfig::FirstSuccessful(), 3, "FSS", 2, kMin},
        Case{"MinReached", Min(2), 4, "SSSS", 2, kMin},
        Case{"MinNotReachedToleratesFailures", Min(3), 3, "FSS", 3, kAll},
        Case{"MinReachedWithTheLast", Min(2), 2, "SS", 2, kAll},
        Case{"CountAtTheBound", Tolerate(1), 3, "FSS", 3, kAll},
        Case{"CountPassed", Tolerate(1), 3, "FFS", 2, kExceeded},
        Case{"CountPassedWithTheLast", Tolerate(1), 2, "FF", 2, kExceeded},
        Case{"PercentageAtTheBound", Percent(25), 4, "FSSS", 4, kAll},
        Case{"PercentagePassed", Percent(25), 4, "FFSS", 2, kExceeded},
        Case{"PercentageOfTheWhole", Percent(50), 4, "FFSS", 4, kAll},
        Case{"PercentageWithFractions", Percent(33.3), 3, "FSS", 1, kExceeded},
        Case{"EitherToleranceEnds", Percent(100).set_tolerated_failures(0), 3, "FSS", 1, kExceeded},
        Case{"ToleranceBeforeMin", Min(1).set_tolerated_failures(1), 3, "FFS", 2, kExceeded},
        Case{"MinBeforeTolerance", Min(1).set_tolerated_failures(1), 3, "FSF", 2, kMin}),
    [](const auto& info) { return info.param.name; });

TEST(CompletionConfigTest, Bounds) {
  EXPECT_TRUE(ValidateCompletion(CompletionConfig(), 0).ok());
  EXPECT_TRUE(ValidateCompletion(Min(2), 2).ok());
  EXPECT_FALSE(ValidateCompletion(Min(3), 2).ok());
  EXPECT_TRUE(ValidateCompletion(Min(1), 1).ok());
  EXPECT_FALSE(ValidateCompletion(Min(0), 1).ok());
  EXPECT_TRUE(ValidateCompletion(Tolerate(0), 1).ok());
  EXPECT_FALSE(ValidateCompletion(Tolerate(-1), 1).ok());
  EXPECT_TRUE(ValidateCompletion(Percent(100), 1).ok());
  EXPECT_FALSE(ValidateCompletion(Percent(100.1), 1).ok());
  EXPECT_FALSE(ValidateCompletion(Percent(-0.1), 1).ok());
  EXPECT_EQ(ValidateCompletion(Min(3), 2).message(),
            "min_successful is 3; allowed are 1 to the number of branches, 2");
}

// Predicates.

TEST(CompletionPredicateTest, IsAskedBeforeAnythingStartsAndAfterEveryChange) {
  std::vector<std::string> asked;
  const CompletionPredicate predicate = [&](const BatchProgress& progress) {
    std::string text;
    for (const BatchProgress::Branch& branch : progress.branches) {
      text += branch.name;
      text += !branch.status.has_value()                 ? "-"
              : *branch.status == ItemStatus::kStarted   ? "R"
              : *branch.status == ItemStatus::kSucceeded ? "S"
                                                         : "F";
    }
    EXPECT_EQ(progress.completed(), progress.succeeded + progress.failed);
    EXPECT_EQ(progress.total(), 2);
    asked.push_back(text);
    return CompletionDecision::kContinue;
  };
  CompletionPolicy policy(CompletionConfig(), predicate, {"a", "b"});
  policy.Start(0);
  policy.Start(1);
  policy.End(1, ItemStatus::kFailed);
  EXPECT_FALSE(policy.complete());
  policy.End(0, ItemStatus::kSucceeded);
  EXPECT_THAT(asked, ElementsAre("a-b-", "aRb-", "aRbR", "aRbF", "aSbF"));
  EXPECT_TRUE(policy.complete());
  EXPECT_EQ(policy.reason(), CompletionReason::kAllCompleted);
}

TEST(CompletionPredicateTest, DecisionStandsAndIsTheReason) {
  int asked = 0;
  const CompletionPredicate predicate = [&](const BatchProgress& progress) {
    ++asked;
    return progress.failed == 1 ? CompletionDecision::kCompleteFailed
                                : CompletionDecision::kContinue;
  };
  CompletionPolicy policy(CompletionConfig(), predicate, {"a", "b"});
  policy.End(0, ItemStatus::kFailed);
  EXPECT_TRUE(policy.complete());
  policy.End(1, ItemStatus::kFailed);
  EXPECT_EQ(policy.reason(), CompletionReason::kCustomCompletionFailed);
  EXPECT_EQ(asked, 2);
}

TEST(CompletionPredicateTest, MayEndABatchBeforeItStarts) {
  CompletionPolicy policy(
      CompletionConfig(),
      [](const BatchProgress&) { return CompletionDecision::kCompleteSucceeded; }, {"a"});
  EXPECT_TRUE(policy.complete());
  EXPECT_EQ(policy.reason(), CompletionReason::kCustomCompletionSucceeded);
}

// Summaries of large results.

std::string Written(const std::vector<ItemStatus>& statuses) {
  return WriteBatchSummary("MapResult", {CompletionReason::kAllCompleted, statuses},
                           ItemStatus::kSucceeded, absl::nullopt);
}

TEST(BatchSummaryTest, ListsTheFewerIndexes) {
  constexpr ItemStatus kS = ItemStatus::kSucceeded;
  constexpr ItemStatus kR = ItemStatus::kStarted;
  EXPECT_EQ(WriteBatchSummary("MapResult", {CompletionReason::kAllCompleted, {kS, kS}},
                              ItemStatus::kSucceeded, std::string("two")),
            R"({"type":"MapResult","totalCount":2,"completionReason":"ALL_COMPLETED",)"
            R"("startedIndexes":[],"startedCount":0,"successCount":2,"failureCount":0,)"
            R"("status":"SUCCEEDED","summary":"two"})");
  EXPECT_EQ(WriteBatchSummary(
                "ParallelResult",
                {CompletionReason::kFailureToleranceExceeded, {ItemStatus::kFailed, kR, kR}},
                ItemStatus::kFailed, absl::nullopt),
            R"({"type":"ParallelResult","totalCount":3,)"
            R"("completionReason":"FAILURE_TOLERANCE_EXCEEDED","completedIndexes":[0],)"
            R"("startedCount":2,"successCount":0,"failureCount":1,"status":"FAILED"})");
}

TEST(BatchSummaryTest, IsReadBack) {
  constexpr ItemStatus kS = ItemStatus::kSucceeded;
  constexpr ItemStatus kR = ItemStatus::kStarted;
  for (const std::vector<ItemStatus>& statuses :
       std::vector<std::vector<ItemStatus>>{{}, {kS}, {kR}, {kS, kR, kS}, {kR, kR, kS}}) {
    const absl::optional<BatchSummary> read = ReadBatchSummary(Written(statuses), 3);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->statuses, statuses);
    EXPECT_EQ(read->reason, CompletionReason::kAllCompleted);
  }
}

TEST(BatchSummaryTest, AnythingElseIsNone) {
  EXPECT_FALSE(ReadBatchSummary(Written({ItemStatus::kStarted}), 0).has_value());
  for (const char* text :
       {"", "7", "null", "{}", R"({"totalCount":1,"completionReason":"ALL_COMPLETED"})",
        R"({"totalCount":-1,"completionReason":"ALL_COMPLETED","startedIndexes":[]})",
        R"({"totalCount":1,"completionReason":"ALL_COMPLETED","startedIndexes":[1]})",
        R"({"totalCount":1,"completionReason":"ALL_COMPLETED","completedIndexes":[-1]})",
        R"({"totalCount":1,"completionReason":"ELSE","startedIndexes":[]})",
        R"({"totalCount":"1","completionReason":"ALL_COMPLETED","startedIndexes":[]})"}) {
    EXPECT_FALSE(ReadBatchSummary(text, 5).has_value()) << text;
  }
}

}  // namespace
}  // namespace internal
}  // namespace durable
