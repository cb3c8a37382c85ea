#include <stdexcept>
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kInlineLimit = 262'144;

Operation ChildRecord(OperationStatus status) {
  return Record("1", OperationType::kContext, "RunInChildContext", "child", status);
}

class ChildContextTest : public ::testing::Test {
 protected:
  // A child context with one step.
  Handler OneChild() {
    return [this](DurableContext& ctx, const Json&) {
      return ctx.RunInChildContext("child", [this](DurableContext& child) {
        ++runs_;
        return child.Step("inner", [](StepContext&) { return 5; });
      });
    };
  }

  FakeService service_;
  int runs_ = 0;
};

TEST_F(ChildContextTest, UnrecordedChildIsStartedRunAndClosed) {
  EXPECT_EQ(service_.Run(OneChild()).result, "5");
  EXPECT_THAT(service_.Batches(), ElementsAre(ElementsAre("CONTEXT START child", "STEP START inner",
                                                          "STEP SUCCEED inner"),
                                              ElementsAre("CONTEXT SUCCEED child")));
  EXPECT_EQ(service_.UpdateAt("1-1", OperationAction::kStart).parent_id, OperationId("1"));
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kStart).parent_id, "");
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kSucceed).payload, "5");
  EXPECT_FALSE(service_.UpdateAt("1", OperationAction::kSucceed).replay_children);
}

TEST_F(ChildContextTest, StartedChildRunsAgainWithoutAnotherStart) {
  service_.Put(ChildRecord(OperationStatus::kStarted));
  EXPECT_EQ(service_.Run(OneChild()).result, "5");
  EXPECT_THAT(service_.Updates(),
              ElementsAre("STEP START inner", "STEP SUCCEED inner", "CONTEXT SUCCEED child"));
}

TEST_F(ChildContextTest, SucceededChildReturnsItsRecord) {
  Operation record = ChildRecord(OperationStatus::kSucceeded);
  record.payload = "41";
  service_.Put(record);
  EXPECT_EQ(service_.Run(OneChild()).result, "41");
  EXPECT_EQ(runs_, 0);
}

TEST_F(ChildContextTest, FailedChildReturnsItsRecordedError) {
  Operation record = ChildRecord(OperationStatus::kFailed);
  record.error = ErrorObject{"StepError", "boom", "", {}};
  service_.Put(record);
  absl::Status status;
  service_.Run([&](DurableContext& ctx, const Json&) {
    status = ctx.RunInChildContext("child", [](DurableContext&) {});
  });
  const absl::optional<ErrorInfo> error = GetError(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kChildContext);
  EXPECT_EQ(error->type, "StepError");
  EXPECT_EQ(error->cause(), ErrorKind::kStep);
  EXPECT_EQ(error->message, "boom");
}

TEST_F(ChildContextTest, ErrorsTakeTheTypeOfThePlaceTheyEscape) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("outer", [](DurableContext& outer) {
      return outer.RunInChildContext("inner", [](DurableContext& inner) {
        return inner.Step(
            "work", [](StepContext&) -> absl::Status { return MakeError("Transient", "boom"); },
            StepOptions().set_retry(NoRetry()));
      });
    });
  });
  EXPECT_EQ(service_.At("1-1-1")->error->type, "Transient");
  EXPECT_EQ(service_.At("1-1")->error->type, "StepError");
  EXPECT_EQ(service_.At("1")->error->type, "ChildContextError");
  EXPECT_EQ(output.error->type, "ChildContextError");
  for (const char* path : {"1-1-1", "1-1", "1"}) {
    EXPECT_EQ(service_.At(path)->error->message, "boom") << path;
  }
}

TEST_F(ChildContextTest, ThrowingBodyClosesTheContextAsFailed) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) -> absl::Status { throw std::logic_error("broken"); });
  });
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_EQ(service_.At("1")->error->type, "logic_error");
  EXPECT_THAT(service_.Updates(), ElementsAre("CONTEXT START child", "CONTEXT FAIL child"));
}

