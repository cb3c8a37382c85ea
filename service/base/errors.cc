#include "service/base/errors.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "rehearse/v1/error_details.pb.h"

namespace rehearse {

const char kErrorInfoTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
const char kRetryInfoTypeUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

namespace {

constexpr char kAwsDomain[] = "lambda.amazonaws.com";
constexpr char kOwnDomain[] = "rehearse";
constexpr char kHttpStatusKey[] = "http_status";
constexpr char kStaleTokenKey[] = "stale_checkpoint_token";
constexpr char kThrottleReasonKey[] = "throttle_reason";

v1::ErrorInfo ErrorInfo(absl::string_view name, int http_status,
                        absl::string_view domain = kAwsDomain) {
  v1::ErrorInfo info;
  info.set_reason(std::string(name));
  info.set_domain(std::string(domain));
  (*info.mutable_metadata())[kHttpStatusKey] = absl::StrCat(http_status);
  return info;
}

absl::Status Error(absl::StatusCode code, absl::string_view message, const v1::ErrorInfo& info) {
  absl::Status status(code, message);
  status.SetPayload(kErrorInfoTypeUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

absl::optional<v1::ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoTypeUrl);
  v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return absl::nullopt;
  return info;
}

using Version = std::array<int, 3>;

// "2.0.1", "2.1.1-SNAPSHOT", "2.1": what is missing or no number counts as 0.
Version ParseVersion(absl::string_view text) {
  Version version = {0, 0, 0};
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::ByAnyChar(".-+ "));
  for (size_t i = 0; i < version.size() && i < parts.size(); ++i) {
    if (!absl::SimpleAtoi(parts[i], &version[i])) break;
  }
  return version;
}

}  // namespace

std::string ErrorNameOf(const absl::Status& status) {
  const absl::optional<v1::ErrorInfo> info = ErrorInfoOf(status);
  return info.has_value() ? info->reason() : "ServiceException";
}

int HttpStatusOf(const absl::Status& status) {
  const absl::optional<v1::ErrorInfo> info = ErrorInfoOf(status);
  int http_status = 500;
  if (info.has_value()) {
    const auto entry = info->metadata().find(kHttpStatusKey);
    if (entry == info->metadata().end() || !absl::SimpleAtoi(entry->second, &http_status))
      return 500;
  }
  return http_status;
}

bool IsStaleCheckpointToken(const absl::Status& status) {
  const absl::optional<v1::ErrorInfo> info = ErrorInfoOf(status);
  return info.has_value() && info->metadata().contains(kStaleTokenKey);
}

absl::optional<std::string> ThrottleReasonOf(const absl::Status& status) {
  const absl::optional<v1::ErrorInfo> info = ErrorInfoOf(status);
  if (!info.has_value()) return absl::nullopt;
  const auto entry = info->metadata().find(kThrottleReasonKey);
  if (entry == info->metadata().end()) return absl::nullopt;
  return entry->second;
}

absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryInfoTypeUrl);
  v1::RetryInfo retry;
  if (!payload.has_value() || !retry.ParseFromString(std::string(*payload))) return absl::nullopt;
  return absl::Seconds(retry.retry_delay().seconds()) +
         absl::Nanoseconds(retry.retry_delay().nanos());
}

StaleTokenSpelling StaleTokenSpellingFor(absl::string_view user_agent) {
  // The first version of each SDK that looks for the real spelling.
  struct FirstRealVersion {
    absl::string_view language;
    Version version;
  };
  static constexpr FirstRealVersion kFirstRealVersions[] = {
      {"python", {2, 0, 1}}, {"js", {2, 4, 1}}, {"java", {2, 2, 0}}};
  for (absl::string_view product : absl::StrSplit(user_agent, ' ')) {
    // Rust's says nothing of itself; only the AWS SDK that it calls through does.
    if (absl::StartsWith(product, "aws-sdk-rust/")) return StaleTokenSpelling::kLegacy;
    if (!absl::ConsumePrefix(&product, "aws-durable-execution-sdk-")) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(product, absl::MaxSplits('/', 1));
    const absl::string_view language = absl::StripSuffix(parts.first, "-bundled");
    for (const FirstRealVersion& first_real : kFirstRealVersions) {
      if (language == first_real.language && ParseVersion(parts.second) < first_real.version) {
        return StaleTokenSpelling::kLegacy;
      }
    }
  }
  return StaleTokenSpelling::kReal;
}

namespace errors {

absl::Status InvalidParameter(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message,
               ErrorInfo("InvalidParameterValueException", 400));
}

absl::Status StaleCheckpointToken(StaleTokenSpelling spelling) {
  v1::ErrorInfo info = ErrorInfo("InvalidParameterValueException", 400);
  (*info.mutable_metadata())[kStaleTokenKey] = "true";
  return Error(absl::StatusCode::kFailedPrecondition,
               spelling == StaleTokenSpelling::kReal ? "Invalid checkpoint token"
                                                     : "Invalid Checkpoint Token",
               info);
}

