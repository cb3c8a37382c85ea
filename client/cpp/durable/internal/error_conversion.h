// Between the three shapes of an error: absl::Status in user code, ErrorInfo in the SDK,
// ErrorObject in records.
//
//   internal::UserOutcome outcome = internal::CallUserCode([&] { return body(step); });
//   if (!outcome.status.ok()) update.error = ToErrorObject(InfoOf(outcome.status));
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_ERROR_CONVERSION_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_ERROR_CONVERSION_H_

#include <exception>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/operation.h"

namespace durable {
namespace internal {

// No recorded error is larger, over all its fields.
inline constexpr size_t kMaxErrorBytes = 32 * 1024;

// What `status` carries; for a plain Status, its code in camel case with "Error" behind it as type.
ErrorInfo InfoOf(const absl::Status& status);

// The record of an error that escapes here: the type is that of its kind. Text is made valid UTF-8
// and the whole is cut to kMaxErrorBytes: first the stack, then the data, then the message.
ErrorObject ToErrorObject(const ErrorInfo& info);

// The error that user code gets for an operation that was recorded as failed. A recorded
// SerDesError stays one.
ErrorInfo FromRecord(ErrorKind kind, const ErrorObject& error);

// A refused argument.
absl::Status ValidationError(absl::string_view message);

// How user code ended, when it was not unwound by the SDK.
struct UserOutcome {
  absl::Status status;
  // What was thrown; null when it returned.
  std::exception_ptr exception;
};

// Runs user code and turns what it throws into a Status: type is the class name without namespaces
// and template arguments, "UnknownException" for what does not derive from std::exception. The
// SDK's unwinding and thread cancellation pass.
UserOutcome CallUserCode(absl::FunctionRef<absl::Status()> code);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_ERROR_CONVERSION_H_
