// What the executor does when the store refuses a commit, and that nobody who watches holds it up.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/execution_observer.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kRefused[] = "The store failed on demand.";

// Every single commit of a run is refused once; the history is the same as ever, a little later.
TEST(StoreFaultTest, ARefusedCommitChangesNoHistory) {
  const auto run = [](int64_t refused, int64_t& commits) {
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    service.AddFunction("main", Program{{Op::kStep},
                                        {Op::kRetriedStep, 5},
                                        {Op::kWait, 60},
                                        {Op::kChainedInvoke, 1, "child"},
                                        {Op::kChainedInvoke, 1, "plain"}});
    service.AddFunction("child", Program{{Op::kWait, 30}});
    service.AddPlainFunction("plain", Program());
    service.store.SetFaults([&](int64_t number) {
      commits = number;
      return number == refused ? CommitFault::kFail : CommitFault::kNone;
    });
    v1::StartExecutionRequest request;
    request.set_function_name("main");
    absl::StatusOr<v1::StartExecutionResponse> started = service.Start(request);
    if (refused == 1) {
      EXPECT_EQ(started.status().message(), kRefused);
      started = service.Start(request);
    }
    const std::string arn = started->durable_execution_arn();
    EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
    EXPECT_THAT(service.workers.violations(), IsEmpty());
    EXPECT_EQ(service.workers.free_slots(), 100);
    return service.EventTypes(arn);
  };
  int64_t commits = 0;
  const std::string expected = run(0, commits);
  const int64_t all = commits;
  ASSERT_GT(all, 15);
  for (int64_t refused = 1; refused <= all; ++refused) {
    SCOPED_TRACE(refused);
    EXPECT_EQ(run(refused, commits), expected);
  }
}

TEST(StoreFaultTest, ARefusedCallLeavesEverythingAsItWas) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Hold()}});
  service.AddFunction("child", Script{{Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string callback = service.CallbackId(arn, "c");
  const std::string before = service.Inspect(arn).ShortDebugString();
  service.store.SetFaults([](int64_t) { return CommitFault::kFail; });
  EXPECT_EQ(service.Pause(arn).message(), kRefused);
  EXPECT_EQ(service.Stop(arn).message(), kRefused);
  EXPECT_EQ(service.SendSuccess(callback).message(), kRefused);
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(arn);
  request.set_checkpoint_token(service.workers.runs()[0]->token);
  request.set_client_token("c");
  *request.add_updates() = StartInvoke("i", "child");
  EXPECT_EQ(service.Checkpoint(request).message(), kRefused);
  EXPECT_EQ(service.Inspect(arn).ShortDebugString(), before);
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  service.store.SetFaults(nullptr);
  EXPECT_EQ(service.Checkpoint(request), absl::OkStatus());
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(2));
}

// The worker that was aborted for taking too long must not end the invocation a second time.
TEST(StoreFaultTest, TheFirstEndOfAnInvocationCounts) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  v1::FunctionSpec spec;
  spec.mutable_timeout()->set_seconds(30);
  service.AddFunction("main", Script{{Hold()}, {Hold(), Succeed("done")}}, spec);
  const std::string arn = service.Start("main");
  service.Run();
  int refusals = 2;
  service.store.SetFaults(
      [&](int64_t) { return refusals-- > 0 ? CommitFault::kFail : CommitFault::kNone; });
  service.scheduler.AdvanceWall(absl::Seconds(33));
  ASSERT_THAT(service.workers.runs(), SizeIs(2));
  service.scheduler.AdvanceWall(absl::Seconds(3));
  service.workers.Release();
  EXPECT_EQ(service.End(arn).result(), "done");
  EXPECT_THAT(service.History(arn)[1], testing::HasSubstr("Sandbox.Timedout"));
  EXPECT_THAT(service.History(arn), SizeIs(4));
}

// What is due first comes first, however long the store needs.
TEST(StoreFaultTest, TimeDoesNotRunAwayFromARefusedTimer) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("a", 5), StartWait("b", 86400)}), Pending()},
                             {Pending()},
                             {Succeed("done")}});
  int64_t commits = 0;
  service.store.SetFaults([&](int64_t number) {
    commits = number;
    // The waits' first chance to fire, three times.
    return number >= 5 && number < 8 ? CommitFault::kFail : CommitFault::kNone;
  });
  const std::string arn = service.Start("main");
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED WAIT_STARTED WAIT_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED "
            "INVOCATION_COMPLETED WAIT_SUCCEEDED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  EXPECT_THAT(service.workers.runs(), SizeIs(3));
}

