// What user code can do to a suspension, and what it cannot.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::Status Pause(DurableContext& ctx) { return ctx.Wait("pause", absl::Seconds(1)); }

// catch (...)

TEST(SwallowedSuspensionTest, HandlerThatSwallowsStaysPending) {
  FakeService service;
  bool went_on = false;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        try {
          DURABLE_RETURN_IF_ERROR(Pause(ctx));
        } catch (...) {
          went_on = true;
        }
        return 1;
      });
  EXPECT_TRUE(went_on);
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_THAT(service.DiagnosticMessages(), Contains(HasSubstr("swallowed a suspension")));
}

TEST(SwallowedSuspensionTest, HandlerThatFailsInsteadStaysPending) {
  FakeService service;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        try {
          DURABLE_RETURN_IF_ERROR(Pause(ctx));
        } catch (...) {
          throw std::runtime_error("something went wrong");
        }
        return 1;
      });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
}

TEST(SwallowedSuspensionTest, LaterOperationsUnwindAgainWithoutARecord) {
  FakeService service;
  int swallowed = 0;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    for (int i = 0; i < 3; ++i) {
      try {
        (void)Pause(ctx);
      } catch (...) {
        ++swallowed;
      }
    }
    (void)ctx.Step("never", [](StepContext&) {});
  });
  EXPECT_EQ(swallowed, 3);
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), ElementsAre("WAIT START pause"));
}

TEST(SwallowedSuspensionTest, ChildContextThatSwallowsIsNotClosed) {
  for (const bool fail : {false, true}) {
    FakeService service;
    bool went_on = false;
    const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
      absl::Status status =
          ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::Status {
            try {
              return Pause(child);
            } catch (...) {
              return fail ? MakeError("Bad", "bad") : absl::OkStatus();
            }
          });
      went_on = true;
      return status;
    });
    EXPECT_FALSE(went_on);
    EXPECT_EQ(output.status, InvocationStatus::kPending);
    EXPECT_THAT(service.Updates(), ElementsAre("CONTEXT START child", "WAIT START pause"));
    EXPECT_THAT(service.DiagnosticMessages(), ElementsAre(HasSubstr("child context \"child\"")));
  }
}

TEST(SwallowedSuspensionTest, SwallowingOutsideAChildContextStaysPending) {
  FakeService service;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        try {
          DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext("child", &Pause));
        } catch (...) {
        }
        DURABLE_RETURN_IF_ERROR(ctx.Step("never", [](StepContext&) {}));
        return 1;
      });
  EXPECT_EQ(output.status, InvocationStatus::kPending);
  EXPECT_THAT(service.Updates(), ElementsAre("CONTEXT START child", "WAIT START pause"));
}

// Each operation that can suspend.

struct Suspending {
  const char* name;
  void (*call)(DurableContext&);
};

const Suspending kSuspending[] = {
    {"Step",
     [](DurableContext& ctx) {
       (void)ctx.Step("", [](StepContext&) -> absl::Status { return MakeError("Flaky", ""); });
     }},
    {"Wait", [](DurableContext& ctx) { (void)Pause(ctx); }},
    {"CallbackResult", [](DurableContext& ctx) { (void)ctx.CreateCallback("")->Result(); }},
    {"WaitForCallback",
     [](DurableContext& ctx) {
       (void)ctx.WaitForCallback("", [](absl::string_view, StepContext&) {});
     }},
    {"Invoke", [](DurableContext& ctx) { (void)ctx.Invoke<int>("", "target", 1); }},
    {"RunInChildContext", [](DurableContext& ctx) { (void)ctx.RunInChildContext("", &Pause); }},
    {"WaitForCondition",
     [](DurableContext& ctx) {
       (void)ctx.WaitForCondition(
           "", 0, [](const int& state, CheckContext&) { return state; },
           PollUntil<int>([](int) { return false; }));
     }},
    {"WithRetry",
     [](DurableContext& ctx) {
       (void)ctx.WithRetry("",
                           [](DurableContext&, int) -> absl::Status { return MakeError("E", ""); });
     }},
    {"Map",
     [](DurableContext& ctx) {
       (void)ctx.Map("", std::vector<int>{1, 2},
                     [](DurableContext& child, int) { return Pause(child); });
     }},
    {"Parallel",
     [](DurableContext& ctx) {
       (void)ctx.Parallel<absl::monostate>("", {[](DurableContext& child) {
                                             (void)Pause(child);
                                             return absl::monostate();
                                           }});
     }},
    {"Race",
     [](DurableContext& ctx) {
       (void)ctx.Race<absl::monostate>("", {[](DurableContext& child) {
                                         (void)Pause(child);
                                         return absl::monostate();
                                       }});
     }},
};

