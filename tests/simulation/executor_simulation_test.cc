// The executor under the seeded scheduler: any interleaving, with crashes, hangs, repeated
// requests, pauses, stops, a store that refuses commits or takes its time, and a service that is
// killed at any moment and goes on from its store. A failure names its seed;
// `--test_env=REHEARSE_SEED=N` repeats it.
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/container/btree_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/executor/simulated_workers.h"
#include "service/store/fault_injecting_store.h"
#include "service/store/memory/memory_store.h"
#include "tests/simulation/history_checks.h"

namespace rehearse {
namespace {

class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : scheduler_(seed, /*lane_count=*/2),
        ids_(seed),
        slots_(1 + scheduler_.Random(3)),
        workers_(scheduler_, slots_) {
    outside_ = scheduler_.AddLane();
    disk_ = scheduler_.AddLane();
    StartExecutor();
    workers_.set_trouble({Percent(10), Percent(3), Percent(20)});
    kill_percent_ = scheduler_.Random(2) == 0 ? 0 : 1 + Percent(30);
    if (scheduler_.Random(2) == 0) TroubleTheStore();
    CreateSession();
    AddFunctions();
  }

  void Run() {
    const int executions = 1 + scheduler_.Random(4);
    for (int i = 0; i < executions; ++i) Start();
    const int actions = scheduler_.Random(12);
    for (int i = 0; i < actions; ++i) {
      scheduler_.Post(outside_, [this] { ActFromOutside(); });
      if (Chance(kill_percent_)) {
        // In the middle of whatever goes on.
        scheduler_.RunUntilIdle(scheduler_.Random(100));
        Kill();
      }
      if (scheduler_.Random(3) == 0) RunUntilIdle();
      if (scheduler_.Random(6) == 0) {
        scheduler_.AdvanceWall(absl::Milliseconds(scheduler_.Random(300)));
      }
    }
    RunUntilIdle();
    kill_percent_ = 0;
    if (scheduler_.Random(8) == 0) scheduler_.Post(outside_, [this] { EndSession(); });
    scheduler_.RunUntilIdle();
    // Hanging handlers run into their time limit, deadlines pass, the store is well again.
    scheduler_.AdvanceWall(absl::Minutes(1));
    store_.SetFaults(nullptr);
    store_.SetLoadFaults(nullptr);
    scheduler_.AdvanceWall(absl::Hours(5));
  }

  void Check() {
    EXPECT_THAT(workers_.violations(), testing::IsEmpty());
    EXPECT_EQ(open_calls_, 0) << "calls without an answer";
    EXPECT_EQ(workers_.queued(), 0);
    EXPECT_EQ(workers_.free_slots(), slots_) << "slots that were not given back";
    CheckStore();
    for (const std::string& arn : arns_) CheckExecution(arn);
    if (ended_) return;
    for (const auto& [arn, operation_id] : workers_.acknowledged()) {
      CheckKept(memory_, arn, operation_id);
    }
  }

 private:
  template <typename Response>
  using Answer = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // An answer that has to come. What the store refused is refused; everything else is checked.
  template <typename Response>
  Answer<Response> Expect(Answer<Response> answer) {
    ++open_calls_;
    return [this, answer = std::move(answer)](absl::StatusOr<Response> response) mutable {
      --open_calls_;
      const bool refused = store_fails_ && absl::IsUnavailable(response.status());
      const bool gone = ended_ && absl::IsNotFound(response.status());
      if (!refused && !gone) answer(std::move(response));
    };
  }
  // An answer that says nothing.
  template <typename Response>
  Answer<Response> ExpectAny() {
    return Expect<Response>([](absl::StatusOr<Response>) {});
  }

  int Percent(int bound) {
    return scheduler_.Random(2) == 0 ? 0 : static_cast<int>(scheduler_.Random(bound));
  }
  bool Chance(int percent) { return static_cast<int>(scheduler_.Random(100)) < percent; }

  void StartExecutor() {
    executor_ = std::make_unique<Executor>(ExecutorOptions(), scheduler_, store_, workers_, ids_);
    workers_.Connect(executor_.get());
  }

  // As the scheduler's, but that commits may kill the service.
  void RunUntilIdle() {
    while (scheduler_.RunUntil([this] { return kill_ || !scheduler_.HasTasks(); }) && kill_) Kill();
  }

