#include "client/cpp/durable/batch_result.h"

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/internal/error_conversion.h"
#include "client/cpp/durable/operation.h"
#include "nlohmann/json.hpp"

namespace durable {
namespace internal {
namespace {

// Keeps the members of results in the order in which their serdes wrote them.
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kStatusTexts[] = {"SUCCEEDED", "FAILED", "STARTED"};
constexpr const char* kReasonTexts[] = {"ALL_COMPLETED", "MIN_SUCCESSFUL_REACHED",
                                        "FAILURE_TOLERANCE_EXCEEDED", "CUSTOM_COMPLETION_SUCCEEDED",
                                        "CUSTOM_COMPLETION_FAILED"};

OrderedJson WriteError(const ErrorInfo& info) {
  OrderedJson error = OrderedJson::object();
  error["ErrorMessage"] = info.message;
  if (!info.type.empty()) error["ErrorType"] = info.type;
  if (!info.data.empty()) error["ErrorData"] = info.data;
  if (!info.stack_trace.empty()) error["StackTrace"] = info.stack_trace;
  return error;
}

absl::Status ReadError(const OrderedJson& json) {
  ErrorObject error;
  if (json.is_object()) {
    error.message = json.value("ErrorMessage", "");
    error.type = json.value("ErrorType", "");
    error.data = json.value("ErrorData", "");
    error.stack_trace = json.value("StackTrace", std::vector<std::string>());
  }
  return ToStatus(FromRecord(ErrorKind::kChildContext, error));
}

OrderedJson WriteItem(const TextItem& item) {
  OrderedJson json = {{"index", item.index},
                      {"status", kStatusTexts[static_cast<int>(item.status)]}};
  if (item.result.has_value()) {
    OrderedJson result = OrderedJson::parse(*item.result, nullptr, /*allow_exceptions=*/false);
    if (result.is_discarded()) {
      json["resultText"] = *item.result;
    } else {
      json["result"] = std::move(result);
    }
  }
  if (item.status == ItemStatus::kFailed) json["error"] = WriteError(InfoOf(item.error));
  return json;
}

// Throws what the JSON library throws when a member is missing or of another type.
TextItem ReadItem(const OrderedJson& json) {
  TextItem item;
  item.index = json.at("index").get<int>();
  const std::string status = json.at("status").get<std::string>();
  const auto* known = absl::c_find(kStatusTexts, status);
  if (known == std::end(kStatusTexts)) throw std::invalid_argument("unknown status " + status);
  item.status = static_cast<ItemStatus>(known - std::begin(kStatusTexts));
  if (json.contains("result")) item.result = json["result"].dump();
  if (json.contains("resultText")) item.result = json["resultText"].get<std::string>();
  if (item.status == ItemStatus::kFailed)
    item.error = ReadError(json.value("error", OrderedJson()));
  return item;
}

// What other writers may leave out.
CompletionReason InferReason(const std::vector<TextItem>& items) {
  const BatchResult<std::string> batch(items, CompletionReason::kAllCompleted);
  if (batch.started_count() == 0) return CompletionReason::kAllCompleted;
  return batch.has_failure() ? CompletionReason::kFailureToleranceExceeded
                             : CompletionReason::kMinSuccessfulReached;
}

}  // namespace

absl::Status BatchCompletionError() {
  ErrorInfo info;
  info.kind = ErrorKind::kBatchCompletion;
  info.type = std::string(TypeNameOf(info.kind));
  info.message = "the completion predicate ended the batch as failed";
  return ToStatus(info);
}

absl::string_view TextOf(CompletionReason reason) { return kReasonTexts[static_cast<int>(reason)]; }

absl::optional<CompletionReason> ParseCompletionReason(absl::string_view text) {
  const auto* known = absl::c_find(kReasonTexts, text);
  if (known == std::end(kReasonTexts)) return absl::nullopt;
  return static_cast<CompletionReason>(known - std::begin(kReasonTexts));
}

std::string WriteBatch(const std::vector<TextItem>& items, CompletionReason reason) {
  OrderedJson json = {{"all", OrderedJson::array()},
                      {"completionReason", std::string(TextOf(reason))}};
  for (const TextItem& item : items) json["all"].push_back(WriteItem(item));
  return json.dump();
}

absl::StatusOr<BatchResult<std::string>> ReadBatch(absl::string_view text) {
  try {
    const OrderedJson json = OrderedJson::parse(text.begin(), text.end());
    std::vector<TextItem> items;
    for (const OrderedJson& item : json.at("all")) items.push_back(ReadItem(item));
    absl::optional<CompletionReason> reason;
    if (json.contains("completionReason")) {
      reason = ParseCompletionReason(json["completionReason"].get<std::string>());
      if (!reason.has_value()) return absl::InvalidArgumentError("unknown completion reason");
    } else {
      reason = InferReason(items);
    }
    return BatchResult<std::string>(std::move(items), *reason);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not a batch result: ", error.what()));
  }
}

}  // namespace internal
}  // namespace durable