TEST(StoreFaultTest, AnInvocationThatWasAskedForIsNotLost) {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_SKIP);
  config.set_stepped(true);
  SimulatedService service(config);
  service.AddFunction("main", Script{{Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  service.store.SetFaults(
      [](int64_t number) { return number == 1 ? CommitFault::kFail : CommitFault::kNone; });
  v1::InvokeNextRequest request;
  request.set_durable_execution_arn(arn);
  const auto response = service.Call(&Executor::InvokeNext, request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->execution().result(), "done");
}

// An execution with nothing to do is in the store only: whatever happens to it waits until it can
// be read.
TEST(StoreFaultTest, WhatAsksForAnExecutionAsleepWaitsForTheStore) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartWait("w", 60), StartCallback("c")}), Pending()},
                             {Pending()},
                             {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const std::string callback = service.CallbackId(arn, "c");
  int loads = 0;
  service.store.SetLoadFaults([&] { return ++loads <= 2; });
  const absl::Time before = service.scheduler.Now();
  EXPECT_EQ(service.SendSuccess(callback), absl::OkStatus());
  EXPECT_EQ(loads, 3);
  EXPECT_EQ(service.scheduler.Now() - before, absl::Milliseconds(200));
  service.Run();
  loads = 0;
  service.scheduler.AdvanceWall(absl::Minutes(1));
  EXPECT_EQ(loads, 3);
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED WAIT_STARTED CALLBACK_STARTED INVOCATION_COMPLETED "
            "CALLBACK_SUCCEEDED INVOCATION_COMPLETED WAIT_SUCCEEDED INVOCATION_COMPLETED "
            "EXECUTION_SUCCEEDED");
}

// Keeps notes of what it hears.
class Listener final : public ExecutionObserver {
 public:
  void OnChange(const ExecutionNotice& notice) override {
    heard.push_back({notice.execution.progress().event_count(), notice.finished});
  }
  std::vector<std::pair<int64_t, bool>> heard;
};

TEST(ObserverTest, HearsOfEveryChangeInOrderAndOfItsExecutionOnly) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Checkpoint({StartStep("a")}), Succeed("done")}});
  Listener all;
  service.executor().notifier().AddObserver(&all);
  const std::string arn = service.Start("main");
  Listener one;
  service.executor().notifier().AddObserver(arn, &one);
  service.Run();
  using Heard = std::pair<int64_t, bool>;
  EXPECT_THAT(all.heard,
              ElementsAre(Heard(1, false), Heard(1, false), Heard(2, false), Heard(4, true)));
  EXPECT_THAT(one.heard, ElementsAre(Heard(1, false), Heard(2, false), Heard(4, true)));
  service.Start("main");
  service.Run();
  EXPECT_THAT(one.heard, SizeIs(3));
  service.executor().notifier().RemoveObserver(&all);
  service.executor().notifier().RemoveObserver(arn, &one);
}

// Who watches takes a note on the lane and reads the store when it likes.
TEST(ObserverTest, AWatcherThatIsSlowHoldsUpNobodyAndMissesNothing) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Program{{Op::kStep}, {Op::kWait, 60}, {Op::kStep}});
  const std::string arn = service.Start("main");
  Listener watcher;
  service.executor().notifier().AddObserver(arn, &watcher);
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  service.executor().notifier().RemoveObserver(arn, &watcher);
  int64_t last = 0;
  while (true) {
    const auto page = service.executor().ReadEvents(absl::nullopt, arn, last + 1, 2, true);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    for (const v1::Event& event : *page) EXPECT_EQ(event.event_id(), ++last);
  }
  EXPECT_EQ(last, watcher.heard.back().first);
  EXPECT_EQ(
      ErrorNameOf(service.executor().ReadEvents(std::string("other"), arn, 1, 2, true).status()),
      "ResourceNotFoundException");
}

}  // namespace
}  // namespace rehearse
