#include "client/cpp/testing/replay_check.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/invocation.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"
#include "client/cpp/testing/history_printer.h"

namespace durable::testing::internal {
namespace {

// A finished run has nothing to record any more.
class ClosedService final : public ServiceClient {
 public:
  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest&) override {
    return absl::CancelledError("the run has ended");
  }
  absl::StatusOr<StatePage> GetState(const GetStateRequest&) override {
    return absl::CancelledError("the run has ended");
  }
};

class ReplayCheck {
 public:
  explicit ReplayCheck(const RunResult& result)
      : result_(result), operations_(result.GetAllOperations()) {
    for (const OperationView& operation : operations_) recorded_.insert(operation.id());
  }

  absl::Status Run(const Handler& handler) {
    RuntimeOptions options;
    options.log_sink = options.diagnostic_sink = [](const LogRecord&) {};
    options.on_call = [this](const OperationUpdate& start) { return OnCall(start); };
    ClosedService service;
    const InvocationOutput output = RunInvocation(handler, Input(), service, options);
    absl::MutexLock lock(&mutex_);
    if (!unrecorded_.empty()) return Differs(unrecorded_, {});
    // The SDK itself has found a record of something else.
    if (output.error.has_value() && output.error->type == "NonDeterministicExecutionError" &&
        !(result_.error().has_value() && result_.error()->type == output.error->type)) {
      return Differs(output.error->message, {});
    }
    for (const OperationView& operation : operations_) {
      if (MustBeReached(operation) && !reached_.contains(operation.id())) {
        std::vector<int64_t> events;
        for (const Event& event : operation.History()) events.push_back(event.id);
        return Differs(absl::StrCat(Describe(operation), " is recorded, but is not reached"),
                       events);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status OnCall(const OperationUpdate& start) {
    absl::MutexLock lock(&mutex_);
    reached_.insert(start.id);
    if (recorded_.contains(start.id)) return absl::OkStatus();
    if (unrecorded_.empty()) {
      unrecorded_ = absl::StrCat(OperationTypeName(start.type), " \"", start.name,
                                 "\" would be started, but is not recorded");
    }
    return absl::FailedPreconditionError(unrecorded_);
  }

  // The body of a closed context runs again only where its result was too large to keep; what it
  // had abandoned there may be abandoned earlier now.
  bool MustBeReached(const OperationView& operation) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    if (operation.parent_id().empty()) return true;
    const absl::StatusOr<OperationView> parent = result_.GetOperationById(operation.parent_id());
    return parent.ok() && parent->replay_children() && IsTerminal(operation.status()) &&
           reached_.contains(operation.parent_id());
  }

  InvocationInput Input() const {
    InvocationInput input;
    input.durable_execution_arn = result_.durable_execution_arn();
    input.checkpoint_token = "closed";
    const std::vector<absl::string_view> segments =
        absl::StrSplit(input.durable_execution_arn, '/');
    Operation execution;
    execution.id = std::string(segments.back());
    execution.type = OperationType::kExecution;
    execution.payload = result_.History().front().payload;
    input.initial_state.operations.push_back(std::move(execution));
    for (const OperationView& operation : operations_)
      input.initial_state.operations.push_back(operation.operation());
    return input;
  }

  absl::Status Differs(absl::string_view how, const std::vector<int64_t>& event_ids) const {
    return absl::FailedPreconditionError(
        absl::StrCat("replay check: ", how, ". Code between operations must be deterministic.\n",
                     event_ids.empty() ? FormatHistory(result_.History())
                                       : FormatHistoryAround(result_.History(), event_ids)));
  }

  const RunResult& result_;
  const std::vector<OperationView> operations_;
  absl::flat_hash_set<std::string> recorded_;
  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> reached_ ABSL_GUARDED_BY(mutex_);
  // The first one.
  std::string unrecorded_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status CheckReplay(const Handler& handler, const RunResult& result) {
  if (result.status() != ExecutionStatus::kSucceeded && result.status() != ExecutionStatus::kFailed)
    return absl::OkStatus();
  return ReplayCheck(result).Run(handler);
}

}  // namespace durable::testing::internal
