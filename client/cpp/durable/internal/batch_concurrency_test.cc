// Parallel and Map with branches that run at the same time.
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// What runs at the same time, and on which threads.
class Gauge {
 public:
  class Lap {
   public:
    explicit Lap(Gauge& gauge) : gauge_(gauge) {
      absl::MutexLock lock(&gauge_.mutex_);
      gauge_.threads_.insert(std::this_thread::get_id());
      gauge_.most_ = std::max(gauge_.most_, ++gauge_.running_);
    }
    ~Lap() {
      absl::MutexLock lock(&gauge_.mutex_);
      --gauge_.running_;
    }

   private:
    Gauge& gauge_;
  };

  int running() {
    absl::MutexLock lock(&mutex_);
    return running_;
  }
  int most() {
    absl::MutexLock lock(&mutex_);
    return most_;
  }
  std::set<std::thread::id> threads() {
    absl::MutexLock lock(&mutex_);
    return threads_;
  }

 private:
  absl::Mutex mutex_;
  int running_ = 0;
  int most_ = 0;
  std::set<std::thread::id> threads_;
};

std::vector<int> UpTo(int count) {
  std::vector<int> numbers(count);
  for (int i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

bool Has(const CheckpointRequest& request, absl::string_view summary) {
  for (const OperationUpdate& update : request.updates) {
    if (Summarize(update) == summary) return true;
  }
  return false;
}

int Polls(FakeService& service) {
  int polls = 0;
  for (const CheckpointRequest& request : service.Requests()) polls += request.updates.empty();
  return polls;
}

// A step whose body returns when `until` is notified.
absl::StatusOr<int> StepUntil(DurableContext& context, absl::Notification& until) {
  return context.Step("until", [&](StepContext&) {
    until.WaitForNotification();
    return 1;
  });
}

// A step whose body returns when nobody waits for it any more.
absl::StatusOr<int> StepUntilAbandoned(DurableContext& context, Gauge& gauge) {
  return context.Step("endless", [&](StepContext& step) {
    const Gauge::Lap lap(gauge);
    while (!step.abandoned()) std::this_thread::yield();
    return 1;
  });
}

TEST(BatchConcurrencyTest, BranchesRunAtTheSameTime) {
  FakeService service;
  constexpr int kBranches = 5;
  auto* const barrier = new absl::Barrier(kBranches);
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto batch = ctx.Map("map", UpTo(kBranches), [&](DurableContext& context, int item) {
      return context.Step("meet", [&](StepContext&) {
        if (barrier->Block()) delete barrier;
        return item;
      });
    });
    return batch->Results();
  });
  EXPECT_EQ(output.result, "[0,1,2,3,4]");
  EXPECT_EQ(service.Updates().front(), "CONTEXT START map");
  EXPECT_EQ(service.Updates().back(), "CONTEXT SUCCEED map");
}

TEST(BatchConcurrencyTest, NoMoreBranchesAndThreadsThanAllowed) {
  FakeService service;
  Gauge gauge;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto batch = ctx.Map(
        "map", UpTo(10'000),
        [&](DurableContext&, int item) {
          const Gauge::Lap lap(gauge);
          return item;
        },
        BatchOptions().set_max_concurrency(8).set_nesting(Nesting::kFlat));
    return batch->success_count();
  });
  EXPECT_EQ(output.result, "10000");
  EXPECT_THAT(gauge.threads(), SizeIs(Le(8)));
  EXPECT_LE(gauge.most(), 8);
}

TEST(BatchConcurrencyTest, OneBranchAtATimeNeedsNoThread) {
  FakeService service;
  Gauge gauge;
  service.Run([&](DurableContext& ctx, const Json&) {
    return ctx
        .Map(
            "map", UpTo(50), [&](DurableContext&, int) { const Gauge::Lap lap(gauge); },
            BatchOptions().set_max_concurrency(1))
        .status();
  });
  EXPECT_THAT(gauge.threads(), ElementsAre(std::this_thread::get_id()));
}

