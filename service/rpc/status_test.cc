#include "service/rpc/status.h"

#include <map>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

v1::Status DetailsOf(const grpc::Status& status) {
  v1::Status message;
  EXPECT_TRUE(message.ParseFromString(status.error_details()));
  return message;
}

TEST(StatusTest, OkStaysOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(StatusTest, CodeAndMessageAreTheStatusOwn) {
  const grpc::Status status = ToGrpcStatus(errors::SessionNotFound("s-1"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "Session does not exist: s-1; create it with CreateSession");
  const v1::Status details = DetailsOf(status);
  EXPECT_EQ(details.code(), 5);
  EXPECT_EQ(details.message(), status.error_message());
}

TEST(StatusTest, PayloadsAreDetailsUnderTheTypeUrlsOfGoogleRpc) {
  const v1::Status details = DetailsOf(ToGrpcStatus(
      errors::TooManyRequests("Slow down", "CallerRateLimitExceeded", absl::Milliseconds(1500))));
  std::map<std::string, std::string> by_type;
  for (const google::protobuf::Any& detail : details.details()) {
    by_type[detail.type_url()] = detail.value();
  }
  ASSERT_EQ(by_type.size(), 2);

  v1::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(by_type["type.googleapis.com/google.rpc.ErrorInfo"]));
  EXPECT_EQ(info.reason(), "TooManyRequestsException");
  EXPECT_EQ(info.domain(), "lambda.amazonaws.com");
  EXPECT_EQ(info.metadata().at("http_status"), "429");
  EXPECT_EQ(info.metadata().at("throttle_reason"), "CallerRateLimitExceeded");

  v1::RetryInfo retry;
  ASSERT_TRUE(retry.ParseFromString(by_type["type.googleapis.com/google.rpc.RetryInfo"]));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500000000);
}

TEST(StatusTest, StatusWithoutPayloadHasNoDetails) {
  const grpc::Status status = ToGrpcStatus(absl::CancelledError("gone"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(DetailsOf(status).details_size(), 0);
}

}  // namespace
}  // namespace rehearse
