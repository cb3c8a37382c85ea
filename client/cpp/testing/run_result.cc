#include "client/cpp/testing/run_result.h"

#include <iterator>
#include <ostream>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "client/cpp/testing/history_printer.h"

namespace durable::testing {
namespace {

std::string DescribeOutcome(bool has_result, const std::string& result,
                            const absl::optional<ErrorObject>& error) {
  std::string text;
  if (has_result) absl::StrAppend(&text, ", result ", Abbreviate(result, 200));
  if (error.has_value()) absl::StrAppend(&text, ", error ", FormatError(*error));
  return text;
}

}  // namespace

absl::string_view OperationTypeName(OperationType type) {
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
    others.push_back(absl::StrCat(OperationTypeName(child.type()), " \"", child.name(), "\""));
  }
  return absl::NotFoundError(
      absl::StrCat("there is no ", OperationTypeName(type), " \"", name,
                   "\" here, but: ", others.empty() ? "nothing" : absl::StrJoin(others, ", ")));
}

std::string Describe(const OperationView& operation) {
  return absl::StrCat(
      OperationTypeName(operation.type()), " \"", operation.name(), "\" ",
      OperationStatusName(operation.status()),
      DescribeOutcome(operation.has_result(), operation.result(), operation.error()));
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

std::vector<Event> OperationView::History() const {
  std::vector<Event> events;
  absl::c_copy_if(record().history, std::back_inserter(events),
                  [this](const Event& event) { return event.operation_id == id(); });
  return events;
}

std::string OperationView::invoked_execution_arn() const {
  for (const Event& event : History()) {
    if (event.type == EventType::kChainedInvokeStarted) return event.durable_execution_arn;
  }
  return "";
}

std::string OperationView::FormatSurroundings() const {
  std::vector<int64_t> ids;
  for (const Event& event : History()) ids.push_back(event.id);
  return FormatHistoryAround(record().history, ids);
}

std::vector<InvocationView> RunResult::Invocations() const {
  std::vector<InvocationView> invocations;
  for (const Event& event : History()) {
    if (event.type != EventType::kInvocationCompleted) continue;
    invocations.push_back({event.request_id, event.start_time, event.end_time, event.error});
  }
  return invocations;
}

std::vector<OperationView> RunResult::GetAllOperations() const {
  std::vector<OperationView> operations;
  for (const internal::RecordedOperation& operation : record().operations)
    operations.emplace_back(shared_record(), operation);
  return operations;
}

absl::StatusOr<OperationView> RunResult::GetOperationByIndex(int index) const {
  const int count = static_cast<int>(record().operations.size());
  if (index >= 0 && index < count)
    return OperationView(shared_record(), record().operations[index]);
  return absl::OutOfRangeError(
      absl::StrCat("there is no operation ", index, ": the run has ", count));
}

absl::StatusOr<OperationView> RunResult::GetOperation(absl::string_view name, int index) const {
  int found = 0;
  for (const internal::RecordedOperation& operation : record().operations) {
    if (operation.name == name && found++ == index)
      return OperationView(shared_record(), operation);
  }
  return absl::NotFoundError(absl::StrCat("there is no operation \"", name, "\" with index ", index,
                                          ": the run has ", found, " of that name"));
}

absl::StatusOr<OperationView> RunResult::GetOperationById(absl::string_view id) const {
  for (const internal::RecordedOperation& operation : record().operations) {
    if (operation.id == id) return OperationView(shared_record(), operation);
  }
  return absl::NotFoundError(absl::StrCat("there is no operation with the id ", id));
}

std::ostream& operator<<(std::ostream& out, const RunResult& result) {
  return out << ExecutionStatusName(result.status())
             << DescribeOutcome(result.has_result(), result.result(), result.error()) << "\n"
             << FormatHistory(result.History());
}

std::ostream& operator<<(std::ostream& out, const OperationView& operation) {
  return out << internal::Describe(operation) << "\n" << operation.FormatSurroundings();
}

}  // namespace durable::testing
