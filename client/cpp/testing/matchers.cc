#include "client/cpp/testing/matchers.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace durable {
namespace testing::internal {
namespace {

bool EndsExecution(EventType type) {
  return type == EventType::kExecutionSucceeded || type == EventType::kExecutionFailed ||
         type == EventType::kExecutionTimedOut || type == EventType::kExecutionStopped;
}

}  // namespace

bool HistoryMatches(const std::vector<Event>& history, const std::string& compact) {
  const std::vector<std::string> expected = absl::StrSplit(compact, ' ', absl::SkipEmpty());
  const std::string normalized = absl::StrJoin(expected, " ");
  if (CompactHistory(history) == normalized) return true;
  if (history.empty() || !EndsExecution(history.back().type)) return false;
  return CompactHistory({history.begin(), history.end() - 1}) == normalized;
}

}  // namespace testing::internal

void PrintTo(const ErrorObject& error, std::ostream* out) {
  *out << error.type << ": " << error.message;
}

}  // namespace durable
