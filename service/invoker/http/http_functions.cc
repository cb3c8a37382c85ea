#include "service/invoker/http/http_functions.h"

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "service/aws_json/aws_json.h"
#include "service/aws_json/classic_error.h"

namespace rehearse {
namespace {

using Invocation = v1::ServeResponse::Invocation;

// The executor gives up first; this frees the slot of an endpoint that never answers. The official
// Python runner waits as long.
constexpr absl::Duration kAnswerGrace = absl::Seconds(60);

HttpRequest ToHttpRequest(const HttpUrl& endpoint, Invocation& invocation) {
  HttpRequest request;
  request.method = "POST";
  request.target = endpoint.path.empty() ? "/" : endpoint.path;
  HttpHeaders& headers = request.headers;
  headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("X-Amz-Invocation-Type", "RequestResponse");
  if (invocation.has_tenant_id()) {
    headers.emplace_back("X-Amz-Tenant-Id", invocation.tenant_id());
  }
  if (invocation.has_x_amzn_trace_id()) {
    headers.emplace_back("X-Amzn-Trace-Id", invocation.x_amzn_trace_id());
  }
  if (invocation.has_client_context()) {
    headers.emplace_back("X-Amz-Client-Context", absl::Base64Escape(invocation.client_context()));
  }
  if (!invocation.has_durable()) {
    request.body = std::move(*invocation.mutable_payload());
    return request;
  }
  // Tells an endpoint that starts executions by itself to run the handler instead.
  headers.emplace_back("X-Dex-Handler-Invoke", "true");
  request.body = ToAwsJson(invocation.durable(), AwsTime::kMilliseconds);
  return request;
}

InvocationEnd Failed(InvocationEnd::Kind kind, absl::string_view type, absl::string_view message) {
  InvocationEnd end{kind, "", {}};
  end.error.set_error_type(std::string(type));
  end.error.set_error_message(std::string(message));
  return end;
}

InvocationEnd ToInvocationEnd(absl::StatusOr<HttpResponse> response) {
  if (!response.ok()) {
    return Failed(InvocationEnd::Kind::kCrashed, "Runtime.ExitError", response.status().message());
  }
  if (response->status != 200) {
    const absl::string_view type =
        FindHeader(response->headers, "x-amzn-ErrorType").value_or("ServiceException");
    return Failed(InvocationEnd::Kind::kFunctionError, type,
                  absl::StrCat("The endpoint answered ", response->status, ": ", response->body));
  }
  if (FindHeader(response->headers, "X-Amz-Function-Error").has_value()) {
    return {InvocationEnd::Kind::kFunctionError, "", FromClassicError(response->body)};
  }
  return {InvocationEnd::Kind::kAnswered, std::move(response->body), {}};
}

}  // namespace

class HttpFunctions::Slot final : public WorkerSlot, public std::enable_shared_from_this<Slot> {
 public:
  Slot(StreamInvoker& invoker, HttpClient& client) : invoker_(invoker), client_(client) {}

  void SetEndpoint(const HttpUrl& endpoint) {
    absl::MutexLock lock(&mutex_);
    endpoint_ = endpoint;
  }

  // An invocation may have begun before the id is known; it waits with its end.
  void SetId(StreamInvoker::SlotId id) {
    id_ = id;
    has_id_.Notify();
  }

  void StartInvocation(Invocation invocation) override {
    const absl::Duration limit =
        absl::FromUnixSeconds(invocation.deadline().seconds()) - absl::Now() + kAnswerGrace;
    absl::MutexLock lock(&mutex_);
    call_ = client_.Send(endpoint_, ToHttpRequest(endpoint_, invocation), limit,
                         [self = shared_from_this()](absl::StatusOr<HttpResponse> response) {
                           self->has_id_.WaitForNotification();
                           self->invoker_.EndInvocation(self->id_,
                                                        ToInvocationEnd(std::move(response)));
                         });
  }

  void AbortInvocation(v1::ServeResponse::Abort::Reason) override {
    absl::MutexLock lock(&mutex_);
    if (call_ != nullptr) call_->Cancel();
  }

 private:
  StreamInvoker& invoker_;
  HttpClient& client_;
  StreamInvoker::SlotId id_ = 0;
  absl::Notification has_id_;
  absl::Mutex mutex_;
  HttpUrl endpoint_ ABSL_GUARDED_BY(mutex_);
  // The newest; one that has ended takes no harm from being cancelled.
  std::shared_ptr<HttpClient::Call> call_ ABSL_GUARDED_BY(mutex_);
};

void HttpFunctions::Set(const std::string& session, const std::string& function_name,
                        const HttpUrl& endpoint) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Slot>>& slots = functions_[{session, function_name}];
  for (const std::shared_ptr<Slot>& slot : slots) slot->SetEndpoint(endpoint);
  while (slots.size() < kSlotsPerHttpFunction) {
    slots.push_back(std::make_shared<Slot>(invoker_, client_));
    slots.back()->SetEndpoint(endpoint);
    slots.back()->SetId(invoker_.AddSlot(session, {function_name}, slots.back()));
  }
}

}  // namespace rehearse
