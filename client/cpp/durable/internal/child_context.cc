// DurableContext::RunInChildContext.
#include <typeinfo>
#include <utility>

#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

class ChildRun {
 public:
  ChildRun(OperationCall& call, const ChildOperation& operation, ChildBody body, ResultSlot& slot)
      : call_(call), operation_(operation), body_(body), slot_(slot) {}

  absl::Status Run() {
    const Operation* record = call_.record();
    if (record != nullptr && IsTerminal(record->status)) {
      if (record->status != OperationStatus::kSucceeded) {
        return ErrorOf(record->error.value_or(ErrorObject()));
      }
      if (!record->replay_children) return call_.Read(record->payload, slot_);
    } else if (record == nullptr && !operation_.is_virtual) {
      call_.Queue(call_.Update(OperationAction::kStart));
    }
    return RunBody();
  }

 private:
  bool replays_closed() const {
    return call_.record() != nullptr && call_.record()->replay_children;
  }
  // Whether the outcome of the body is to be recorded.
  bool is_recorded() const { return !operation_.is_virtual && !replays_closed(); }

  absl::Status ErrorOf(const ErrorObject& error) const {
    return ToStatus(FromRecord(operation_.kind_of(error), error));
  }

  absl::Status RunBody() {
    Context child(call_.context(), {call_.path(), call_.id(), operation_.name,
                                    operation_.is_virtual, replays_closed()});
    const UserOutcome outcome = CallBody(child);
    child.scope().Close();
    return outcome.status.ok() ? Succeed() : Fail(InfoOf(outcome.status));
  }

  // Runs the body. Unwinds when it suspended, also when it did not let the unwinding pass.
  UserOutcome CallBody(Context& child) {
    Context& parent = call_.context();
    UserOutcome outcome;
    try {
      outcome = call_.RunUserFunction(child, ActiveFrame::Kind::kContextBody, /*attempt=*/1,
                                      [&] { return body_(child.facade()); });
    } catch (const Unwind&) {
      if (child.blocked()) parent.Block(child.blockage());
      throw;
    }
    child.RequireLive();
    if (child.blocked()) {
      if (!IsSuspended(outcome.status)) WarnOfSwallowing();
      parent.Suspend(child.blockage());
    }
    return outcome;
  }

  void WarnOfSwallowing() const {
    call_.context().invocation().diagnostics().Warning(
        Describe("child context", operation_.name) +
        " swallowed a suspension; begin catch (...) with DURABLE_RETHROW_IF_UNWINDING");
  }

  absl::Status Succeed() {
    absl::StatusOr<std::string> payload = call_.Write(slot_);
    if (!payload.ok()) return Fail(InfoOf(payload.status()));
    if (!is_recorded()) {
      call_.EndUnrecorded(*std::move(payload), absl::nullopt);
      return absl::OkStatus();
    }
    OperationUpdate update = call_.Update(OperationAction::kSucceed);
    update.payload = *std::move(payload);
    if (update.payload->size() > kMaxInlineResultBytes) {
      update.replay_children = true;
      const UserOutcome outcome = CallUserCode([&] {
        update.payload = operation_.summary ? operation_.summary(slot_.value()) : "";
        return absl::OkStatus();
      });
      if (!outcome.status.ok()) return Fail(InfoOf(outcome.status));
    }
    call_.Send(std::move(update));
    return absl::OkStatus();
  }

  absl::Status Fail(const ErrorInfo& info) {
    if (replays_closed()) {
      call_.FailNonDeterministic("its record says that it succeeded, and now its body failed: " +
                                 info.message);
    }
    const ErrorObject error = ToErrorObject(info);
    if (is_recorded()) {
      OperationUpdate update = call_.Update(OperationAction::kFail);
      update.error = error;
      call_.Send(std::move(update));
    } else {
      call_.EndUnrecorded(absl::nullopt, error);
    }
    return ErrorOf(error);
  }

  OperationCall& call_;
  const ChildOperation& operation_;
  const ChildBody body_;
  ResultSlot& slot_;
};

}  // namespace

absl::Status RunChildOperation(Context& parent, const ChildOperation& operation, ChildBody body,
                               ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(parent.Enter(Describe("child context", operation.name)));
  OperationCall call(
      parent, {OperationType::kContext, operation.sub_type, operation.name, operation.is_virtual});
  absl::Status status = ChildRun(call, operation, body, slot).Run();
  call.Finish();
  return status;
}

}  // namespace internal

absl::Status DurableContext::RunChild(absl::string_view name, const ChildOptions& options,
                                      internal::ChildBody body, internal::ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_RETURN_IF_ERROR(internal::ValidateSubType(options.sub_type()));
  DURABLE_RETURN_IF_ERROR(internal::ValidateSerdes(options.serdes(), slot.type()));
  if (options.summary_type() != nullptr && *options.summary_type() != slot.type()) {
    return internal::ValidationError("set_summary was called for another type than the body's");
  }
  const internal::ChildOperation operation = {
      name,
      internal::SubTypeOr(options.sub_type(), "RunInChildContext"),
      options.is_virtual(),
      options.summary(),
      [](const ErrorObject&) { return ErrorKind::kChildContext; },
  };
  return internal::CallForUser(context_.invocation(), [&] {
    return internal::RunChildOperation(context_, operation, body, slot);
  });
}

}  // namespace durable
