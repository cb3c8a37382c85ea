#include "client/cpp/durable/internal/service_error.h"

#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

struct Case {
  absl::StatusCode code;
  const char* message;
  bool retryable;
};

class ServiceErrorTest : public ::testing::TestWithParam<Case> {};

TEST_P(ServiceErrorTest, IsClassified) {
  EXPECT_EQ(IsRetryableServiceError(absl::Status(GetParam().code, GetParam().message)),
            GetParam().retryable);
}

TEST(TransientServiceErrorTest, StaleTokenIsNotWorthAnotherCall) {
  const absl::Status stale = absl::FailedPreconditionError("Invalid checkpoint token: used");
  EXPECT_TRUE(IsRetryableServiceError(stale));
  EXPECT_FALSE(IsTransientServiceError(stale));
}

INSTANTIATE_TEST_SUITE_P(
    All, ServiceErrorTest,
    ::testing::Values(
        Case{absl::StatusCode::kUnavailable, "", true},
        Case{absl::StatusCode::kResourceExhausted, "", true},
        Case{absl::StatusCode::kDeadlineExceeded, "", true},
        Case{absl::StatusCode::kInternal, "", true}, Case{absl::StatusCode::kUnknown, "", true},
        Case{absl::StatusCode::kAborted, "", true},
        Case{absl::StatusCode::kInvalidArgument, "Invalid checkpoint token", true},
        Case{absl::StatusCode::kInvalidArgument, "Invalid Checkpoint Token: used", true},
        Case{absl::StatusCode::kFailedPrecondition, "Invalid checkpoint token: used", true},
        Case{absl::StatusCode::kInvalidArgument, "the checkpoint token is fine", false},
        Case{absl::StatusCode::kFailedPrecondition, "closed", false},
        Case{absl::StatusCode::kNotFound, "Invalid checkpoint token", false},
        Case{absl::StatusCode::kPermissionDenied, "", false},
        Case{absl::StatusCode::kUnauthenticated, "", false},
        Case{absl::StatusCode::kUnimplemented, "", false}));

}  // namespace
}  // namespace internal
}  // namespace durable
