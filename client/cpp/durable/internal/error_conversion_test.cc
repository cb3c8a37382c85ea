#include "client/cpp/durable/internal/error_conversion.h"

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "client/cpp/durable/internal/unwind.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace app {

template <typename T>
struct Declined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace app

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ErrorObject RecordOf(const absl::Status& status) { return ToErrorObject(InfoOf(status)); }

TEST(CallUserCodeTest, ReturnedStatusPasses) {
  EXPECT_TRUE(CallUserCode([] { return absl::OkStatus(); }).status.ok());
  const UserOutcome outcome = CallUserCode([] { return absl::NotFoundError("gone"); });
  EXPECT_EQ(outcome.status, absl::NotFoundError("gone"));
  EXPECT_EQ(outcome.exception, nullptr);
}

TEST(CallUserCodeTest, ExceptionIsNamedByItsClassAlone) {
  const UserOutcome outcome =
      CallUserCode([]() -> absl::Status { throw app::Declined<std::string>("no"); });
  EXPECT_EQ(RecordOf(outcome.status).type, "Declined");
  EXPECT_EQ(RecordOf(outcome.status).message, "no");
  EXPECT_NE(outcome.exception, nullptr);
  EXPECT_EQ(RecordOf(CallUserCode([]() -> absl::Status { throw std::bad_alloc(); }).status).type,
            "bad_alloc");
}

TEST(CallUserCodeTest, OtherObjectsAreUnknownExceptions) {
  const UserOutcome outcome = CallUserCode([]() -> absl::Status { throw 7; });
  EXPECT_EQ(RecordOf(outcome.status).type, "UnknownException");
}

TEST(CallUserCodeTest, UnwindPasses) {
  EXPECT_THROW(CallUserCode([]() -> absl::Status { throw Unwind(Unwind::Reason::kFatal); }),
               Unwind);
}

TEST(ErrorConversionTest, PlainStatusIsNamedByItsCode) {
  EXPECT_EQ(RecordOf(absl::InvalidArgumentError("m")).type, "InvalidArgumentError");
  EXPECT_EQ(RecordOf(absl::UnknownError("m")).type, "UnknownError");
  EXPECT_EQ(RecordOf(absl::DeadlineExceededError("m")).type, "DeadlineExceededError");
}

TEST(ErrorConversionTest, RecordOfAnOperationErrorHasTheTypeOfItsKind) {
  const std::pair<ErrorKind, const char*> kinds[] = {
      {ErrorKind::kStep, "StepError"},
      {ErrorKind::kStepInterrupted, "StepInterruptedError"},
      {ErrorKind::kChildContext, "ChildContextError"},
      {ErrorKind::kInvoke, "InvokeError"},
      {ErrorKind::kCallbackExternal, "CallbackExternalError"},
      {ErrorKind::kCallbackTimeout, "CallbackTimeoutError"},
      {ErrorKind::kCallbackSubmitter, "CallbackSubmitterError"},
      {ErrorKind::kSerdes, "SerDesError"},
      {ErrorKind::kValidation, "ValidationError"},
  };
  for (const auto& [kind, name] : kinds) {
    ErrorInfo info;
    info.kind = kind;
    info.type = "Inner";
    EXPECT_EQ(ToErrorObject(info).type, name);
  }
}

TEST(ErrorConversionTest, RecordedSerdesErrorStaysOne) {
  EXPECT_EQ(FromRecord(ErrorKind::kStep, ErrorObject{"SerDesError", "m", "", {}}).kind,
            ErrorKind::kSerdes);
  EXPECT_EQ(FromRecord(ErrorKind::kStep, ErrorObject{"Other", "m", "", {}}).kind, ErrorKind::kStep);
}

TEST(ErrorConversionTest, InvalidTextIsRepaired) {
  EXPECT_EQ(RecordOf(MakeError("T", "caf\xc3\xa9 \xff")).message, "caf\xc3\xa9 \xef\xbf\xbd");
}

TEST(ErrorConversionTest, RecordAtTheLimitIsKept) {
  ErrorInfo info;
  info.type = "T";
  info.message = std::string(kMaxErrorBytes - 1, 'm');
  EXPECT_EQ(ToErrorObject(info).message, info.message);
}

TEST(ErrorConversionTest, StackGoesFirstThenDataThenMessage) {
  ErrorInfo info;
  info.type = "T";
  info.message = std::string(kMaxErrorBytes - 10, 'm');
  info.data = "12345";
  info.stack_trace = {"1234", "5678"};
  ErrorObject error = ToErrorObject(info);
  EXPECT_THAT(error.stack_trace, ElementsAre("1234"));
  EXPECT_EQ(error.data, "12345");
  info.message += "12345";
  error = ToErrorObject(info);
  EXPECT_THAT(error.stack_trace, IsEmpty());
  EXPECT_EQ(error.data, "1234");
  EXPECT_EQ(error.message, info.message);
  info.message += "678901";
  error = ToErrorObject(info);
  EXPECT_EQ(error.data, "");
  EXPECT_EQ(error.message.size(), kMaxErrorBytes - 1);
}

TEST(ErrorConversionTest, CharactersAreNotCut) {
  ErrorInfo info;
  info.type = "T";
  info.message = std::string(kMaxErrorBytes - 2, 'm') + "\xc3\xa9";
  EXPECT_EQ(ToErrorObject(info).message, std::string(kMaxErrorBytes - 2, 'm'));
}

}  // namespace
}  // namespace internal
}  // namespace durable