class SwallowedOperationTest : public ::testing::TestWithParam<Suspending> {};

TEST_P(SwallowedOperationTest, StaysPendingAndRecordsNothingElse) {
  enum class Place { kHandler, kChild, kBranch };
  for (const Place place : {Place::kHandler, Place::kChild, Place::kBranch}) {
    const auto swallow = [&](DurableContext& context, bool swallows) {
      if (!swallows) return GetParam().call(context);
      try {
        GetParam().call(context);
      } catch (...) {
      }
      (void)context.Step("never", [](StepContext&) {});
    };
    std::vector<std::vector<std::string>> updates;
    for (const bool swallows : {false, true}) {
      FakeService service;
      const InvocationOutput output = service.Run([&](DurableContext& ctx,
                                                      const Json&) -> absl::Status {
        if (place == Place::kHandler) {
          swallow(ctx, swallows);
        } else if (place == Place::kChild) {
          (void)ctx.RunInChildContext("", [&](DurableContext& child) { swallow(child, swallows); });
        } else {
          (void)ctx.Map("", std::vector<int>{1},
                        [&](DurableContext& branch, int) { swallow(branch, swallows); });
        }
        return absl::OkStatus();
      });
      EXPECT_EQ(output.status, InvocationStatus::kPending);
      updates.push_back(service.Updates());
    }
    // Two branches may start in either order.
    EXPECT_THAT(updates[1], ::testing::UnorderedElementsAreArray(updates[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(All, SwallowedOperationTest, ::testing::ValuesIn(kSuspending),
                         [](const auto& info) { return info.param.name; });

TEST(SwallowedSuspensionTest, RethrowMacroLetsItPass) {
  FakeService service;
  bool cleaned_up = false;
  const Handler handler = [&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
    try {
      DURABLE_RETURN_IF_ERROR(Pause(ctx));
      throw std::runtime_error("after the pause");
    } catch (...) {
      DURABLE_RETHROW_IF_UNWINDING;
      cleaned_up = true;
    }
    return 1;
  };
  EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
  EXPECT_FALSE(cleaned_up);
  EXPECT_THAT(service.DiagnosticMessages(), IsEmpty());
  service.CompleteTimers();
  EXPECT_EQ(service.Run(handler).result, "1");
  EXPECT_TRUE(cleaned_up);
}

TEST(SwallowedSuspensionTest, CatchingStdExceptionDoesNotSeeIt) {
  FakeService service;
  bool caught = false;
  service.Run([&](DurableContext& ctx, const Json&) {
    try {
      (void)Pause(ctx);
    } catch (const std::exception&) {
      caught = true;
    }
  });
  EXPECT_FALSE(caught);
}

TEST(SuspensionTest, DestructorsRun) {
  struct Guard {
    bool& released;
    ~Guard() { released = true; }
  };
  FakeService service;
  bool released = false;
  service.Run([&](DurableContext& ctx, const Json&) {
    const Guard guard{released};
    (void)Pause(ctx);
  });
  EXPECT_TRUE(released);
}

TEST(SuspensionTest, OperationsMayBeCalledInACatchBlock) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    try {
      throw std::runtime_error("failed");
    } catch (const std::runtime_error&) {
      return ctx.Step("compensate", [](StepContext&) { return 1; });
    }
  });
  EXPECT_EQ(output.result, "1");
}

// The answer to a checkpoint that was on its way says that the wait is over: the service will not
// say it again.
TEST(SuspensionTest, AnswerThatArrivesAfterTheSuspensionCounts) {
  FakeService service;
  service.options().checkpoint_window = absl::Milliseconds(1);
  absl::Notification sent;
  absl::Notification suspended;
  service.set_checkpoint_fault(
      [&](const CheckpointRequest& request) -> absl::optional<absl::StatusOr<CheckpointResponse>> {
        if (Summarize(request.updates[0]) != "CONTEXT START late" || sent.HasBeenNotified()) {
          return absl::nullopt;
        }
        sent.Notify();
        suspended.WaitForNotification();
        service.End("1", OperationStatus::kSucceeded, "answer");
        return absl::nullopt;
      });
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
        DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, ctx.CreateCallback("cb"));
        return ctx.RunInChildContext("late", [&](DurableContext&) {
          struct Guard {
            absl::Notification& suspended;
            ~Guard() {
              if (!suspended.HasBeenNotified()) suspended.Notify();
            }
          };
          sent.WaitForNotification();
          const Guard guard{suspended};
          return callback.Result();
        });
      });
  EXPECT_EQ(output.result, "\"answer\"");
}