TEST_F(ChildContextTest, SuspensionInsideRecordsNothingForTheContext) {
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("child", [](DurableContext& child) -> absl::StatusOr<int> {
      DURABLE_RETURN_IF_ERROR(child.Wait("pause", absl::Seconds(1)));
      return 3;
    });
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_THAT(service_.Batches(),
              ElementsAre(ElementsAre("CONTEXT START child", "WAIT START pause")));
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).result, "3");
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START child", "WAIT START pause", "CONTEXT SUCCEED child"));
}

TEST_F(ChildContextTest, OwnSerdesIsRoundTrippedOnTheFirstRun) {
  std::string seen;
  service_.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(
        seen,
        ctx.RunInChildContext(
            "child", [](DurableContext&) { return std::string("hello"); },
            ChildOptions().set_serdes<std::string>(
                [](const std::string&, const SerdesContext&) { return std::string("HELLO"); },
                [](absl::string_view text, const SerdesContext&) { return std::string(text); })));
    return absl::OkStatus();
  });
  EXPECT_EQ(seen, "HELLO");
  EXPECT_EQ(service_.At("1")->payload, "HELLO");
}

TEST_F(ChildContextTest, SerdesFailureClosesTheContext) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    const absl::Status status =
        ctx.RunInChildContext("child", [](DurableContext&) { return std::string("\xff"); })
            .status();
    return IsError(status, ErrorKind::kSerdes) ? "handled" : "other";
  };
  EXPECT_EQ(service_.Run(handler).result, "\"handled\"");
  EXPECT_EQ(service_.At("1")->error->type, "SerDesError");
  EXPECT_EQ(service_.Run(handler).result, "\"handled\"");
}

// Large results.

// Payload bytes of a JSON string of `characters` two-byte characters are 2 * characters + 2.
std::string TwoByteText(size_t payload_bytes) {
  std::string text;
  for (size_t bytes = 2; bytes < payload_bytes; bytes += 2) text += "\xc3\xa9";
  return text;
}

TEST_F(ChildContextTest, ResultAtTheLimitIsRecordedInline) {
  service_.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    return ctx.RunInChildContext("child", [](DurableContext&) { return TwoByteText(kInlineLimit); })
        .status();
  });
  EXPECT_EQ(service_.At("1")->payload->size(), kInlineLimit);
  EXPECT_FALSE(service_.At("1")->replay_children);
}

TEST_F(ChildContextTest, LargerResultIsReplayedFromItsChildren) {
  int runs = 0;
  const Handler handler = [&](DurableContext& ctx, const Json&) -> absl::StatusOr<size_t> {
    DURABLE_ASSIGN_OR_RETURN(
        std::string text,
        ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::StatusOr<std::string> {
          ++runs;
          child.logger().Info("body");
          DURABLE_RETURN_IF_ERROR(child.Step("inner", [](StepContext&) {}));
          child.logger().Info("after");
          return "x" + TwoByteText(kInlineLimit);
        }));
    DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
    return text.size();
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_TRUE(service_.At("1")->replay_children);
  EXPECT_EQ(service_.At("1")->payload, "");
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).result, std::to_string(kInlineLimit - 1));
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(service_.LogMessages(), ElementsAre("body", "after"));
  EXPECT_THAT(service_.Updates(),
              ElementsAre("CONTEXT START child", "STEP START inner", "STEP SUCCEED inner",
                          "CONTEXT SUCCEED child", "WAIT START pause"));
}

TEST_F(ChildContextTest, SummaryIsRecordedInPlaceOfALargeResult) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) { return std::string(kInlineLimit, 'x'); },
        ChildOptions().set_summary<std::string>(
            [](const std::string& value) { return "bytes: " + std::to_string(value.size()); }));
  });
  EXPECT_EQ(service_.At("1")->payload, "bytes: 262144");
  EXPECT_TRUE(service_.At("1")->replay_children);
}

