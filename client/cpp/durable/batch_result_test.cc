#include "client/cpp/durable/batch_result.h"

#include <map>
#include <string>
#include <vector>

#include "client/cpp/durable/batch_options.h"
#include "client/cpp/durable/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {

// A type whose text is no JSON.
struct Tag {
  std::string name;
};
template <>
struct Serdes<Tag> {
  static absl::StatusOr<std::string> Serialize(const Tag& tag, const SerdesContext&) {
    return "<" + tag.name + ">";
  }
  static absl::StatusOr<Tag> Deserialize(absl::string_view text, const SerdesContext&) {
    return Tag{std::string(text.substr(1, text.size() - 2))};
  }
};

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SerdesContext kContext = {"id", "arn"};

absl::Status Failure(const std::string& type, const std::string& message) {
  ErrorInfo info;
  info.kind = ErrorKind::kChildContext;
  info.type = type;
  info.message = message;
  return internal::ToStatus(info);
}

template <typename T>
BatchItem<T> Success(int index, T value) {
  return {index, ItemStatus::kSucceeded, std::move(value), absl::OkStatus()};
}

BatchResult<int> OneOfEach() {
  return BatchResult<int>({Success(0, 7),
                           {1, ItemStatus::kFailed, absl::nullopt, Failure("StepError", "boom")},
                           {2, ItemStatus::kStarted, absl::nullopt, absl::OkStatus()}},
                          CompletionReason::kFailureToleranceExceeded);
}

template <typename T>
absl::StatusOr<BatchResult<T>> Read(absl::string_view text) {
  return Serdes<BatchResult<T>>::Deserialize(text, kContext);
}

TEST(BatchResultTest, CountsAndLists) {
  const BatchResult<int> batch = OneOfEach();
  EXPECT_EQ(batch.success_count(), 1);
  EXPECT_EQ(batch.failure_count(), 1);
  EXPECT_EQ(batch.started_count(), 1);
  EXPECT_EQ(batch.total_count(), 3);
  EXPECT_TRUE(batch.has_failure());
  EXPECT_EQ(batch.status(), ItemStatus::kFailed);
  EXPECT_THAT(batch.Results(), ElementsAre(7));
  EXPECT_EQ(batch.Succeeded()[0].index, 0);
  EXPECT_EQ(batch.Failed()[0].index, 1);
  EXPECT_EQ(batch.Started()[0].index, 2);
  EXPECT_THAT(batch.Errors(), ElementsAre(Failure("StepError", "boom")));
  EXPECT_EQ(batch.FirstError(), Failure("StepError", "boom"));
}

TEST(BatchResultTest, WithoutFailureThereIsNoError) {
  const BatchResult<int> batch({Success(0, 1)}, CompletionReason::kAllCompleted);
  EXPECT_EQ(batch.status(), ItemStatus::kSucceeded);
  EXPECT_EQ(batch.FirstError(), absl::OkStatus());
  EXPECT_THAT(batch.Errors(), IsEmpty());
}

TEST(BatchResultTest, PredicateDecidesTheStatusWhateverTheItemsSay) {
  const BatchResult<int> failed({Success(0, 1)}, CompletionReason::kCustomCompletionFailed);
  EXPECT_EQ(failed.status(), ItemStatus::kFailed);
  EXPECT_TRUE(IsError(failed.FirstError(), ErrorKind::kBatchCompletion));
  const BatchResult<int> succeeded(OneOfEach().items(),
                                   CompletionReason::kCustomCompletionSucceeded);
  EXPECT_EQ(succeeded.status(), ItemStatus::kSucceeded);
}

TEST(BatchResultTest, WireForm) {
  EXPECT_EQ(*Serdes<BatchResult<int>>::Serialize(OneOfEach(), kContext),
            R"({"all":[{"index":0,"status":"SUCCEEDED","result":7},)"
            R"({"index":1,"status":"FAILED","error":)"
            R"({"ErrorMessage":"boom","ErrorType":"StepError"}},)"
            R"({"index":2,"status":"STARTED"}],)"
            R"("completionReason":"FAILURE_TOLERANCE_EXCEEDED"})");
}

