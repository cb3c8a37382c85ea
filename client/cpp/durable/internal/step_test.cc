#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

struct TransientError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

StepOptions AtMostOnce() { return StepOptions().set_semantics(StepSemantics::kAtMostOncePerRetry); }

// A handler that runs one step "work" with `options`, whose body logs nothing and counts its calls.
class StepTest : public ::testing::Test {
 protected:
  Handler OneStep(const StepOptions& options = {}) {
    return [this, options](DurableContext& ctx, const Json&) {
      return ctx.Step(
          "work",
          [this](StepContext& step) -> absl::StatusOr<int> {
            ++runs_;
            attempt_ = step.attempt();
            if (failure_) return failure_();
            return 7;
          },
          options);
    };
  }

  void PutStep(OperationStatus status, int attempt = 0) {
    Operation record = Record("1", OperationType::kStep, "Step", "work", status);
    record.attempt = attempt;
    service_.Put(record);
  }

  FakeService service_;
  int runs_ = 0;
  int attempt_ = 0;
  // What the body returns or throws; null lets it succeed.
  std::function<absl::Status()> failure_;
};

// Each row of the record table, at-least-once.

TEST_F(StepTest, UnrecordedStepRunsAndIsRecordedInOneCall) {
  const InvocationOutput output = service_.Run(OneStep());
  EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
  EXPECT_EQ(output.result, "7");
  EXPECT_EQ(attempt_, 1);
  EXPECT_THAT(service_.Batches(), ElementsAre(ElementsAre("STEP START work", "STEP SUCCEED work")));
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kSucceed).payload, "7");
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kStart).sub_type, "Step");
}

TEST_F(StepTest, ReadyStepIsStartedAgain) {
  PutStep(OperationStatus::kReady, 2);
  EXPECT_EQ(service_.Run(OneStep()).result, "7");
  EXPECT_EQ(attempt_, 3);
  EXPECT_THAT(service_.Batches(), ElementsAre(ElementsAre("STEP START work", "STEP SUCCEED work")));
}

TEST_F(StepTest, StartedStepRunsAgainWithoutAnotherStart) {
  PutStep(OperationStatus::kStarted);
  EXPECT_EQ(service_.Run(OneStep()).result, "7");
  EXPECT_EQ(attempt_, 1);
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP SUCCEED work"));
}

TEST_F(StepTest, PendingStepSuspends) {
  PutStep(OperationStatus::kPending, 1);
  EXPECT_EQ(service_.Run(OneStep()).status, InvocationStatus::kPending);
  EXPECT_EQ(runs_, 0);
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(StepTest, SucceededStepReturnsItsRecord) {
  Operation record = Record("1", OperationType::kStep, "Step", "work", OperationStatus::kSucceeded);
  record.payload = "41";
  service_.Put(record);
  EXPECT_EQ(service_.Run(OneStep()).result, "41");
  EXPECT_EQ(runs_, 0);
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(StepTest, FailedStepReturnsItsRecordedError) {
  Operation record = Record("1", OperationType::kStep, "Step", "work", OperationStatus::kFailed);
  record.error = ErrorObject{"BadAmount", "too small", "data", {"frame"}};
  service_.Put(record);
  absl::Status status;
  service_.Run([&](DurableContext& ctx, const Json&) {
    status = ctx.Step("work", [](StepContext&) { return 1; }).status();
  });
  const absl::optional<ErrorInfo> error = GetError(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kStep);
  EXPECT_EQ(error->type, "BadAmount");
  EXPECT_EQ(error->message, "too small");
  EXPECT_EQ(error->data, "data");
  EXPECT_THAT(error->stack_trace, ElementsAre("frame"));
  EXPECT_EQ(runs_, 0);
}

// Each row of the record table, at-most-once.

TEST_F(StepTest, AtMostOnceIsStartedBeforeItRuns) {
  EXPECT_EQ(service_.Run(OneStep(AtMostOnce())).result, "7");
  EXPECT_THAT(service_.Batches(),
              ElementsAre(ElementsAre("STEP START work"), ElementsAre("STEP SUCCEED work")));
}

TEST_F(StepTest, AtMostOnceReadyIsStartedBeforeItRuns) {
  PutStep(OperationStatus::kReady, 1);
  EXPECT_EQ(service_.Run(OneStep(AtMostOnce())).result, "7");
  EXPECT_EQ(attempt_, 2);
  EXPECT_THAT(service_.Batches(),
              ElementsAre(ElementsAre("STEP START work"), ElementsAre("STEP SUCCEED work")));
}

TEST_F(StepTest, AtMostOnceStartedIsInterruptedAndRetried) {
  PutStep(OperationStatus::kStarted);
  const InvocationOutput output = service_.Run(OneStep(AtMostOnce().set_retry(FixedRetry())));
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_EQ(runs_, 0);
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP RETRY work"));
  const OperationUpdate retry = service_.UpdateAt("1", OperationAction::kRetry);
  EXPECT_EQ(retry.error->type, "StepInterruptedError");
  EXPECT_THAT(retry.error->message, HasSubstr("step \"work\""));
  EXPECT_THAT(retry.error->message, HasSubstr(OperationId("1")));
}

TEST_F(StepTest, AtMostOnceStartedFailsWithoutRetry) {
  PutStep(OperationStatus::kStarted);
  const InvocationOutput output = service_.Run(OneStep(AtMostOnce().set_retry(NoRetry())));
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "StepError");
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kFail).error->type, "StepInterruptedError");
}