TEST(BatchConcurrencyTest, BatchesInBatchesGetAlongWithFewThreads) {
  for (const int threads : {0, 1, 3}) {
    FakeService service;
    service.options().max_branch_threads = threads;
    Gauge gauge;
    const InvocationOutput output =
        service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
          DURABLE_ASSIGN_OR_RETURN(
              BatchResult<int> batch,
              ctx.Map("outer", UpTo(5), [&](DurableContext& outer, int) -> absl::StatusOr<int> {
                DURABLE_ASSIGN_OR_RETURN(BatchResult<int> inner,
                                         outer.Map("inner", UpTo(5), [&](DurableContext&, int) {
                                           const Gauge::Lap lap(gauge);
                                           return 1;
                                         }));
                return inner.success_count();
              }));
          return batch.Results()[4];
        });
    EXPECT_EQ(output.result, "5");
    EXPECT_LE(gauge.most(), threads + 1);
  }
}

TEST(BatchConcurrencyTest, StartsOfManyBranchesAreSplitIntoCallsTheServiceTakes) {
  FakeService service;
  constexpr int kBranches = 300;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    return ctx.Map("map", UpTo(kBranches), [](DurableContext&, int item) { return item; })
        ->success_count();
  });
  EXPECT_EQ(output.result, "300");
  int starts = 0;
  for (const CheckpointRequest& request : service.Requests()) {
    EXPECT_LE(request.updates.size(), 250u);
    for (const OperationUpdate& update : request.updates) {
      starts += update.action == OperationAction::kStart;
    }
  }
  EXPECT_EQ(starts, kBranches + 1);
}

TEST(BatchConcurrencyTest, StateMayComeInPagesOfOneOperation) {
  FakeService service;
  service.set_page_size(1);
  const Handler handler = [](DurableContext& ctx, const Json&) {
    const auto batch =
        ctx.Map("map", UpTo(10), [](DurableContext& context, int item) -> absl::StatusOr<int> {
          DURABLE_RETURN_IF_ERROR(context.Wait("", absl::Seconds(1)));
          return context.Step("", [&](StepContext&) { return item; });
        });
    return batch->Results();
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  service.CompleteTimers();
  EXPECT_EQ(service.Run(handler).result, "[0,1,2,3,4,5,6,7,8,9]");
}

// Going on in the same invocation.

TEST(BatchResumeTest, WaitIsOverWhileAnotherBranchRuns) {
  FakeService service;
  service.set_timers_due(absl::UnixEpoch());
  service.set_completes_timers_when_asked();
  absl::Notification resumed;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto waits = [&](DurableContext& context) -> absl::StatusOr<int> {
      context.logger().Info("before");
      DURABLE_RETURN_IF_ERROR(context.Wait("pause", absl::Seconds(60)));
      context.logger().Info("after");
      resumed.Notify();
      return 0;
    };
    const auto runs = [&](DurableContext& context) { return StepUntil(context, resumed); };
    return ctx.Parallel<int>("parallel", {waits, runs})->Results();
  });
  EXPECT_EQ(output.result, "[0,1]");
  EXPECT_EQ(Polls(service), 1);
  EXPECT_THAT(service.LogMessages(), ElementsAre("before", "after"));
  EXPECT_THAT(service.Updates(), Contains("CONTEXT START parallel-branch-0").Times(1));
  EXPECT_THAT(service.Updates(), Contains("WAIT START pause").Times(1));
}

TEST(BatchResumeTest, RetryIsDueWhileAnotherBranchRuns) {
  for (const Nesting nesting : {Nesting::kNested, Nesting::kFlat}) {
    FakeService service;
    service.set_timers_due(absl::UnixEpoch());
    service.set_completes_timers_when_asked();
    absl::Notification succeeded;
    const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
      const auto retries = [&](DurableContext& context) {
        return context.Step("flaky", [&](StepContext& step) -> absl::StatusOr<int> {
          if (step.attempt() == 1) return MakeError("Flaky", "once more");
          succeeded.Notify();
          return step.attempt();
        });
      };
      const auto runs = [&](DurableContext& context) { return StepUntil(context, succeeded); };
      return ctx.Parallel<int>("", {retries, runs}, BatchOptions().set_nesting(nesting))->Results();
    });
    EXPECT_EQ(output.result, "[2,1]");
  }
}

