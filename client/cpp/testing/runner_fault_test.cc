// Crashes, hangs, and the end of runners and services.
#include <atomic>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner_fixture.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

using RunnerFaultTest = RunnerFixture;

absl::StatusOr<int> OneStep(DurableContext& ctx, const Json&) {
  return ctx.Step("charge", [](StepContext&) { return 17; });
}

// Runs until nobody wants its result any more.
absl::StatusOr<int> Endless(DurableContext& ctx, absl::Notification& started) {
  return ctx.Step("endless", [&](StepContext& step) {
    started.Notify();
    while (!step.abandoned()) std::this_thread::yield();
    return 1;
  });
}

TEST_P(RunnerFaultTest, ACrashedInvocationRunsAgain) {
  std::atomic<int> bodies{0};
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) {
        return ctx.Step("charge", [&](StepContext&) { return ++bodies; });
      },
      Options());
  runner.CrashNextInvocationAt("charge");
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<int>(2));
  EXPECT_EQ(bodies, 2);
  EXPECT_THAT(*result, HistoryIs("SS2 IC3[error Runtime.ExitError] SX4[attempt 1] IC5"));
  EXPECT_EQ(result->invocation_count(), 2);
}

TEST_P(RunnerFaultTest, EachCrashIsForOneInvocation) {
  DurableFunctionTestRunner runner(OneStep, Options());
  runner.CrashNextInvocationAt("charge");
  runner.CrashNextInvocationAt("charge");
  EXPECT_EQ(runner.Run(nullptr, kFar)->invocation_count(), 3);
  EXPECT_EQ(runner.Run(nullptr, kFar)->invocation_count(), 1);
}

TEST_P(RunnerFaultTest, ACrashAtAStepThatIsNotReachedHarmsNobody) {
  DurableFunctionTestRunner runner(OneStep, Options());
  runner.CrashNextInvocationAt("ship");
  EXPECT_EQ(runner.Run(nullptr, kFar)->invocation_count(), 1);
}

TEST_P(RunnerFaultTest, AnAtMostOnceStepDoesNotRunAgainAfterACrash) {
  std::atomic<int> bodies{0};
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) {
        return ctx.Step(
            "charge", [&](StepContext&) { return ++bodies; },
            StepOptions().set_semantics(StepSemantics::kAtMostOncePerRetry).set_retry(NoRetry()));
      },
      Options());
  runner.CrashNextInvocationAt("charge");
  const auto result = runner.Run(nullptr, kFar);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HasStep("charge", FailedWith(ErrorTypeIs("StepInterruptedError"))));
  EXPECT_EQ(bodies, 1);
  EXPECT_THAT(*result, HistoryIs("SS2 IC3[error Runtime.ExitError] SF4[attempt 1] IC5"));
}

TEST_P(RunnerFaultTest, WhatWasRecordedBeforeACrashStays) {
  std::atomic<int> reservations{0};
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json& input) -> absl::StatusOr<int> {
        DURABLE_RETURN_IF_ERROR(
            ctx.Step("reserve", [&](StepContext&) { return ++reservations; }).status());
        return OneStep(ctx, input);
      },
      Options());
  runner.CrashNextInvocationAt("charge");
  EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  EXPECT_EQ(reservations, 1);
}

TEST_P(RunnerFaultTest, AHangingInvocationTimesOutAndRunsAgain) {
  std::atomic<int> invocations{0};
  absl::Notification release;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json& input) {
        if (++invocations == 1) release.WaitForNotification();
        return OneStep(ctx, input);
      },
      Options().set_invocation_timeout(absl::Seconds(1)));
  const auto result = runner.Run(nullptr, kFar);
  release.Notify();
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  ASSERT_GE(result->Invocations().size(), 2u);
  EXPECT_EQ(result->Invocations()[0].error->type, "Sandbox.Timedout");
}

TEST_P(RunnerFaultTest, ARunnerMayGoWhileARunGoesOn) {
  absl::Notification started;
  {
    DurableFunctionTestRunner runner(
        [&](DurableContext& ctx, const Json&) { return Endless(ctx, started); }, Options());
    ASSERT_THAT(runner.RunAsync(nullptr), IsOk());
    started.WaitForNotification();
  }
  SUCCEED() << "the handler was told to stop, and has stopped";
}

