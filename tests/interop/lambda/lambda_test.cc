// RunLambda against a Lambda Runtime API of the test and the AWS face of a real server.
#include "client/cpp/durable/lambda.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/examples/quickstart/quickstart.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "service/http/http_client.h"
#include "service/http/http_server.h"
#include "service/http/url.h"
#include "service/server/server.h"
#include "service/sigv4/sigv4.h"

namespace rehearse {
namespace {

using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Lambda: invocations come in at /invoke and go out at the Runtime API.
class Lambda {
 public:
  Lambda() {
    server_ = *HttpServer::Start({}, [this](HttpRequest request, HttpServer::Responder respond) {
      Handle(std::move(request), std::move(respond));
    });
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", server_->port()); }
  void Shutdown() { server_->Shutdown(); }
  std::string init_error() {
    absl::MutexLock lock(&mutex_);
    return init_error_;
  }

 private:
  void Handle(HttpRequest request, HttpServer::Responder respond) {
    absl::MutexLock lock(&mutex_);
    if (request.target == "/invoke") {
      const std::string id = absl::StrCat("request-", ++last_request_);
      callers_[id] = std::move(respond);
      queue_.emplace_back(id, std::move(request.body));
    } else if (absl::EndsWith(request.target, "/invocation/next")) {
      next_ = std::move(respond);
    } else if (absl::EndsWith(request.target, "/init/error")) {
      init_error_ = request.body;
      respond(HttpResponse(202));
    } else {
      Finish(request, std::move(respond));
    }
    HandOut();
  }

  void HandOut() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (next_ == nullptr || queue_.empty()) return;
    HttpResponse response(200);
    response.headers.emplace_back("Lambda-Runtime-Aws-Request-Id", queue_.front().first);
    response.body = std::move(queue_.front().second);
    queue_.pop_front();
    std::exchange(next_, nullptr)(std::move(response));
  }

  // /2018-06-01/runtime/invocation/ID/response or /error
  void Finish(const HttpRequest& request, HttpServer::Responder respond)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::vector<std::string> parts = absl::StrSplit(request.target, '/');
    ASSERT_EQ(parts.size(), 6) << request.target;
    HttpResponse answer(200);
    answer.body = request.body;
    if (parts[5] == "error") answer.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
    callers_[parts[4]](std::move(answer));
    callers_.erase(parts[4]);
    respond(HttpResponse(202));
  }

  absl::Mutex mutex_;
  int last_request_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::pair<std::string, std::string>> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, HttpServer::Responder> callers_ ABSL_GUARDED_BY(mutex_);
  HttpServer::Responder next_ ABSL_GUARDED_BY(mutex_);
  std::string init_error_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

class LambdaTest : public ::testing::Test {
 protected:
  LambdaTest() {
    Server::Options options;
    options.http_address = "127.0.0.1:0";
    options.session_defaults.set_clock_mode(v1::CLOCK_MODE_SKIP);
    options.gateway.credentials = {credentials_};
    for (const char* name : {"durable", "plain"}) {
      v1::FunctionSpec spec;
      spec.set_function_name(name);
      spec.set_durable(absl::string_view(name) == "durable");
      options.http_functions.push_back(
          {spec, *ParseHttpUrl(absl::StrCat("http://", lambda_.address(), "/invoke"))});
    }
    server_ = *Server::Start(std::move(options));
    environment_ = {
        {"AWS_LAMBDA_RUNTIME_API", lambda_.address()},
        {"AWS_REGION", "us-east-1"},
        {"AWS_ACCESS_KEY_ID", credentials_.access_key_id},
        {"AWS_SECRET_ACCESS_KEY", credentials_.secret_access_key},
        {"AWS_SESSION_TOKEN", credentials_.session_token},
        {"AWS_ENDPOINT_URL_LAMBDA", absl::StrCat("http://127.0.0.1:", server_->http_port())}};
  }

  ~LambdaTest() override {
    lambda_.Shutdown();
    if (runtime_.joinable()) runtime_.join();
    server_->Shutdown();
  }

  absl::Status Run(const std::map<std::string, durable::Handler>& functions) {
    durable::LambdaOptions options;
    options.environment = [this](const std::string& name) -> absl::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return absl::nullopt;
      return found->second;
    };
    return durable::RunLambda(functions, std::move(options));
  }

  void Start(const std::map<std::string, durable::Handler>& functions) {
    runtime_ = std::thread(
        [this, functions] { EXPECT_EQ(Run(functions).code(), absl::StatusCode::kUnavailable); });
  }

  HttpResponse Send(const std::string& method, const std::string& path, const std::string& body) {
    HttpRequest request{method, path, {}, body};
    SignRequest(request, absl::StrCat("127.0.0.1:", server_->http_port()),
                {credentials_, "us-east-1", "lambda"}, absl::Now());
    return *client_.Send({false, "127.0.0.1", server_->http_port(), ""}, std::move(request),
                         absl::InfiniteDuration());
  }

  HttpResponse Invoke(const std::string& function, const std::string& input) {
    return Send("POST", absl::StrCat("/2015-03-31/functions/", function, "/invocations"), input);
  }