TEST(BatchResumeTest, BranchesThatWaitTogetherDoNotAskOneByOne) {
  FakeService service;
  service.set_timers_due(absl::UnixEpoch());
  service.set_completes_timers_when_asked();
  constexpr int kWaiting = 20;
  std::atomic<int> passed{0};
  absl::Notification all_passed;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    return ctx
        .Map("", UpTo(kWaiting + 1),
             [&](DurableContext& context, int item) -> absl::Status {
               if (item == 0) return StepUntil(context, all_passed).status();
               DURABLE_RETURN_IF_ERROR(context.Wait("", absl::Seconds(1)));
               if (++passed == kWaiting) all_passed.Notify();
               return absl::OkStatus();
             })
        .status();
  });
  EXPECT_EQ(output.status, InvocationStatus::kSucceeded);
  EXPECT_THAT(Polls(service), AnyOf(Ge(1), Le(kWaiting)));
}

TEST(BatchResumeTest, BranchWithoutATimeWaitsForTheNextInvocation) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) {
    const auto waits = [](DurableContext& context) -> absl::StatusOr<std::string> {
      DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, context.CreateCallback("cb"));
      return callback.Result();
    };
    const auto ends = [](DurableContext&) { return std::string("end"); };
    return ctx.Parallel<std::string>("", {waits, ends})->Results();
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(Polls(service), 0);
  service.End("1-1-1", OperationStatus::kSucceeded, "answer");
  EXPECT_EQ(service.Run(handler).result, R"(["answer","end"])");
}

// The service does not invoke again for what it has told in an answer.
TEST(BatchResumeTest, BranchGoesOnWhenTheInvocationWasToldOfItsAnswer) {
  FakeService service;
  service.set_checkpoint_fault(
      [&](const CheckpointRequest& request) -> absl::optional<absl::StatusOr<CheckpointResponse>> {
        if (Has(request, "STEP SUCCEED work")) {
          service.End("1-1-1", OperationStatus::kSucceeded, "answer");
        }
        return absl::nullopt;
      });
  absl::Notification created;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto waits = [&](DurableContext& context) -> absl::StatusOr<std::string> {
      DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, context.CreateCallback("cb"));
      if (!created.HasBeenNotified()) created.Notify();
      return callback.Result();
    };
    const auto works = [&](DurableContext& context) {
      return context.Step("work", [&](StepContext&) {
        created.WaitForNotification();
        return std::string("end");
      });
    };
    return ctx.Parallel<std::string>("", {waits, works})->Results();
  });
  EXPECT_EQ(output.result, R"(["answer","end"])");
}

// Early ends.

TEST(BatchEarlyEndTest, DoesNotReturnBeforeABranchThatIgnoresIt) {
  FakeService service;
  absl::Notification closed;
  service.set_checkpoint_fault(
      [&](const CheckpointRequest& request) -> absl::optional<absl::StatusOr<CheckpointResponse>> {
        if (Has(request, "CONTEXT SUCCEED first")) closed.Notify();
        return absl::nullopt;
      });
  absl::Notification running;
  std::atomic<bool> ended{false};
  bool went_on = false;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto quick = [&](DurableContext& context) { return StepUntil(context, running); };
    const auto slow = [&](DurableContext& context) -> absl::StatusOr<int> {
      DURABLE_ASSIGN_OR_RETURN(int value, context.Step("slow", [&](StepContext&) {
        running.Notify();
        closed.WaitForNotification();
        ended = true;
        return 7;
      }));
      went_on = true;
      return value;
    };
    const auto batch = ctx.Parallel<int>(
        "first", {quick, slow}, BatchOptions().set_completion(CompletionConfig::FirstSuccessful()));
    EXPECT_TRUE(ended);
    EXPECT_EQ(batch->completion_reason(), CompletionReason::kMinSuccessfulReached);
    EXPECT_EQ(batch->items()[1].status, ItemStatus::kStarted);
    return batch->Results();
  });
  EXPECT_EQ(output.result, "[1]");
  EXPECT_FALSE(went_on);
  EXPECT_THAT(service.Updates(), Not(Contains("STEP SUCCEED slow")));
  EXPECT_EQ(service.Updates().back(), "CONTEXT SUCCEED first");
}

