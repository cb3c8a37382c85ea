#include "service/lambda_host/runtime_api.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse::lambda_host {
namespace {

using ::testing::IsEmpty;

constexpr char kNext[] = "/2018-06-01/runtime/invocation/next";
constexpr char kInitError[] = "/2018-06-01/runtime/init/error";
constexpr char kResponse[] = "/2018-06-01/runtime/invocation/r-1/response";
constexpr char kError[] = "/2018-06-01/runtime/invocation/r-1/error";
constexpr char kAccepted[] = R"(202 {"status":"OK"})";

v1::ServeResponse::Invocation PlainInvocation() {
  v1::ServeResponse::Invocation invocation;
  invocation.set_request_id("r-1");
  invocation.set_invoked_function_arn("arn:aws:lambda:us-east-1:123456789012:function:orders");
  invocation.mutable_deadline()->set_seconds(1'790'000'000);
  invocation.mutable_deadline()->set_nanos(123'456'789);
  invocation.set_payload(R"({"id":17})");
  return invocation;
}

// A runtime that sends requests, and an invocation whose end is kept.
class Api {
 public:
  // What is answered, unless that comes later.
  absl::optional<HttpResponse> Send(const std::string& method, const std::string& target,
                                    const std::string& body = "", HttpHeaders headers = {}) {
    answers_.emplace_back();
    const size_t index = answers_.size() - 1;
    api_.Handle({method, target, std::move(headers), body},
                [this, index](HttpResponse response) { answers_[index] = std::move(response); });
    return answers_[index];
  }
  // The same as "STATUS BODY", empty if there is none yet.
  std::string TextOf(const std::string& method, const std::string& target,
                     const std::string& body = "", HttpHeaders headers = {}) {
    const absl::optional<HttpResponse> answer = Send(method, target, body, std::move(headers));
    return answer.has_value() ? absl::StrCat(answer->status, " ", answer->body) : "";
  }
  const absl::optional<HttpResponse>& answer(size_t index) const { return answers_[index]; }

  void Invoke(const v1::ServeResponse::Invocation& invocation = PlainInvocation()) {
    api_.Invoke(invocation, [this](v1::ServeRequest::Outcome outcome) {
      outcomes_.push_back(outcome.ShortDebugString());
    });
  }
  const std::vector<std::string>& outcomes() const { return outcomes_; }
  RuntimeApi& api() { return api_; }

 private:
  std::vector<absl::optional<HttpResponse>> answers_;
  std::vector<std::string> outcomes_;
  RuntimeApi api_;
};

TEST(RuntimeApiTest, HandsOutAnInvocationWithAllItsHeaders) {
  v1::ServeResponse::Invocation invocation = PlainInvocation();
  invocation.set_x_amzn_trace_id("Root=1-2-3");
  invocation.set_client_context("{\r\n\t\"custom\": {}}");
  invocation.set_tenant_id("blue");
  Api api;
  api.Invoke(invocation);
  const absl::optional<HttpResponse> next = api.Send("GET", kNext);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->status, 200);
  EXPECT_EQ(next->body, R"({"id":17})");
  EXPECT_THAT(next->headers,
              ::testing::UnorderedElementsAre(
                  ::testing::Pair("Content-Type", "application/json"),
                  ::testing::Pair("Lambda-Runtime-Aws-Request-Id", "r-1"),
                  ::testing::Pair("Lambda-Runtime-Deadline-Ms", "1790000000123"),
                  ::testing::Pair("Lambda-Runtime-Invoked-Function-Arn",
                                  "arn:aws:lambda:us-east-1:123456789012:function:orders"),
                  ::testing::Pair("Lambda-Runtime-Trace-Id", "Root=1-2-3"),
                  ::testing::Pair("Lambda-Runtime-Client-Context", "{   \"custom\": {}}"),
                  ::testing::Pair("Lambda-Runtime-Aws-Tenant-Id", "blue")));
}

TEST(RuntimeApiTest, InvokesADurableFunctionWithAwsJson) {
  v1::ServeResponse::Invocation invocation = PlainInvocation();
  invocation.mutable_durable()->set_durable_execution_arn("arn:x");
  invocation.mutable_durable()->set_checkpoint_token("AQ==");
  v1::Operation& operation =
      *invocation.mutable_durable()->mutable_initial_execution_state()->add_operations();
  operation.set_id("e");
  operation.mutable_start_timestamp()->set_seconds(1'790'000'000);
  Api api;
  api.Invoke(invocation);
  EXPECT_EQ(
      api.TextOf("GET", kNext),
      R"(200 {"CheckpointToken":"AQ==","DurableExecutionArn":"arn:x",)"
      R"("InitialExecutionState":{"Operations":[{"Id":"e","StartTimestamp":1790000000000}]}})");
}

TEST(RuntimeApiTest, NextWaitsForAnInvocationAndTheInvocationForNext) {
  Api waiting;
  EXPECT_EQ(waiting.TextOf("GET", kNext), "");
  EXPECT_TRUE(waiting.api().initialized());
  waiting.Invoke();
  EXPECT_EQ(waiting.answer(0)->body, R"({"id":17})");
  Api starting;
  starting.Invoke();
  EXPECT_FALSE(starting.api().initialized());
  EXPECT_EQ(starting.TextOf("GET", kNext), R"(200 {"id":17})");
}

TEST(RuntimeApiTest, ASecondQuestionTakesThePlaceOfTheFirst) {
  Api api;
  EXPECT_EQ(api.TextOf("GET", kNext), "");
  EXPECT_EQ(api.TextOf("GET", kNext), "");
  api.Invoke();
  EXPECT_FALSE(api.answer(0).has_value());
  EXPECT_EQ(api.answer(1)->body, R"({"id":17})");
}

TEST(RuntimeApiTest, ResponsesAreTakenVerbatimWhateverTheyAre) {
  for (const std::string& body : {std::string("{}"), std::string(), std::string("\xff\x00<", 3)}) {
    Api api;
    api.Invoke();
    api.Send("GET", kNext);
    EXPECT_EQ(api.TextOf("POST", kResponse, body), kAccepted);
    v1::ServeRequest::Outcome expected;
    expected.set_payload(body);
    EXPECT_THAT(api.outcomes(), ::testing::ElementsAre(expected.ShortDebugString()));
  }
}

TEST(RuntimeApiTest, ErrorsAreReadWhateverTheyAre) {
  const struct {
    std::string body;
    std::string header;
    std::string outcome;
  } kRows[] = {
      {R"({"errorMessage":"no","errorType":"E","stackTrace":["a","b"]})", "H",
       R"(error { error_message: "no" error_type: "E" stack_trace: "a" stack_trace: "b" })"},
      {R"({"errorMessage":"no","trace":["a"]})", "H",
       R"(error { error_message: "no" error_type: "H" stack_trace: "a" })"},
      {"not JSON", "H", R"(error { error_message: "not JSON" error_type: "H" })"},
      {"", "", R"(error { error_message: "" error_type: "Runtime.Unknown" })"},
      {"[]", "\xff", R"(error { error_message: "[]" error_type: "Runtime.Unknown" })"},
      {"\xff", "H", R"(error { error_message: "\357\277\275" error_type: "H" })"},
  };
  for (const auto& row : kRows) {
    Api api;
    api.Invoke();
    api.Send("GET", kNext);
    EXPECT_EQ(
        api.TextOf("POST", kError, row.body, {{"Lambda-Runtime-Function-Error-Type", row.header}}),
        kAccepted);
    EXPECT_THAT(api.outcomes(), ::testing::ElementsAre(row.outcome));
  }
}

TEST(RuntimeApiTest, ResponsesAreLimitedAsInLambda) {
  Api fits;
  fits.Invoke();
  fits.Send("GET", kNext);
  EXPECT_EQ(fits.TextOf("POST", kResponse, std::string(kMaxResponseBytes, 'x')), kAccepted);
  Api too_large;
  too_large.Invoke();
  too_large.Send("GET", kNext);
  EXPECT_EQ(too_large.TextOf("POST", kResponse, std::string(kMaxResponseBytes + 1, 'x')),
            R"(413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).",)"
            R"("errorType":"RequestEntityTooLarge"})");
  EXPECT_THAT(
      too_large.outcomes(),
      ::testing::ElementsAre(
          R"(error { error_message: "Response payload size exceeded maximum allowed )"
          R"(payload size (6291556 bytes)." error_type: "Function.ResponseSizeTooLarge" })"));
}

