#include "service/invoker/http/http_functions.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/http/http_server.h"

namespace rehearse {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using Invocation = v1::ServeResponse::Invocation;

Invocation PlainInvocation(const std::string& payload) {
  Invocation invocation;
  invocation.set_request_id("r");
  invocation.set_payload(payload);
  invocation.mutable_deadline()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 900);
  return invocation;
}

// A function `f` at an endpoint that answers as it is told.
class HttpFunctionsTest : public ::testing::Test {
 protected:
  HttpFunctionsTest() {
    server_ = *HttpServer::Start({}, [this](HttpRequest request, HttpServer::Responder respond) {
      handler_(std::move(request), std::move(respond));
    });
    functions_.Set("default", "f",
                   *ParseHttpUrl(absl::StrCat("http://127.0.0.1:", server_->port(), "/run/f")));
  }
  ~HttpFunctionsTest() override {
    functions_.Shutdown();
    server_->Shutdown();
  }

  void AnswerWith(HttpResponse response) {
    handler_ = [this, response](HttpRequest request, HttpServer::Responder respond) {
      request_ = std::move(request);
      respond(response);
    };
  }

  std::unique_ptr<InvocationLease> Acquire() {
    std::unique_ptr<InvocationLease> acquired;
    invoker_.Acquire({"default", "f"}, [&](absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
      acquired = *std::move(lease);
    });
    return acquired;
  }

  InvocationEnd Invoke(Invocation invocation) {
    const std::unique_ptr<InvocationLease> lease = Acquire();
    InvocationEnd result;
    absl::Notification ended;
    lease->Start(std::move(invocation), [&](InvocationEnd end) {
      result = std::move(end);
      ended.Notify();
    });
    ended.WaitForNotification();
    return result;
  }

  absl::string_view SentHeader(absl::string_view name) {
    return FindHeader(request_.headers, name).value_or("(none)");
  }

  HttpServer::Handler handler_;
  HttpRequest request_;
  StreamInvoker invoker_;
  HttpFunctions functions_{invoker_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpFunctionsTest, PostsAPlainFunctionsPayloadAndHandsBackItsAnswer) {
  HttpResponse response(200);
  response.body = "\"done\"";
  AnswerWith(response);
  Invocation invocation = PlainInvocation("{\"n\":1}");
  invocation.set_tenant_id("acme");
  invocation.set_x_amzn_trace_id("Root=1");
  invocation.set_client_context("{}");
  const InvocationEnd end = Invoke(std::move(invocation));
  EXPECT_EQ(end.kind, InvocationEnd::Kind::kAnswered);
  EXPECT_EQ(end.payload, "\"done\"");
  EXPECT_EQ(request_.method, "POST");
  EXPECT_EQ(request_.target, "/run/f");
  EXPECT_EQ(request_.body, "{\"n\":1}");
  EXPECT_EQ(SentHeader("X-Amz-Tenant-Id"), "acme");
  EXPECT_EQ(SentHeader("X-Amzn-Trace-Id"), "Root=1");
  EXPECT_EQ(SentHeader("X-Amz-Client-Context"), "e30=");
  EXPECT_EQ(SentHeader("X-Dex-Handler-Invoke"), "(none)");
}

TEST_F(HttpFunctionsTest, PostsADurableFunctionsStateInAwsJson) {
  AnswerWith(HttpResponse(200));
  Invocation invocation = PlainInvocation("");
  v1::DurableExecutionInvocationInput& input = *invocation.mutable_durable();
  input.set_durable_execution_arn("arn");
  input.set_checkpoint_token("AQ==");
  Invoke(std::move(invocation));
  EXPECT_EQ(request_.body, R"({"CheckpointToken":"AQ==","DurableExecutionArn":"arn"})");
  EXPECT_EQ(SentHeader("X-Dex-Handler-Invoke"), "true");
}

TEST_F(HttpFunctionsTest, ReadsAFunctionsErrorInClassicSpelling) {
  HttpResponse response(200);
  response.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
  response.body =
      R"({"errorMessage": "boom", "errorType": "E", "stackTrace": ["a", 1], "requestId": "r"})";
  AnswerWith(response);
  InvocationEnd end = Invoke(PlainInvocation("{}"));
  EXPECT_EQ(end.kind, InvocationEnd::Kind::kFunctionError);
  EXPECT_EQ(end.error.error_message(), "boom");
  EXPECT_EQ(end.error.error_type(), "E");
  EXPECT_FALSE(end.error.has_error_data());
  EXPECT_THAT(end.error.stack_trace(), ::testing::ElementsAre("a", "1"));
  response.body = "not JSON";
  AnswerWith(response);
  end = Invoke(PlainInvocation("{}"));
  EXPECT_EQ(end.error.error_message(), "not JSON");
}

TEST_F(HttpFunctionsTest, TakesARefusalAsTheFunctionsError) {
  HttpResponse response(404);
  response.headers.emplace_back("x-amzn-ErrorType", "ResourceNotFoundException");
  response.body = "{}";
  AnswerWith(response);
  const InvocationEnd end = Invoke(PlainInvocation("{}"));
  EXPECT_EQ(end.kind, InvocationEnd::Kind::kFunctionError);
  EXPECT_EQ(end.error.error_type(), "ResourceNotFoundException");
  EXPECT_EQ(end.error.error_message(), "The endpoint answered 404: {}");
}

TEST_F(HttpFunctionsTest, TakesAnEndpointThatBreaksAsACrash) {
  handler_ = [](HttpRequest, HttpServer::Responder) {};
  const InvocationEnd end = Invoke(PlainInvocation("{}"));
  EXPECT_EQ(end.kind, InvocationEnd::Kind::kCrashed);
  EXPECT_EQ(end.error.error_type(), "Runtime.ExitError");
  EXPECT_THAT(end.error.error_message(), HasSubstr(absl::StrCat(server_->port())));
}

TEST_F(HttpFunctionsTest, EndsAnAbortedInvocationAndUsesItsSlotAgain) {
  HttpServer::Responder held;
  absl::Notification handled;
  handler_ = [&](HttpRequest, HttpServer::Responder respond) {
    held = std::move(respond);
    handled.Notify();
  };
  const std::unique_ptr<InvocationLease> lease = Acquire();
  InvocationEnd result;
  absl::Notification ended;
  lease->Start(PlainInvocation("{}"), [&](InvocationEnd end) {
    result = std::move(end);
    ended.Notify();
  });
  handled.WaitForNotification();
  lease->Abort(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT);
  ended.WaitForNotification();
  EXPECT_EQ(result.kind, InvocationEnd::Kind::kCrashed);
  EXPECT_EQ(invoker_.Load({"default", "f"}).running, 0);
}

TEST_F(HttpFunctionsTest, GoesToANewEndpointFromTheNextInvocationOn) {
  AnswerWith(HttpResponse(200));
  functions_.Set("default", "f",
                 *ParseHttpUrl(absl::StrCat("http://127.0.0.1:", server_->port(), "/moved")));
  Invoke(PlainInvocation("{}"));
  EXPECT_EQ(request_.target, "/moved");
}

}  // namespace
}  // namespace rehearse
