#include "client/cpp/testing/matchers.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "client/cpp/testing/history_pattern.h"
#include "client/cpp/testing/history_printer.h"

namespace durable {
namespace testing::internal {

bool HistoryMatches(const std::vector<Event>& history, absl::string_view pattern,
                    std::ostream* out) {
  const absl::StatusOr<HistoryPattern> parsed = HistoryPattern::Parse(pattern);
  if (!parsed.ok()) throw std::invalid_argument(std::string(parsed.status().message()));
  const absl::optional<HistoryMismatch> mismatch = parsed->Compare(history);
  if (out != nullptr) {
    *out << "which has the history " << CompactHistory(history);
    if (mismatch.has_value()) {
      *out << ": " << mismatch->text << "\n" << FormatHistoryAround(history, {mismatch->event_id});
    }
  }
  return !mismatch.has_value();
}

std::string Describe(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

}  // namespace testing::internal

void testing::PrintTo(ExecutionStatus status, std::ostream* out) {
  *out << testing::ExecutionStatusName(status);
}

void PrintTo(const ErrorObject& error, std::ostream* out) { *out << testing::FormatError(error); }

void PrintTo(OperationStatus status, std::ostream* out) {
  *out << testing::OperationStatusName(status);
}

}  // namespace durable
