#include "service/executor/validation.h"

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/text.h"
#include "service/checkpoint/closing.h"

namespace rehearse {
namespace {

absl::Status ValidateLength(absl::string_view member, size_t length, size_t min, size_t max) {
  if (length >= min && length <= max) return absl::OkStatus();
  return errors::InvalidParameter(
      absl::StrCat(member, " must be ", min, "-", max, " characters long, not ", length, "."));
}

absl::Status ValidateRange(absl::string_view member, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return errors::InvalidParameter(
      absl::StrCat(member, " is ", value, "; it must be between ", min, " and ", max, "."));
}

absl::Status ValidateName(absl::string_view name) {
  if (!name.empty() && name.size() <= kMaxExecutionNameLength && IsId(name))
    return absl::OkStatus();
  return errors::InvalidParameter(absl::StrCat("DurableExecutionName '", name, "' must be 1-",
                                               kMaxExecutionNameLength,
                                               " characters of A-Z a-z 0-9 - _."));
}

absl::Status ValidateTenant(absl::string_view tenant) {
  const bool legal = ConsistsOf(tenant, [](char c) {
    return IsIdCharacter(c) || absl::string_view("._:/=+-@ ").find(c) != absl::string_view::npos;
  });
  if (!legal) {
    return errors::InvalidParameter(absl::StrCat(
        "TenantId '", tenant, "' may have letters, digits and . _ : / = + - @ and spaces only."));
  }
  return ValidateLength("TenantId", tenant.size(), 1, kMaxTenantIdLength);
}

absl::Status ValidateInput(absl::string_view what, size_t bytes, int64_t max_bytes) {
  if (static_cast<int64_t>(bytes) <= max_bytes) return absl::OkStatus();
  return errors::RequestTooLarge(
      absl::StrCat(what, " payload size must be less than or equal to ", max_bytes, " bytes."));
}

// What every way to invoke a function has.
template <typename Request>
absl::Status ValidateTarget(const Request& request) {
  absl::Status status =
      ValidateLength("FunctionName", request.function_name().size(), 1, kMaxFunctionNameLength);
  if (status.ok() && request.has_qualifier()) {
    status = ValidateLength("Qualifier", request.qualifier().size(), 1, kMaxQualifierLength);
  }
  if (status.ok() && request.has_tenant_id()) status = ValidateTenant(request.tenant_id());
  if (status.ok()) {
    status =
        ValidateLength("XAmznTraceId", request.x_amzn_trace_id().size(), 0, kMaxTraceHeaderLength);
  }
  return status;
}

absl::Status ValidateDurableConfig(const v1::DurableConfig& config) {
  if (config.has_execution_timeout()) {
    absl::Status status =
        ValidateRange("ExecutionTimeout", config.execution_timeout(), 1, kMaxDelaySeconds);
    if (!status.ok()) return status;
  }
  if (!config.has_retention_period_in_days()) return absl::OkStatus();
  return ValidateRange("RetentionPeriodInDays", config.retention_period_in_days(), 1,
                       kMaxRetentionDays);
}

absl::Status ValidateClientToken(absl::string_view token) {
  const bool visible = ConsistsOf(token, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible) return errors::InvalidParameter("ClientToken must be visible ASCII characters.");
  return ValidateLength("ClientToken", token.size(), 1, kMaxClientTokenLength);
}

template <typename Request>
absl::Status ValidateHold(const Request& request) {
  if (request.has_client_token()) {
    absl::Status status = ValidateClientToken(request.client_token());
    if (!status.ok()) return status;
  }
  return ValidateLength("Reason", request.reason().size(), 0, kMaxReasonLength);
}

}  // namespace

absl::Status ValidateStart(const v1::StartExecutionRequest& request, const Limits& limits) {
  absl::Status status = ValidateTarget(request);
  if (status.ok() && request.has_durable_execution_name()) {
    status = ValidateName(request.durable_execution_name());
  }
  if (status.ok()) status = ValidateDurableConfig(request.durable_config());
  if (!status.ok()) return status;
  const bool sync = request.invocation_type() == v1::INVOCATION_TYPE_REQUEST_RESPONSE;
  return ValidateInput("Execution input", request.input().size(),
                       sync ? limits.sync_payload_bytes : limits.async_payload_bytes);
}

absl::Status ValidateInvoke(const v1::InvokeFunctionRequest& request, const Limits& limits) {
  absl::Status status = ValidateTarget(request);
  if (!status.ok()) return status;
  const bool event = request.invocation_type() == v1::INVOCATION_TYPE_EVENT;
  return ValidateInput("Request", request.payload().size(),
                       event ? limits.async_payload_bytes : limits.sync_payload_bytes);
}

absl::Status ValidateList(const v1::ListExecutionsRequest& request) {
  return ValidateRange("The number of Statuses", request.statuses_size(), 0, kMaxStatusFilters);
}

absl::Status ValidatePause(const v1::PauseExecutionRequest& request) {
  return ValidateHold(request);
}

absl::Status ValidateResume(const v1::ResumeExecutionRequest& request) {
  return ValidateHold(request);
}

absl::Status ValidateAdvance(const v1::AdvanceTimeRequest& request) {
  const bool forward = request.duration().seconds() > 0 ||
                       (request.duration().seconds() == 0 && request.duration().nanos() > 0);
  if (request.has_duration() && !forward) {
    return errors::InvalidParameter("duration must be more than 0; time does not run backwards.");
  }
  if (request.target_case() == v1::AdvanceTimeRequest::TARGET_NOT_SET) {
    return errors::InvalidParameter("Say how far to advance: duration, until or next_timer.");
  }
  return absl::OkStatus();
}

absl::Status ValidateError(const v1::ErrorObject& error, const Limits& limits) {
  if (ErrorObjectBytes(error) <= limits.error_object_bytes) return absl::OkStatus();
  return errors::InvalidParameter(absl::StrCat("Error object size must be less than or equal to ",
                                               limits.error_object_bytes, " bytes."));
}

absl::StatusOr<absl::Duration> WaitTimeout(bool given, const google::protobuf::Duration& timeout) {
  if (!given) return absl::Seconds(60);
  const absl::Duration duration =
      absl::Seconds(timeout.seconds()) + absl::Nanoseconds(timeout.nanos());
  if (duration < absl::ZeroDuration())
    return errors::InvalidParameter("timeout must not be negative.");
  return duration;
}

}  // namespace rehearse