  // Calls are never answered, commits that are late are lost, invocations break or live on as
  // orphans; after a while another executor goes on with what the store has.
  void Kill() {
    kill_ = false;
    workers_.LoseService(/*orphans=*/50);
    scheduler_.DropTasks();
    executor_.reset();
    scheduler_.DropTasks();
    open_calls_ = 0;
    if (scheduler_.Random(2) == 0) {
      // Beyond some deadlines, or none.
      workers_.AnswersMayExpire();
      scheduler_.AdvanceWall(absl::Seconds(scheduler_.Random(3000)));
    }
    StartExecutor();
    ASSERT_EQ(executor_->Recover(), absl::OkStatus());
    ASSERT_TRUE(executor_->HoldSession("s").ok());
    AddWhatWasStarted();
  }

  // Starts whose answers were lost.
  void AddWhatWasStarted() {
    const absl::Status visited = memory_.VisitExecutions([this](RecoveredExecution execution) {
      if (!execution.record.has_parent()) arns_.insert(execution.record.arn());
    });
    ASSERT_EQ(visited, absl::OkStatus());
  }

  // From now on commits may fail, or take their time, or both, and loads may fail.
  void TroubleTheStore() {
    const int fail = Percent(30);
    const int defer = Percent(100);
    const absl::Duration longest =
        scheduler_.Random(4) == 0 ? absl::Seconds(3) : absl::Milliseconds(50);
    store_fails_ = fail > 0;
    store_.SetLoadFaults([this, fail] { return Chance(fail); });
    store_.SetFaults(
        [this, fail, defer](int64_t) {
          const bool fails = Chance(fail);
          if (Chance(kill_percent_ / 4)) {
            // Just when it has been written, or just when not.
            kill_ = true;
            return CommitFault::kDefer;
          }
          if (Chance(defer)) return fails ? CommitFault::kDeferAndFail : CommitFault::kDefer;
          return fails ? CommitFault::kFail : CommitFault::kNone;
        },
        [this, longest](absl::AnyInvocable<void()> commit) {
          if (kill_) {
            if (scheduler_.Random(2) == 0) commit();
            return;
          }
          const uint64_t nanos = absl::ToInt64Nanoseconds(longest);
          const absl::Duration late =
              absl::Nanoseconds(scheduler_.Random(2) == 0 ? 0 : scheduler_.Random(nanos));
          scheduler_.PostAt(disk_, scheduler_.Now() + late, std::move(commit));
        });
  }

  void CreateSession() {
    v1::CreateSessionRequest request;
    request.set_name("s");
    request.mutable_config()->set_clock_mode(v1::CLOCK_MODE_SKIP);
    request.mutable_config()->set_skip_deadlines(scheduler_.Random(2) == 0);
    stepped_ = scheduler_.Random(6) == 0;
    request.mutable_config()->set_stepped(stepped_);
    ASSERT_TRUE(executor_->CreateSession(request).ok());
    ASSERT_TRUE(executor_->HoldSession("s").ok());
  }

  void AddFunctions() {
    std::vector<v1::FunctionSpec> specs;
    auto durable = [&](const std::string& name, Program program) {
      v1::FunctionSpec spec;
      spec.set_function_name(name);
      spec.set_durable(true);
      if (scheduler_.Random(3) == 0) spec.mutable_durable_config()->set_execution_timeout(3600);
      specs.push_back(std::move(spec));
      workers_.AddFunction(name, std::move(program));
    };
    durable("child", {{Op::kStep}, {Op::kWait, 5}, {Op::kStep}});
    durable("quick", {{Op::kStep}});
    durable("main", RandomProgram());
    v1::FunctionSpec plain;
    plain.set_function_name("plain");
    specs.push_back(plain);
    workers_.AddFunction("plain", Program());
    ASSERT_TRUE(executor_->RegisterFunctions("s", specs).ok());
  }

  Program RandomProgram() {
    Program program;
    const int length = 1 + scheduler_.Random(5);
    for (int i = 0; i < length; ++i) {
      Op op{static_cast<Op::Kind>(scheduler_.Random(5))};
      op.seconds = 1 + scheduler_.Random(86400);
      const char* const targets[] = {"child", "quick", "plain", "missing"};
      op.target = targets[scheduler_.Random(4)];
      program.push_back(std::move(op));
    }
    return program;
  }

  void Start() {
    v1::StartExecutionRequest request;
    request.set_session("s");
    request.set_function_name("main");
    request.set_input("{}");
    // Some starts share a name: they are one execution.
    if (scheduler_.Random(3) == 0) request.set_durable_execution_name("same");
    executor_->StartExecution(request,
                              Expect<v1::StartExecutionResponse>(
                                  [this](absl::StatusOr<v1::StartExecutionResponse> response) {
                                    ASSERT_TRUE(response.ok()) << response.status();
                                    arns_.insert(response->durable_execution_arn());
                                  }));
  }