TEST(RuntimeApiTest, RequestsOutOfTurnAreRefusedAndChangeNothing) {
  const std::string invalid_id =
      R"(400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"})";
  const auto refused = [](const std::string& from, const std::string& to) {
    return absl::StrCat(R"(403 {"errorMessage":"State transition from )", from, " to ", to,
                        R"( failed for runtime. Error: State transition is not allowed",)"
                        R"("errorType":"InvalidStateTransition"})");
  };
  Api api;
  EXPECT_EQ(api.TextOf("POST", kResponse, "1"), invalid_id);
  api.Invoke();
  EXPECT_EQ(api.TextOf("POST", kResponse, "1"), invalid_id);
  api.Send("GET", kNext);
  EXPECT_EQ(api.TextOf("GET", kNext), refused("Running", "Ready"));
  EXPECT_EQ(api.TextOf("POST", kInitError, "{}"), refused("Running", "InitError"));
  EXPECT_EQ(api.TextOf("POST", "/2018-06-01/runtime/invocation/r-2/response", "1"), invalid_id);
  EXPECT_EQ(api.TextOf("POST", "/2018-06-01/runtime/invocation/r-2/error", "{}"), invalid_id);
  EXPECT_THAT(api.outcomes(), IsEmpty());
  EXPECT_EQ(api.TextOf("POST", kResponse, "1"), kAccepted);
  EXPECT_EQ(api.TextOf("POST", kResponse, "1"), invalid_id);
  EXPECT_EQ(api.TextOf("POST", kError, "{}"), invalid_id);
  EXPECT_EQ(api.TextOf("POST", kInitError, "{}"), refused("Ready", "InitError"));
  EXPECT_THAT(api.outcomes(), ::testing::ElementsAre(R"(payload: "1")"));
  EXPECT_FALSE(api.api().ended());
}

