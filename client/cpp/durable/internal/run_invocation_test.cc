// How an invocation begins and ends.
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
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

using Answer = absl::optional<absl::StatusOr<CheckpointResponse>>;

// Answers every call with `status`.
FakeService::CheckpointFault FailWith(const absl::Status& status) {
  return [status](const CheckpointRequest&) { return Answer(status); };
}

// Applies nothing and gives no token: the service took it back.
Answer WithoutToken(const CheckpointRequest&) { return Answer(CheckpointResponse()); }

absl::Status Work(DurableContext& ctx) {
  return ctx.Step("work", [](StepContext&) {});
}

// Input and state.

TEST(InvocationStartTest, HandlerGetsTheRecordedInput) {
  FakeService service("[1,2]");
  const InvocationOutput output = service.Run(
      [](DurableContext&, const std::vector<int>& input) { return input[0] + input[1]; });
  EXPECT_EQ(output.result, "3");
}

TEST(InvocationStartTest, AbsentInputIsTheEmptyValueWhereTheTypeHasOne) {
  FakeService service(absl::nullopt);
  EXPECT_EQ(service.Run([](DurableContext&, const Json& input) { return input; }).result, "null");
  const InvocationOutput output =
      service.Run([](DurableContext&, const std::string& input) { return input; });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "SerDesError");
}

TEST(InvocationStartTest, InputThatCannotBeReadFailsTheExecution) {
  FakeService service("{");
  const InvocationOutput output =
      service.Run([](DurableContext&, const Json& input) { return input; });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "SerDesError");
}

TEST(InvocationStartTest, FunctionThatIsNotDurableSaysSo) {
  FakeService service;
  for (const bool without_arn : {true, false}) {
    InvocationInput input = service.Input();
    (without_arn ? input.durable_execution_arn : input.checkpoint_token).clear();
    const InvocationOutput output =
        RunInvocation([](DurableContext&, const Json&) {}, input, service, service.options());
    EXPECT_EQ(output.status, InvocationStatus::kFailed);
    EXPECT_EQ(output.error->type, "ExecutionError");
    EXPECT_THAT(output.error->message, HasSubstr("configured as durable"));
  }
}

TEST(InvocationStartTest, StateIsReadPageByPageWithTheFirstToken) {
  FakeService service;
  for (const char* path : {"1", "2", "3"}) {
    Operation record = Record(path, OperationType::kStep, "Step", "", OperationStatus::kSucceeded);
    record.payload = path;
    service.Put(record);
  }
  service.set_page_size(1);
  service.options().state_page_size = 17;
  const InvocationOutput output =
      service.Run([](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        int sum = 0;
        for (int i = 0; i < 3; ++i) {
          DURABLE_ASSIGN_OR_RETURN(int value, ctx.Step("", [](StepContext&) { return 0; }));
          sum += value;
        }
        return sum;
      });
  EXPECT_EQ(output.result, "6");
  const std::vector<GetStateRequest> requests = service.StateRequests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].durable_execution_arn, FakeService::kArn);
  EXPECT_EQ(requests[0].checkpoint_token, "token-1");
  EXPECT_EQ(requests[0].max_items, 17);
}

TEST(InvocationStartTest, StateThatCannotBeReadEndsTheInvocation) {
  FakeService service;
  service.Put(Record("1", OperationType::kStep, "Step", "", OperationStatus::kReady));
  service.set_page_size(1);
  bool called = false;
  const Handler handler = [&](DurableContext&, const Json&) { called = true; };
  service.set_state_fault([](const GetStateRequest&) { return absl::UnavailableError("down"); });
  InvocationOutput output = service.Run(handler);
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  EXPECT_EQ(output.error->type, "GetExecutionStateError");
  service.set_state_fault([](const GetStateRequest&) { return absl::NotFoundError("gone"); });
  output = service.Run(handler);
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_THAT(output.error->message, HasSubstr("gone"));
  EXPECT_FALSE(called);
}

TEST(InvocationStartTest, StateWithoutTheExecutionIsRefused) {
  FakeService service;
  InvocationInput input = service.Input();
  input.initial_state = StatePage();
  const InvocationOutput output =
      RunInvocation([](DurableContext&, const Json&) {}, input, service, service.options());
  EXPECT_EQ(output.error->type, "InvalidStateError");
}

// Outcomes.

TEST(OutcomeTest, ReturnedValueSucceeds) {
  FakeService service;
  const InvocationOutput output =
      service.Run([](DurableContext&, const Json&) { return std::string("done"); });
  EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
  EXPECT_EQ(output.result, "\"done\"");
  EXPECT_FALSE(output.error.has_value());
  EXPECT_THAT(service.Batches(), IsEmpty());
}

