#include "service/gateway/gateway.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/http/url.h"

namespace rehearse {
namespace {

StaleTokenSpelling SpellingFor(const Call& call) {
  return StaleTokenSpellingFor(call.Header("User-Agent").value_or(""));
}

// The error object is the whole body. AWS's local Python runner takes it inside a member `Error`
// instead; so do we when none of the object's own members is there.
absl::Status ReadErrorBody(const std::string& body, v1::ErrorObject& error) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  std::string unwrapped;
  if (json.is_object() && json.contains("Error") && json["Error"].is_object()) {
    bool is_error_object = false;
    for (const char* member : {"ErrorMessage", "ErrorType", "ErrorData", "StackTrace"}) {
      is_error_object = is_error_object || json.contains(member);
    }
    if (!is_error_object) unwrapped = json["Error"].dump();
  }
  const absl::Status read = FromAwsJson(unwrapped.empty() ? body : unwrapped, error);
  return read.ok() ? read : errors::InvalidParameter(read.message());
}

template <typename Request>
auto SetLabel(Request& request, const std::string& label)
    -> decltype(request.set_durable_execution_arn(label)) {
  request.set_durable_execution_arn(label);
}

template <typename Request>
auto SetLabel(Request& request, const std::string& label)
    -> decltype(request.set_callback_id(label)) {
  request.set_callback_id(label);
}

void SetLabel(v1::ListExecutionsRequest& request, const std::string& label) {
  request.set_function_name(label);
}

template <typename Request>
auto SetSession(Request& request, const std::string& session)
    -> decltype(request.set_session(session)) {
  request.set_session(session);
}

// A token says of itself which execution it is for.
void SetSession(v1::CheckpointRequest&, const std::string&) {}
void SetSession(v1::GetExecutionStateRequest&, const std::string&) {}

// Who only looks whether the service is well cannot sign.
bool NeedsSignature(Route route) { return route != Route::kHealth && route != Route::kMetrics; }

// What path, query and body say. No operation has members in both of the latter.
template <typename Request>
absl::Status Read(const Call& call, Request& request) {
  absl::Status read = call.ReadQuery(request);
  if (read.ok()) read = call.ReadBody(request);
  SetLabel(request, call.label());
  SetSession(request, call.session());
  return read;
}

}  // namespace

template <typename Request, typename Response>
void Gateway::Forward(Call call, int http_status,
                      void (Executor::*method)(Request, Executor::Done<Response>)) {
  Request request;
  const absl::Status read = Read(call, request);
  if (!read.ok()) return call.Fail(read);
  (executor_.*method)(std::move(request), std::move(call).Answer<Response>(http_status));
}

template <typename Request, typename Response>
void Gateway::ForwardWithError(Call call,
                               void (Executor::*method)(Request, Executor::Done<Response>)) {
  Request request;
  SetLabel(request, call.label());
  SetSession(request, call.session());
  if (!call.body().empty()) {
    const absl::Status read = ReadErrorBody(call.body(), *request.mutable_error());
    if (!read.ok()) return call.Fail(read);
  }
  (executor_.*method)(std::move(request), std::move(call).Answer<Response>(200));
}

void Gateway::Handle(HttpRequest request, HttpServer::Responder respond) {
  respond = [respond = std::move(respond)](HttpResponse response) mutable {
    response.headers.emplace_back("x-amzn-RequestId", NewUuid(RandomIdSource()));
    respond(std::move(response));
  };
  absl::optional<Url> url = SplitTarget(request.target);
  if (!url.has_value()) {
    return respond(
        ErrorResponse(errors::InvalidParameter("The query has a malformed percent escape."),
                      options_.error_type_member));
  }
  absl::StatusOr<RouteMatch> match = MatchRoute(request.method, url->path);
  if (!match.ok()) return respond(ErrorResponse(match.status(), options_.error_type_member));
  if (NeedsSignature(match->route)) {
    const absl::Status known = authenticator_.Check(request, absl::Now());
    if (!known.ok()) return respond(ErrorResponse(known, options_.error_type_member));
  }
  const Method method = MethodOf(match->route);
  (this->*method)({*std::move(match), std::move(url->query), std::move(request), std::move(respond),
                   options_.error_type_member});
}