TEST_F(ChildContextTest, SummaryThatThrowsFailsTheContext) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) { return std::string(kInlineLimit, 'x'); },
        ChildOptions().set_summary<std::string>(
            [](const std::string&) -> std::string { throw std::logic_error("no words"); }));
  });
  EXPECT_EQ(service_.At("1")->error->type, "logic_error");
}

TEST_F(ChildContextTest, ClosedContextThatReachesSomethingNewIsNonDeterministic) {
  Operation record = ChildRecord(OperationStatus::kSucceeded);
  record.replay_children = true;
  service_.Put(record);
  const InvocationOutput output = service_.Run(OneChild());
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(output.error->message, HasSubstr("operation 1-1"));
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(ChildContextTest, ClosedContextThatFailsNowIsNonDeterministic) {
  Operation record = ChildRecord(OperationStatus::kSucceeded);
  record.replay_children = true;
  service_.Put(record);
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) -> absl::Status { return MakeError("New", "new"); });
  });
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
}

TEST_F(ChildContextTest, CallbackThatWasNeverAwaitedMayBeCreatedAgainInAClosedContext) {
  Operation record = ChildRecord(OperationStatus::kSucceeded);
  record.replay_children = true;
  service_.Put(record);
  service_.Put(
      Record("1-1", OperationType::kCallback, "Callback", "cb", OperationStatus::kStarted));
  bool await = false;
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::Status {
      DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, child.CreateCallback("cb"));
      return await ? callback.Result().status() : absl::OkStatus();
    });
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kSucceeded);
  await = true;
  EXPECT_EQ(service_.Run(handler).error->type, "NonDeterministicExecutionError");
}

// Virtual contexts.

TEST_F(ChildContextTest, VirtualContextLeavesNoRecord) {
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("outer", [](DurableContext& outer) {
      return outer.RunInChildContext(
          "virtual",
          [](DurableContext& child) { return child.Step("inner", [](StepContext&) { return 5; }); },
          ChildOptions().set_virtual(true));
    });
  };
  EXPECT_EQ(service_.Run(handler).result, "5");
  EXPECT_THAT(service_.Updates(), ElementsAre("CONTEXT START outer", "STEP START inner",
                                              "STEP SUCCEED inner", "CONTEXT SUCCEED outer"));
  EXPECT_EQ(service_.UpdateAt("1-1-1", OperationAction::kStart).parent_id, OperationId("1"));
  EXPECT_FALSE(service_.At("1-1").has_value());
}

TEST_F(ChildContextTest, VirtualContextWrapsErrorsAndRoundTripsValues) {
  std::string seen;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx,
                                                   const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(
        seen,
        ctx.RunInChildContext(
            "", [](DurableContext&) { return std::string("a"); },
            ChildOptions().set_virtual(true).set_serdes<std::string>(
                [](const std::string& value, const SerdesContext&) { return value + "b"; },
                [](absl::string_view text, const SerdesContext&) { return std::string(text); })));
    return ctx.RunInChildContext(
        "", [](DurableContext&) -> absl::Status { return MakeError("Bad", "bad"); },
        ChildOptions().set_virtual(true));
  });
  EXPECT_EQ(seen, "ab");
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(ChildContextTest, RecordOfAVirtualContextIsNonDeterministic) {
  service_.Put(ChildRecord(OperationStatus::kStarted));
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) {}, ChildOptions().set_virtual(true));
  });
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
}

TEST_F(ChildContextTest, SummaryOfAnotherTypeIsRefused) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "child", [](DurableContext&) { return 1; },
        ChildOptions().set_summary<std::string>([](const std::string& value) { return value; }));
  });
  EXPECT_EQ(output.error->type, "ValidationError");
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

}  // namespace
}  // namespace internal
}  // namespace durable
