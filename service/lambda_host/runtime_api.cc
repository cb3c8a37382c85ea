#include "service/lambda_host/runtime_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "service/aws_json/aws_json.h"
#include "service/aws_json/classic_error.h"

namespace rehearse::lambda_host {
namespace {

constexpr absl::string_view kRoot = "/2018-06-01/runtime/";
constexpr absl::string_view kErrorTypeHeader = "Lambda-Runtime-Function-Error-Type";

HttpResponse JsonResponse(int status, std::string body) {
  HttpResponse response(status);
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

HttpResponse Accepted() { return JsonResponse(202, R"({"status":"OK"})"); }

HttpResponse Refused(int status, absl::string_view type, absl::string_view message) {
  const nlohmann::ordered_json body = {{"errorMessage", std::string(message)},
                                       {"errorType", std::string(type)}};
  return JsonResponse(status, body.dump());
}

HttpResponse MethodNotAllowed(absl::string_view allowed) {
  HttpResponse response = Refused(405, "MethodNotAllowed", absl::StrCat("Use ", allowed, "."));
  response.headers.emplace_back("Allow", std::string(allowed));
  return response;
}

// In JSON, line breaks and tabs outside of escapes are white space.
std::string OnOneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, ' ');
  return text;
}

HttpResponse NextResponse(const v1::ServeResponse::Invocation& invocation) {
  const int64_t deadline_ms =
      invocation.deadline().seconds() * 1000 + invocation.deadline().nanos() / 1'000'000;
  HttpResponse response = JsonResponse(
      200, invocation.has_durable() ? ToAwsJson(invocation.durable(), AwsTime::kMilliseconds)
                                    : invocation.payload());
  HttpHeaders& headers = response.headers;
  headers.emplace_back("Lambda-Runtime-Aws-Request-Id", invocation.request_id());
  headers.emplace_back("Lambda-Runtime-Deadline-Ms", absl::StrCat(deadline_ms));
  headers.emplace_back("Lambda-Runtime-Invoked-Function-Arn", invocation.invoked_function_arn());
  if (invocation.has_x_amzn_trace_id()) {
    headers.emplace_back("Lambda-Runtime-Trace-Id", OnOneLine(invocation.x_amzn_trace_id()));
  }
  if (invocation.has_client_context()) {
    headers.emplace_back("Lambda-Runtime-Client-Context", OnOneLine(invocation.client_context()));
  }
  if (invocation.has_tenant_id()) {
    headers.emplace_back("Lambda-Runtime-Aws-Tenant-Id", OnOneLine(invocation.tenant_id()));
  }
  return response;
}

v1::ErrorObject ReportedError(const HttpRequest& request) {
  v1::ErrorObject error = FromClassicError(request.body);
  if (error.has_error_type()) return error;
  const absl::string_view type = FindHeader(request.headers, kErrorTypeHeader).value_or("");
  const bool is_text = !type.empty() && std::all_of(type.begin(), type.end(), absl::ascii_isprint);
  error.set_error_type(is_text ? std::string(type) : "Runtime.Unknown");
  return error;
}

v1::ServeRequest::Outcome Failed(v1::ErrorObject error) {
  v1::ServeRequest::Outcome outcome;
  *outcome.mutable_error() = std::move(error);
  return outcome;
}

v1::ErrorObject TooLarge() {
  v1::ErrorObject error;
  error.set_error_type("Function.ResponseSizeTooLarge");
  error.set_error_message(
      absl::StrCat("Response payload size exceeded maximum allowed payload size (",
                   kMaxResponseBytes, " bytes)."));
  return error;
}

}  // namespace

void RuntimeApi::Handle(HttpRequest request, HttpServer::Responder respond) {
  absl::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (absl::ConsumePrefix(&path, kRoot)) {
    if (path == "invocation/next") {
      return request.method == "GET" ? Next(std::move(respond)) : respond(MethodNotAllowed("GET"));
    }
    const std::vector<std::string> parts = absl::StrSplit(path, '/');
    const bool is_init_error = path == "init/error";
    const bool is_answer = parts.size() == 3 && parts[0] == "invocation";
    if (is_init_error || (is_answer && (parts[2] == "response" || parts[2] == "error"))) {
      if (request.method != "POST") return respond(MethodNotAllowed("POST"));
      if (is_init_error) return InitError(request, std::move(respond));
      if (parts[2] == "error") {
        return Answer(parts[1], Failed(ReportedError(request)), std::move(respond));
      }
      return Response(parts[1], std::move(request), std::move(respond));
    }
  }
  respond(Refused(404, "NotFound", absl::StrCat("Unknown path: ", request.target)));
}