TEST_F(StepTest, AtMostOnceTreatsOtherRecordsLikeAtLeastOnce) {
  PutStep(OperationStatus::kPending, 1);
  EXPECT_EQ(service_.Run(OneStep(AtMostOnce())).status, InvocationStatus::kPending);
  Operation record = Record("1", OperationType::kStep, "Step", "work", OperationStatus::kSucceeded);
  record.payload = "41";
  service_.Put(record);
  EXPECT_EQ(service_.Run(OneStep(AtMostOnce())).result, "41");
  EXPECT_EQ(runs_, 0);
}

// Failures.

TEST_F(StepTest, FailureIsRetriedAfterTheStrategysDelay) {
  failure_ = [] { return MakeError("TransientError", "boom", "more"); };
  const Handler handler = OneStep(StepOptions().set_retry(ExponentialBackoff()
                                                              .set_initial_delay(absl::Seconds(2))
                                                              .set_backoff_rate(3)
                                                              .set_jitter(Jitter::kNone)
                                                              .Build()));
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  OperationUpdate retry = service_.UpdateAt("1", OperationAction::kRetry);
  EXPECT_EQ(retry.next_attempt_delay_seconds, 2);
  EXPECT_EQ(retry.error->type, "TransientError");
  EXPECT_EQ(retry.error->message, "boom");
  EXPECT_EQ(retry.error->data, "more");
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kRetry).next_attempt_delay_seconds, 6);
  service_.CompleteTimers();
  const InvocationOutput output = service_.Run(handler);
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "StepError");
  EXPECT_EQ(output.error->message, "boom");
  EXPECT_EQ(runs_, 3);
  EXPECT_THAT(service_.Updates(),
              ElementsAre("STEP START work", "STEP RETRY work", "STEP START work",
                          "STEP RETRY work", "STEP START work", "STEP FAIL work"));
}

TEST_F(StepTest, ThrownErrorIsRecordedByItsClassName) {
  failure_ = []() -> absl::Status { throw TransientError("boom"); };
  service_.Run(OneStep(StepOptions().set_retry(NoRetry())));
  const OperationUpdate fail = service_.UpdateAt("1", OperationAction::kFail);
  EXPECT_EQ(fail.error->type, "TransientError");
  EXPECT_EQ(fail.error->message, "boom");
}

TEST_F(StepTest, PlainStatusIsRecordedByItsCode) {
  failure_ = [] { return absl::NotFoundError("no such order"); };
  service_.Run(OneStep(StepOptions().set_retry(NoRetry())));
  const OperationUpdate fail = service_.UpdateAt("1", OperationAction::kFail);
  EXPECT_EQ(fail.error->type, "NotFoundError");
  EXPECT_EQ(fail.error->message, "no such order");
}

TEST_F(StepTest, StrategySeesWhatWasThrown) {
  failure_ = []() -> absl::Status { throw TransientError("boom"); };
  const InvocationOutput retried = service_.Run(OneStep(StepOptions().set_retry(
      ExponentialBackoff().RetryOnException<std::runtime_error>().Build())));
  EXPECT_EQ(retried.status, InvocationStatus::kPending);
  FakeService other;
  const InvocationOutput failed = other.Run(OneStep(
      StepOptions().set_retry(ExponentialBackoff().RetryOnException<std::logic_error>().Build())));
  EXPECT_EQ(failed.status, InvocationStatus::kFailed);
}

