// DurableContext::Step.
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

class StepRun {
 public:
  StepRun(OperationCall& call, const StepOptions& options, StepBody body, ResultSlot& slot)
      : call_(call), options_(options), body_(body), slot_(slot) {}

  absl::Status Run() {
    const Operation* record = call_.record();
    if (record == nullptr) return RunAttempt();
    switch (record->status) {
      case OperationStatus::kSucceeded:
        return call_.Read(record->payload, slot_);
      case OperationStatus::kPending:
        call_.Suspend(record->next_attempt_time);
      case OperationStatus::kReady:
        return RunAttempt();
      case OperationStatus::kStarted:
        return at_most_once() ? EndAttempt(Interrupted()) : RunAttempt();
      default:
        return ToStatus(FromRecord(ErrorKind::kStep, record->error.value_or(ErrorObject())));
    }
  }

 private:
  bool at_most_once() const { return options_.semantics() == StepSemantics::kAtMostOncePerRetry; }

  absl::Status RunAttempt() {
    Start();
    UserOutcome outcome = CallStepBody(call_, body_);
    call_.context().RequireLive();
    return outcome.status.ok() ? Succeed() : EndAttempt(std::move(outcome));
  }

  // An attempt that the last invocation had started keeps its START.
  void Start() {
    if (call_.HasStatus(OperationStatus::kStarted)) return;
    OperationUpdate start = call_.Update(OperationAction::kStart);
    if (at_most_once()) {
      call_.SendAndReload(std::move(start));
    } else {
      call_.Queue(std::move(start));
    }
  }

  absl::Status Succeed() {
    absl::StatusOr<std::string> payload = call_.Write(slot_);
    if (!payload.ok()) return Fail(InfoOf(payload.status()));
    OperationUpdate update = call_.Update(OperationAction::kSucceed);
    update.payload = *std::move(payload);
    call_.Send(std::move(update));
    return absl::OkStatus();
  }

  UserOutcome Interrupted() const {
    ErrorInfo info;
    info.kind = ErrorKind::kStepInterrupted;
    info.type = std::string(TypeNameOf(info.kind));
    info.message = absl::StrCat(Describe("step", call_.name()), " (", call_.id(),
                                ") was interrupted: the invocation ended while it ran");
    return {ToStatus(info), nullptr};
  }

  // The attempt failed: the strategy decides what comes next.
  absl::Status EndAttempt(UserOutcome failure) {
    ErrorInfo info = InfoOf(failure.status);
    info.exception = std::move(failure.exception);
    RetryDecision decision;
    const UserOutcome decided = CallUserCode([&] {
      decision = options_.retry() ? options_.retry()(info, call_.attempt())
                                  : DefaultRetry()(info, call_.attempt());
      return absl::OkStatus();
    });
    if (!decided.status.ok()) return Fail(InfoOf(decided.status));
    if (!decision.retry) return Fail(info);
    Retry(info, decision.delay);
  }

  [[noreturn]] void Retry(const ErrorInfo& info, absl::Duration delay) {
    OperationUpdate update = call_.Update(OperationAction::kRetry);
    update.error = ToErrorObject(info);
    call_.SendRetry(std::move(update), delay);
  }

  absl::Status Fail(const ErrorInfo& info) { return call_.SendFailure(ErrorKind::kStep, info); }

  OperationCall& call_;
  const StepOptions& options_;
  const StepBody body_;
  ResultSlot& slot_;
};

}  // namespace

UserOutcome CallStepBody(OperationCall& call, StepBody body) {
  Context& context = call.context();
  const int attempt = call.attempt();
  std::vector<LogField> fields = {{"operationId", call.id()}, {"attempt", attempt}};
  if (!call.name().empty()) fields.push_back({"operationName", std::string(call.name())});
  if (!context.parent_id().empty()) fields.push_back({"parentId", context.parent_id()});
  StepContext step(context, attempt,
                   context.invocation().MakeLogger(context.replaying_flag(), std::move(fields)));
  return call.RunUserFunction(context, ActiveFrame::Kind::kStepBody, attempt,
                              [&] { return body(step); });
}

absl::Status RunStepOperation(Context& context, absl::string_view name, const StepOptions& options,
                              StepBody body, ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(ValidateName(name));
  DURABLE_RETURN_IF_ERROR(ValidateSubType(options.sub_type()));
  DURABLE_RETURN_IF_ERROR(ValidateSerdes(options.serdes(), slot.type()));
  DURABLE_RETURN_IF_ERROR(context.Enter(Describe("step", name)));
  OperationCall call(context, {OperationType::kStep, SubTypeOr(options.sub_type(), "Step"), name});
  absl::Status status = StepRun(call, options, body, slot).Run();
  call.Finish();
  return status;
}

}  // namespace internal

absl::Status DurableContext::RunStep(absl::string_view name, const StepOptions& options,
                                     internal::StepBody body, internal::ResultSlot& slot) {
  return internal::CallForUser(context_.invocation(), [&] {
    return internal::RunStepOperation(context_, name, options, body, slot);
  });
}

}  // namespace durable
