#include "client/cpp/durable/internal/rest_service_client.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/internal/service_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/http/http_server.h"

namespace durable {
namespace internal {
namespace {

using rehearse::FindHeader;
using rehearse::HttpRequest;
using rehearse::HttpResponse;
using rehearse::HttpServer;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class RestServiceClientTest : public ::testing::Test {
 protected:
  RestServiceClientTest() {
    server_ = *HttpServer::Start({}, [this](HttpRequest request, HttpServer::Responder respond) {
      requests_.push_back(std::move(request));
      HttpResponse answer = answers_.front();
      if (answers_.size() > 1) answers_.erase(answers_.begin());
      respond(std::move(answer));
    });
    RestOptions options;
    options.endpoint = {false, "127.0.0.1", server_->port(), "/sessions/s"};
    options.scope = {{"AKID", "secret", "token"}, "us-east-1", "lambda"};
    options.calls.sleep = [this](absl::Duration pause) { pauses_.push_back(pause); };
    client_ = std::make_unique<RestServiceClient>(std::move(options));
  }

  void AnswerWith(int status, const std::string& name, const std::string& body) {
    HttpResponse answer(status);
    if (!name.empty()) answer.headers.emplace_back("x-amzn-ErrorType", name);
    answer.body = body;
    answers_.push_back(std::move(answer));
  }

  std::vector<HttpResponse> answers_;
  std::vector<HttpRequest> requests_;
  std::vector<absl::Duration> pauses_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<RestServiceClient> client_;
};

TEST_F(RestServiceClientTest, SendsACheckpointSigned) {
  AnswerWith(200, "",
             R"({"CheckpointToken": "next", "NewExecutionState": {"Operations":
                 [{"Id": "1", "Type": "STEP", "Status": "STARTED", "StartTimestamp": 1.5}]}})");
  CheckpointRequest request;
  request.durable_execution_arn = "arn:a/b";
  request.checkpoint_token = "now";
  request.client_token = "client";
  const absl::StatusOr<CheckpointResponse> response = client_->Checkpoint(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->checkpoint_token, "next");
  EXPECT_THAT(response->new_state.operations, SizeIs(1));
  EXPECT_EQ(requests_[0].method, "POST");
  EXPECT_EQ(requests_[0].target,
            "/sessions/s/2025-12-01/durable-executions/arn%3Aa%2Fb/checkpoint");
  EXPECT_THAT(requests_[0].body, HasSubstr(R"("ClientToken":"client")"));
  EXPECT_THAT(std::string(FindHeader(requests_[0].headers, "Authorization").value_or("")),
              StartsWith("AWS4-HMAC-SHA256 Credential=AKID/"));
  EXPECT_EQ(FindHeader(requests_[0].headers, "X-Amz-Security-Token"), "token");
  EXPECT_THAT(std::string(FindHeader(requests_[0].headers, "User-Agent").value_or("")),
              StartsWith("aws-durable-execution-sdk-cpp/"));
}

TEST_F(RestServiceClientTest, ReadsState) {
  AnswerWith(200, "", R"({"Operations": [], "NextMarker": "m2"})");
  const absl::StatusOr<StatePage> page = client_->GetState({"arn", "a+b=", "m1", 10});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->next_marker, "m2");
  EXPECT_EQ(requests_[0].method, "GET");
  EXPECT_EQ(requests_[0].target,
            "/sessions/s/2025-12-01/durable-executions/arn/"
            "state?CheckpointToken=a%2Bb%3D&Marker=m1&MaxItems=10");
}

TEST_F(RestServiceClientTest, MakesACallThatFailsForNowAgain) {
  AnswerWith(500, "ServiceException", R"({"Message": "oops"})");
  AnswerWith(429, "TooManyRequestsException", R"({"message": "slow down"})");
  AnswerWith(200, "", R"({"CheckpointToken": "t", "NewExecutionState": {"Operations": []}})");
  EXPECT_TRUE(client_->Checkpoint({}).ok());
  ASSERT_THAT(requests_, SizeIs(3));
  EXPECT_EQ(requests_[0].body, requests_[2].body);
  EXPECT_THAT(pauses_, ::testing::ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200)));
}

TEST_F(RestServiceClientTest, TakesAnUnreadableAnswerAsAFailureForNow) {
  AnswerWith(200, "", "<html>");
  EXPECT_EQ(client_->Checkpoint({}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(requests_, SizeIs(3));
}

TEST(FromAwsErrorTest, DecidesWhatBecomesOfTheInvocation) {
  struct Case {
    int http_status;
    const char* name;
    const char* body;
    absl::Status status;
    bool retryable;
  };
  const Case kCases[] = {
      {400, "InvalidParameterValueException", R"({"message": "Invalid checkpoint token"})",
       absl::InvalidArgumentError("Invalid checkpoint token"), true},
      {400, "InvalidParameterValueException", R"({"message": "bad name"})",
       absl::InvalidArgumentError("bad name"), false},
      {403, "AccessDeniedException", R"({"Message": "no"})", absl::PermissionDeniedError("no"),
       false},
      {404, "ResourceNotFoundException", "gone", absl::NotFoundError("gone"), false},
      {413, "RequestTooLargeException", R"({"message": "long"})",
       absl::InvalidArgumentError("long"), false},
      {429, "TooManyRequestsException", R"({"message": "slow"})",
       absl::ResourceExhaustedError("slow"), true},
      {500, "ServiceException", R"({"Message": "oops"})", absl::UnavailableError("oops"), true},
      {502, "KMSDisabledException", R"({"Message": "key"})", absl::FailedPreconditionError("key"),
       false},
      {503, "", "", absl::UnavailableError(""), true},
  };
  for (const Case& error : kCases) {
    const absl::Status status = FromAwsError(error.http_status, error.name, error.body);
    EXPECT_EQ(status, error.status) << error.name;
    EXPECT_EQ(IsRetryableServiceError(status), error.retryable) << error.name;
  }
}

}  // namespace
}  // namespace internal
}  // namespace durable