TEST_F(StepTest, StrategyThatThrowsFailsTheStepWithItsError) {
  failure_ = [] { return MakeError("First", "first"); };
  service_.Run(OneStep(StepOptions().set_retry(
      [](const ErrorInfo&, int) -> RetryDecision { throw std::logic_error("no idea"); })));
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kFail).error->type, "logic_error");
}

TEST_F(StepTest, DelaysAreWholeSecondsAndAtLeastOne) {
  failure_ = [] { return MakeError("First", "first"); };
  service_.Run(OneStep(StepOptions().set_retry([](const ErrorInfo&, int) {
    return RetryDecision{true, absl::Milliseconds(1)};
  })));
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kRetry).next_attempt_delay_seconds, 1);
}

TEST_F(StepTest, DefaultStrategyRetriesFiveTimes) {
  failure_ = [] { return MakeError("First", "first"); };
  for (int run = 1; run <= 5; ++run) {
    EXPECT_EQ(service_.Run(OneStep()).status, InvocationStatus::kPending) << run;
    service_.CompleteTimers();
  }
  EXPECT_EQ(service_.Run(OneStep()).status, InvocationStatus::kFailed);
}

TEST_F(StepTest, HandledFailureLetsTheHandlerGoOn) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    const absl::StatusOr<int> first = ctx.Step(
        "first", [](StepContext&) -> absl::StatusOr<int> { return MakeError("Bad", "bad"); },
        StepOptions().set_retry(NoRetry()));
    if (IsError(first.status(), ErrorKind::kStep)) {
      return ctx.Step("second", [](StepContext&) { return std::string("fallback"); });
    }
    return first.status();
  };
  EXPECT_EQ(service_.Run(handler).result, "\"fallback\"");
}

// Values.

TEST_F(StepTest, ResultIsRoundTrippedOnTheFirstRun) {
  std::string seen;
  service_.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(
        seen,
        ctx.Step(
            "work", [](StepContext&) { return std::string("text"); },
            StepOptions().set_serdes<std::string>(
                [](const std::string& value, const SerdesContext&) {
                  return absl::StrCat("<", value, ">");
                },
                [](absl::string_view text, const SerdesContext&) { return std::string(text); })));
    return absl::OkStatus();
  });
  EXPECT_EQ(seen, "<text>");
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kSucceed).payload, "<text>");
}

TEST_F(StepTest, SerdesIsToldWhereTheValueBelongs) {
  std::string id;
  std::string arn;
  service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.Step(
        "work", [](StepContext&) { return 1; },
        StepOptions().set_serdes<int>(
            [&](const int&, const SerdesContext& context) {
              id = std::string(context.operation_id);
              arn = std::string(context.durable_execution_arn);
              return std::string("1");
            },
            [](absl::string_view, const SerdesContext&) { return 1; }));
  });
  EXPECT_EQ(id, OperationId("1"));
  EXPECT_EQ(arn, FakeService::kArn);
}

TEST_F(StepTest, VoidAndStatusBodiesRecordNull) {
  const InvocationOutput output =
      service_.Run([](DurableContext& ctx, const Json&) -> absl::Status {
        DURABLE_RETURN_IF_ERROR(ctx.Step("nothing", [](StepContext&) {}));
        return ctx.Step("status", [](StepContext&) { return absl::OkStatus(); });
      });
  EXPECT_EQ(output.result, "null");
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kSucceed).payload, "null");
  EXPECT_EQ(service_.UpdateAt("2", OperationAction::kSucceed).payload, "null");
}

TEST_F(StepTest, ValueThatCannotBeWrittenFailsTheStepForGood) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    const absl::Status status =
        ctx.Step("work", [](StepContext&) { return std::nan(""); }).status();
    return IsError(status, ErrorKind::kSerdes) ? "handled" : status.ToString();
  };
  EXPECT_EQ(service_.Run(handler).result, "\"handled\"");
  EXPECT_EQ(service_.UpdateAt("1", OperationAction::kFail).error->type, "SerDesError");
  EXPECT_EQ(service_.Run(handler).result, "\"handled\"");
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP START work", "STEP FAIL work"));
}