absl::Status InvalidRequestContent(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message,
               ErrorInfo("InvalidRequestContentException", 400));
}

absl::Status UnknownPath(absl::string_view path) {
  return Error(absl::StatusCode::kUnimplemented, absl::StrCat("No operation at ", path),
               ErrorInfo("UnknownOperationException", 404));
}

absl::Status UnknownMethod(absl::string_view method, absl::string_view path) {
  return Error(absl::StatusCode::kUnimplemented,
               absl::StrCat("No operation for method ", method, " at ", path),
               ErrorInfo("UnknownOperationException", 405));
}

absl::Status ExecutionNotFound(absl::string_view arn) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat("Durable Execution does not exist: ", arn),
               ErrorInfo("ResourceNotFoundException", 404));
}

absl::Status FunctionNotFound(absl::string_view function_name) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("Function not found: ", function_name, "; no worker has registered it"),
               ErrorInfo("ResourceNotFoundException", 404));
}

absl::Status CallbackNotFound() {
  return Error(absl::StatusCode::kNotFound, "Callback does not exist",
               ErrorInfo("ResourceNotFoundException", 404));
}

absl::Status SessionNotFound(absl::string_view session) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("Session does not exist: ", session, "; create it with CreateSession"),
               ErrorInfo("ResourceNotFoundException", 404, kOwnDomain));
}

absl::Status CallbackClosed() {
  return Error(absl::StatusCode::kFailedPrecondition,
               "Callback is closed: it has timed out or been completed, or its execution has ended",
               ErrorInfo("CallbackTimeoutException", 400));
}

absl::Status MissingSignature() {
  return Error(absl::StatusCode::kUnauthenticated, "Missing Authentication Token",
               ErrorInfo("MissingAuthenticationTokenException", 403));
}

absl::Status IncompleteSignature(absl::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, message,
               ErrorInfo("IncompleteSignatureException", 403));
}

absl::Status UnknownCredentials() {
  return Error(absl::StatusCode::kUnauthenticated,
               "The security token included in the request is invalid.",
               ErrorInfo("UnrecognizedClientException", 403));
}

absl::Status InvalidSignature(absl::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, message,
               ErrorInfo("InvalidSignatureException", 403));
}

absl::Status ExecutionAlreadyStarted(absl::string_view name) {
  return Error(absl::StatusCode::kAlreadyExists,
               absl::StrCat("Durable Execution already started with another input: ", name),
               ErrorInfo("DurableExecutionAlreadyStartedException", 409));
}

absl::Status SessionAlreadyExists(absl::string_view session) {
  return Error(absl::StatusCode::kAlreadyExists, absl::StrCat("Session already exists: ", session),
               ErrorInfo("ResourceConflictException", 409, kOwnDomain));
}

absl::Status Conflict(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message,
               ErrorInfo("ResourceConflictException", 409));
}

absl::Status RequestTooLarge(absl::string_view message) {
  return Error(absl::StatusCode::kOutOfRange, message, ErrorInfo("RequestTooLargeException", 413));
}

absl::Status TooManyRequests(absl::string_view message, absl::string_view reason,
                             absl::Duration retry_delay) {
  v1::ErrorInfo info = ErrorInfo("TooManyRequestsException", 429);
  (*info.mutable_metadata())[kThrottleReasonKey] = std::string(reason);
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, message, info);
  v1::RetryInfo retry;
  absl::Duration rest;
  retry.mutable_retry_delay()->set_seconds(
      absl::IDivDuration(retry_delay, absl::Seconds(1), &rest));
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  status.SetPayload(kRetryInfoTypeUrl, absl::Cord(retry.SerializeAsString()));
  return status;
}

absl::Status Internal(absl::string_view message) {
  return Error(absl::StatusCode::kInternal, message, ErrorInfo("ServiceException", 500));
}

absl::Status StoreUnavailable(absl::string_view message) {
  return Error(absl::StatusCode::kUnavailable, message, ErrorInfo("ServiceException", 503));
}

absl::Status ShuttingDown() {
  return Error(absl::StatusCode::kUnavailable, "The service is shutting down",
               ErrorInfo("ServiceException", 503));
}

absl::Status WaitTimedOut(absl::string_view what, absl::Duration timeout,
                          absl::string_view waiting_for) {
  return Error(absl::StatusCode::kDeadlineExceeded,
               absl::StrCat(what, " did not happen within ", absl::FormatDuration(timeout),
                            waiting_for.empty() ? "" : "; waiting for ", waiting_for),
               ErrorInfo("WaitTimedOut", 408, kOwnDomain));
}

}  // namespace errors
}  // namespace rehearse
