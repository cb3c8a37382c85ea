// Errors of durable operations. They travel as absl::Status with a payload that keeps what was
// recorded: kind, type, message, data, stack. The first run and every replay build the same error
// from the record.
//
//   absl::Status charged = ctx.Step("charge", [](durable::StepContext&) {
//     return durable::MakeError("CardDeclined", "the bank said no");
//   });
//   if (durable::IsError(charged, durable::ErrorKind::kStep) &&
//       durable::GetError(charged)->type == "CardDeclined") {
//     return std::string("ask for another card");
//   }
#ifndef REHEARSE_CLIENT_CPP_DURABLE_ERRORS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_ERRORS_H_

#include <exception>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace durable {

// Who failed. The name in brackets is the type under which an error of that kind is recorded where
// it escapes. Retry strategies see kStepInterrupted; a step that gives up over it is a kStep whose
// cause() it is.
enum class ErrorKind {
  kUser,               // made by MakeError, thrown, or a plain absl::Status [its own type]
  kStep,               // a step gave up [StepError]
  kStepInterrupted,    // the invocation died while an at-most-once step ran [StepInterruptedError]
  kChildContext,       // a child context failed [ChildContextError]
  kInvoke,             // an invoked function failed, timed out or was stopped [InvokeError]
  kWaitForCondition,   // a polled condition failed or was not met in time [WaitForConditionError]
  kCallbackExternal,   // the outsider answered a callback with a failure [CallbackExternalError]
  kCallbackTimeout,    // nobody answered a callback in time [CallbackTimeoutError]
  kCallbackSubmitter,  // the submitter of WaitForCallback gave up [CallbackSubmitterError]
  kBatchCompletion,    // a completion predicate called a batch failed [BatchCompletionError]
  kSerdes,             // a value could not be written or read [SerDesError]
  kValidation,         // an argument was refused before anything was recorded [ValidationError]
};

// How an invoked function ended.
enum class InvokeOutcome { kFailed, kTimedOut, kStopped };

struct ErrorInfo {
  ErrorKind kind = ErrorKind::kUser;
  // The type recorded on the failed operation: for a step the type that its body returned or threw,
  // for a child context the type that escaped its body, e.g. "StepError".
  std::string type;
  std::string message;
  std::string data;
  std::vector<std::string> stack_trace;
  // Meaningful for kInvoke.
  InvokeOutcome outcome = InvokeOutcome::kFailed;
  // What the body threw. Set only while a retry strategy decides about that attempt, never read
  // from a record.
  std::exception_ptr exception;

  // The kind of the error inside this one, where `type` names one of the SDK's own; nullopt
  // otherwise.
  absl::optional<ErrorKind> cause() const;
};

// An error of the user's own type, to be returned from a body or a handler.
absl::Status MakeError(absl::string_view type, absl::string_view message,
                       absl::string_view data = "");

// What was recorded; nullopt for OK and for a Status that no durable function made.
absl::optional<ErrorInfo> GetError(const absl::Status& status);

bool IsError(const absl::Status& status, ErrorKind kind);

// True for what an operation returns when the code cannot go on here and nothing has failed: the
// caller returns at once, and does nothing that must not be done twice. Operations return it in
// place of unwinding with RuntimeOptions::suspend_by_status, and where nothing can be thrown: on
// threads that are not the function's, and while another exception is in flight.
bool IsSuspended(const absl::Status& status);

namespace internal {

// A Status for which IsSuspended holds.
absl::Status SuspendedError(absl::string_view message);

// The name under which an error of this kind is recorded where it escapes; empty for kUser, which
// has its own.
absl::string_view TypeNameOf(ErrorKind kind);

// The Status that carries `info`, without its exception.
absl::Status ToStatus(const ErrorInfo& info);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_ERRORS_H_
