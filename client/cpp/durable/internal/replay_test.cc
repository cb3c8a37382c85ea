// Replay mode, which silences the logger, and the check of calls against their records.
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

absl::Status Work(DurableContext& ctx, const std::string& name) {
  return ctx.Step(name, [](StepContext&) {});
}

Operation Done(absl::string_view path, absl::string_view name) {
  Operation record = Record(path, OperationType::kStep, "Step", name, OperationStatus::kSucceeded);
  record.payload = "null";
  return record;
}

TEST(ReplayTest, FirstInvocationLogsEverything) {
  FakeService service;
  service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    ctx.logger().Info("before");
    DURABLE_RETURN_IF_ERROR(Work(ctx, "a"));
    ctx.logger().Info("after");
    return absl::OkStatus();
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("before", "after"));
}

// Rule 1: an operation without a record ends the replay before it. Rule 4: so does a last record,
// after it.
TEST(ReplayTest, LinesAreLoggedFromTheLastRecordOn) {
  FakeService service;
  service.Put(Done("1", "a"));
  service.Put(Done("2", "b"));
  service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    ctx.logger().Info("0");
    DURABLE_RETURN_IF_ERROR(Work(ctx, "a"));
    ctx.logger().Info("1");
    DURABLE_RETURN_IF_ERROR(Work(ctx, "b"));
    ctx.logger().Info("2");
    DURABLE_RETURN_IF_ERROR(Work(ctx, "c"));
    ctx.logger().Info("3");
    return absl::OkStatus();
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("2", "3"));
}

TEST(ReplayTest, FirstOperationWithoutARecordEndsTheReplay) {
  FakeService service;
  service.Put(Done("2", "orphan of code that is gone"));
  service.Run([](DurableContext& ctx, const Json&) {
    ctx.logger().Info("before");
    return ctx.Step("a", [](StepContext& step) { step.logger().Info("in a"); });
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("in a"));
}

// Rule 2: an open step runs user code for real.
TEST(ReplayTest, RetriedStepLogs) {
  FakeService service;
  service.Put(Record("1", OperationType::kStep, "Step", "a", OperationStatus::kReady));
  service.Put(Done("2", "b"));
  service.Run([](DurableContext& ctx, const Json&) {
    ctx.logger().Info("before");
    return ctx.Step("a", [](StepContext& step) { step.logger().Info("in a"); });
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("in a"));
}

// Rule 3: another open operation is passed in replay, and ends it.
TEST(ReplayTest, OpenContextEndsTheReplayBehindIt) {
  FakeService service;
  service.Put(Record("1", OperationType::kContext, "RunInChildContext", "child",
                     OperationStatus::kStarted));
  service.Put(Done("1-1", "a"));
  service.Put(Done("2", "b"));
  service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(
        ctx.RunInChildContext("child", [](DurableContext& child) -> absl::Status {
          child.logger().Info("child begins");
          DURABLE_RETURN_IF_ERROR(Work(child, "a"));
          child.logger().Info("child goes on");
          return absl::OkStatus();
        }));
    ctx.logger().Info("behind it");
    return absl::OkStatus();
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("child goes on", "behind it"));
}

TEST(ReplayTest, VirtualContextCountsAsRecordedThroughItsFirstOperation) {
  FakeService service;
  service.Put(Done("1", "a"));
  Operation inner = Done("2-1", "b");
  inner.parent_id.clear();
  service.Put(inner);
  service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(Work(ctx, "a"));
    ctx.logger().Info("still replaying");
    DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext(
        "v", [](DurableContext& child) { return Work(child, "b"); },
        ChildOptions().set_virtual(true)));
    ctx.logger().Info("new");
    return absl::OkStatus();
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("new"));
}

TEST(ReplayTest, EachLineAppearsOnceOverAllInvocations) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::Status {
    ctx.logger().Info("one");
    DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext("child", [](DurableContext& child) {
      child.logger().Info("two");
      return child.Wait("inner", absl::Seconds(1));
    }));
    ctx.logger().Info("three");
    DURABLE_RETURN_IF_ERROR(ctx.Wait("outer", absl::Seconds(1)));
    ctx.logger().Info("four");
    return absl::OkStatus();
  };
  while (service.Run(handler).status == InvocationStatus::kPending) service.CompleteTimers();
  EXPECT_THAT(service.LogMessages(), ElementsAre("one", "two", "three", "four"));
}

TEST(ReplayTest, LoggingWhileReplayingCanBeSwitchedOn) {
  FakeService service;
  service.options().log_while_replaying = true;
  service.Put(Done("1", "a"));
  service.Run([](DurableContext& ctx, const Json&) {
    ctx.logger().Info("before");
    return Work(ctx, "a");
  });
  EXPECT_THAT(service.LogMessages(), ElementsAre("before"));
}

std::string FieldOf(const LogRecord& record, absl::string_view name) {
  for (const LogField& field : record.fields) {
    if (field.name == name) return field.value.dump();
  }
  return "";
}

