// Every error a user can see, each a named function.
//
// An error is an absl::Status that carries a google.rpc.ErrorInfo payload with the AWS name and the
// HTTP status, so that the gRPC face and the REST face present the same error. Texts say what to do
// where there is something to do.
//
//   if (!arn.ok()) return errors::ExecutionNotFound(request.durable_execution_arn());
//   ...
//   EXPECT_EQ(ErrorNameOf(status), "ResourceNotFoundException");
#ifndef REHEARSE_SERVICE_BASE_ERRORS_H_
#define REHEARSE_SERVICE_BASE_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace rehearse {

// Type URL of the payload every error of this file carries; its value is a serialized
// rehearse.v1.ErrorInfo.
extern const char kErrorInfoTypeUrl[];
// Type URL of the additional payload of TooManyRequests; its value is a serialized
// rehearse.v1.RetryInfo.
extern const char kRetryInfoTypeUrl[];

// AWS's error name, for example "ResourceNotFoundException"; "ServiceException" for a status that
// carries none.
std::string ErrorNameOf(const absl::Status& status);
// HTTP status of the AWS face, for example 404; 500 for a status that carries none.
int HttpStatusOf(const absl::Status& status);
// True for the error that tells a handler that its checkpoint token is not the current one.
bool IsStaleCheckpointToken(const absl::Status& status);
// Of TooManyRequests: AWS's throttle reason, and when to try again. Absent for every other status.
absl::optional<std::string> ThrottleReasonOf(const absl::Status& status);
absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// How the text of a stale checkpoint token is spelled: SDKs of different age look for different
// texts.
enum class StaleTokenSpelling {
  kReal,    // "Invalid checkpoint token": the real service, newer SDKs
  kLegacy,  // "Invalid Checkpoint Token": Python up to 2.0.0, JS up to 2.4.0, Java up to 2.1,
            // Rust 0.1
};
// The spelling for a caller's user agent, for example "aws-durable-execution-sdk-python/1.7.0";
// kReal when unknown.
StaleTokenSpelling StaleTokenSpellingFor(absl::string_view user_agent);

namespace errors {

// 400 InvalidParameterValueException / INVALID_ARGUMENT.
absl::Status InvalidParameter(absl::string_view message);
// 400 InvalidParameterValueException / FAILED_PRECONDITION with `stale_checkpoint_token` in its
// metadata.
absl::Status StaleCheckpointToken(StaleTokenSpelling spelling);

// 400 InvalidRequestContentException / INVALID_ARGUMENT: what a function is to be invoked with is
// not JSON.
absl::Status InvalidRequestContent(absl::string_view message);
// UnknownOperationException / UNIMPLEMENTED of the AWS face: 404 for a path that is no route, 405
// for a route that takes other methods.
absl::Status UnknownPath(absl::string_view path);
absl::Status UnknownMethod(absl::string_view method, absl::string_view path);

// 404 ResourceNotFoundException / NOT_FOUND.
absl::Status ExecutionNotFound(absl::string_view arn);
absl::Status FunctionNotFound(absl::string_view function_name);
absl::Status CallbackNotFound();
absl::Status SessionNotFound(absl::string_view session);

// 400 CallbackTimeoutException / FAILED_PRECONDITION: expired, already completed, or its execution
// is closed.
absl::Status CallbackClosed();

// 403 / UNAUTHENTICATED, where the AWS face checks signatures.
// MissingAuthenticationTokenException: there is none.
absl::Status MissingSignature();
// IncompleteSignatureException: it is not of AWS's form.
absl::Status IncompleteSignature(absl::string_view message);
// UnrecognizedClientException: nobody has these credentials.
absl::Status UnknownCredentials();
// InvalidSignatureException: it is not of this request, this service or this time.
absl::Status InvalidSignature(absl::string_view message);

// 409 DurableExecutionAlreadyStartedException / ALREADY_EXISTS.
absl::Status ExecutionAlreadyStarted(absl::string_view name);
// 409 ResourceConflictException / ALREADY_EXISTS.
absl::Status SessionAlreadyExists(absl::string_view session);
// 409 ResourceConflictException / FAILED_PRECONDITION.
absl::Status Conflict(absl::string_view message);

// 413 RequestTooLargeException / OUT_OF_RANGE.
absl::Status RequestTooLarge(absl::string_view message);
// 429 TooManyRequestsException / RESOURCE_EXHAUSTED; `reason` is one of AWS's throttle reasons.
absl::Status TooManyRequests(absl::string_view message, absl::string_view reason,
                             absl::Duration retry_delay);
// 500 ServiceException / INTERNAL.
absl::Status Internal(absl::string_view message);
// 503 ServiceException / UNAVAILABLE: the store could not do it; nothing has happened, and trying
// again may help.
absl::Status StoreUnavailable(absl::string_view message);
// 503 ServiceException / UNAVAILABLE: the service stops.
absl::Status ShuttingDown();
// 408 / DEADLINE_EXCEEDED: a wait for an execution took too long; `waiting_for` says on what it
// hangs.
absl::Status WaitTimedOut(absl::string_view what, absl::Duration timeout,
                          absl::string_view waiting_for);

}  // namespace errors
}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_ERRORS_H_