TEST(BatchEarlyEndTest, ReachesBranchesOfBranches) {
  FakeService service;
  Gauge gauge;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto endless = [&](DurableContext& context) -> absl::StatusOr<int> {
      const auto inner = [&](DurableContext& nested) { return StepUntilAbandoned(nested, gauge); };
      return context.Parallel<int>("inner", {inner, inner})->success_count();
    };
    const auto quick = [&](DurableContext& context) {
      return context.Step("quick", [&](StepContext&) {
        while (gauge.running() < 2) std::this_thread::yield();
        return 1;
      });
    };
    return ctx
        .Parallel<int>("outer", {endless, quick},
                       BatchOptions().set_completion(CompletionConfig::FirstSuccessful()))
        ->Results();
  });
  EXPECT_EQ(output.result, "[1]");
  EXPECT_EQ(gauge.running(), 0);
  EXPECT_THAT(service.Updates(), Not(Contains("CONTEXT SUCCEED inner")));
}

TEST(BatchEarlyEndTest, WaitingBranchIsStartedAndNotPending) {
  FakeService service;
  const Handler handler = [](DurableContext& ctx, const Json&) {
    const auto waits = [](DurableContext& context) -> absl::StatusOr<int> {
      DURABLE_RETURN_IF_ERROR(context.Wait("", absl::Hours(1)));
      return 0;
    };
    const auto quick = [](DurableContext&) { return 1; };
    return ctx
        .Parallel<int>("", {waits, quick, quick},
                       BatchOptions().set_max_concurrency(2).set_completion(
                           CompletionConfig::FirstSuccessful()))
        ->total_count();
  };
  EXPECT_EQ(service.Run(handler).result, "2");
}

TEST(BatchEarlyEndTest, FatalErrorOfAnAbandonedBranchIsOfNoAccount) {
  FakeService service;
  service.Put(Record("1-2-2", OperationType::kWait, "Wait", "", OperationStatus::kStarted));
  absl::Notification running;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto quick = [&](DurableContext& context) { return StepUntil(context, running); };
    const auto changed = [&](DurableContext& context) -> absl::StatusOr<int> {
      DURABLE_RETURN_IF_ERROR(context.Step("body", [&](StepContext& step) {
        running.Notify();
        while (!step.abandoned()) std::this_thread::yield();
      }));
      return context.Step("another", [](StepContext&) { return 1; });
    };
    return ctx
        .Parallel<int>("", {quick, changed},
                       BatchOptions().set_completion(CompletionConfig::FirstSuccessful()))
        ->Results();
  });
  EXPECT_EQ(output.result, "[1]");
}

// Faults in the middle.

// Two branches with a step each, "quick" and one that runs until nobody waits for it.
Handler QuickAndEndless(Gauge& gauge) {
  return [&gauge](DurableContext& ctx, const Json&) {
    const auto quick = [&](DurableContext& context) {
      return context.Step("quick", [&](StepContext&) {
        while (gauge.running() < 1) std::this_thread::yield();
        return 1;
      });
    };
    const auto endless = [&](DurableContext& context) {
      return StepUntilAbandoned(context, gauge);
    };
    return ctx
        .Parallel<int>("parallel", {quick, endless},
                       BatchOptions().set_completion(CompletionConfig::AllCompleted()))
        .status();
  };
}

TEST(BatchFaultTest, FailedCheckpointEndsTheInvocation) {
  for (const absl::Status& failure :
       {absl::UnavailableError("down"), absl::PermissionDeniedError("no"),
        absl::CancelledError("stopped")}) {
    FakeService service;
    service.set_checkpoint_fault([&](const CheckpointRequest& request)
                                     -> absl::optional<absl::StatusOr<CheckpointResponse>> {
      if (Has(request, "STEP SUCCEED quick")) return absl::StatusOr<CheckpointResponse>(failure);
      return absl::nullopt;
    });
    Gauge gauge;
    const InvocationOutput output = service.Run(QuickAndEndless(gauge));
    EXPECT_EQ(output.status, absl::IsPermissionDenied(failure) ? InvocationStatus::kFailed
                                                               : InvocationStatus::kRetry);
    EXPECT_EQ(output.error->type, "CheckpointError");
    EXPECT_EQ(gauge.running(), 0);
  }
}

