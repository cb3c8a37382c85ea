// Executions from start to end, over the AWS face alone.
#include <future>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/interop/rest/rest_fixture.h"

namespace rehearse {
namespace {

using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string HeaderOf(const HttpResponse& response, absl::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or("(none)"));
}

class InvokeTest : public RestFixture {
 protected:
  // Invoke of kind RequestResponse, answered later.
  std::future<HttpResponse> InvokeAndWait(std::string function, std::string payload,
                                          HttpHeaders headers = {}) {
    return std::async(std::launch::async, [this, function, payload, headers] {
      return Invoke(function, payload, headers);
    });
  }

  json Checkpoint(const std::string& arn, const std::string& token, const json& updates) {
    const HttpResponse response =
        Send("POST", ExecutionPath(arn, "/checkpoint"),
             json{{"CheckpointToken", token}, {"Updates", updates}}.dump());
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }

  std::vector<std::string> EventTypes(const std::string& arn) {
    std::vector<std::string> types;
    const json history = json::parse(Send("GET", ExecutionPath(arn, "/history")).body);
    for (const json& event : history["Events"]) {
      types.push_back(event["EventType"].get<std::string>());
    }
    return types;
  }
};

TEST_F(InvokeTest, RunsADurableFunctionToItsEnd) {
  std::future<HttpResponse> waiting = InvokeAndWait("durable", R"({"n": 1})");
  Invocation invocation = NextInvocation();
  const json operation = invocation.payload()["InitialExecutionState"]["Operations"][0];
  EXPECT_EQ(operation["ExecutionDetails"]["InputPayload"], R"({"n": 1})");
  EXPECT_TRUE(operation["StartTimestamp"].is_number_integer());
  const std::string arn = invocation.arn();
  invocation.Answer(R"({"Status": "SUCCEEDED", "Result": "[1, 2]"})");
  const HttpResponse response = waiting.get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "[1, 2]");
  EXPECT_EQ(HeaderOf(response, "X-Amz-Durable-Execution-Arn"), arn);
  EXPECT_EQ(HeaderOf(response, "X-Amz-Executed-Version"), "$LATEST");
  EXPECT_EQ(HeaderOf(response, "X-Amz-Function-Error"), "(none)");
  EXPECT_NE(HeaderOf(response, "x-amzn-RequestId"), "(none)");
  EXPECT_THAT(EventTypes(arn),
              ElementsAre("ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"));
}

TEST_F(InvokeTest, AnswersWithTheErrorOfAFailedExecution) {
  std::future<HttpResponse> waiting = InvokeAndWait("durable", "{}");
  NextInvocation().Answer(
      R"({"Status": "FAILED", "Error": {"ErrorType": "E", "ErrorMessage": "boom",
          "StackTrace": ["a"]}})");
  const HttpResponse response = waiting.get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(json::parse(response.body),
            (json{{"errorMessage", "boom"}, {"errorType", "E"}, {"stackTrace", {"a"}}}));
}

TEST_F(InvokeTest, AnswersNullForAnExecutionWithoutAResult) {
  std::future<HttpResponse> waiting = InvokeAndWait("durable", "");
  NextInvocation().Answer(R"({"Status": "SUCCEEDED"})");
  EXPECT_EQ(waiting.get().body, "null");
}

TEST_F(InvokeTest, StartsAnExecutionAndAnswersAtOnceForAnEvent) {
  const HttpResponse response =
      Invoke("durable", "{}",
             {{"X-Amz-Invocation-Type", "Event"}, {"X-Amz-Durable-Execution-Name", "order-17"}});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "");
  const std::string arn = HeaderOf(response, "X-Amz-Durable-Execution-Arn");
  EXPECT_THAT(arn, HasSubstr(":function:durable:$LATEST/durable-execution/order-17/"));
  EXPECT_EQ(NextInvocation().arn(), arn);
}

TEST_F(InvokeTest, TakesEveryFormOfAFunctionsName) {
  for (const char* name :
       {"durable", "durable:$LATEST", "durable%3A%24LATEST", "123456789012:function:durable",
        "arn:aws:lambda:us-east-1:123456789012:function:durable",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Adurable%3A%24LATEST",
        "durable/invocations?Qualifier=%24LATEST&x="}) {
    EXPECT_EQ(Invoke(name, "{}", {{"X-Amz-Invocation-Type", "DryRun"}}).status, 204) << name;
  }
}