  std::vector<std::string> EventTypes(const HttpResponse& invoked) {
    const std::string arn(FindHeader(invoked.headers, "X-Amz-Durable-Execution-Arn").value_or(""));
    std::vector<std::string> types;
    const json history = json::parse(
        Send("GET", absl::StrCat("/2025-12-01/durable-executions/", PercentEncode(arn), "/history"),
             "")
            .body);
    for (const json& event : history["Events"]) {
      types.push_back(event["EventType"].get<std::string>());
    }
    return types;
  }

  // The only ones whose signatures the server takes.
  const AwsCredentials credentials_ = {"AKIDEXAMPLE", "secret", "token"};
  Lambda lambda_;
  std::unique_ptr<Server> server_;
  std::map<std::string, std::string> environment_;
  HttpClient client_;
  std::thread runtime_;
};

TEST_F(LambdaTest, RunsTheQuickStartOverTheAwsApi) {
  Start({{"quickstart", durable::Handler(QuickStart)}});
  const HttpResponse response = Invoke("durable", "\"input str\"");
  EXPECT_EQ(response.body, R"(["1 2","3 4 4 3","5 6"])");
  EXPECT_THAT(
      EventTypes(response),
      ElementsAre("ExecutionStarted", "StepStarted", "StepSucceeded", "WaitStarted",
                  "InvocationCompleted", "WaitSucceeded", "ContextStarted", "StepStarted",
                  "StepSucceeded", "StepStarted", "StepSucceeded", "ContextSucceeded",
                  "StepStarted", "StepSucceeded", "InvocationCompleted", "ExecutionSucceeded"));
}

TEST_F(LambdaTest, ReportsAFailedExecution) {
  Start({{"f", durable::Handler([](durable::DurableContext&, const int& number) -> absl::Status {
            return durable::MakeError("TooSmall", absl::StrCat(number, " is too small"));
          })}});
  const json error = json::parse(Invoke("durable", "7").body);
  EXPECT_EQ(error, (json{{"errorType", "TooSmall"}, {"errorMessage", "7 is too small"}}));
}

TEST_F(LambdaTest, RefusesWhatIsNoDurableInvocation) {
  Start({{"quickstart", durable::Handler(QuickStart)}});
  const HttpResponse response = Invoke("plain", "[]");
  EXPECT_EQ(FindHeader(response.headers, "X-Amz-Function-Error"), "Unhandled");
  const json error = json::parse(response.body);
  EXPECT_EQ(error["errorType"], "ExecutionError");
  EXPECT_THAT(error["errorMessage"].get<std::string>(),
              HasSubstr("not the invocation of a durable function"));
}

TEST_F(LambdaTest, ServesTheFunctionThatTheHandlerSettingNames) {
  environment_["_HANDLER"] = "second";
  const auto answer = [](int number) {
    return durable::Handler(
        [number](durable::DurableContext&, const durable::Json&) { return number; });
  };
  Start({{"first", answer(1)}, {"second", answer(2)}});
  EXPECT_EQ(Invoke("durable", "{}").body, "2");
}

TEST_F(LambdaTest, TellsTheRuntimeApiWhatIsMissing) {
  const durable::Handler quick_start(QuickStart);
  struct Case {
    const char* missing;
    const char* message;
  };
  const Case kCases[] = {
      {"AWS_REGION", "AWS_REGION is not set; Lambda and `rehearse run` set it"},
      {"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID is not set; Lambda and `rehearse run` set it"},
      {"AWS_SECRET_ACCESS_KEY",
       "AWS_SECRET_ACCESS_KEY is not set; Lambda and `rehearse run` set it"}};
  for (const Case& incomplete : kCases) {
    const auto complete = environment_;
    environment_.erase(incomplete.missing);
    EXPECT_EQ(Run({{"f", quick_start}}), absl::InvalidArgumentError(incomplete.message));
    EXPECT_EQ(json::parse(lambda_.init_error()),
              (json{{"errorType", "Runtime.InvalidConfiguration"},
                    {"errorMessage", incomplete.message},
                    {"stackTrace", json::array()}}));
    environment_ = complete;
  }
  environment_["_HANDLER"] = "third";
  EXPECT_EQ(Run({{"first", quick_start}, {"second", quick_start}}),
            absl::InvalidArgumentError("_HANDLER is 'third'; set it to one of the functions of "
                                       "this program: first, second"));
}

TEST_F(LambdaTest, SaysWhereARuntimeApiCouldBeIfThereIsNone) {
  const std::map<std::string, durable::Handler> functions = {{"f", durable::Handler(QuickStart)}};
  // Nobody listens on port 1.
  environment_["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:1";
  EXPECT_EQ(Run(functions),
            absl::UnavailableError(
                "the Lambda Runtime API cannot be reached: http://127.0.0.1:1: Connection refused; "
                "Lambda and `rehearse run` serve one and name it in AWS_LAMBDA_RUNTIME_API. "
                "Without that variable durable::Main runs a worker"));
  environment_.erase("AWS_REGION");
  EXPECT_EQ(Run(functions),
            absl::InvalidArgumentError("AWS_REGION is not set; Lambda and `rehearse run` set it"));
  environment_.erase("AWS_LAMBDA_RUNTIME_API");
  EXPECT_EQ(Run(functions),
            absl::InvalidArgumentError(
                "AWS_LAMBDA_RUNTIME_API is not set; Lambda and `rehearse run` set it"));
}

}  // namespace
}  // namespace rehearse