TEST(BatchFaultTest, WithdrawnTokenSuspendsAndTheNextInvocationGoesOn) {
  FakeService service;
  bool paused = false;
  service.set_withdraws([&](const CheckpointRequest& request) {
    return Has(request, "STEP SUCCEED a") && !std::exchange(paused, true);
  });
  std::atomic<int> steps{0};
  const Handler handler = [&](DurableContext& ctx, const Json&) {
    const auto branch = [&](const char* name) {
      return [&steps, name](DurableContext& context) -> absl::StatusOr<int> {
        DURABLE_ASSIGN_OR_RETURN(int value, context.Step(name, [&](StepContext&) {
          ++steps;
          return 1;
        }));
        return context.Step(absl::StrCat(name, "2"), [&](StepContext&) { return value + 1; });
      };
    };
    return ctx.Parallel<int>("", {branch("a"), branch("b"), branch("c")})->Results();
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  EXPECT_EQ(service.Run(handler).result, "[2,2,2]");
}

TEST(BatchFaultTest, NonDeterminismInABranchBeatsThePolicy) {
  FakeService service;
  service.Put(Record("1-1-1", OperationType::kWait, "Wait", "quick", OperationStatus::kStarted));
  Gauge gauge;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto changed = [](DurableContext& context) {
      return context.Step("quick", [](StepContext&) { return 1; });
    };
    const auto endless = [&](DurableContext& context) {
      return StepUntilAbandoned(context, gauge);
    };
    return ctx
        .Parallel<int>("parallel", {changed, endless},
                       BatchOptions().set_completion(CompletionConfig::AllCompleted()))
        .status();
  });
  EXPECT_EQ(output.error->type, "NonDeterministicExecutionError");
  EXPECT_EQ(gauge.running(), 0);
  EXPECT_THAT(service.Updates(), Not(Contains("CONTEXT SUCCEED parallel")));
}

TEST(BatchFaultTest, TransientSerdesFailureOfABranchFailsTheInvocation) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx
        .Map(
            "map", UpTo(3), [](DurableContext&, int item) { return item; },
            BatchOptions()
                .set_completion(CompletionConfig::AllCompleted())
                .set_item_serdes<int>(
                    [](int item, const SerdesContext&) -> absl::StatusOr<std::string> {
                      if (item == 1) return absl::UnavailableError("disk is full");
                      return absl::StrCat(item);
                    },
                    [](absl::string_view text, const SerdesContext& context) {
                      return Serdes<int>::Deserialize(text, context);
                    }))
        .status();
  });
  EXPECT_EQ(output.status, InvocationStatus::kRetry);
  EXPECT_EQ(output.error->type, "RetryableSerDesError");
  EXPECT_THAT(service.Updates(), Not(Contains("CONTEXT SUCCEED map")));
}

TEST(BatchFaultTest, PredicateThatFailsWaitsForTheBranches) {
  FakeService service;
  Gauge gauge;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const auto endless = [&](DurableContext& context) {
      return StepUntilAbandoned(context, gauge);
    };
    const auto quick = [&](DurableContext& context) {
      return context.Step("quick", [&](StepContext&) {
        while (gauge.running() < 1) std::this_thread::yield();
        return 1;
      });
    };
    return ctx
        .Parallel<int>("parallel", {endless, quick},
                       BatchOptions().set_completion_predicate(
                           [](const BatchProgress& progress) -> CompletionDecision {
                             if (progress.completed() > 0) throw std::logic_error("confused");
                             return CompletionDecision::kContinue;
                           }))
        .status();
  });
  EXPECT_EQ(output.error->message, "confused");
  EXPECT_EQ(gauge.running(), 0);
  EXPECT_EQ(service.Updates().back(), "CONTEXT FAIL parallel");
}

}  // namespace
}  // namespace internal
}  // namespace durable