TEST(BatchResultTest, EveryReasonSurvivesTheWire) {
  for (const CompletionReason reason :
       {CompletionReason::kAllCompleted, CompletionReason::kMinSuccessfulReached,
        CompletionReason::kFailureToleranceExceeded, CompletionReason::kCustomCompletionSucceeded,
        CompletionReason::kCustomCompletionFailed}) {
    const auto text = Serdes<BatchResult<int>>::Serialize(
        BatchResult<int>(OneOfEach().items(), reason), kContext);
    const auto batch = Read<int>(*text);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->completion_reason(), reason);
    EXPECT_THAT(batch->Results(), ElementsAre(7));
    EXPECT_EQ(batch->FirstError(), Failure("StepError", "boom"));
    EXPECT_EQ(batch->started_count(), 1);
  }
}

TEST(BatchResultTest, ResultsThatAreNoJsonAreKeptAsText) {
  const BatchResult<Tag> batch({Success(0, Tag{"b"})}, CompletionReason::kAllCompleted);
  const auto text = Serdes<BatchResult<Tag>>::Serialize(batch, kContext);
  EXPECT_THAT(*text, HasSubstr(R"("resultText":"<b>")"));
  EXPECT_EQ(Read<Tag>(*text)->Results()[0].name, "b");
}

TEST(BatchResultTest, MembersOfAResultKeepTheirOrder) {
  const auto batch =
      internal::ReadBatch(R"({"all":[{"index":0,"status":"SUCCEEDED","result":{"z":1,"a":2}}],)"
                          R"("completionReason":"ALL_COMPLETED"})");
  EXPECT_EQ(batch->items()[0].result, R"({"z":1,"a":2})");
}

TEST(BatchResultTest, AbsentAndNullResultsAreNoValue) {
  const auto batch = Read<absl::monostate>(
      R"({"all":[{"index":0,"status":"SUCCEEDED"},{"index":1,"status":"SUCCEEDED","result":null}]})");
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->Results().size(), 2u);
  EXPECT_FALSE(Read<int>(R"({"all":[{"index":0,"status":"SUCCEEDED"}]})").ok());
}

TEST(BatchResultTest, FailedItemWithoutAnErrorIsStillFailed) {
  const auto batch = Read<int>(R"({"all":[{"index":0,"status":"FAILED"}]})");
  EXPECT_TRUE(IsError(batch->FirstError(), ErrorKind::kChildContext));
  EXPECT_EQ(batch->Errors().size(), 1u);
}

TEST(BatchResultTest, MissingReasonIsInferred) {
  const std::map<std::string, CompletionReason> reasons = {
      {R"([{"index":0,"status":"FAILED"}])", CompletionReason::kAllCompleted},
      {R"([{"index":0,"status":"STARTED"}])", CompletionReason::kMinSuccessfulReached},
      {R"([{"index":0,"status":"STARTED"},{"index":1,"status":"FAILED"}])",
       CompletionReason::kFailureToleranceExceeded},
  };
  for (const auto& [items, reason] : reasons) {
    EXPECT_EQ(Read<int>("{\"all\":" + items + "}")->completion_reason(), reason) << items;
  }
}

TEST(BatchResultTest, OtherTextIsRefused) {
  for (const char* text :
       {"", "7", "{}", R"({"all":7})", R"({"all":[{}]})",
        R"({"all":[{"index":"0","status":"STARTED"}]})", R"({"all":[{"index":0,"status":"ELSE"}]})",
        R"({"all":[],"completionReason":"ELSE"})", R"({"all":[],"completionReason":7})"}) {
    EXPECT_FALSE(Read<int>(text).ok()) << text;
  }
}

}  // namespace
}  // namespace durable