HttpResponse Gateway::Refuse(int status, absl::string_view message) const {
  HttpResponse response = ErrorResponse(
      status == 413 ? errors::RequestTooLarge(message) : errors::InvalidParameter(message),
      options_.error_type_member);
  response.status = status;
  response.headers.emplace_back("x-amzn-RequestId", NewUuid(RandomIdSource()));
  return response;
}

Gateway::Method Gateway::MethodOf(Route route) {
  switch (route) {
    case Route::kInvoke:
      return &Gateway::Invoke;
    case Route::kListByFunction:
      return &Gateway::ListByFunction;
    case Route::kCheckpoint:
      return &Gateway::Checkpoint;
    case Route::kGetState:
      return &Gateway::GetState;
    case Route::kGetHistory:
      return &Gateway::GetHistory;
    case Route::kGetExecution:
      return &Gateway::GetExecution;
    case Route::kStop:
      return &Gateway::Stop;
    case Route::kPause:
      return &Gateway::Pause;
    case Route::kResume:
      return &Gateway::Resume;
    case Route::kDelete:
      return &Gateway::Delete;
    case Route::kCallbackSuccess:
      return &Gateway::CallbackSuccess;
    case Route::kCallbackFailure:
      return &Gateway::CallbackFailure;
    case Route::kCallbackHeartbeat:
      return &Gateway::CallbackHeartbeat;
    case Route::kHealth:
      return &Gateway::Health;
    case Route::kMetrics:
      return &Gateway::Metrics;
    case Route::kStartExecution:
      return &Gateway::StartExecution;
    case Route::kListAll:
      return &Gateway::ListAll;
    case Route::kLambdaEndpoint:
      return &Gateway::SetLambdaEndpoint;
  }
  return nullptr;
}

void Gateway::Checkpoint(Call call) {
  v1::CheckpointRequest request;
  const absl::Status read = Read(call, request);
  if (!read.ok()) return call.Fail(read);
  const StaleTokenSpelling spelling = SpellingFor(call);
  executor_.Checkpoint(std::move(request), spelling,
                       std::move(call).Answer<v1::CheckpointResponse>(200));
}

void Gateway::GetState(Call call) {
  v1::GetExecutionStateRequest request;
  const absl::Status read = Read(call, request);
  if (!read.ok()) return call.Fail(read);
  const StaleTokenSpelling spelling = SpellingFor(call);
  executor_.GetExecutionState(std::move(request), spelling,
                              std::move(call).Answer<v1::GetExecutionStateResponse>(200));
}

void Gateway::GetExecution(Call call) {
  v1::GetExecutionRequest request;
  const absl::Status read = Read(call, request);
  if (!read.ok()) return call.Fail(read);
  executor_.GetExecution(
      std::move(request),
      [call = std::move(call)](absl::StatusOr<v1::GetExecutionResponse> response) mutable {
        if (!response.ok()) return call.Fail(response.status());
        call.Reply(200, ToAwsJson(response->execution()));
      });
}

void Gateway::GetHistory(Call call) {
  Forward(std::move(call), 200, &Executor::GetExecutionHistory);
}

void Gateway::ListByFunction(Call call) {
  Forward(std::move(call), 200, &Executor::ListExecutions);
}

void Gateway::Stop(Call call) { ForwardWithError(std::move(call), &Executor::StopExecution); }

void Gateway::Pause(Call call) { Forward(std::move(call), 202, &Executor::PauseExecution); }

void Gateway::Resume(Call call) { Forward(std::move(call), 202, &Executor::ResumeExecution); }

void Gateway::Delete(Call call) { Forward(std::move(call), 202, &Executor::DeleteExecution); }

void Gateway::CallbackSuccess(Call call) {
  v1::SendCallbackSuccessRequest request;
  SetLabel(request, call.label());
  request.set_session(call.session());
  // The body is the result itself.
  if (!call.body().empty()) request.set_result(std::move(call.body()));
  executor_.SendCallbackSuccess(std::move(request),
                                std::move(call).Answer<v1::SendCallbackSuccessResponse>(200));
}

void Gateway::CallbackFailure(Call call) {
  ForwardWithError(std::move(call), &Executor::SendCallbackFailure);
}

void Gateway::CallbackHeartbeat(Call call) {
  Forward(std::move(call), 200, &Executor::SendCallbackHeartbeat);
}

}  // namespace rehearse
