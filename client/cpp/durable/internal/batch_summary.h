// The record of a batch whose result is too large to keep: which branches count, so that a replay
// can put the result together again from their records.
//
//   {"type":"MapResult","totalCount":4,"completionReason":"ALL_COMPLETED","startedIndexes":[],
//    "startedCount":0,"successCount":4,"failureCount":0,"status":"SUCCEEDED"}
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_SUMMARY_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_SUMMARY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/batch_result.h"

namespace durable {
namespace internal {

struct BatchSummary {
  CompletionReason reason = CompletionReason::kAllCompleted;
  // By index, of the branches that were started. Whether one has succeeded or failed is for its
  // record to say; a reader finds kSucceeded here for both.
  std::vector<ItemStatus> statuses;
};

// `type` is "MapResult" or "ParallelResult"; `summary` is what the user's function made.
std::string WriteBatchSummary(absl::string_view type, const BatchSummary& batch, ItemStatus status,
                              const absl::optional<std::string>& summary);

// nullopt unless `text` is the summary of a batch of at most `branches`.
absl::optional<BatchSummary> ReadBatchSummary(absl::string_view text, int branches);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_SUMMARY_H_
