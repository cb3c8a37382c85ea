// DurableContext::WaitForCallback: a child context with a callback, a step that hands out its id,
// and the answer.
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

constexpr absl::string_view kCallbackSuffix = "-callback";
constexpr absl::string_view kSubmitterSuffix = "-submitter";

std::string InnerName(absl::string_view name, absl::string_view suffix) {
  return name.empty() ? "" : absl::StrCat(name, suffix);
}

// What failed inside, told by the recorded type, so that a replay says the same.
ErrorKind KindOf(const ErrorObject& error) {
  for (const ErrorKind kind : {ErrorKind::kCallbackExternal, ErrorKind::kCallbackTimeout}) {
    if (error.type == TypeNameOf(kind)) return kind;
  }
  return error.type == TypeNameOf(ErrorKind::kStep) ? ErrorKind::kCallbackSubmitter
                                                    : ErrorKind::kChildContext;
}

absl::Status Submit(Context& context, absl::string_view name, const CallbackOptions& options,
                    const CallbackHandle& callback, Submitter submitter) {
  const AnySerdes none;
  TypedSlot<absl::monostate> nothing(none);
  const auto body = [&](StepContext& step) {
    nothing.Set({});
    return submitter(callback.callback_id, step);
  };
  const StepOptions step_options = StepOptions().set_retry(options.retry());
  return RunStepOperation(context, InnerName(name, kSubmitterSuffix), step_options, body, nothing);
}

}  // namespace
}  // namespace internal

absl::Status DurableContext::RunWaitForCallback(absl::string_view name,
                                                const CallbackOptions& options,
                                                internal::Submitter submitter,
                                                internal::ResultSlot& answer,
                                                absl::FunctionRef<void()> keep_answer,
                                                internal::ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name, internal::kSubmitterSuffix.size()));
  DURABLE_RETURN_IF_ERROR(internal::ValidateCallbackOptions(options, slot.type()));
  const auto body = [&](DurableContext& child) -> absl::Status {
    const std::string callback_name = internal::InnerName(name, internal::kCallbackSuffix);
    DURABLE_ASSIGN_OR_RETURN(
        const internal::CallbackHandle callback,
        internal::StartCallbackOperation(child.context_, callback_name, options));
    DURABLE_RETURN_IF_ERROR(internal::Submit(child.context_, name, options, callback, submitter));
    DURABLE_RETURN_IF_ERROR(callback.Await(answer));
    keep_answer();
    return absl::OkStatus();
  };
  const std::function<std::string(const void*)> no_summary;
  return internal::CallForUser(context_.invocation(), [&] {
    return internal::RunChildOperation(
        context_, {name, "WaitForCallback", /*is_virtual=*/false, no_summary, &internal::KindOf},
        body, slot);
  });
}

}  // namespace durable
