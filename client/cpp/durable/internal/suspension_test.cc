// What user code can do to a suspension, and what it cannot.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

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
