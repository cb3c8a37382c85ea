// RunInvocation: load the state, run the handler, and turn the way it ended into an answer.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/internal/context.h"
#include "client/cpp/durable/internal/error_conversion.h"
#include "client/cpp/durable/internal/invocation_state.h"
#include "client/cpp/durable/internal/service_error.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/invocation.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

// A larger result is checkpointed instead of answered.
constexpr size_t kMaxResponseBytes = 6 * 1024 * 1024 - 50;

InvocationOutput Failed(ErrorObject error) {
  InvocationOutput output;
  output.status = InvocationStatus::kFailed;
  output.error = std::move(error);
  return output;
}

InvocationOutput Failed(const FatalError& fatal) {
  InvocationOutput output = Failed(fatal.error);
  if (fatal.retry) output.status = InvocationStatus::kRetry;
  return output;
}

// A call to the service failed; `type` says which.
InvocationOutput ServiceFailed(absl::string_view type, const absl::Status& status) {
  FatalError fatal;
  fatal.error.type = std::string(type);
  fatal.error.message = status.ToString();
  fatal.retry = IsRetryableServiceError(status) || absl::IsCancelled(status);
  return Failed(fatal);
}

std::string ExecutionOperationId(absl::string_view arn) {
  const std::vector<absl::string_view> segments = absl::StrSplit(arn, '/');
  return std::string(segments.back());
}

absl::Status LoadState(InvocationInput& input, ServiceClient& client, int page_size,
                       StateStore& store) {
  store.Merge(std::move(input.initial_state.operations));
  std::string marker = std::move(input.initial_state.next_marker);
  while (!marker.empty()) {
    DURABLE_ASSIGN_OR_RETURN(StatePage page,
                             client.GetState({input.durable_execution_arn, input.checkpoint_token,
                                              std::move(marker), page_size}));
    store.Merge(std::move(page.operations));
    marker = std::move(page.next_marker);
  }
  return absl::OkStatus();
}

InvocationInfo Describe(Invocation& invocation, const Operation& execution,
                        const std::vector<std::string>& updated_operation_ids) {
  InvocationInfo info;
  info.request_id = invocation.request_id();
  info.durable_execution_arn = invocation.arn();
  info.is_first_invocation = !invocation.store().HasOperations();
  info.execution_start_time = execution.start_time;
  info.input = execution.payload;
  info.operations = &invocation.store();
  for (const std::string& id : updated_operation_ids) {
    std::shared_ptr<const Operation> operation = invocation.store().Find(id);
    if (operation != nullptr) info.updated_operations.push_back(std::move(operation));
  }
  return info;
}

// One run of a handler over a loaded state.
class HandlerRun {
 public:
  HandlerRun(const Handler& handler, Invocation& invocation,
             std::shared_ptr<const Operation> execution)
      : handler_(handler), invocation_(invocation), execution_(std::move(execution)) {}

  InvocationOutput Run() {
    InvocationOutput output;
    do {
      root_.emplace(invocation_);
      output = CallHandler();
    } while (MayGoOn());
    if (!Overruling().has_value()) CheckpointIfTooLarge(output);
    invocation_.queue().Stop();
    const absl::Status failure = invocation_.queue().failure();
    if (!failure.ok()) {
      invocation_.diagnostics().Error(absl::StrCat("a checkpoint failed: ", failure.ToString()));
    }
    output = Overruling().value_or(std::move(output));
    invocation_.plugins().End(output);
    return output;
  }

 private:
  // What the run waits for came with an answer that arrived when it had looked: the service does
  // not invoke again for what it has told.
  bool MayGoOn() {
    if (!root_->blocked()) return false;
    CheckpointQueue& queue = invocation_.queue();
    queue.Settle();
    return !queue.withdrawn() && queue.failure().ok() && !invocation_.has_failed() &&
           IsLifted(root_->blockage(), invocation_.store());
  }

