#include "client/cpp/durable/internal/batch_summary.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "nlohmann/json.hpp"

namespace durable {
namespace internal {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::vector<int> IndexesWith(const std::vector<ItemStatus>& statuses, bool started) {
  std::vector<int> indexes;
  for (size_t i = 0; i < statuses.size(); ++i) {
    if ((statuses[i] == ItemStatus::kStarted) == started) indexes.push_back(static_cast<int>(i));
  }
  return indexes;
}

// Throws what the JSON library throws when a member is missing or of another type.
absl::optional<BatchSummary> Read(const OrderedJson& json, int branches) {
  const int total = json.at("totalCount").get<int>();
  const absl::optional<CompletionReason> reason =
      ParseCompletionReason(json.at("completionReason").get<std::string>());
  if (!reason.has_value() || total < 0 || total > branches) return absl::nullopt;
  const bool lists_started = json.contains("startedIndexes");
  const ItemStatus listed = lists_started ? ItemStatus::kStarted : ItemStatus::kSucceeded;
  const ItemStatus others = lists_started ? ItemStatus::kSucceeded : ItemStatus::kStarted;
  BatchSummary batch;
  batch.reason = *reason;
  batch.statuses.assign(total, others);
  for (const OrderedJson& item : json.at(lists_started ? "startedIndexes" : "completedIndexes")) {
    const int index = item.get<int>();
    if (index < 0 || index >= total) return absl::nullopt;
    batch.statuses[index] = listed;
  }
  return batch;
}

}  // namespace

std::string WriteBatchSummary(absl::string_view type, const BatchSummary& batch, ItemStatus status,
                              const absl::optional<std::string>& summary) {
  const std::vector<int> started = IndexesWith(batch.statuses, true);
  const std::vector<int> completed = IndexesWith(batch.statuses, false);
  OrderedJson json = {{"type", std::string(type)},
                      {"totalCount", batch.statuses.size()},
                      {"completionReason", std::string(TextOf(batch.reason))}};
  // The shorter of two ways to say the same.
  if (started.size() <= completed.size()) {
    json["startedIndexes"] = started;
  } else {
    json["completedIndexes"] = completed;
  }
  json["startedCount"] = started.size();
  json["successCount"] = absl::c_count(batch.statuses, ItemStatus::kSucceeded);
  json["failureCount"] = absl::c_count(batch.statuses, ItemStatus::kFailed);
  json["status"] = status == ItemStatus::kFailed ? "FAILED" : "SUCCEEDED";
  if (summary.has_value()) json["summary"] = *summary;
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

absl::optional<BatchSummary> ReadBatchSummary(absl::string_view text, int branches) {
  try {
    return Read(OrderedJson::parse(text.begin(), text.end()), branches);
  } catch (const OrderedJson::exception&) {
    return absl::nullopt;
  }
}

}  // namespace internal
}  // namespace durable
