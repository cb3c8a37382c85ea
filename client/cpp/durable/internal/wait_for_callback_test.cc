#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class WaitForCallbackTest : public ::testing::Test {
 protected:
  template <typename T = std::string>
  Handler Approval(std::string name = "approval", CallbackOptions options = {}) {
    return [this, name, options](DurableContext& ctx, const Json&) -> absl::StatusOr<T> {
      absl::StatusOr<T> answer = ctx.WaitForCallback<T>(
          name,
          [this](absl::string_view callback_id, StepContext&) -> absl::Status {
            submitted_ = std::string(callback_id);
            return submitter_failure_;
          },
          options);
      error_ = GetError(answer.status());
      return answer;
    };
  }

  FakeService service_;
  std::string submitted_;
  absl::Status submitter_failure_;
  absl::optional<ErrorInfo> error_;
};

TEST_F(WaitForCallbackTest, CreatesSubmitsAndSuspends) {
  EXPECT_EQ(service_.Run(Approval()).status, InvocationStatus::kPending);
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START approval", "CALLBACK START approval-callback",
                          "STEP START approval-submitter", "STEP SUCCEED approval-submitter"));
  EXPECT_EQ(service_.At("1")->sub_type, "WaitForCallback");
  EXPECT_EQ(service_.At("1-1")->parent_id, OperationId("1"));
  EXPECT_EQ(service_.At("1-2")->payload, "null");
  EXPECT_THAT(submitted_, StartsWith("callback-"));
}

TEST_F(WaitForCallbackTest, AnswerIsRecordedOnTheContextAndReplayed) {
  service_.Run(Approval());
  service_.End("1-1", OperationStatus::kSucceeded, "yes");
  EXPECT_EQ(service_.Run(Approval()).result, "\"yes\"");
  EXPECT_EQ(service_.At("1")->payload, "\"yes\"");
  EXPECT_EQ(service_.Run(Approval()).result, "\"yes\"");
}

TEST_F(WaitForCallbackTest, UnnamedHasUnnamedParts) {
  service_.Run(Approval(""));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START", "CALLBACK START", "STEP START", "STEP SUCCEED"));
}

TEST_F(WaitForCallbackTest, OwnSubTypeLabelsTheCallback) {
  service_.Run(Approval("approval", CallbackOptions().set_sub_type("Approval")));
  EXPECT_EQ(service_.At("1")->sub_type, "WaitForCallback");
  EXPECT_EQ(service_.At("1-1")->sub_type, "Approval");
}

TEST_F(WaitForCallbackTest, ExternalFailureKeepsItsKindOnReplay) {
  service_.Run(Approval());
  service_.End("1-1", OperationStatus::kFailed, absl::nullopt,
               ErrorObject{"RejectedError", "not approved", "why", {}});
  for (int run = 0; run < 2; ++run) {
    const InvocationOutput output = service_.Run(Approval());
    EXPECT_EQ(output.error->type, "CallbackExternalError");
    EXPECT_EQ(output.error->message, "not approved");
    EXPECT_EQ(error_->kind, ErrorKind::kCallbackExternal);
    EXPECT_EQ(error_->data, "why");
  }
  EXPECT_EQ(service_.At("1")->error->type, "CallbackExternalError");
}

TEST_F(WaitForCallbackTest, TimeoutKeepsItsKindOnReplay) {
  service_.Run(Approval());
  service_.End("1-1", OperationStatus::kTimedOut, absl::nullopt,
               ErrorObject{"Callback.Timeout", "too late", "", {}});
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(service_.Run(Approval()).error->type, "CallbackTimeoutError");
    EXPECT_EQ(error_->kind, ErrorKind::kCallbackTimeout);
  }
}

TEST_F(WaitForCallbackTest, SubmitterFailureIsASubmitterError) {
  submitter_failure_ = MakeError("MailDown", "no mail today", "data");
  const Handler handler = Approval("approval", CallbackOptions().set_retry(NoRetry()));
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(service_.Run(handler).error->type, "CallbackSubmitterError");
    EXPECT_EQ(error_->kind, ErrorKind::kCallbackSubmitter);
    EXPECT_EQ(error_->message, "no mail today");
    EXPECT_EQ(error_->data, "data");
    EXPECT_EQ(error_->cause(), ErrorKind::kStep);
  }
  EXPECT_EQ(service_.At("1")->error->type, "StepError");
  EXPECT_EQ(service_.At("1-2")->error->type, "MailDown");
}

TEST_F(WaitForCallbackTest, SubmitterIsRetriedAsTheOptionsSay) {
  submitter_failure_ = MakeError("MailDown", "no mail today");
  const Handler handler =
      Approval("approval", CallbackOptions().set_retry(FixedRetry(absl::Seconds(3))));
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(service_.UpdateAt("1-2", OperationAction::kRetry).next_attempt_delay_seconds, 3);
}

TEST_F(WaitForCallbackTest, AnswerThatCannotBeReadIsASerdesError) {
  service_.Run(Approval<int>());
  service_.End("1-1", OperationStatus::kSucceeded, "not a number");
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(service_.Run(Approval<int>()).error->type, "SerDesError");
    EXPECT_EQ(error_->kind, ErrorKind::kSerdes);
  }
}

TEST_F(WaitForCallbackTest, AbsentAnswerIsNull) {
  service_.Run(Approval<absl::optional<std::string>>());
  service_.End("1-1", OperationStatus::kSucceeded, absl::nullopt);
  EXPECT_EQ(service_.Run(Approval<absl::optional<std::string>>()).result, "null");
}

TEST_F(WaitForCallbackTest, NameLeavesRoomForTheSuffix) {
  EXPECT_EQ(service_.Run(Approval(std::string(247, 'n'))).error->type, "ValidationError");
  EXPECT_EQ(service_.Updates().size(), 0u);
  EXPECT_EQ(service_.Run(Approval(std::string(246, 'n'))).status, InvocationStatus::kPending);
  EXPECT_EQ(service_.At("1-2")->name.size(), 256u);
}

}  // namespace
}  // namespace internal
}  // namespace durable
