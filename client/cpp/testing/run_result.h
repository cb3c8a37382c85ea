// RunResult: how a run ended, and everything that was recorded on the way. Plain data: it outlives
// the runner.
//
//   absl::StatusOr<RunResult> result = runner.Run({{"order", 17}}, absl::Seconds(10));
//   EXPECT_EQ(result->status(), ExecutionStatus::kSucceeded);
//   EXPECT_EQ(result->GetContext("two")->GetStep("two_1")->ResultAs<std::string>(), "3 4");
#ifndef REHEARSE_CLIENT_CPP_TESTING_RUN_RESULT_H_
#define REHEARSE_CLIENT_CPP_TESTING_RUN_RESULT_H_

#include <iosfwd>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/serdes.h"
#include "client/cpp/testing/event.h"

namespace durable::testing {

enum class ExecutionStatus {
  kRunning,
  kPausing,
  kPaused,
  kSucceeded,
  kFailed,
  kTimedOut,
  kStopped
};

// For example "SUCCEEDED".
absl::string_view ExecutionStatusName(ExecutionStatus status);
absl::string_view OperationStatusName(OperationStatus status);
// For example "step".
absl::string_view OperationTypeName(OperationType type);

class OperationView;

namespace internal {

// An operation with the times of its record.
struct RecordedOperation : Operation {
  absl::Time start_time;
  // InfiniteFuture while it is open.
  absl::Time end_time = absl::InfiniteFuture();
};

struct RunRecord {
  std::string durable_execution_arn;
  absl::Time start_time;
  // InfiniteFuture while it is open.
  absl::Time end_time = absl::InfiniteFuture();
  ExecutionStatus status = ExecutionStatus::kRunning;
  absl::optional<std::string> result;
  absl::optional<ErrorObject> error;
  // In creation order, without EXECUTION.
  std::vector<RecordedOperation> operations;
  std::vector<Event> history;
  int invocation_count = 0;
};

// `text` as a T. Throws std::runtime_error, which fails the test, when it is not one.
template <typename T>
T ReadAs(const absl::optional<std::string>& text, absl::string_view of) {
  const durable::internal::AnySerdes none;
  durable::internal::TypedSlot<T> slot(none);
  const absl::optional<absl::string_view> view = text;
  const absl::Status status = durable::internal::Decode(slot, view, SerdesContext());
  if (status.ok()) return slot.Take();
  throw std::runtime_error(absl::StrCat("the result of ", of, " cannot be read: ", status.message(),
                                        ": ", text.value_or("(none)")));
}

// The getters that a run and each of its operations have for what is directly below. Names need not
// be unique: a getter gives the first operation of its type and name in creation order. NOT_FOUND,
// with the names there are, without one.
class Children {
 public:
  absl::StatusOr<OperationView> GetStep(absl::string_view name) const;
  absl::StatusOr<OperationView> GetWait(absl::string_view name) const;
  absl::StatusOr<OperationView> GetContext(absl::string_view name) const;
  absl::StatusOr<OperationView> GetCallback(absl::string_view name) const;
  absl::StatusOr<OperationView> GetInvoke(absl::string_view name) const;
  // All steps of that name.
  std::vector<OperationView> GetSteps(absl::string_view name) const;
  std::vector<OperationView> GetOperations() const;

 protected:
  // `parent_id` empty: below the execution.
  Children(std::shared_ptr<const RunRecord> record, std::string parent_id)
      : record_(std::move(record)), parent_id_(std::move(parent_id)) {}

  const RunRecord& record() const { return *record_; }
  const std::shared_ptr<const RunRecord>& shared_record() const { return record_; }

 private:
  absl::StatusOr<OperationView> Get(OperationType type, absl::string_view name) const;

  std::shared_ptr<const RunRecord> record_;
  std::string parent_id_;
};

// One line, for example: step "charge" FAILED, error Declined: no.
std::string Describe(const OperationView& operation);

}  // namespace internal

// One operation of a run.
class OperationView : public internal::Children {
 public:
  OperationView(std::shared_ptr<const internal::RunRecord> record,
                const internal::RecordedOperation& operation)
      : Children(std::move(record), operation.id), operation_(&operation) {}

