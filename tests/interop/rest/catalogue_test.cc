// Bad requests, each with its exact answer, from bad_requests.json. A case is
//
//   {"name": "...", "method": "POST", "path": "...", "headers": {...}, "body": ...,
//    "status": 400, "error": "InvalidParameterValueException", "message": "..."}
//
// `body` is sent as it is when it is text, else as JSON. In path, headers, body and message,
// ${NAME} stands for one of the fixture's objects and ${TEXT*N} for TEXT N times; in a path both
// are percent-encoded. No case changes anything.
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "service/http/url.h"
#include "tests/interop/rest/rest_fixture.h"

namespace rehearse {
namespace {

using ::nlohmann::json;

class CatalogueTest : public RestFixture {
 protected:
  // One execution of each kind: `ARN` runs, with a started step, context and wait, a pending step
  // and an open callback; `CLOSED_ARN` has ended with a callback open; `PAUSED_ARN` is paused.
  CatalogueTest() {
    closed_ = StartDurable();
    names_["CLOSED_ARN"] = closed_.arn();
    names_["CLOSED_TOKEN"] = closed_.token();
    names_["CLOSED_CALLBACK"] = OpenCallback(closed_.arn(), closed_.token()).first;
    Send("POST", ExecutionPath(closed_.arn(), "/stop"));
    paused_ = StartDurable();
    names_["PAUSED_ARN"] = paused_.arn();
    Send("POST", ExecutionPath(paused_.arn(), "/pause"), "{}");
    EXPECT_EQ(
        Invoke("durable", R"({"n": 1})",
               {{"X-Amz-Invocation-Type", "Event"}, {"X-Amz-Durable-Execution-Name", "taken"}})
            .status,
        202);
    running_ = NextInvocation();
    names_["ARN"] = running_.arn();
    names_["STALE_TOKEN"] = running_.token();
    const auto callback = OpenCallback(running_.arn(), running_.token());
    names_["CALLBACK"] = callback.first;
    names_["TOKEN"] = callback.second;
  }

  // A checkpoint that creates operations of every type; its callback's id, and the next token.
  std::pair<std::string, std::string> OpenCallback(const std::string& arn,
                                                   const std::string& token) {
    const json updates = {
        {{"Id", "cb"}, {"Type", "CALLBACK"}, {"Action", "START"}, {"Name", "approval"}},
        {{"Id", "step"}, {"Type", "STEP"}, {"Action", "START"}, {"SubType", "Step"}},
        {{"Id", "retry"},
         {"Type", "STEP"},
         {"Action", "RETRY"},
         {"StepOptions", {{"NextAttemptDelaySeconds", 60}}}},
        {{"Id", "done"}, {"Type", "STEP"}, {"Action", "SUCCEED"}, {"Payload", "1"}},
        {{"Id", "ctx"}, {"Type", "CONTEXT"}, {"Action", "START"}},
        {{"Id", "wait"},
         {"Type", "WAIT"},
         {"Action", "START"},
         {"WaitOptions", {{"WaitSeconds", 60}}}}};
    const HttpResponse response =
        Send("POST", ExecutionPath(arn, "/checkpoint"),
             json{{"CheckpointToken", token}, {"Updates", updates}}.dump());
    EXPECT_EQ(response.status, 200) << response.body;
    const json answer = json::parse(response.body);
    for (const json& operation : answer["NewExecutionState"]["Operations"]) {
      if (operation["Id"] != "cb") continue;
      return {operation["CallbackDetails"]["CallbackId"].get<std::string>(),
              answer["CheckpointToken"].get<std::string>()};
    }
    return {};
  }

  std::string Snapshot() {
    std::string all = Send("GET", "/2025-12-01/durable-executions").body;
    for (const char* name : {"ARN", "CLOSED_ARN", "PAUSED_ARN"}) {
      all += Send("GET", ExecutionPath(names_[name])).body;
      all += Send("GET", ExecutionPath(names_[name], "/history")).body;
    }
    return all;
  }

  std::string Expand(std::string text, bool encode) const {
    for (size_t begin = text.find("${"); begin != std::string::npos; begin = text.find("${")) {
      const size_t end = text.find('}', begin);
      const std::string value = ValueOf(text.substr(begin + 2, end - begin - 2));
      text.replace(begin, end - begin + 1, encode ? PercentEncode(value) : value);
    }
    return text;
  }

  std::string ValueOf(const std::string& expression) const {
    const size_t star = expression.rfind('*');
    if (star == std::string::npos) return names_.at(expression);
    std::string repeated;
    for (int i = std::stoi(expression.substr(star + 1)); i > 0; --i) {
      repeated += expression.substr(0, star);
    }
    return repeated;
  }

  HttpResponse SendCase(const json& bad) {
    HttpHeaders headers;
    const json named = bad.value("headers", json::object());
    for (const auto& header : named.items()) {
      headers.emplace_back(header.key(), Expand(header.value().get<std::string>(), false));
    }
    std::string body;
    if (bad.contains("body")) {
      body = bad["body"].is_string() ? bad["body"].get<std::string>() : bad["body"].dump();
    }
    return Send(bad["method"].get<std::string>(),
                Expand(bad["path"].get<std::string>(), /*encode=*/true), Expand(body, false),
                std::move(headers));
  }

  Invocation running_;
  Invocation paused_;
  Invocation closed_;
  std::map<std::string, std::string> names_;
};

std::string MessageOf(const json& body) {
  for (const char* member : {"message", "Message"}) {
    if (body.contains(member)) return body[member].get<std::string>();
  }
  return "(none)";
}

TEST_F(CatalogueTest, AnswersEachBadRequestExactlyAndChangesNothing) {
  std::ifstream file("tests/interop/rest/bad_requests.json");
  const json cases = json::parse(file);
  EXPECT_GE(cases.size(), 150);
  const std::string before = Snapshot();
  for (const json& bad : cases) {
    SCOPED_TRACE(bad["name"].get<std::string>());
    const HttpResponse response = SendCase(bad);
    EXPECT_EQ(response.status, bad["status"].get<int>());
    EXPECT_EQ(FindHeader(response.headers, "x-amzn-ErrorType").value_or("(none)"),
              bad["error"].get<std::string>());
    EXPECT_TRUE(FindHeader(response.headers, "x-amzn-RequestId").has_value());
    const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(body.is_object()) << response.body;
    EXPECT_EQ(body["Type"], bad["error"]);
    EXPECT_EQ(MessageOf(body), Expand(bad["message"].get<std::string>(), false));
  }
  EXPECT_EQ(Snapshot(), before);
  // The token has not been used up, either.
  EXPECT_EQ(Send("POST", ExecutionPath(names_["ARN"], "/checkpoint"),
                 json{{"CheckpointToken", names_["TOKEN"]}}.dump())
                .status,
            200);
}

TEST_F(CatalogueTest, DrainsABodyThatIsTooLong) {
  const HttpResponse response = Invoke("durable", std::string(16 * 1024 * 1024 + 1, ' '));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(FindHeader(response.headers, "x-amzn-ErrorType"), "RequestTooLargeException");
}

}  // namespace
}  // namespace rehearse
