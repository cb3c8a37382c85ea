#include "client/cpp/durable/internal/completion_policy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/internal/error_conversion.h"

namespace durable {
namespace internal {

absl::Status ValidateCompletion(const CompletionConfig& config, int branches) {
  if (config.min_successful().has_value() &&
      (*config.min_successful() < 1 || *config.min_successful() > branches)) {
    return ValidationError(absl::StrCat("min_successful is ", *config.min_successful(),
                                        "; allowed are 1 to the number of branches, ", branches));
  }
  if (config.tolerated_failures().value_or(0) < 0) {
    return ValidationError(
        absl::StrCat("tolerated_failures is ", *config.tolerated_failures(), "; it is at least 0"));
  }
  const double percentage = config.tolerated_failure_percentage().value_or(0);
  if (!(percentage >= 0 && percentage <= 100)) {
    return ValidationError(
        absl::StrCat("tolerated_failure_percentage is ", percentage, "; allowed are 0 to 100"));
  }
  return absl::OkStatus();
}

CompletionPolicy::CompletionPolicy(const CompletionConfig& config, CompletionPredicate predicate,
                                   const std::vector<std::string>& names)
    : config_(config), predicate_(std::move(predicate)) {
  progress_.branches.reserve(names.size());
  for (const std::string& name : names) progress_.branches.push_back({name, absl::nullopt});
  Ask();
}

void CompletionPolicy::Start(int index) {
  progress_.branches[index].status = ItemStatus::kStarted;
  Ask();
}

void CompletionPolicy::End(int index, ItemStatus status) {
  progress_.branches[index].status = status;
  ++(status == ItemStatus::kSucceeded ? progress_.succeeded : progress_.failed);
  Ask();
}

bool CompletionPolicy::complete() const {
  if (decision_ != CompletionDecision::kContinue) return true;
  return progress_.completed() >= progress_.total() || min_reached() || tolerance_exceeded();
}

CompletionReason CompletionPolicy::reason() const {
  if (decision_ == CompletionDecision::kCompleteSucceeded) {
    return CompletionReason::kCustomCompletionSucceeded;
  }
  if (decision_ == CompletionDecision::kCompleteFailed) {
    return CompletionReason::kCustomCompletionFailed;
  }
  if (tolerance_exceeded()) return CompletionReason::kFailureToleranceExceeded;
  if (progress_.completed() >= progress_.total()) return CompletionReason::kAllCompleted;
  return min_reached() ? CompletionReason::kMinSuccessfulReached : CompletionReason::kAllCompleted;
}

void CompletionPolicy::Ask() {
  if (predicate_ && decision_ == CompletionDecision::kContinue) decision_ = predicate_(progress_);
}

bool CompletionPolicy::tolerance_exceeded() const {
  if (predicate_) return false;
  const int failed = progress_.failed;
  const auto& count = config_.tolerated_failures();
  const auto& percentage = config_.tolerated_failure_percentage();
  if (!config_.min_successful().has_value() && !count.has_value() && !percentage.has_value()) {
    return failed > 0;
  }
  if (count.has_value() && failed > *count) return true;
  return percentage.has_value() && progress_.total() > 0 &&
         failed * 100.0 / progress_.total() > *percentage;
}

bool CompletionPolicy::min_reached() const {
  if (predicate_) return false;
  const auto& min = config_.min_successful();
  return min.has_value() && progress_.succeeded >= *min;
}

}  // namespace internal
}  // namespace durable