  // What the handler makes of it. A run that was unwound has no outcome of its own: Overruling()
  // knows better.
  InvocationOutput CallHandler() {
    std::string result;
    try {
      const ActiveFrame frame(*root_, ActiveFrame::Kind::kContextBody);
      const UserOutcome outcome = CallUserCode([&] { return Call(result); });
      if (IsSuspended(outcome.status)) return InvocationOutput();
      if (!outcome.status.ok()) return HandlerFailed(outcome.status);
    } catch (const Unwind&) {
      return InvocationOutput();
    }
    if (root_->blocked()) {
      invocation_.diagnostics().Warning(
          "the handler swallowed a suspension; begin catch (...) with "
          "DURABLE_RETHROW_IF_UNWINDING");
    }
    InvocationOutput output;
    output.status = InvocationStatus::kSucceeded;
    output.result = std::move(result);
    return output;
  }

  absl::Status Call(std::string& result) {
    absl::optional<absl::string_view> input;
    if (execution_->payload.has_value()) input = *execution_->payload;
    DURABLE_ASSIGN_OR_RETURN(
        result, handler_.Call(root_->facade(), input, {execution_->id, invocation_.arn()}));
    return absl::OkStatus();
  }

  static InvocationOutput HandlerFailed(const absl::Status& status) {
    FatalError fatal;
    fatal.error = ToErrorObject(InfoOf(status));
    fatal.retry = IsTransientSerdesError(status);
    return Failed(fatal);
  }

  // What counts more than the handler's outcome, strongest first.
  absl::optional<InvocationOutput> Overruling() const {
    CheckpointQueue& queue = invocation_.queue();
    if (queue.withdrawn()) return InvocationOutput();
    if (const absl::optional<FatalError> fatal = invocation_.fatal()) return Failed(*fatal);
    const absl::Status failure = queue.failure();
    if (!failure.ok()) return ServiceFailed("CheckpointError", failure);
    if (root_->blocked()) return InvocationOutput();
    return absl::nullopt;
  }

  void CheckpointIfTooLarge(InvocationOutput& output) {
    if (!output.result.has_value() || output.result->size() <= kMaxResponseBytes) return;
    OperationUpdate update;
    update.id = execution_->id;
    update.type = OperationType::kExecution;
    update.action = OperationAction::kSucceed;
    update.payload = std::move(output.result);
    invocation_.queue().SendSync(std::move(update), root_->scope());
    output.result = "";
  }

  const Handler& handler_;
  Invocation& invocation_;
  const std::shared_ptr<const Operation> execution_;
  absl::optional<Context> root_;
};

}  // namespace
}  // namespace internal

InvocationOutput RunInvocation(const Handler& handler, InvocationInput input, ServiceClient& client,
                               const RuntimeOptions& options) {
  internal::InstallTerminateHook();
  if (input.durable_execution_arn.empty() || input.checkpoint_token.empty()) {
    return internal::Failed(
        ErrorObject{"ExecutionError",
                    "the event names no durable execution: is the function configured as durable?",
                    "",
                    {}});
  }
  internal::Invocation invocation(input, client, options);
  const absl::Status loaded =
      internal::LoadState(input, client, options.state_page_size, invocation.store());
  if (!loaded.ok()) {
    invocation.diagnostics().Error(
        absl::StrCat("the state could not be read: ", loaded.ToString()));
    return internal::ServiceFailed("GetExecutionStateError", loaded);
  }
  const std::string id = internal::ExecutionOperationId(input.durable_execution_arn);
  std::shared_ptr<const Operation> execution = invocation.store().Find(id);
  if (execution == nullptr) {
    return internal::Failed(
        ErrorObject{"InvalidStateError",
                    absl::StrCat("the state has no operation ", id, " for the execution itself"),
                    "",
                    {}});
  }
  if (!options.plugins.empty()) {
    invocation.plugins().Begin(
        options.plugins, internal::Describe(invocation, *execution, input.updated_operation_ids));
  }
  return internal::HandlerRun(handler, invocation, std::move(execution)).Run();
}

}  // namespace durable
