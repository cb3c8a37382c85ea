// Gateway: Invoke, the one operation whose members travel in headers.
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/base/text.h"
#include "service/gateway/gateway.h"

namespace rehearse {
namespace {

// Headers of Invoke; HTTP compares them without regard to case.
constexpr char kInvocationType[] = "X-Amz-Invocation-Type";
constexpr char kClientContext[] = "X-Amz-Client-Context";
constexpr char kExecutionName[] = "X-Amz-Durable-Execution-Name";
constexpr char kExecutionArn[] = "X-Amz-Durable-Execution-Arn";
constexpr char kExecutedVersion[] = "X-Amz-Executed-Version";
constexpr char kFunctionError[] = "X-Amz-Function-Error";
constexpr char kTenantId[] = "X-Amz-Tenant-Id";
constexpr char kTraceId[] = "X-Amzn-Trace-Id";
// AWS SDKs send the same value with every attempt of one call.
constexpr char kSdkInvocationId[] = "amz-sdk-invocation-id";

constexpr char kRequestResponse[] = "RequestResponse";
constexpr char kEvent[] = "Event";
constexpr char kDryRun[] = "DryRun";

bool IsJson(const std::string& text) { return nlohmann::json::accept(text); }

// The members that the invocation of any function has.
template <typename Request>
absl::Status ReadInvocation(const Call& call, Request& request) {
  request.set_session(call.session());
  request.set_function_name(call.label());
  if (absl::optional<std::string> qualifier = call.Query("Qualifier")) {
    request.set_qualifier(*std::move(qualifier));
  }
  if (absl::optional<std::string> tenant = call.Header(kTenantId)) {
    request.set_tenant_id(*std::move(tenant));
  }
  if (absl::optional<std::string> trace = call.Header(kTraceId)) {
    request.set_x_amzn_trace_id(*std::move(trace));
  }
  request.set_invocation_type(call.Header(kInvocationType).value_or(kRequestResponse) == kEvent
                                  ? v1::INVOCATION_TYPE_EVENT
                                  : v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  const absl::optional<std::string> context = call.Header(kClientContext);
  if (!context.has_value()) return absl::OkStatus();
  std::string decoded;
  if (!absl::Base64Unescape(*context, &decoded) || !IsJson(decoded)) {
    return errors::InvalidRequestContent("Client context must be base64-encoded JSON.");
  }
  request.set_client_context(std::move(decoded));
  return absl::OkStatus();
}

// The caller's name for the execution. Without one a retry of the same call must still find the
// execution of its first attempt, so the call's own id names it.
absl::optional<std::string> ExecutionNameOf(const Call& call) {
  absl::optional<std::string> name = call.Header(kExecutionName);
  if (name.has_value()) return name;
  absl::optional<std::string> invocation_id = call.Header(kSdkInvocationId);
  if (invocation_id.has_value() && IsId(*invocation_id) &&
      invocation_id->size() <= kMaxExecutionNameLength) {
    return invocation_id;
  }
  return absl::nullopt;
}

// A failed function's answer, in classic Lambda's spelling.
HttpResponse FunctionError(const v1::ErrorObject& error) {
  nlohmann::json body = nlohmann::json::object();
  if (error.has_error_message()) body["errorMessage"] = error.error_message();
  if (error.has_error_type()) body["errorType"] = error.error_type();
  if (error.has_error_data()) body["errorData"] = error.error_data();
  if (!error.stack_trace().empty()) {
    body["stackTrace"] = nlohmann::json::array();
    for (const std::string& line : error.stack_trace()) body["stackTrace"].push_back(line);
  }
  HttpResponse response(200);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back(kFunctionError, "Unhandled");
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

HttpResponse FunctionResult(std::string payload) {
  HttpResponse response(200);
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(payload);
  return response;
}

HttpResponse ExecutionResult(v1::Execution execution) {
  if (execution.status() != v1::EXECUTION_STATUS_SUCCEEDED) return FunctionError(execution.error());
  return FunctionResult(execution.has_result() ? std::move(*execution.mutable_result()) : "null");
}

}  // namespace

void Gateway::Invoke(Call call) {
  const std::string type = call.Header(kInvocationType).value_or(kRequestResponse);
  if (type != kRequestResponse && type != kEvent && type != kDryRun) {
    return call.Fail(errors::InvalidParameter(absl::StrCat("InvocationType '", type, "' must be ",
                                                           kRequestResponse, ", ", kEvent, " or ",
                                                           kDryRun, ".")));
  }
  const absl::StatusOr<ResolvedFunction> function =
      executor_.ResolveFunction(call.session(), call.label(), call.Query("Qualifier"));
  if (!function.ok()) return call.Fail(function.status());
  if (!call.body().empty() && !IsJson(call.body())) {
    return call.Fail(
        errors::InvalidRequestContent("Could not parse request body into json: invalid JSON."));
  }
  if (type == kDryRun) return call.Reply(HttpResponse(204));
  if (function->spec.durable()) return InvokeDurable(std::move(call));
  InvokePlain(std::move(call));
}

void Gateway::InvokeDurable(Call call) {
  v1::StartExecutionRequest request;
  const absl::Status read = ReadInvocation(call, request);
  if (!read.ok()) return call.Fail(read);
  if (absl::optional<std::string> name = ExecutionNameOf(call)) {
    request.set_durable_execution_name(*std::move(name));
  }
  if (!call.body().empty()) request.set_input(std::move(call.body()));
  const bool event = request.invocation_type() == v1::INVOCATION_TYPE_EVENT;
  executor_.StartExecution(
      std::move(request), [this, event, call = std::move(call)](
                              absl::StatusOr<v1::StartExecutionResponse> started) mutable {
        if (!started.ok()) return call.Fail(started.status());
        if (!event) return AwaitExecution(std::move(call), *std::move(started));
        HttpResponse response(202);
        response.headers.emplace_back(kExecutionArn, started->durable_execution_arn());
        response.headers.emplace_back(kExecutedVersion, started->executed_version());
        call.Reply(std::move(response));
      });
}

void Gateway::AwaitExecution(Call call, v1::StartExecutionResponse started) {
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(started.durable_execution_arn());
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(options_.sync_invoke_limit));
  executor_.WaitForExecution(
      std::move(request), [call = std::move(call), started = std::move(started)](
                              absl::StatusOr<v1::WaitForExecutionResponse> ended) mutable {
        if (absl::IsDeadlineExceeded(ended.status())) {
          return call.Fail(errors::InvalidParameter(
              absl::StrCat(ended.status().message(),
                           "; invoke a function that takes longer with InvocationType Event")));
        }
        if (!ended.ok()) return call.Fail(ended.status());
        HttpResponse response = ExecutionResult(std::move(*ended->mutable_execution()));
        response.headers.emplace_back(kExecutionArn, started.durable_execution_arn());
        response.headers.emplace_back(kExecutedVersion, started.executed_version());
        call.Reply(std::move(response));
      });
}

void Gateway::InvokePlain(Call call) {
  v1::InvokeFunctionRequest request;
  const absl::Status read = ReadInvocation(call, request);
  if (!read.ok()) return call.Fail(read);
  request.set_payload(call.body().empty() ? "{}" : std::move(call.body()));
  const bool event = request.invocation_type() == v1::INVOCATION_TYPE_EVENT;
  executor_.InvokeFunction(
      std::move(request),
      [event, call = std::move(call)](absl::StatusOr<v1::InvokeFunctionResponse> answer) mutable {
        if (!answer.ok()) return call.Fail(answer.status());
        HttpResponse response = event                 ? HttpResponse(202)
                                : answer->has_error() ? FunctionError(answer->error())
                                                      : FunctionResult(answer->payload());
        response.headers.emplace_back(kExecutedVersion, answer->executed_version());
        call.Reply(std::move(response));
      });
}

}  // namespace rehearse