  const std::string& id() const { return operation_->id; }
  // Empty: directly below the execution.
  const std::string& parent_id() const { return operation_->parent_id; }
  const std::string& name() const { return operation_->name; }
  OperationType type() const { return operation_->type; }
  const std::string& sub_type() const { return operation_->sub_type; }
  OperationStatus status() const { return operation_->status; }
  // Of a step: attempts that have ended.
  int attempt() const { return operation_->attempt; }
  // As recorded; empty when there is none.
  std::string result() const { return operation_->payload.value_or(""); }
  bool has_result() const { return operation_->payload.has_value(); }
  // Throws when the result is no T.
  template <typename T>
  T ResultAs() const {
    return internal::ReadAs<T>(operation_->payload, absl::StrCat("operation \"", name(), "\""));
  }
  const absl::optional<ErrorObject>& error() const { return operation_->error; }
  absl::Time start_time() const { return operation_->start_time; }
  // InfiniteFuture while the operation is open.
  absl::Time end_time() const { return operation_->end_time; }
  // Of a step that waits for its next attempt; InfiniteFuture otherwise.
  absl::Time next_attempt_time() const { return operation_->next_attempt_time; }
  // Of a wait.
  absl::Time scheduled_end_time() const { return operation_->scheduled_end_time; }
  // Of a callback.
  const std::string& callback_id() const { return operation_->callback_id; }
  // Of a context: its result was too large to keep, so that a replay runs its body again.
  bool replay_children() const { return operation_->replay_children; }
  // Of an invoke of a durable function: the execution that it started, for GetResult. Empty
  // otherwise.
  std::string invoked_execution_arn() const;
  // The events of this operation, without those of its children.
  std::vector<Event> History() const;
  // All of the above, as the SDK has it.
  const Operation& operation() const { return *operation_; }
  // FormatHistoryAround the events of this operation.
  std::string FormatSurroundings() const;

 private:
  const internal::RecordedOperation* operation_;
};

// One invocation of the function, on the execution's clock.
struct InvocationView {
  std::string request_id;
  absl::Time start_time;
  absl::Time end_time;
  // Why it failed or crashed.
  absl::optional<ErrorObject> error;
};

class RunResult : public internal::Children {
 public:
  explicit RunResult(internal::RunRecord record)
      : Children(std::make_shared<const internal::RunRecord>(std::move(record)), "") {}

  const std::string& durable_execution_arn() const { return record().durable_execution_arn; }
  ExecutionStatus status() const { return record().status; }
  // JSON text; empty when there is none.
  std::string result() const { return record().result.value_or(""); }
  bool has_result() const { return record().result.has_value(); }
  // Throws when the result is no T.
  template <typename T>
  T ResultAs() const {
    return internal::ReadAs<T>(record().result, "the run");
  }
  const absl::optional<ErrorObject>& error() const { return record().error; }
  absl::Time start_time() const { return record().start_time; }
  // InfiniteFuture while the execution is open.
  absl::Time end_time() const { return record().end_time; }
  // Those that have started, crashed ones included.
  int invocation_count() const { return record().invocation_count; }
  // Those that have ended.
  std::vector<InvocationView> Invocations() const;
  const std::vector<Event>& History() const { return record().history; }

  // Every operation, wherever it is, in creation order.
  std::vector<OperationView> GetAllOperations() const;
  // The operation at `index`, from 0, in GetAllOperations. OUT_OF_RANGE without one.
  absl::StatusOr<OperationView> GetOperationByIndex(int index) const;
  // Of any type and wherever it is: the one at `index`, from 0, among those of that name. NOT_FOUND
  // without one.
  absl::StatusOr<OperationView> GetOperation(absl::string_view name, int index = 0) const;
  absl::StatusOr<OperationView> GetOperationById(absl::string_view id) const;
};

// Status, result or error, and the history.
std::ostream& operator<<(std::ostream& out, const RunResult& result);
// Type, name, status, result or error, and the history around its events.
std::ostream& operator<<(std::ostream& out, const OperationView& operation);

}  // namespace durable::testing

#endif  // REHEARSE_CLIENT_CPP_TESTING_RUN_RESULT_H_