  void EndSession() {
    ended_ = true;
    workers_.ExecutionsMayBeGone();
    v1::DeleteSessionRequest request;
    request.set_name("s");
    executor_->DeleteSession(request, Expect<v1::DeleteSessionResponse>(
                                          [](absl::StatusOr<v1::DeleteSessionResponse> response) {
                                            EXPECT_TRUE(response.ok()) << response.status();
                                          }));
    // Comes too late.
    Start();
  }

  void ActFromOutside() {
    const uint64_t action = scheduler_.Random(10);
    if (action == 0) return Start();
    if (arns_.empty()) return;
    auto chosen = arns_.begin();
    std::advance(chosen, scheduler_.Random(arns_.size()));
    const std::string arn = *chosen;
    switch (action) {
      case 1:
        return executor_->PauseExecution(Of<v1::PauseExecutionRequest>(arn),
                                         ExpectAny<v1::PauseExecutionResponse>());
      case 2:
        return executor_->ResumeExecution(Of<v1::ResumeExecutionRequest>(arn),
                                          ExpectAny<v1::ResumeExecutionResponse>());
      case 3:
        if (scheduler_.Random(4) == 0) Stop(arn);
        return;
      case 4:
        return Advance();
      case 5:
        return WaitForExecution(arn);
      case 6: {
        auto request = Of<v1::WaitForOperationRequest>(arn);
        request.set_operation_id("op-0");
        request.add_statuses(v1::OPERATION_STATUS_READY);
        request.add_statuses(v1::OPERATION_STATUS_SUCCEEDED);
        return executor_->WaitForOperation(request, ExpectAny<v1::WaitForOperationResponse>());
      }
      case 7:
        return executor_->InvokeNext(Of<v1::InvokeNextRequest>(arn),
                                     ExpectAny<v1::InvokeNextResponse>());
      default:
        SendCallback();
    }
  }

  template <typename Request>
  Request Of(const std::string& arn) {
    Request request;
    request.set_durable_execution_arn(arn);
    return request;
  }

  void Stop(const std::string& arn) {
    executor_->StopExecution(Of<v1::StopExecutionRequest>(arn),
                             Expect<v1::StopExecutionResponse>(
                                 [this, arn](absl::StatusOr<v1::StopExecutionResponse> response) {
                                   EXPECT_TRUE(response.ok()) << response.status();
                                   const auto header = memory_.LoadHeader(arn);
                                   EXPECT_TRUE(header.ok() && IsTerminal(header->progress.status()))
                                       << "stopped, but not closed: " << arn;
                                 }));
  }

  void Advance() {
    workers_.AnswersMayExpire();
    v1::AdvanceTimeRequest request;
    request.set_session("s");
    if (scheduler_.Random(3) == 0) {
      request.set_next_timer(true);
    } else {
      request.mutable_duration()->set_seconds(1 + scheduler_.Random(10000));
    }
    executor_->AdvanceTime(request, Expect<v1::AdvanceTimeResponse>(
                                        [](absl::StatusOr<v1::AdvanceTimeResponse> response) {
                                          EXPECT_TRUE(response.ok()) << response.status();
                                        }));
  }

  void WaitForExecution(const std::string& arn) {
    auto request = Of<v1::WaitForExecutionRequest>(arn);
    request.mutable_timeout()->set_seconds(1 + scheduler_.Random(100));
    const bool paused = scheduler_.Random(3) == 0;
    if (paused) request.add_statuses(v1::EXECUTION_STATUS_PAUSED);
    executor_->WaitForExecution(
        request, Expect<v1::WaitForExecutionResponse>(
                     [paused](absl::StatusOr<v1::WaitForExecutionResponse> response) {
                       if (!response.ok()) {
                         const std::string name = ErrorNameOf(response.status());
                         EXPECT_TRUE(name == "WaitTimedOut" || name == "ResourceConflictException")
                             << response.status();
                         return;
                       }
                       const v1::ExecutionStatus status = response->execution().status();
                       EXPECT_EQ(status == v1::EXECUTION_STATUS_PAUSED, paused);
                       EXPECT_EQ(IsTerminal(status), !paused);
                     }));
  }

  void SendCallback() {
    if (workers_.callbacks().empty()) return;
    auto callback = workers_.callbacks().begin();
    std::advance(callback, scheduler_.Random(workers_.callbacks().size()));
    v1::SendCallbackSuccessRequest request;
    request.set_callback_id(callback->second);
    request.set_result("\"yes\"");
    executor_->SendCallbackSuccess(
        request, Expect<v1::SendCallbackSuccessResponse>(
                     [](absl::StatusOr<v1::SendCallbackSuccessResponse> response) {
                       EXPECT_TRUE(response.ok() ||
                                   ErrorNameOf(response.status()) == "CallbackTimeoutException")
                           << response.status();
                     }));
  }

