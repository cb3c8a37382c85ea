#include "client/cpp/durable/errors.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace {

using ::testing::ElementsAre;

TEST(ErrorsTest, MadeErrorCarriesWhatItWasMadeOf) {
  const absl::Status status = MakeError("CardDeclined", "the bank said no", "{\"code\":7}");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(status.message(), "the bank said no");
  const absl::optional<ErrorInfo> error = GetError(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kUser);
  EXPECT_EQ(error->type, "CardDeclined");
  EXPECT_EQ(error->message, "the bank said no");
  EXPECT_EQ(error->data, "{\"code\":7}");
}

TEST(ErrorsTest, OtherStatusCarriesNothing) {
  EXPECT_FALSE(GetError(absl::OkStatus()).has_value());
  EXPECT_FALSE(GetError(absl::NotFoundError("gone")).has_value());
  EXPECT_FALSE(IsError(absl::NotFoundError("gone"), ErrorKind::kUser));
  EXPECT_FALSE(IsError(absl::OkStatus(), ErrorKind::kUser));
}

TEST(ErrorsTest, IsErrorLooksAtTheKind) {
  EXPECT_TRUE(IsError(MakeError("T", "m"), ErrorKind::kUser));
  EXPECT_FALSE(IsError(MakeError("T", "m"), ErrorKind::kStep));
}

TEST(ErrorsTest, StatusKeepsEveryMember) {
  ErrorInfo info;
  info.kind = ErrorKind::kInvoke;
  info.type = "Theirs";
  info.message = "m";
  info.data = "d";
  info.stack_trace = {"f1", "f2"};
  info.outcome = InvokeOutcome::kStopped;
  const absl::optional<ErrorInfo> read = GetError(internal::ToStatus(info));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->kind, info.kind);
  EXPECT_EQ(read->type, info.type);
  EXPECT_EQ(read->data, info.data);
  EXPECT_THAT(read->stack_trace, ElementsAre("f1", "f2"));
  EXPECT_EQ(read->outcome, info.outcome);
}

TEST(ErrorsTest, CodesAreThoseThatAreObvious) {
  ErrorInfo info;
  info.kind = ErrorKind::kCallbackTimeout;
  EXPECT_EQ(internal::ToStatus(info).code(), absl::StatusCode::kDeadlineExceeded);
  info.kind = ErrorKind::kValidation;
  EXPECT_EQ(internal::ToStatus(info).code(), absl::StatusCode::kInvalidArgument);
  info.kind = ErrorKind::kStep;
  EXPECT_EQ(internal::ToStatus(info).code(), absl::StatusCode::kUnknown);
}

TEST(ErrorsTest, CauseIsTheKindThatTheTypeNames) {
  ErrorInfo info;
  info.kind = ErrorKind::kChildContext;
  info.type = "StepError";
  EXPECT_EQ(info.cause(), ErrorKind::kStep);
  info.type = "ChildContextError";
  EXPECT_EQ(info.cause(), ErrorKind::kChildContext);
  info.type = "BadAmount";
  EXPECT_EQ(info.cause(), absl::nullopt);
}

}  // namespace
}  // namespace durable