// Operations in destructors.

struct WaitsInDestructor {
  DurableContext& ctx;
  absl::Status& status;
  ~WaitsInDestructor() { status = Pause(ctx); }
};

TEST(MisuseTest, OperationDuringUnwindingIsFatalAndDoesNotThrow) {
  FakeService service;
  absl::Status status;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const WaitsInDestructor waits{ctx, status};
    throw std::runtime_error("unwinds");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(output.error->message, HasSubstr("wait \"pause\" was called by a destructor"));
  EXPECT_THAT(service.DiagnosticMessages(), ElementsAre(HasSubstr("by a destructor")));
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(MisuseTest, OperationDuringASuspensionIsFatal) {
  FakeService service;
  absl::Status status;
  const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
    const WaitsInDestructor waits{ctx, status};
    (void)ctx.Wait("first", absl::Seconds(1));
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(service.Updates(), ElementsAre("WAIT START first"));
}

// Functions that let no exception pass.

absl::Status PauseNoexcept(DurableContext& ctx) noexcept { return Pause(ctx); }

TEST(NoexceptDeathTest, TerminateExplainsTheSuspension) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        FakeService service;
        service.Run([](DurableContext& ctx, const Json&) { return PauseNoexcept(ctx); });
      },
      "a durable operation suspended inside a noexcept function");
}

TEST(NoexceptDeathTest, OtherTerminationsAreNotExplained) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        FakeService service;
        service.Run([](DurableContext&, const Json&) {});
        std::set_terminate([] {
          std::fputs("the handler that came later\n", stderr);
          std::_Exit(3);
        });
        std::terminate();
      },
      ::testing::ExitedWithCode(3), "^the handler that came later");
}

// Threads.

TEST(MisuseTest, OperationOnAnotherThreadIsFatalAndDoesNotThrow) {
  FakeService service;
  absl::Status status;
  const InvocationOutput output =
      service.Run([&](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
        std::thread([&] { status = ctx.Step("work", [](StepContext&) {}); }).join();
        return 1;
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(output.error->message, HasSubstr("on a thread that does not run"));
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(MisuseTest, StepBodyMayUseThreads) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step("work", [](StepContext& step) {
      return std::async(std::launch::async,
                        [&step] {
                          step.logger().Info("on a thread of its own");
                          return step.abandoned() ? 0 : 1;
                        })
          .get();
    });
  });
  EXPECT_EQ(output.result, "1");
  EXPECT_THAT(service.LogMessages(), ElementsAre("on a thread of its own"));
}

// Contexts.

TEST(MisuseTest, OperationInAStepBodyIsFatal) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step("outer", [&](StepContext&) { return ctx.Step("inner", [](StepContext&) {}); });
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(output.error->message,
              HasSubstr("step \"inner\" was called inside the body of a step"));
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(MisuseTest, SwallowingItInTheStepBodyDoesNotHelp) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.Step("outer", [&](StepContext&) {
      try {
        (void)Pause(ctx);
      } catch (...) {
      }
    });
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(service.Updates(), IsEmpty());
}

TEST(MisuseTest, ParentInTheBodyOfItsChildIsFatal) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("child", [&](DurableContext&) { return Pause(ctx); });
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
  EXPECT_THAT(output.error->message, HasSubstr("on the root context while context 1 is active"));
}

TEST(MisuseTest, CallbackResultInAStepBodyIsFatal) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(Callback<std::string> callback, ctx.CreateCallback("cb"));
    return ctx.Step("work", [&](StepContext&) { return callback.Result().status(); });
  });
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

TEST(MisuseTest, FatalErrorBeatsWhateverTheHandlerReturns) {
  FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    try {
      (void)ctx.RunInChildContext("child", [&](DurableContext&) { return Pause(ctx); });
    } catch (...) {
    }
    return 1;
  });
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->type, "ContextMisuse");
}

}  // namespace
}  // namespace internal
}  // namespace durable