TEST_F(InvokeTest, FindsTheExecutionOfARetriedCall) {
  const HttpHeaders attempt = {{"X-Amz-Invocation-Type", "Event"},
                               {"amz-sdk-invocation-id", "0b0e2b3c-5e9a-4b57-9d83-0c2d6f5b2f7a"}};
  const std::string first =
      HeaderOf(Invoke("durable", "{}", attempt), "X-Amz-Durable-Execution-Arn");
  EXPECT_EQ(HeaderOf(Invoke("durable", "{}", attempt), "X-Amz-Durable-Execution-Arn"), first);
  const json list =
      json::parse(Send("GET", "/2025-12-01/functions/durable/durable-executions").body);
  EXPECT_EQ(list["DurableExecutions"].size(), 1);
}

TEST_F(InvokeTest, InvokesAPlainFunction) {
  std::future<HttpResponse> waiting =
      InvokeAndWait("plain", R"({"n": 1})",
                    {{"X-Amz-Tenant-Id", "acme"}, {"X-Amz-Client-Context", "eyJhIjoxfQ=="}});
  Invocation invocation = NextInvocation();
  EXPECT_EQ(invocation.request.body, R"({"n": 1})");
  EXPECT_EQ(FindHeader(invocation.request.headers, "X-Amz-Tenant-Id"), "acme");
  EXPECT_EQ(FindHeader(invocation.request.headers, "X-Amz-Client-Context"), "eyJhIjoxfQ==");
  invocation.Answer("[true]");
  const HttpResponse response = waiting.get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "[true]");
  EXPECT_EQ(HeaderOf(response, "X-Amz-Durable-Execution-Arn"), "(none)");

  EXPECT_EQ(Invoke("plain", "", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  EXPECT_EQ(NextInvocation().request.body, "{}");
}

TEST_F(InvokeTest, ReportsAPlainFunctionsError) {
  std::future<HttpResponse> waiting = InvokeAndWait("plain", "{}");
  HttpResponse failed(200);
  failed.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
  failed.body = R"({"errorMessage": "boom", "errorType": "E"})";
  NextInvocation().respond(failed);
  const HttpResponse response = waiting.get();
  EXPECT_EQ(HeaderOf(response, "X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(json::parse(response.body), (json{{"errorMessage", "boom"}, {"errorType", "E"}}));
}

TEST_F(InvokeTest, CompletesACallbackFromOutside) {
  Invocation first = StartDurable();
  const std::string arn = first.arn();
  const json answer =
      Checkpoint(arn, first.token(), {{{"Id", "cb"}, {"Type", "CALLBACK"}, {"Action", "START"}}});
  const json& operation = answer["NewExecutionState"]["Operations"][0];
  const std::string id = operation["CallbackDetails"]["CallbackId"].get<std::string>();
  first.Answer(R"({"Status": "PENDING"})");
  EXPECT_EQ(Send("POST", CallbackPath(id, "/heartbeat")).body, "{}");
  EXPECT_EQ(Send("POST", CallbackPath(id, "/succeed"), "\"yes\"").body, "{}");
  Invocation second = NextInvocation();
  const json operations = second.payload()["InitialExecutionState"]["Operations"];
  EXPECT_EQ(operations[1]["CallbackDetails"]["Result"], "\"yes\"");
  EXPECT_EQ(second.payload()["UpdatedOperationIds"], (json{"cb"}));
  second.Answer(R"({"Status": "SUCCEEDED"})");
}

TEST_F(InvokeTest, ReadsStateStopsAndDeletes) {
  Invocation invocation = StartDurable();
  const std::string arn = invocation.arn();
  const HttpResponse read =
      Send("GET", ExecutionPath(arn, absl::StrCat("/state?MaxItems=1000&CheckpointToken=",
                                                  PercentEncode(invocation.token()))));
  ASSERT_EQ(read.status, 200) << read.body;
  const json state = json::parse(read.body);
  EXPECT_EQ(state["Operations"][0]["Type"], "EXECUTION");
  const json stopped =
      json::parse(Send("POST", ExecutionPath(arn, "/stop"), R"({"ErrorMessage": "enough"})").body);
  EXPECT_TRUE(stopped["StopTimestamp"].is_number());
  json execution = json::parse(Send("GET", ExecutionPath(arn)).body);
  EXPECT_EQ(execution["Status"], "STOPPED");
  EXPECT_EQ(execution["Error"], (json{{"ErrorMessage", "enough"}}));
  const HttpResponse deleted = Send("DELETE", ExecutionPath(arn));
  EXPECT_EQ(deleted.status, 202);
  EXPECT_TRUE(json::parse(deleted.body)["DeletionRequestTimestamp"].is_number());
  EXPECT_EQ(Send("GET", ExecutionPath(arn)).status, 404);
}

TEST_F(InvokeTest, UnwrapsAStopErrorOfTheLocalRunner) {
  Invocation invocation = StartDurable();
  const std::string arn = invocation.arn();
  Send("POST", ExecutionPath(arn, "/stop"), R"({"Error": {"ErrorType": "T"}})");
  EXPECT_EQ(json::parse(Send("GET", ExecutionPath(arn)).body)["Error"], (json{{"ErrorType", "T"}}));
}

TEST_F(InvokeTest, PausesAndResumes) {
  Invocation invocation = StartDurable();
  const std::string arn = invocation.arn();
  const HttpResponse paused = Send("POST", ExecutionPath(arn, "/pause"), R"({"Reason": "lunch"})");
  EXPECT_EQ(paused.status, 202);
  EXPECT_EQ(paused.body, "{}");
  const json execution = json::parse(Send("GET", ExecutionPath(arn)).body);
  EXPECT_EQ(execution["Status"], "PAUSING");
  EXPECT_EQ(execution["PauseDetails"]["Reason"], "lunch");
  EXPECT_EQ(Send("POST", ExecutionPath(arn, "/resume"), "{}").status, 202);
}

TEST_F(InvokeTest, KeepsSessionsApart) {
  const std::string arn = StartDurable().arn();
  EXPECT_EQ(Send("GET", "/sessions/default" + ExecutionPath(arn)).status, 200);
  const HttpResponse other = Send("GET", "/sessions/other" + ExecutionPath(arn));
  EXPECT_EQ(other.status, 404);
}

TEST_F(InvokeTest, ServesTheLocalRunnersRoutes) {
  EXPECT_EQ(Send("GET", "/health").body, R"({"status":"healthy"})");
  const HttpResponse started = Send("POST", "/start-durable-execution", R"({
    "AccountId": "123456789012", "FunctionName": "durable", "FunctionQualifier": "$LATEST",
    "ExecutionName": "local-1", "ExecutionTimeoutSeconds": 60,
    "ExecutionRetentionPeriodDays": 1, "Input": "no JSON"})");
  EXPECT_EQ(started.status, 201) << started.body;
  Invocation invocation = NextInvocation();
  EXPECT_EQ(json::parse(started.body)["ExecutionArn"], invocation.arn());
  EXPECT_EQ(invocation.payload()["InitialExecutionState"]["Operations"][0]["ExecutionDetails"]
                                ["InputPayload"],
            "\"no JSON\"");
  const json running = json::parse(
      Send("GET", "/2025-12-01/durable-executions?StatusFilter=RUNNING&FunctionName=durable").body);
  EXPECT_EQ(running["DurableExecutions"].size(), 1);
  const json failed =
      json::parse(Send("GET", "/2025-12-01/durable-executions?StatusFilter=FAILED").body);
  EXPECT_EQ(failed["DurableExecutions"].size(), 0);
}

TEST_F(InvokeTest, ReachesUnregisteredFunctionsThroughTheLambdaEndpoint) {
  const std::string start = R"({
    "AccountId": "123456789012", "FunctionName": "unheard-of", "FunctionQualifier": "$LATEST",
    "ExecutionName": "local-1", "ExecutionTimeoutSeconds": 60, "ExecutionRetentionPeriodDays": 1})";
  EXPECT_EQ(Send("POST", "/start-durable-execution", start).status, 404);
  const std::string endpoint = absl::StrCat("http://127.0.0.1:", endpoint_port());
  EXPECT_EQ(Send("PUT", "/lambda-endpoint",
                 json{{"EndpointUrl", endpoint}, {"RegionName", "mars"}}.dump())
                .status,
            400);
  EXPECT_EQ(Send("PUT", "/lambda-endpoint", json{{"EndpointUrl", endpoint}}.dump()).body,
            absl::StrCat(R"({"message":"Functions are reached through )", endpoint, R"("})"));
  EXPECT_EQ(Send("POST", "/start-durable-execution", start).status, 201);
  const Invocation invocation = NextInvocation();
  EXPECT_EQ(invocation.request.target, "/2015-03-31/functions/unheard-of/invocations");
  EXPECT_EQ(FindHeader(invocation.request.headers, "X-Dex-Handler-Invoke"), "true");
}

}  // namespace
}  // namespace rehearse