TEST(RuntimeApiTest, UnknownPathsAndMethodsAreRefused) {
  Api api;
  for (const char* target :
       {"/", "/2018-06-01/runtime", "/2018-06-01/runtime/", "/2015-03-31/functions",
        "/2018-06-01/runtime/invocation", "/2018-06-01/runtime/invocation/r-1",
        "/2018-06-01/runtime/invocation/r-1/result", "/2018-06-01/runtime/invocation/r-1/error/x",
        "/2018-06-01/runtime/restore/next", ""}) {
    EXPECT_EQ(api.TextOf("GET", target), absl::StrCat(R"(404 {"errorMessage":"Unknown path: )",
                                                      target, R"(","errorType":"NotFound"})"));
  }
  EXPECT_EQ(api.TextOf("POST", kNext),
            R"(405 {"errorMessage":"Use GET.","errorType":"MethodNotAllowed"})");
  for (const char* target : {kResponse, kError, kInitError}) {
    EXPECT_EQ(api.TextOf("PUT", target),
              R"(405 {"errorMessage":"Use POST.","errorType":"MethodNotAllowed"})");
  }
}

TEST(RuntimeApiTest, InitErrorFailsTheInvocationThatIsThereAndThoseThatCome) {
  const std::string error =
      R"(error { error_message: "no module" error_type: "Runtime.ImportModuleError" })";
  const std::string body =
      R"({"errorMessage":"no module","errorType":"Runtime.ImportModuleError"})";
  Api api;
  api.Invoke();
  EXPECT_EQ(api.TextOf("POST", kInitError, body), kAccepted);
  EXPECT_TRUE(api.api().ended());
  api.Invoke();
  api.api().End({});
  EXPECT_THAT(api.outcomes(), ::testing::ElementsAre(error, error));
}

TEST(RuntimeApiTest, EndFailsTheInvocationUnlessItWasAnswered) {
  v1::ErrorObject error;
  error.set_error_type("Runtime.ExitError");
  const std::string failed = R"(error { error_type: "Runtime.ExitError" })";
  Api running;
  running.Invoke();
  running.Send("GET", kNext);
  running.api().End(error);
  EXPECT_THAT(running.outcomes(), ::testing::ElementsAre(failed));
  EXPECT_EQ(running.Send("POST", kResponse, "1")->status, 400);
  Api starting;
  starting.Invoke();
  starting.api().End(error);
  EXPECT_THAT(starting.outcomes(), ::testing::ElementsAre(failed));
  Api answered;
  answered.Invoke();
  answered.Send("GET", kNext);
  answered.Send("POST", kResponse, "1");
  answered.api().End(error);
  EXPECT_THAT(answered.outcomes(), ::testing::ElementsAre(R"(payload: "1")"));
}

}  // namespace
}  // namespace rehearse::lambda_host