TEST_P(RunnerFaultTest, ClosingARunnerAnswersWhoeverWaits) {
  absl::Notification started;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) { return Endless(ctx, started); }, Options());
  absl::StatusOr<RunResult> result = absl::UnknownError("not run");
  std::thread waiter([&] { result = runner.Run(nullptr, absl::Minutes(10)); });
  started.WaitForNotification();
  runner.Close();
  waiter.join();
  EXPECT_THAT(result, AnyOf(StatusIs(absl::StatusCode::kNotFound),
                            StatusIs(absl::StatusCode::kFailedPrecondition)));
}

TEST_P(RunnerFaultTest, AClosedRunnerRefusesEverything) {
  DurableFunctionTestRunner runner(OneStep, Options());
  ASSERT_THAT(runner.Run(nullptr, kFar), IsOk());
  runner.Close();
  runner.Close();
  const auto result = runner.Run(nullptr, kFar);
  EXPECT_EQ(result.status(), absl::FailedPreconditionError("the runner is closed"));
  EXPECT_EQ(runner.AdvanceTime(absl::Seconds(1)), result.status());
  EXPECT_EQ(runner.session().status(), result.status());
}

TEST_P(RunnerFaultTest, ARunnerThatIsNotUsedCostsNothing) {
  const DurableFunctionTestRunner runner(OneStep, Options());
}

TEST_P(RunnerFaultTest, ManyRunnersInParallelDoNotSeeEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&right, i] {
      for (int round = 0; round < 4; ++round) {
        DurableFunctionTestRunner runner(
            [i](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
              DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Hours(1)));
              return ctx.Step("number", [i](StepContext&) { return i; });
            },
            Options().set_execution_name("same"));
        const auto result = runner.Run(nullptr, kFar);
        if (result.ok() && result->ResultAs<int>() == i) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 16 * 4);
}

int ThreadCount() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

TEST_P(RunnerFaultTest, ARunnerLeavesNoThreadBehind) {
  constexpr int kSlots = 8;
  constexpr int kRunners = 25;
  const auto use_one = [&] {
    DurableFunctionTestRunner runner(OneStep, Options().set_concurrency(kSlots));
    EXPECT_THAT(runner.Run(nullptr, kFar), IsOkAndHolds(Succeeded()));
  };
  use_one();
  const int before = ThreadCount();
  for (int i = 0; i < kRunners; ++i) use_one();
  // gRPC keeps some threads of its own, as many as it likes.
  EXPECT_LT(ThreadCount(), before + kRunners);
}

// The same for both services; these have one of their own.

std::vector<std::string> SessionsOf(const std::string& address) {
  const auto stub = rehearse::v1::TestSessions::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  rehearse::v1::ListSessionsResponse response;
  EXPECT_TRUE(stub->ListSessions(&context, {}, &response).ok());
  std::vector<std::string> names;
  for (const rehearse::v1::Session& session : response.sessions()) names.push_back(session.name());
  return names;
}

TEST(RunnerServiceTest, ARunnerLeavesNoSessionBehind) {
  const std::unique_ptr<rehearse::Server> server = StartServer();
  const std::vector<std::string> before = SessionsOf(AddressOf(*server));
  {
    DurableFunctionTestRunner runner(OneStep, RunnerOptions().set_service(AddressOf(*server)));
    ASSERT_THAT(runner.Run(nullptr, kFar), IsOk());
    EXPECT_THAT(SessionsOf(AddressOf(*server)), ::testing::Contains(runner.session().value()));
  }
  EXPECT_EQ(SessionsOf(AddressOf(*server)), before);
}

TEST(RunnerServiceTest, AServiceThatIsNotThereIsNamed) {
  std::string address;
  {
    const std::unique_ptr<rehearse::Server> server = StartServer();
    address = AddressOf(*server);
  }
  DurableFunctionTestRunner runner(OneStep, RunnerOptions().set_service(address));
  const auto result = runner.Run(nullptr, kFar);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("the service cannot be reached"), HasSubstr(address)));
}

TEST(RunnerServiceTest, AServiceThatGoesAwayFailsTheRun) {
  std::unique_ptr<rehearse::Server> server = StartServer();
  absl::Notification started;
  DurableFunctionTestRunner runner(
      [&](DurableContext& ctx, const Json&) { return Endless(ctx, started); },
      RunnerOptions().set_service(AddressOf(*server)));
  absl::StatusOr<RunResult> result = absl::UnknownError("not run");
  std::thread run([&] { result = runner.Run(nullptr, absl::Minutes(10)); });
  started.WaitForNotification();
  server.reset();
  run.join();
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("the service cannot be reached"));
}

REHEARSE_ON_BOTH_SERVICES(RunnerFaultTest);

}  // namespace
}  // namespace durable::testing
