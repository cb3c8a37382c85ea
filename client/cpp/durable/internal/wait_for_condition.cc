// DurableContext::WaitForCondition.
#include <utility>

#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

class ConditionRun {
 public:
  // `slot` holds the initial state.
  ConditionRun(OperationCall& call, StepBody check, WaitDecider decide, ResultSlot& slot)
      : call_(call), check_(check), decide_(decide), slot_(slot) {}

  absl::Status Run() {
    const Operation* record = call_.record();
    if (record == nullptr) return Poll();
    switch (record->status) {
      case OperationStatus::kSucceeded:
        return call_.Read(record->payload, slot_);
      case OperationStatus::kPending:
        call_.Suspend(record->next_attempt_time);
      case OperationStatus::kReady:
      case OperationStatus::kStarted:
        return Poll();
      default:
        return ToStatus(
            FromRecord(ErrorKind::kWaitForCondition, record->error.value_or(ErrorObject())));
    }
  }

 private:
  absl::Status Poll() {
    if (!call_.HasStatus(OperationStatus::kStarted)) {
      call_.Queue(call_.Update(OperationAction::kStart));
    }
    std::string payload;
    WaitDecision decision;
    const absl::Status status = Check(payload, decision);
    call_.context().RequireLive();
    if (!status.ok()) return Fail(InfoOf(status));
    if (!decision.done) Retry(std::move(payload), decision.delay);
    OperationUpdate update = call_.Update(OperationAction::kSucceed);
    update.payload = std::move(payload);
    call_.Send(std::move(update));
    return absl::OkStatus();
  }

  // One check, and what the strategy makes of the state that it returned.
  absl::Status Check(std::string& payload, WaitDecision& decision) {
    DURABLE_RETURN_IF_ERROR(LoadState());
    DURABLE_RETURN_IF_ERROR(CallStepBody(call_, check_).status);
    call_.context().RequireLive();
    DURABLE_ASSIGN_OR_RETURN(payload, call_.Write(slot_));
    return CallUserCode([&]() -> absl::Status {
             DURABLE_ASSIGN_OR_RETURN(decision, decide_(call_.attempt()));
             return absl::OkStatus();
           })
        .status;
  }

  // What the last check returned; before the first check the initial state, as later ones will see
  // it.
  absl::Status LoadState() {
    const Operation* record = call_.record();
    const bool has_state = record != nullptr && !record->payload.value_or("").empty();
    return has_state ? call_.Read(record->payload, slot_) : call_.Write(slot_).status();
  }

  [[noreturn]] void Retry(std::string state, absl::Duration delay) {
    OperationUpdate update = call_.Update(OperationAction::kRetry);
    update.payload = std::move(state);
    call_.SendRetry(std::move(update), delay);
  }

  absl::Status Fail(const ErrorInfo& info) {
    return call_.SendFailure(ErrorKind::kWaitForCondition, info);
  }

  OperationCall& call_;
  const StepBody check_;
  const WaitDecider decide_;
  ResultSlot& slot_;
};

}  // namespace
}  // namespace internal

absl::Status DurableContext::RunWaitForCondition(absl::string_view name,
                                                 const ConditionOptions& options,
                                                 internal::StepBody check,
                                                 internal::WaitDecider decide,
                                                 internal::ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_RETURN_IF_ERROR(internal::ValidateSerdes(options.serdes(), slot.type()));
  return internal::CallForUser(context_.invocation(), [&]() -> absl::Status {
    DURABLE_RETURN_IF_ERROR(context_.Enter(internal::Describe("condition", name)));
    internal::OperationCall call(context_, {OperationType::kStep, "WaitForCondition", name});
    absl::Status status = internal::ConditionRun(call, check, decide, slot).Run();
    call.Finish();
    return status;
  });
}

}  // namespace durable
