#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Operation CallbackRecord(OperationStatus status) {
  Operation record = Record("1", OperationType::kCallback, "Callback", "approval", status);
  record.callback_id = "the-id";
  return record;
}

template <typename T = std::string>
Handler Await(CallbackOptions options = {}) {
  return [options](DurableContext& ctx, const Json&) -> absl::StatusOr<T> {
    DURABLE_ASSIGN_OR_RETURN(Callback<T> callback, ctx.CreateCallback<T>("approval", options));
    return callback.Result();
  };
}

TEST(CallbackTest, UnrecordedCallbackIsStarted) {
  FakeService service;
  std::string id;
  service.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(
        Callback<std::string> callback,
        ctx.CreateCallback("approval", CallbackOptions()
                                           .set_timeout(absl::Milliseconds(1500))
                                           .set_heartbeat_timeout(absl::Hours(1))));
    id = callback.id();
    return absl::OkStatus();
  });
  EXPECT_THAT(id, StartsWith("callback-"));
  const OperationUpdate start = service.UpdateAt("1", OperationAction::kStart);
  EXPECT_EQ(start.timeout_seconds, 2);
  EXPECT_EQ(start.heartbeat_timeout_seconds, 3600);
  EXPECT_EQ(start.sub_type, "Callback");
}

TEST(CallbackTest, RecordedCallbackIsNotStartedWhateverItsStatus) {
  for (const OperationStatus status :
       {OperationStatus::kStarted, OperationStatus::kSucceeded, OperationStatus::kFailed,
        OperationStatus::kTimedOut, OperationStatus::kCancelled, OperationStatus::kStopped}) {
    FakeService service;
    service.Put(CallbackRecord(status));
    std::string id;
    const InvocationOutput output =
        service.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
          DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, ctx.CreateCallback("approval"));
          id = callback.id();
          return absl::OkStatus();
        });
    EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
    EXPECT_EQ(id, "the-id");
    EXPECT_THAT(service.Updates(), IsEmpty());
  }
}

TEST(CallbackTest, ResultSuspendsUntilAnswered) {
  FakeService service;
  EXPECT_EQ(service.Run(Await()).status, InvocationStatus::kPending);
  service.End("1", OperationStatus::kSucceeded, "yes, \"please\"");
  EXPECT_EQ(service.Run(Await()).result, R"("yes, \"please\"")");
  EXPECT_THAT(service.Updates(), ElementsAre("CALLBACK START approval"));
}

TEST(CallbackTest, OtherTypesAreReadAsJson) {
  FakeService service;
  Operation record = CallbackRecord(OperationStatus::kSucceeded);
  record.payload = R"({"status": "approved"})";
  service.Put(record);
  EXPECT_EQ(service.Run(Await<Json>()).result, R"({"status":"approved"})");
}

TEST(CallbackTest, OwnDeserializerSeesTheTextAsSent) {
  FakeService service;
  Operation record = CallbackRecord(OperationStatus::kSucceeded);
  record.payload = "\"21\"";
  service.Put(record);
  const auto options = CallbackOptions().set_serdes<int>(
      [](const int& value, const SerdesContext&) { return std::to_string(value); },
      [](absl::string_view text, const SerdesContext&) { return static_cast<int>(text.size()); });
  EXPECT_EQ(service.Run(Await<int>(options)).result, "4");
}

TEST(CallbackTest, AbsentAnswerIsTheEmptyValueWhereTheTypeHasOne) {
  FakeService service;
  service.Put(CallbackRecord(OperationStatus::kSucceeded));
  EXPECT_EQ(service.Run(Await<absl::optional<std::string>>()).result, "null");
  EXPECT_EQ(service.Run(Await<int>()).error->type, "SerDesError");
}

struct FailureCase {
  OperationStatus status;
  ErrorKind kind;
  absl::StatusCode code;
  std::string wire_type;
  std::string default_message;
};

class CallbackFailureTest : public ::testing::TestWithParam<FailureCase> {};

