// The operations on the engine's side, one .cc file each. DurableContext calls them, and those that
// are built from others call each other. Each returns the operation's error, or OK with the value
// in the slot; each may unwind.
//
//   absl::Status status = internal::RunStepOperation(context, "charge", options, body, slot);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATIONS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATIONS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/durable/callback.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/options.h"

namespace durable {
namespace internal {

absl::Status RunStepOperation(Context& context, absl::string_view name, const StepOptions& options,
                              StepBody body, ResultSlot& slot);

// One attempt of a step or one check of a condition: runs `body` as the user code of `call`.
UserOutcome CallStepBody(OperationCall& call, StepBody body);

// A context with a larger result does not record it: its body runs again over its recorded
// operations.
inline constexpr size_t kMaxInlineResultBytes = 256 * 1024;

// Arguments are valid.
struct ChildOperation {
  absl::string_view name;
  absl::string_view sub_type;
  bool is_virtual = false;
  // Empty, or makes the text recorded in place of a large result, from the value.
  const std::function<std::string(const void*)>& summary;
  // The kind of the error that a recorded one is for the caller.
  ErrorKind (*kind_of)(const ErrorObject& error);
};
absl::Status RunChildOperation(Context& parent, const ChildOperation& operation, ChildBody body,
                               ResultSlot& slot);

absl::StatusOr<CallbackHandle> StartCallbackOperation(Context& context, absl::string_view name,
                                                      const CallbackOptions& options);

// kValidation unless the options can be sent and fit results of `type`.
absl::Status ValidateCallbackOptions(const CallbackOptions& options, const std::type_info& type);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATIONS_H_