TEST_F(StepTest, ValueThatCannotBeReadBackIsNeverRecordedAsSuccess) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step(
        "work", [](StepContext&) { return 1; },
        StepOptions().set_serdes<int>(
            [](const int&, const SerdesContext&) { return std::string("x"); },
            [](absl::string_view, const SerdesContext&) -> absl::StatusOr<int> {
              throw std::runtime_error("not a number");
            }));
  });
  EXPECT_THAT(service_.Updates(), ElementsAre("STEP START work", "STEP FAIL work"));
}

TEST_F(StepTest, TransientSerdesFailureFailsTheInvocation) {
  bool went_on = false;
  const InvocationOutput output = service_.Run([&](DurableContext& ctx, const Json&) {
    (void)ctx.Step(
        "work", [](StepContext&) { return 1; },
        StepOptions().set_serdes<int>(
            [](const int&, const SerdesContext&) -> absl::StatusOr<std::string> {
              return absl::UnavailableError("the vault is closed");
            },
            [](absl::string_view, const SerdesContext&) { return 1; }));
    went_on = true;
  });
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  EXPECT_EQ(output.error->type, "RetryableSerDesError");
  EXPECT_EQ(output.error->message, "the vault is closed");
  EXPECT_FALSE(went_on);
  EXPECT_THAT(service_.Updates(), IsEmpty());
}

TEST_F(StepTest, RecordThatCannotBeReadIsASerdesError) {
  Operation record = Record("1", OperationType::kStep, "Step", "work", OperationStatus::kSucceeded);
  record.payload = "\"text\"";
  service_.Put(record);
  const InvocationOutput output = service_.Run(OneStep());
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "SerDesError");
}

TEST_F(StepTest, AbsentPayloadIsTheEmptyValueWhereTheTypeHasOne) {
  service_.Put(Record("1", OperationType::kStep, "Step", "work", OperationStatus::kSucceeded));
  const InvocationOutput empty = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step("work", [](StepContext&) { return absl::optional<int>(7); });
  });
  EXPECT_EQ(empty.result, "null");
  EXPECT_EQ(service_.Run(OneStep()).error->type, "SerDesError");
}

// Arguments.

struct BadArgument {
  const char* description;
  std::string name;
  StepOptions options;
};

class StepArgumentTest : public ::testing::TestWithParam<BadArgument> {};

TEST_P(StepArgumentTest, IsRefusedWithoutTakingANumber) {
  FakeService service;
  absl::Status refused;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    refused = ctx.Step(
                     GetParam().name, [](StepContext&) { return 1; }, GetParam().options)
                  .status();
    return ctx.Step("next", [](StepContext&) { return 2; });
  });
  EXPECT_TRUE(IsError(refused, ErrorKind::kValidation)) << refused;
  EXPECT_EQ(output.result, "2");
  EXPECT_EQ(service.At("1")->name, "next");
}

INSTANTIATE_TEST_SUITE_P(
    All, StepArgumentTest,
    ::testing::Values(
        BadArgument{"long name", std::string(257, 'n'), {}},
        BadArgument{"control character", "a\n", {}}, BadArgument{"not ASCII", "caf\xc3\xa9", {}},
        BadArgument{"sub type", "work", StepOptions().set_sub_type("a b")},
        BadArgument{"long sub type", "work", StepOptions().set_sub_type(std::string(33, 's'))},
        BadArgument{
            "serdes of another type", "work",
            StepOptions().set_serdes<std::string>(
                [](const std::string& v, const SerdesContext&) { return v; },
                [](absl::string_view t, const SerdesContext&) { return std::string(t); })}));

TEST_F(StepTest, LongestNameAndSubTypeAreSent) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step(
        std::string(256, 'n'), [](StepContext&) {},
        StepOptions().set_sub_type(std::string(32, 's')));
  });
  EXPECT_EQ(service_.At("1")->name, std::string(256, 'n'));
  EXPECT_EQ(service_.At("1")->sub_type, std::string(32, 's'));
}

TEST_F(StepTest, MoveOnlyBodiesRun) {
  const InvocationOutput output = service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step("", [value = std::make_unique<int>(3)](StepContext&) { return *value; });
  });
  EXPECT_EQ(output.result, "3");
}

}  // namespace
}  // namespace internal
}  // namespace durable