TEST(OutcomeTest, ErrorsFailTheExecution) {
  FakeService service;
  const Handler returns = [](DurableContext&, const Json&) -> absl::Status {
    return MakeError("Rejected", "not approved", "data");
  };
  InvocationOutput output = service.Run(returns);
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "Rejected");
  EXPECT_EQ(output.error->message, "not approved");
  EXPECT_EQ(output.error->data, "data");
  output = service.Run([](DurableContext&, const Json&) { throw std::out_of_range("far away"); });
  EXPECT_EQ(output.error->type, "out_of_range");
  output = service.Run([](DurableContext&, const Json&) { throw 7; });
  EXPECT_EQ(output.error->type, "UnknownException");
}

TEST(OutcomeTest, ResultThatCannotBeWrittenFailsTheExecution) {
  FakeService service;
  EXPECT_EQ(
      service.Run([](DurableContext&, const Json&) { return std::string("\xff"); }).error->type,
      "SerDesError");
}

struct SealedEnvelope {};

}  // namespace
}  // namespace internal

template <>
struct Serdes<internal::SealedEnvelope> {
  static constexpr bool kNullIsDefault = true;
  static absl::StatusOr<std::string> Serialize(const internal::SealedEnvelope&,
                                               const SerdesContext&) {
    return absl::UnavailableError("the vault is closed");
  }
  static absl::StatusOr<internal::SealedEnvelope> Deserialize(absl::string_view,
                                                              const SerdesContext&) {
    return absl::UnavailableError("the vault is closed");
  }
};

namespace internal {
namespace {

TEST(OutcomeTest, TransientSerdesFailureOfInputOrResultIsRetried) {
  FakeService service;
  InvocationOutput output =
      service.Run([](DurableContext&, const Json&) { return SealedEnvelope(); });
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  output = service.Run([](DurableContext&, const SealedEnvelope&) {});
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
}

TEST(OutcomeTest, RetryableCheckpointFailureFailsTheInvocation) {
  FakeService service;
  service.set_checkpoint_fault(FailWith(absl::UnavailableError("down")));
  const InvocationOutput output =
      service.Run([](DurableContext& ctx, const Json&) { return Work(ctx); });
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  EXPECT_EQ(output.error->type, "CheckpointError");
  EXPECT_EQ(output.error->message, "UNAVAILABLE: down");
  EXPECT_THAT(service.DiagnosticMessages(), ElementsAre("a checkpoint failed: UNAVAILABLE: down"));
}

TEST(OutcomeTest, PermanentCheckpointFailureFailsTheExecution) {
  FakeService service;
  service.set_checkpoint_fault(FailWith(absl::InvalidArgumentError("bad update")));
  const InvocationOutput output =
      service.Run([](DurableContext& ctx, const Json&) { return Work(ctx); });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "CheckpointError");
}

TEST(OutcomeTest, StaleTokenFailsTheInvocation) {
  FakeService service;
  const InvocationInput stale = service.Input();
  service.Input();
  const InvocationOutput output =
      RunInvocation([](DurableContext& ctx, const Json&) { return Work(ctx); }, stale, service,
                    service.options());
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
}

TEST(OutcomeTest, CancelledExecutionUnwindsAndHasNoAnswer) {
  FakeService service;
  service.set_checkpoint_fault(FailWith(absl::CancelledError("stopped")));
  bool went_on = false;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    (void)ctx.RunInChildContext("child", [](DurableContext& child) { return Work(child); });
    went_on = true;
  });
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  EXPECT_FALSE(went_on);
}

TEST(OutcomeTest, FailureLatches) {
  FakeService service;
  int calls = 0;
  service.set_checkpoint_fault([&](const CheckpointRequest&) {
    ++calls;
    return Answer(absl::UnavailableError("down"));
  });
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    for (int i = 0; i < 3; ++i) {
      try {
        (void)Work(ctx);
      } catch (...) {
      }
    }
    return 1;
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
}

TEST(OutcomeTest, WithdrawnTokenEndsAsPending) {
  FakeService service;
  service.set_checkpoint_fault(&WithoutToken);
  bool went_on = false;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(Work(ctx));
        went_on = true;
        return 1;
      });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_FALSE(went_on);
}

