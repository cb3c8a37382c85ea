// BatchResult: what became of the branches of Parallel and Map.
//
//   DURABLE_ASSIGN_OR_RETURN(durable::BatchResult<int> sizes, ctx.Map("resize", files, Resize));
//   DURABLE_RETURN_IF_ERROR(sizes.FirstError());
//   for (int size : sizes.Results()) total += size;
#ifndef REHEARSE_CLIENT_CPP_DURABLE_BATCH_RESULT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_BATCH_RESULT_H_

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/serdes.h"

namespace durable {

enum class ItemStatus {
  kSucceeded,
  kFailed,
  kStarted,  // was on its way when the batch ended
};

// Why a batch ended.
enum class CompletionReason {
  kAllCompleted,
  kMinSuccessfulReached,
  kFailureToleranceExceeded,
  // A completion predicate said so.
  kCustomCompletionSucceeded,
  kCustomCompletionFailed,
};

template <typename T>
struct BatchItem {
  // Of the branch, from 0.
  int index = 0;
  ItemStatus status = ItemStatus::kStarted;
  // There if and only if the branch has succeeded.
  absl::optional<T> result;
  // Why the branch failed: of kind kChildContext, with the type that escaped its body. OK unless it
  // has.
  absl::Status error;
};

namespace internal {

// The error of a batch that nothing but its completion predicate calls failed.
absl::Status BatchCompletionError();

// As it is recorded, "ALL_COMPLETED".
absl::string_view TextOf(CompletionReason reason);
absl::optional<CompletionReason> ParseCompletionReason(absl::string_view text);

}  // namespace internal

template <typename T>
class BatchResult {
 public:
  BatchResult() = default;
  // `items` are in the order of their indexes.
  BatchResult(std::vector<BatchItem<T>> items, CompletionReason reason)
      : items_(std::move(items)), completion_reason_(reason) {}

  // Every branch that was started.
  const std::vector<BatchItem<T>>& items() const { return items_; }
  CompletionReason completion_reason() const { return completion_reason_; }

  std::vector<BatchItem<T>> Succeeded() const { return With(ItemStatus::kSucceeded); }
  std::vector<BatchItem<T>> Failed() const { return With(ItemStatus::kFailed); }
  std::vector<BatchItem<T>> Started() const { return With(ItemStatus::kStarted); }

  // Of the branches that have succeeded, in the order of their indexes.
  std::vector<T> Results() const {
    std::vector<T> results;
    for (const BatchItem<T>& item : items_) {
      if (item.result.has_value()) results.push_back(*item.result);
    }
    return results;
  }
  // Of the branches that have failed, in the order of their indexes.
  std::vector<absl::Status> Errors() const {
    std::vector<absl::Status> errors;
    for (const BatchItem<T>& item : items_) {
      if (item.status == ItemStatus::kFailed) errors.push_back(item.error);
    }
    return errors;
  }
  // The error of the failed branch with the lowest index. Without one, OK, or an error of kind
  // kBatchCompletion when a completion predicate ended the batch as failed.
  absl::Status FirstError() const {
    for (const BatchItem<T>& item : items_) {
      if (item.status == ItemStatus::kFailed) return item.error;
    }
    return completion_reason_ == CompletionReason::kCustomCompletionFailed
               ? internal::BatchCompletionError()
               : absl::OkStatus();
  }

  // kFailed when a branch has failed, else kSucceeded; what a completion predicate decided beats
  // that.
  ItemStatus status() const {
    if (completion_reason_ == CompletionReason::kCustomCompletionSucceeded) {
      return ItemStatus::kSucceeded;
    }
    const bool failed =
        has_failure() || completion_reason_ == CompletionReason::kCustomCompletionFailed;
    return failed ? ItemStatus::kFailed : ItemStatus::kSucceeded;
  }
  bool has_failure() const { return failure_count() > 0; }
  int success_count() const { return Count(ItemStatus::kSucceeded); }
  int failure_count() const { return Count(ItemStatus::kFailed); }
  int started_count() const { return Count(ItemStatus::kStarted); }
  // Of items(), not of the branches that the batch was given.
  int total_count() const { return static_cast<int>(items_.size()); }

 private:
  int Count(ItemStatus status) const {
    return static_cast<int>(absl::c_count_if(
        items_, [status](const BatchItem<T>& item) { return item.status == status; }));
  }
  std::vector<BatchItem<T>> With(ItemStatus status) const {
    std::vector<BatchItem<T>> items;
    absl::c_copy_if(items_, std::back_inserter(items),
                    [status](const BatchItem<T>& item) { return item.status == status; });
    return items;
  }

  std::vector<BatchItem<T>> items_;
  CompletionReason completion_reason_ = CompletionReason::kAllCompleted;
};

namespace internal {

// A BatchItem whose result is text.
using TextItem = BatchItem<std::string>;

// {"all":[{"index":0,"status":"SUCCEEDED","result":7}],"completionReason":"ALL_COMPLETED"}.
// A result that is no JSON is kept as text, under "resultText".
std::string WriteBatch(const std::vector<TextItem>& items, CompletionReason reason);
absl::StatusOr<BatchResult<std::string>> ReadBatch(absl::string_view text);

}  // namespace internal

// Results are written by Serdes<T>.
template <typename T>
struct Serdes<BatchResult<T>> {
  static absl::StatusOr<std::string> Serialize(const BatchResult<T>& batch,
                                               const SerdesContext& context) {
    std::vector<internal::TextItem> items;
    items.reserve(batch.items().size());
    for (const BatchItem<T>& item : batch.items()) {
      items.push_back({item.index, item.status, absl::nullopt, item.error});
      if (!item.result.has_value()) continue;
      absl::StatusOr<std::string> text = Serdes<T>::Serialize(*item.result, context);
      if (!text.ok()) return std::move(text).status();
      items.back().result = *std::move(text);
    }
    return internal::WriteBatch(items, batch.completion_reason());
  }

  static absl::StatusOr<BatchResult<T>> Deserialize(absl::string_view text,
                                                    const SerdesContext& context) {
    absl::StatusOr<BatchResult<std::string>> batch = internal::ReadBatch(text);
    if (!batch.ok()) return std::move(batch).status();
    std::vector<BatchItem<T>> items;
    items.reserve(batch->items().size());
    for (const internal::TextItem& item : batch->items()) {
      items.push_back({item.index, item.status, absl::nullopt, item.error});
      if (item.status != ItemStatus::kSucceeded) continue;
      absl::StatusOr<T> result = item.result.has_value()
                                     ? Serdes<T>::Deserialize(*item.result, context)
                                     : internal::NoValue<T>();
      if (!result.ok()) return std::move(result).status();
      items.back().result = *std::move(result);
    }
    return BatchResult<T>(std::move(items), batch->completion_reason());
  }
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_BATCH_RESULT_H_