  // There are the executions that were acknowledged and their children, and no others.
  void CheckStore() {
    ExecutionQuery query;
    query.session = "s";
    query.max_items = 1000;
    const auto stored = memory_.List(query);
    ASSERT_TRUE(stored.ok()) << stored.status();
    if (ended_) {
      EXPECT_TRUE(stored->empty()) << "left behind: " << stored->front().record.arn();
      arns_.clear();
      return;
    }
    absl::btree_set<std::string> children;
    for (const StoredExecution& execution : *stored) {
      const auto events = memory_.ReadEvents(execution.record.arn(), 1, 100000);
      for (const v1::Event& event : *events) {
        const auto& details = event.chained_invoke_started_details();
        if (!details.has_durable_execution_arn()) continue;
        EXPECT_TRUE(children.insert(details.durable_execution_arn()).second) << "started twice";
      }
    }
    for (const StoredExecution& execution : *stored) {
      const std::string& arn = execution.record.arn();
      if (execution.record.has_parent()) {
        EXPECT_EQ(children.erase(arn), 1u) << "nobody has started " << arn;
        arns_.insert(arn);
      } else {
        EXPECT_TRUE(arns_.contains(arn)) << "refused, but there: " << arn;
      }
    }
    EXPECT_THAT(children, testing::IsEmpty()) << "acknowledged, but lost";
  }

  void CheckExecution(const std::string& arn) {
    absl::optional<v1::GetExecutionResponse> response;
    executor_->GetExecution(Of<v1::GetExecutionRequest>(arn),
                            [&](absl::StatusOr<v1::GetExecutionResponse> got) {
                              ASSERT_TRUE(got.ok()) << got.status();
                              response = *std::move(got);
                            });
    scheduler_.RunUntilIdle();
    ASSERT_TRUE(response.has_value());
    const v1::ExecutionStatus status = response->execution().status();
    CheckHistory(memory_, arn, IsTerminal(status));
    if (IsTerminal(status) || status == v1::EXECUTION_STATUS_PAUSED) return;
    // Still open: on somebody outside only, or on a child that is.
    ASSERT_GT(response->waiting_for_size(), 0) << "stuck: " << arn << "\n"
                                               << HistoryText(memory_, arn);
    for (const v1::WaitingFor& reason : response->waiting_for()) {
      const bool outside = reason.kind() == v1::WaitingFor::KIND_CALLBACK ||
                           reason.kind() == v1::WaitingFor::KIND_NEXT_INVOCATION;
      const bool child = reason.kind() == v1::WaitingFor::KIND_CHAINED_INVOKE && stepped_;
      EXPECT_TRUE(outside || child || ChildIsHeld(memory_, arns_, arn))
          << arn << " waits for " << reason.text() << "\n"
          << HistoryText(memory_, arn);
    }
  }

  SeededScheduler scheduler_;
  SeededIds ids_;
  MemoryStore memory_;
  FaultInjectingStore store_{memory_};
  const int slots_;
  SimulatedWorkers workers_;
  int outside_;
  int disk_;
  std::unique_ptr<Executor> executor_;
  bool stepped_ = false;
  bool store_fails_ = false;
  // How often the service is killed, and that it is to be at once.
  int kill_percent_ = 0;
  bool kill_ = false;
  bool ended_ = false;
  int open_calls_ = 0;
  // Acknowledged; later with their children.
  absl::btree_set<std::string> arns_;
};

// How many seeds a suite runs: a quarter of REHEARSE_SEEDS, 10,000 unless that is set.
uint64_t SeedsPerSuite() {
  const char* const text = std::getenv("REHEARSE_SEEDS");
  uint64_t seeds = 10000;
  if (text != nullptr && !absl::SimpleAtoi(text, &seeds)) seeds = 10000;
  return seeds / 4;
}

// Suites split the seeds, so that they can run side by side.
class ExecutorSimulationTest : public testing::TestWithParam<int> {};

TEST_P(ExecutorSimulationTest, EveryExecutionEndsOrWaitsOnSomethingNamed) {
  const char* const only = std::getenv("REHEARSE_SEED");
  uint64_t seed = GetParam() * SeedsPerSuite();
  uint64_t end = seed + SeedsPerSuite();
  if (only != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(only, &seed));
    end = seed + 1;
  }
  for (; seed < end && !HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed));
    Simulation simulation(seed);
    simulation.Run();
    simulation.Check();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExecutorSimulationTest, testing::Range(0, 4));

}  // namespace
}  // namespace rehearse