TEST_P(CallbackFailureTest, IsAnErrorOfItsKind) {
  for (const bool with_error : {true, false}) {
    FakeService service;
    Operation record = CallbackRecord(GetParam().status);
    if (with_error) record.error = ErrorObject{"Rejected", "not approved", "data", {}};
    service.Put(record);
    absl::Status status;
    const InvocationOutput output =
        service.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
          DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, ctx.CreateCallback("approval"));
          return status = callback.Result().status();
        });
    const absl::optional<ErrorInfo> error = GetError(status);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, GetParam().kind);
    EXPECT_EQ(status.code(), GetParam().code);
    EXPECT_EQ(error->type, with_error ? "Rejected" : "");
    EXPECT_EQ(error->message, with_error ? "not approved" : GetParam().default_message);
    EXPECT_EQ(output.error->type, GetParam().wire_type);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CallbackFailureTest,
    ::testing::Values(
        FailureCase{OperationStatus::kFailed, ErrorKind::kCallbackExternal,
                    absl::StatusCode::kUnknown, "CallbackExternalError", "Callback failed"},
        FailureCase{OperationStatus::kCancelled, ErrorKind::kCallbackExternal,
                    absl::StatusCode::kUnknown, "CallbackExternalError", "Callback failed"},
        FailureCase{OperationStatus::kStopped, ErrorKind::kCallbackExternal,
                    absl::StatusCode::kUnknown, "CallbackExternalError", "Callback failed"},
        FailureCase{OperationStatus::kTimedOut, ErrorKind::kCallbackTimeout,
                    absl::StatusCode::kDeadlineExceeded, "CallbackTimeoutError",
                    "Callback timed out"}));

TEST(CallbackTest, MayBeAwaitedInAnyOrderAndInAnotherContext) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    DURABLE_ASSIGN_OR_RETURN(Callback<std::string> a, ctx.CreateCallback("a"));
    DURABLE_ASSIGN_OR_RETURN(Callback<std::string> b, ctx.CreateCallback("b"));
    DURABLE_ASSIGN_OR_RETURN(std::string second, b.Result());
    DURABLE_ASSIGN_OR_RETURN(
        std::string first,
        ctx.RunInChildContext("child", [&](DurableContext&) { return a.Result(); }));
    return first + second;
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  service.End("2", OperationStatus::kSucceeded, "2");
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  service.End("1", OperationStatus::kSucceeded, "1");
  EXPECT_EQ(service.Run(handler).result, "\"12\"");
  EXPECT_THAT(service.Updates(), ElementsAre("CALLBACK START a", "CALLBACK START b",
                                             "CONTEXT START child", "CONTEXT SUCCEED child"));
}

TEST(CallbackTest, ResultOutsideItsInvocationIsRefused) {
  FakeService service;
  absl::optional<Callback<std::string>> kept;
  service.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(kept, ctx.CreateCallback("approval"));
    return absl::OkStatus();
  });
  EXPECT_EQ(kept->Result().status().code(), absl::StatusCode::kFailedPrecondition);
}

struct TimeoutCase {
  absl::Duration timeout;
  bool accepted;
};

class CallbackTimeoutTest : public ::testing::TestWithParam<TimeoutCase> {};

TEST_P(CallbackTimeoutTest, IsBounded) {
  for (const CallbackOptions& options :
       {CallbackOptions().set_timeout(GetParam().timeout),
        CallbackOptions().set_heartbeat_timeout(GetParam().timeout)}) {
    FakeService service;
    const InvocationOutput output = service.Run(Await(options));
    EXPECT_EQ(output.status,
              GetParam().accepted ? InvocationStatus::kPending : InvocationStatus::kFailed);
    EXPECT_EQ(service.Updates().empty(), !GetParam().accepted);
    if (!GetParam().accepted) {
      EXPECT_EQ(output.error->type, "ValidationError");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CallbackTimeoutTest,
                         ::testing::Values(TimeoutCase{absl::ZeroDuration(), true},
                                           TimeoutCase{absl::Seconds(99'999'999), true},
                                           TimeoutCase{absl::Seconds(100'000'000), false},
                                           TimeoutCase{-absl::Seconds(1), false},
                                           TimeoutCase{absl::InfiniteDuration(), false}));

}  // namespace
}  // namespace internal
}  // namespace durable
