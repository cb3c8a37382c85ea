#include "client/cpp/durable/errors.h"

#include "absl/strings/cord.h"
#include "nlohmann/json.hpp"

namespace durable {
namespace {

constexpr char kSuspendedUrl[] = "type.googleapis.com/durable.Suspended";
constexpr char kPayloadUrl[] = "type.googleapis.com/durable.ErrorObject";

}  // namespace

namespace internal {

absl::string_view TypeNameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUser:
      return "";
    case ErrorKind::kStep:
      return "StepError";
    case ErrorKind::kStepInterrupted:
      return "StepInterruptedError";
    case ErrorKind::kChildContext:
      return "ChildContextError";
    case ErrorKind::kInvoke:
      return "InvokeError";
    case ErrorKind::kWaitForCondition:
      return "WaitForConditionError";
    case ErrorKind::kCallbackExternal:
      return "CallbackExternalError";
    case ErrorKind::kCallbackTimeout:
      return "CallbackTimeoutError";
    case ErrorKind::kCallbackSubmitter:
      return "CallbackSubmitterError";
    case ErrorKind::kBatchCompletion:
      return "BatchCompletionError";
    case ErrorKind::kSerdes:
      return "SerDesError";
    case ErrorKind::kValidation:
      return "ValidationError";
  }
  return "";
}

absl::Status SuspendedError(absl::string_view message) {
  absl::Status status = absl::CancelledError(message);
  status.SetPayload(kSuspendedUrl, absl::Cord());
  return status;
}

absl::Status ToStatus(const ErrorInfo& info) {
  const absl::StatusCode code =
      info.kind == ErrorKind::kCallbackTimeout ? absl::StatusCode::kDeadlineExceeded
      : info.kind == ErrorKind::kValidation    ? absl::StatusCode::kInvalidArgument
                                               : absl::StatusCode::kUnknown;
  absl::Status status(code, info.message);
  const nlohmann::json payload = {
      {"kind", static_cast<int>(info.kind)},
      {"type", info.type},
      {"data", info.data},
      {"stack", info.stack_trace},
      {"outcome", static_cast<int>(info.outcome)},
  };
  status.SetPayload(kPayloadUrl, absl::Cord(payload.dump(
                                     -1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return status;
}

}  // namespace internal

absl::optional<ErrorKind> ErrorInfo::cause() const {
  for (const ErrorKind candidate :
       {ErrorKind::kStep, ErrorKind::kStepInterrupted, ErrorKind::kChildContext, ErrorKind::kInvoke,
        ErrorKind::kWaitForCondition, ErrorKind::kCallbackExternal, ErrorKind::kCallbackTimeout,
        ErrorKind::kCallbackSubmitter, ErrorKind::kBatchCompletion, ErrorKind::kSerdes,
        ErrorKind::kValidation}) {
    if (internal::TypeNameOf(candidate) == type) return candidate;
  }
  return absl::nullopt;
}

absl::Status MakeError(absl::string_view type, absl::string_view message, absl::string_view data) {
  ErrorInfo info;
  info.type = std::string(type);
  info.message = std::string(message);
  info.data = std::string(data);
  return internal::ToStatus(info);
}

absl::optional<ErrorInfo> GetError(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return absl::nullopt;
  const nlohmann::json json =
      nlohmann::json::parse(std::string(*payload), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::nullopt;
  ErrorInfo info;
  info.kind = static_cast<ErrorKind>(json.value("kind", 0));
  info.type = json.value("type", "");
  info.message = std::string(status.message());
  info.data = json.value("data", "");
  info.stack_trace = json.value("stack", std::vector<std::string>());
  info.outcome = static_cast<InvokeOutcome>(json.value("outcome", 0));
  return info;
}

bool IsSuspended(const absl::Status& status) {
  return status.GetPayload(kSuspendedUrl).has_value();
}

bool IsError(const absl::Status& status, ErrorKind kind) {
  const absl::optional<ErrorInfo> info = GetError(status);
  return info.has_value() && info->kind == kind;
}

}  // namespace durable
