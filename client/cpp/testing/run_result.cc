#include "client/cpp/testing/run_result.h"

#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "client/cpp/testing/history_printer.h"

namespace durable::testing {
namespace {

absl::string_view TypeName(OperationType type) {
  switch (type) {
    case OperationType::kExecution:
      return "execution";
    case OperationType::kContext:
      return "context";
    case OperationType::kStep:
      return "step";
    case OperationType::kWait:
      return "wait";
    case OperationType::kCallback:
      return "callback";
    case OperationType::kChainedInvoke:
      return "invoke";
  }
  return "";
}

void PrintOutcome(std::ostream& out, bool has_result, const std::string& result,
                  const absl::optional<ErrorObject>& error) {
  if (has_result) out << ", result " << Abbreviate(result, 200);
  if (error.has_value()) out << ", error " << error->type << ": " << error->message;
}

}  // namespace

absl::string_view ExecutionStatusName(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::kRunning:
      return "RUNNING";
    case ExecutionStatus::kPausing:
      return "PAUSING";
    case ExecutionStatus::kPaused:
      return "PAUSED";
    case ExecutionStatus::kSucceeded:
      return "SUCCEEDED";
    case ExecutionStatus::kFailed:
      return "FAILED";
    case ExecutionStatus::kTimedOut:
      return "TIMED_OUT";
    case ExecutionStatus::kStopped:
      return "STOPPED";
  }
  return "";
}

absl::string_view OperationStatusName(OperationStatus status) {
  switch (status) {
    case OperationStatus::kStarted:
      return "STARTED";
    case OperationStatus::kPending:
      return "PENDING";
    case OperationStatus::kReady:
      return "READY";
    case OperationStatus::kSucceeded:
      return "SUCCEEDED";
    case OperationStatus::kFailed:
      return "FAILED";
    case OperationStatus::kCancelled:
      return "CANCELLED";
    case OperationStatus::kTimedOut:
      return "TIMED_OUT";
    case OperationStatus::kStopped:
      return "STOPPED";
  }
  return "";
}

namespace internal {

std::vector<OperationView> Children::GetOperations() const {
  std::vector<OperationView> children;
  for (const RecordedOperation& operation : record_->operations) {
    if (operation.parent_id == parent_id_) children.emplace_back(record_, operation);
  }
  return children;
}

std::vector<OperationView> Children::GetSteps(absl::string_view name) const {
  std::vector<OperationView> steps;
  for (OperationView& child : GetOperations()) {
    if (child.type() == OperationType::kStep && child.name() == name)
      steps.push_back(std::move(child));
  }
  return steps;
}

absl::StatusOr<OperationView> Children::Get(OperationType type, absl::string_view name) const {
  std::vector<std::string> others;
  for (OperationView& child : GetOperations()) {
    if (child.type() == type && child.name() == name) return std::move(child);
    others.push_back(absl::StrCat(TypeName(child.type()), " \"", child.name(), "\""));
  }
  return absl::NotFoundError(
      absl::StrCat("there is no ", TypeName(type), " \"", name,
                   "\" here, but: ", others.empty() ? "nothing" : absl::StrJoin(others, ", ")));
}

absl::StatusOr<OperationView> Children::GetStep(absl::string_view name) const {
  return Get(OperationType::kStep, name);
}
absl::StatusOr<OperationView> Children::GetWait(absl::string_view name) const {
  return Get(OperationType::kWait, name);
}
absl::StatusOr<OperationView> Children::GetContext(absl::string_view name) const {
  return Get(OperationType::kContext, name);
}
absl::StatusOr<OperationView> Children::GetCallback(absl::string_view name) const {
  return Get(OperationType::kCallback, name);
}
absl::StatusOr<OperationView> Children::GetInvoke(absl::string_view name) const {
  return Get(OperationType::kChainedInvoke, name);
}

}  // namespace internal

std::ostream& operator<<(std::ostream& out, const RunResult& result) {
  out << ExecutionStatusName(result.status());
  PrintOutcome(out, result.has_result(), result.result(), result.error());
  return out << "\n" << FormatHistory(result.History());
}

std::ostream& operator<<(std::ostream& out, const OperationView& operation) {
  out << TypeName(operation.type()) << " \"" << operation.name() << "\" "
      << OperationStatusName(operation.status());
  PrintOutcome(out, operation.has_result(), operation.result(), operation.error());
  return out;
}

}  // namespace durable::testing