void RuntimeApi::Invoke(const v1::ServeResponse::Invocation& invocation, Done done) {
  HttpServer::Responder next;
  HttpResponse response = NextResponse(invocation);
  absl::optional<v1::ErrorObject> error;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kEnded) {
      error = error_;
    } else {
      invocation_ = {invocation.request_id(), HttpResponse(), std::move(done)};
      next = std::exchange(next_, nullptr);
      if (next == nullptr) {
        invocation_->next = std::move(response);
      } else {
        state_ = State::kInvoked;
      }
    }
  }
  if (error.has_value()) return done(Failed(*std::move(error)));
  if (next != nullptr) next(std::move(response));
}

void RuntimeApi::Next(HttpServer::Responder respond) {
  // One that a second question overtakes is dropped, which closes its connection.
  HttpServer::Responder overtaken;
  HttpResponse response;
  {
    absl::MutexLock lock(&mutex_);
    initialized_ = true;
    if (state_ == State::kInvoked || state_ == State::kEnded) {
      response = TransitionRefused("Ready");
    } else if (invocation_.has_value()) {
      state_ = State::kInvoked;
      response = std::move(invocation_->next);
    } else {
      state_ = State::kReady;
      overtaken = std::exchange(next_, std::move(respond));
      return;
    }
  }
  respond(std::move(response));
}

void RuntimeApi::InitError(const HttpRequest& request, HttpServer::Responder respond) {
  HttpResponse response = Accepted();
  const v1::ErrorObject error = ReportedError(request);
  absl::optional<Invocation> invocation;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kStarting) {
      invocation = Close(error);
    } else {
      response = TransitionRefused("InitError");
    }
  }
  respond(std::move(response));
  if (invocation.has_value()) invocation->done(Failed(error));
}

void RuntimeApi::Response(absl::string_view request_id, HttpRequest request,
                          HttpServer::Responder respond) {
  v1::ServeRequest::Outcome outcome;
  if (request.body.size() <= kMaxResponseBytes) {
    outcome.set_payload(std::move(request.body));
    return Answer(request_id, std::move(outcome), std::move(respond));
  }
  HttpResponse too_large = Refused(
      413, "RequestEntityTooLarge",
      absl::StrCat("Exceeded maximum allowed payload size (", kMaxResponseBytes, " bytes)."));
  Answer(request_id, Failed(TooLarge()),
         [respond = std::move(respond),
          too_large = std::move(too_large)](HttpResponse response) mutable {
           respond(response.status == 202 ? std::move(too_large) : std::move(response));
         });
}

void RuntimeApi::Answer(absl::string_view request_id, v1::ServeRequest::Outcome outcome,
                        HttpServer::Responder respond) {
  Done done;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kInvoked && invocation_->request_id == request_id) {
      done = std::move(invocation_->done);
      invocation_.reset();
      state_ = State::kReady;
    }
  }
  if (done == nullptr) return respond(Refused(400, "InvalidRequestID", "Invalid request ID"));
  respond(Accepted());
  done(std::move(outcome));
}

void RuntimeApi::End(v1::ErrorObject error) {
  // Its connection ends with the process.
  HttpServer::Responder next;
  absl::optional<Invocation> invocation;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kEnded) return;
    next = std::exchange(next_, nullptr);
    invocation = Close(error);
  }
  if (invocation.has_value()) invocation->done(Failed(std::move(error)));
}

absl::optional<RuntimeApi::Invocation> RuntimeApi::Close(const v1::ErrorObject& error) {
  state_ = State::kEnded;
  error_ = error;
  return std::exchange(invocation_, absl::nullopt);
}

bool RuntimeApi::ended() const {
  absl::MutexLock lock(&mutex_);
  return state_ == State::kEnded;
}

bool RuntimeApi::initialized() const {
  absl::MutexLock lock(&mutex_);
  return initialized_;
}

HttpResponse RuntimeApi::TransitionRefused(absl::string_view target) const {
  constexpr const char* kNames[] = {"Started", "Ready", "Running", "Exited"};
  return Refused(
      403, "InvalidStateTransition",
      absl::StrCat("State transition from ", kNames[static_cast<int>(state_)], " to ", target,
                   " failed for runtime. Error: State transition is not allowed"));
}

}  // namespace rehearse::lambda_host