TEST(OutcomeTest, AfterAWithdrawalNothingIsSentAndNothingIsRead) {
  FakeService service;
  int calls = 0;
  service.set_checkpoint_fault([&](const CheckpointRequest&) {
    ++calls;
    CheckpointResponse response;
    response.new_state.next_marker = "more";
    return Answer(std::move(response));
  });
  service.Run([&](DurableContext& ctx, const Json&) {
    try {
      (void)Work(ctx);
    } catch (...) {
    }
    return Work(ctx);
  });
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(service.StateRequests(), IsEmpty());
}

// Precedence.

TEST(PrecedenceTest, WithdrawnTokenBeatsAFatalError) {
  FakeService service;
  service.set_checkpoint_fault(&WithoutToken);
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    try {
      (void)Work(ctx);
    } catch (...) {
    }
    (void)ctx.RunInChildContext("child", [&](DurableContext&) { return Work(ctx); });
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
}

TEST(PrecedenceTest, WithdrawnTokenBeatsAnError) {
  FakeService service;
  service.set_checkpoint_fault(&WithoutToken);
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    try {
      DURABLE_RETURN_IF_ERROR(Work(ctx));
    } catch (...) {
    }
    return MakeError("Bad", "bad");
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
}

// The START of the child is in flight, sent because its window has passed, while the handler
// suspends.
TEST(PrecedenceTest, CheckpointFailureBeatsAPendingCommitment) {
  FakeService service;
  service.options().checkpoint_window = absl::Milliseconds(1);
  service.options().checkpoint_window = absl::Milliseconds(1);
  service.Put(Record("1-1", OperationType::kWait, "Wait", "w", OperationStatus::kStarted));
  absl::Notification in_flight;
  absl::Notification suspended;
  service.set_checkpoint_fault([&](const CheckpointRequest&) {
    in_flight.Notify();
    suspended.WaitForNotification();
    return Answer(absl::NotFoundError("gone"));
  });
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    try {
      (void)ctx.RunInChildContext("child", [&](DurableContext& child) {
        in_flight.WaitForNotification();
        return child.Wait("w", absl::Seconds(1));
      });
    } catch (...) {
      suspended.Notify();
    }
    return 1;
  });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "CheckpointError");
}

TEST(PrecedenceTest, FatalErrorBeatsAPendingCommitment) {
  FakeService service;
  struct Waits {
    DurableContext& ctx;
    ~Waits() { (void)ctx.Wait("again", absl::Seconds(1)); }
  };
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    const Waits waits{ctx};
    (void)ctx.Wait("first", absl::Seconds(1));
  });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

TEST(PrecedenceTest, PendingCommitmentBeatsTheHandlersResult) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    try {
      (void)ctx.Wait("first", absl::Seconds(1));
    } catch (...) {
    }
    return 1;
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
}

// Large results.

constexpr size_t kMaxResponse = 6 * 1024 * 1024 - 50;

Handler ReturnsBytes(size_t bytes) {
  return [bytes](DurableContext&, const Json&) { return std::string(bytes - 2, 'x'); };
}

TEST(LargeResultTest, ResultAtTheLimitIsAnswered) {
  FakeService service;
  const InvocationOutput output = service.Run(ReturnsBytes(kMaxResponse));
  EXPECT_EQ(output.result->size(), kMaxResponse);
  EXPECT_THAT(service.Batches(), IsEmpty());
}

TEST(LargeResultTest, LargerResultIsCheckpointed) {
  FakeService service;
  const InvocationOutput output = service.Run(ReturnsBytes(kMaxResponse + 1));
  EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
  EXPECT_EQ(output.result, "");
  ASSERT_THAT(service.Updates(), ElementsAre("EXECUTION SUCCEED"));
  EXPECT_EQ(service.Requests()[0].updates[0].id, "e");
  EXPECT_EQ(service.Requests()[0].updates[0].payload->size(), kMaxResponse + 1);
}

TEST(LargeResultTest, FailureToCheckpointItCounts) {
  FakeService service;
  service.set_checkpoint_fault(FailWith(absl::UnavailableError("down")));
  EXPECT_EQ(service.Run(ReturnsBytes(kMaxResponse + 1)).status, InvocationStatus::kRetry);
  service.set_checkpoint_fault(FailWith(absl::InvalidArgumentError("too large")));
  EXPECT_EQ(service.Run(ReturnsBytes(kMaxResponse + 1)).status, InvocationStatus::kFailed);
}

TEST(LargeResultTest, IsNotCheckpointedForASuspendedRun) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    try {
      (void)ctx.Wait("first", absl::Seconds(1));
    } catch (...) {
    }
    return std::string(kMaxResponse, 'x');
  });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), ElementsAre("WAIT START first"));
}

}  // namespace
}  // namespace internal
}  // namespace durable
