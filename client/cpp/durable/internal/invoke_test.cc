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

Operation InvokeRecord(OperationStatus status) {
  return Record("1", OperationType::kChainedInvoke, "ChainedInvoke", "price", status);
}

Handler Price(const InvokeOptions& options = {}) {
  return [options](DurableContext& ctx, const Json&) {
    return ctx.Invoke<Json>("price", "pricing:live", std::string("hello"), options);
  };
}

TEST(InvokeTest, UnrecordedInvokeIsStartedAndSuspends) {
  FakeService service;
  EXPECT_EQ(service.Run(Price(InvokeOptions().set_tenant_id("acme"))).status,
            InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), ElementsAre("CHAINED_INVOKE START price"));
  const OperationUpdate start = service.UpdateAt("1", OperationAction::kStart);
  EXPECT_EQ(start.function_name, "pricing:live");
  EXPECT_EQ(start.tenant_id, "acme");
  EXPECT_EQ(start.payload, "\"hello\"");
  EXPECT_EQ(start.sub_type, "ChainedInvoke");
}

TEST(InvokeTest, OpenInvokeSuspends) {
  for (const OperationStatus status : {OperationStatus::kStarted, OperationStatus::kPending}) {
    FakeService service;
    service.Put(InvokeRecord(status));
    EXPECT_EQ(service.Run(Price()).status, InvocationStatus::kPending);
    EXPECT_THAT(service.Updates(), IsEmpty());
  }
}

TEST(InvokeTest, SucceededInvokeReturnsItsResult) {
  FakeService service;
  Operation record = InvokeRecord(OperationStatus::kSucceeded);
  record.payload = R"({"cents": 5})";
  service.Put(record);
  EXPECT_EQ(service.Run(Price()).result, R"({"cents":5})");
}

TEST(InvokeTest, AbsentResultIsNull) {
  FakeService service;
  service.Put(InvokeRecord(OperationStatus::kSucceeded));
  EXPECT_EQ(service.Run(Price()).result, "null");
}

TEST(InvokeTest, InvokeThatFailsAtItsStartDoesNotSuspend) {
  FakeService service;
  service.set_checkpoint_fault([](const CheckpointRequest&) {
    CheckpointResponse response;
    response.checkpoint_token = "next";
    response.new_state.operations = {InvokeRecord(OperationStatus::kFailed)};
    response.new_state.operations[0].error =
        ErrorObject{"ResourceNotFoundException", "no such function", "", {}};
    return absl::optional<absl::StatusOr<CheckpointResponse>>(std::move(response));
  });
  const InvocationOutput output = service.Run(Price());
  EXPECT_EQ(output.error->type, "InvokeError");
  EXPECT_EQ(output.error->message, "no such function");
}

struct EndCase {
  OperationStatus status;
  InvokeOutcome outcome;
};

class InvokeEndTest : public ::testing::TestWithParam<EndCase> {};

TEST_P(InvokeEndTest, IsAnErrorWithItsOutcome) {
  FakeService service;
  Operation record = InvokeRecord(GetParam().status);
  record.error = ErrorObject{"TheirError", "their message", "data", {"frame"}};
  service.Put(record);
  absl::Status status;
  service.Run([&](DurableContext& ctx, const Json&) {
    status = ctx.Invoke<int>("price", "pricing", 1).status();
  });
  const absl::optional<ErrorInfo> error = GetError(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kInvoke);
  EXPECT_EQ(error->outcome, GetParam().outcome);
  EXPECT_EQ(error->type, "TheirError");
  EXPECT_EQ(error->message, "their message");
  EXPECT_EQ(error->data, "data");
}

INSTANTIATE_TEST_SUITE_P(
    All, InvokeEndTest,
    ::testing::Values(EndCase{OperationStatus::kFailed, InvokeOutcome::kFailed},
                      EndCase{OperationStatus::kTimedOut, InvokeOutcome::kTimedOut},
                      EndCase{OperationStatus::kStopped, InvokeOutcome::kStopped}));

TEST(InvokeTest, OwnSerdesWriteThePayloadAndSeeTheRawResult) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.Invoke<std::string>(
        "price", "pricing", std::string("hello"),
        InvokeOptions()
            .set_payload_serdes<std::string>(
                [](const std::string& value, const SerdesContext&) { return "raw " + value; },
                [](absl::string_view text, const SerdesContext&) { return std::string(text); })
            .set_result_serdes<std::string>(
                [](const std::string& value, const SerdesContext&) { return value; },
                [](absl::string_view text, const SerdesContext&) { return std::string(text); }));
  };
  service.Run(handler);
  EXPECT_EQ(service.At("1")->payload, absl::nullopt);
  EXPECT_EQ(service.UpdateAt("1", OperationAction::kStart).payload, "raw hello");
  service.End("1", OperationStatus::kSucceeded, "\"HELLO\"");
  EXPECT_EQ(service.Run(handler).result, R"("\"HELLO\"")");
}

TEST(InvokeTest, PayloadThatCannotBeWrittenIsASerdesErrorAndNothingIsSent) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.Invoke<Json>("price", "pricing", std::string("\xff"));
  });
  EXPECT_EQ(output.error->type, "SerDesError");
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(InvokeTest, ResultThatCannotBeReadIsASerdesError) {
  FakeService service;
  Operation record = InvokeRecord(OperationStatus::kSucceeded);
  record.payload = "{";
  service.Put(record);
  EXPECT_EQ(service.Run(Price()).error->type, "SerDesError");
}

TEST(InvokeTest, BadArgumentsAreRefused) {
  FakeService service;
  EXPECT_EQ(service.Run(Price(InvokeOptions().set_tenant_id(std::string(257, 't')))).error->type,
            "ValidationError");
  const InvocationOutput output = service.Run(
      [](DurableContext& ctx, const Json&) { return ctx.Invoke<Json>("price", "", 1); });
  EXPECT_EQ(output.error->type, "ValidationError");
  EXPECT_THAT(service.Updates(), IsEmpty());
  EXPECT_EQ(service.Run(Price(InvokeOptions().set_tenant_id(std::string(256, 't')))).status,
            InvocationStatus::kPending);
}

}  // namespace
}  // namespace internal
}  // namespace durable