TEST(ReplayTest, LinesSayWhereTheyComeFrom) {
  FakeService service;
  service.Run([](DurableContext& ctx, const Json&) {
    ctx.logger().Info("root");
    return ctx.RunInChildContext("child", [](DurableContext& child) {
      child.logger().Info("child");
      return child.Step("inner", [](StepContext& step) {
        step.logger().Info("step", {{"attempt", "mine"}, {"extra", 1}});
      });
    });
  });
  const std::vector<LogRecord> records = service.LogRecords();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(FieldOf(records[0], "executionArn"), "\"" + std::string(FakeService::kArn) + "\"");
  EXPECT_EQ(FieldOf(records[0], "requestId"), "\"request-1\"");
  EXPECT_EQ(FieldOf(records[0], "operationId"), "");
  EXPECT_EQ(FieldOf(records[1], "operationId"), "\"" + OperationId("1") + "\"");
  EXPECT_EQ(FieldOf(records[1], "operationName"), "\"child\"");
  EXPECT_EQ(FieldOf(records[2], "operationId"), "\"" + OperationId("1-1") + "\"");
  EXPECT_EQ(FieldOf(records[2], "operationName"), "\"inner\"");
  EXPECT_EQ(FieldOf(records[2], "parentId"), "\"" + OperationId("1") + "\"");
  EXPECT_EQ(FieldOf(records[2], "attempt"), "\"mine\"");
  EXPECT_EQ(FieldOf(records[2], "extra"), "1");
}

// Non-determinism.

struct Mismatch {
  const char* description;
  Operation record;
  std::string message;
};

class MismatchTest : public ::testing::TestWithParam<Mismatch> {};

Operation Parented(Operation record) {
  record.parent_id = "p";
  return record;
}

TEST_P(MismatchTest, FailsTheExecutionAndNamesBothSides) {
  FakeService service;
  service.Put(GetParam().record);
  bool went_on = false;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        try {
          DURABLE_RETURN_IF_ERROR(Work(ctx, "a"));
        } catch (...) {
        }
        DURABLE_RETURN_IF_ERROR(Work(ctx, "b"));
        went_on = true;
        return 1;
      });
  EXPECT_FALSE(went_on);
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_EQ(output.error->message,
            "operation 1 (STEP, sub type \"Step\", name \"a\"): " + GetParam().message);
  EXPECT_THAT(service.Updates(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, MismatchTest,
    ::testing::Values(
        Mismatch{"type",
                 Record("1", OperationType::kContext, "Step", "a", OperationStatus::kStarted),
                 "the record has type \"CONTEXT\", the code has \"STEP\""},
        Mismatch{
            "sub type",
            Record("1", OperationType::kStep, "WaitForCondition", "a", OperationStatus::kStarted),
            "the record has sub type \"WaitForCondition\", the code has \"Step\""},
        Mismatch{"name", Record("1", OperationType::kStep, "Step", "z", OperationStatus::kStarted),
                 "the record has name \"z\", the code has \"a\""},
        Mismatch{"no name",
                 Record("1", OperationType::kStep, "Step", "", OperationStatus::kStarted),
                 "the record has name none, the code has \"a\""},
        Mismatch{
            "parent",
            Parented(Record("1", OperationType::kStep, "Step", "a", OperationStatus::kStarted)),
            "the record has parent \"p\", the code has none"},
        Mismatch{"several",
                 Record("1", OperationType::kWait, "Wait", "a", OperationStatus::kSucceeded),
                 "the record has type \"WAIT\", the code has \"STEP\"; "
                 "the record has sub type \"Wait\", the code has \"Step\""}));

TEST(NonDeterminismTest, PassesThroughChildContextsWithoutClosingThem) {
  FakeService service;
  service.Put(Record("1", OperationType::kContext, "RunInChildContext", "child",
                     OperationStatus::kStarted));
  service.Put(Record("1-1", OperationType::kStep, "Step", "z", OperationStatus::kReady));
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("child", [](DurableContext& child) { return Work(child, "a"); });
  });
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_THAT(output.error->message, HasSubstr("operation 1-1 "));
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(NonDeterminismTest, EveryOperationIsChecked) {
  const Handler handlers[] = {
      [](DurableContext& ctx, const Json&) { return ctx.Wait("x", absl::Seconds(1)); },
      [](DurableContext& ctx, const Json&) { return ctx.CreateCallback("x").status(); },
      [](DurableContext& ctx, const Json&) {
        return ctx.WaitForCallback("x", [](absl::string_view, StepContext&) {}).status();
      },
      [](DurableContext& ctx, const Json&) { return ctx.Invoke<Json>("x", "f", 1).status(); },
      [](DurableContext& ctx, const Json&) {
        return ctx.RunInChildContext("x", [](DurableContext&) {});
      },
  };
  for (const Handler& handler : handlers) {
    FakeService service;
    service.Put(Done("1", "x"));
    EXPECT_EQ(service.Run(handler).error->type, "NonDeterministicExecutionError");
  }
}

}  // namespace
}  // namespace internal
}  // namespace durable
