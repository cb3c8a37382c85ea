#include "tests/interop/rest/rest_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/http/url.h"

namespace rehearse {

RestFixture::RestFixture() {
  endpoint_ = *HttpServer::Start({}, [this](HttpRequest request, HttpServer::Responder respond) {
    absl::MutexLock lock(&mutex_);
    invocations_.push_back({std::move(request), std::move(respond)});
  });
  Server::Options options;
  options.http_address = "127.0.0.1:0";
  options.session_defaults.set_clock_mode(v1::CLOCK_MODE_MANUAL);
  for (const char* name : {"durable", "timed", "plain"}) {
    v1::FunctionSpec spec;
    spec.set_function_name(name);
    spec.set_durable(absl::string_view(name) != "plain");
    if (absl::string_view(name) == "timed") {
      spec.mutable_durable_config()->set_execution_timeout(60);
    }
    options.http_functions.push_back(
        {spec, *ParseHttpUrl(absl::StrCat("http://127.0.0.1:", endpoint_->port(), "/", name))});
  }
  server_ = *Server::Start(std::move(options));
}

RestFixture::~RestFixture() {
  client_.Shutdown();
  server_.reset();
  endpoint_.reset();
}

HttpResponse RestFixture::Send(const std::string& method, const std::string& path,
                               const std::string& body, HttpHeaders headers) {
  absl::StatusOr<HttpResponse> response =
      client_.Send({false, "127.0.0.1", http_port(), ""}, {method, path, std::move(headers), body},
                   absl::InfiniteDuration());
  EXPECT_TRUE(response.ok()) << method << " " << path << ": " << response.status();
  return response.ok() ? *std::move(response) : HttpResponse(0);
}

HttpResponse RestFixture::Invoke(const std::string& function, const std::string& payload,
                                 HttpHeaders headers) {
  return Send("POST", absl::StrCat("/2015-03-31/functions/", function, "/invocations"), payload,
              std::move(headers));
}

Invocation RestFixture::StartDurable() {
  EXPECT_EQ(Invoke("durable", "{}", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  return NextInvocation();
}

Invocation RestFixture::NextInvocation() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::deque<Invocation>* invocations) { return !invocations->empty(); }, &invocations_));
  Invocation next = std::move(invocations_.front());
  invocations_.pop_front();
  return next;
}

std::string RestFixture::ExecutionPath(const std::string& arn, absl::string_view suffix) {
  return absl::StrCat("/2025-12-01/durable-executions/", PercentEncode(arn), suffix);
}

std::string RestFixture::CallbackPath(const std::string& id, absl::string_view suffix) {
  return absl::StrCat("/2025-12-01/durable-execution-callbacks/", PercentEncode(id), suffix);
}

}  // namespace rehearse
