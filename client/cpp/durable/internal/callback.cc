// DurableContext::CreateCallback and Callback::Result.
#include "client/cpp/durable/callback.h"

#include <utility>

#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

constexpr int64_t kMaxTimeoutSeconds = 99'999'999;

absl::Status CallbackError(ErrorKind kind, const Operation& record, const char* default_message) {
  ErrorInfo info = FromRecord(kind, record.error.value_or(ErrorObject()));
  if (info.message.empty()) info.message = default_message;
  info.kind = kind;
  return ToStatus(info);
}

// A callback may be awaited in any context of its invocation: the one that is active on this
// thread.
absl::StatusOr<Context*> EnterActiveContext(const Invocation* invocation) {
  const ActiveFrame* frame = ActiveFrame::Current();
  if (frame == nullptr || &frame->context().invocation() != invocation) {
    return absl::FailedPreconditionError(
        "the result of a callback was asked for outside the invocation that created it");
  }
  DURABLE_RETURN_IF_ERROR(frame->context().Enter("the result of a callback"));
  return &frame->context();
}

absl::Status ReadAnswer(const Context& context, const CallbackHandle& handle,
                        const Operation& record, ResultSlot& slot) {
  absl::optional<absl::string_view> text;
  if (record.payload.has_value()) text = *record.payload;
  const SerdesContext serdes = {handle.operation_id, context.invocation().arn()};
  return RequirePermanent(context, Decode(slot, text, serdes));
}

absl::Status AwaitAnswer(const CallbackHandle& handle, ResultSlot& slot) {
  DURABLE_ASSIGN_OR_RETURN(Context * context, EnterActiveContext(handle.invocation));
  const std::shared_ptr<const Operation> record =
      handle.invocation->store().Find(handle.operation_id);
  if (IsTerminal(record->status)) {
    handle.invocation->plugins().OperationIsObserved(handle.operation_id);
  }
  switch (record->status) {
    case OperationStatus::kSucceeded:
      return ReadAnswer(*context, handle, *record, slot);
    case OperationStatus::kFailed:
    case OperationStatus::kCancelled:
    case OperationStatus::kStopped:
      return CallbackError(ErrorKind::kCallbackExternal, *record, "Callback failed");
    case OperationStatus::kTimedOut:
      return CallbackError(ErrorKind::kCallbackTimeout, *record, "Callback timed out");
    default:
      if (context->replays_closed()) {
        FailNonDeterministic(
            *context,
            "the result of a callback is awaited in a closed context, where it was "
            "not awaited before");
      }
      context->Suspend({absl::InfiniteFuture(), {handle.operation_id}});
  }
}

}  // namespace

absl::Status ValidateCallbackOptions(const CallbackOptions& options, const std::type_info& type) {
  DURABLE_RETURN_IF_ERROR(ValidateSubType(options.sub_type()));
  DURABLE_RETURN_IF_ERROR(ValidateSerdes(options.serdes(), type));
  DURABLE_RETURN_IF_ERROR(
      WholeSeconds("a callback's timeout", options.timeout(), 0, kMaxTimeoutSeconds).status());
  return WholeSeconds("a callback's heartbeat timeout", options.heartbeat_timeout(), 0,
                      kMaxTimeoutSeconds)
      .status();
}

absl::StatusOr<CallbackHandle> StartCallbackOperation(Context& context, absl::string_view name,
                                                      const CallbackOptions& options) {
  DURABLE_RETURN_IF_ERROR(context.Enter(Describe("callback", name)));
  OperationCall call(context,
                     {OperationType::kCallback, SubTypeOr(options.sub_type(), "Callback"), name});
  if (call.record() == nullptr) {
    OperationUpdate start = call.Update(OperationAction::kStart);
    DURABLE_ASSIGN_OR_RETURN(
        start.timeout_seconds,
        WholeSeconds("a callback's timeout", options.timeout(), 0, kMaxTimeoutSeconds));
    DURABLE_ASSIGN_OR_RETURN(start.heartbeat_timeout_seconds,
                             WholeSeconds("a callback's heartbeat timeout",
                                          options.heartbeat_timeout(), 0, kMaxTimeoutSeconds));
    call.SendAndReload(std::move(start));
  }
  CallbackHandle handle = {&context.invocation(), call.id(), call.record()->callback_id};
  call.Finish();
  return handle;
}

absl::Status CallbackHandle::Await(ResultSlot& slot) const {
  return CallForUser(*invocation, [&] { return AwaitAnswer(*this, slot); });
}

}  // namespace internal

absl::StatusOr<internal::CallbackHandle> DurableContext::StartCallback(
    absl::string_view name, const CallbackOptions& options, const std::type_info& type) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_RETURN_IF_ERROR(internal::ValidateCallbackOptions(options, type));
  return internal::CallForUser(context_.invocation(), [&] {
    return internal::StartCallbackOperation(context_, name, options);
  });
}

}  // namespace durable
