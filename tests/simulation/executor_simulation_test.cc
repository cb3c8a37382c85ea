// The executor under the seeded scheduler: any interleaving, with crashes, hangs, repeated
// requests, pauses and stops. A failure names its seed; `--test_env=REHEARSE_SEED=N` repeats it.
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/executor/simulated_workers.h"
#include "service/store/memory/memory_store.h"


namespace rehearse {
namespace {

class SeededIds final : public IdSource {
 public:
  explicit SeededIds(uint64_t seed) : random_(seed) {}
  uint64_t Next() override { return random_(); }

 private:
  std::mt19937_64 random_;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : scheduler_(seed, /*lane_count=*/2),
        ids_(seed),
        workers_(scheduler_, 1 + scheduler_.Random(3)) {
    outside_ = scheduler_.AddLane();
    options_.session_defaults.set_clock_mode(v1::CLOCK_MODE_SKIP);
    options_.session_defaults.set_skip_deadlines(scheduler_.Random(2) == 0);
    executor_ = std::make_unique<Executor>(options_, scheduler_, store_, workers_, ids_);
    workers_.Connect(executor_.get());
    workers_.set_trouble({Percent(10), Percent(3), Percent(20)});
    AddFunctions();
  }

  void Run() {
    const int executions = 1 + scheduler_.Random(4);
    for (int i = 0; i < executions; ++i) Start();
    const int actions = scheduler_.Random(12);
    for (int i = 0; i < actions; ++i) {
      scheduler_.Post(outside_, [this] { ActFromOutside(); });
      if (scheduler_.Random(3) == 0) scheduler_.RunUntilIdle();
    }
    scheduler_.RunUntilIdle();
    // Hanging handlers run into their time limit, deadlines pass.
    scheduler_.AdvanceWall(absl::Hours(5));
  }

  void Check() {
    EXPECT_THAT(workers_.violations(), testing::IsEmpty());
    for (const std::string& arn : arns_) CheckExecution(arn);
    for (const auto& [arn, operation_id] : workers_.acknowledged()) {
      const auto execution = store_.Load(arn);
      ASSERT_TRUE(execution.ok()) << execution.status();
      const record::OperationRecord* operation = (*execution)->Find(operation_id);
      ASSERT_NE(operation, nullptr) << "acknowledged, but lost: " << arn << " " << operation_id;
      EXPECT_EQ(operation->operation().status(), v1::OPERATION_STATUS_SUCCEEDED);
    }
  }

 private:
  int Percent(int bound) {
    return scheduler_.Random(2) == 0 ? 0 : static_cast<int>(scheduler_.Random(bound));
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
    ASSERT_TRUE(executor_->RegisterFunctions("", specs).ok());
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
    request.set_function_name("main");
    request.set_input("{}");
    // Some starts share a name: they are one execution.
    if (scheduler_.Random(3) == 0) request.set_durable_execution_name("same");
    executor_->StartExecution(request, [this](absl::StatusOr<v1::StartExecutionResponse> response) {
      ASSERT_TRUE(response.ok()) << response.status();
      arns_.push_back(response->durable_execution_arn());
    });
  }

  void ActFromOutside() {
    if (arns_.empty()) return;
    const std::string arn = arns_[scheduler_.Random(arns_.size())];
    switch (scheduler_.Random(6)) {
      case 0: {
        v1::PauseExecutionRequest request;
        request.set_durable_execution_arn(arn);
        return executor_->PauseExecution(request,
                                         [](absl::StatusOr<v1::PauseExecutionResponse>) {});
      }
      case 1: {
        v1::ResumeExecutionRequest request;
        request.set_durable_execution_arn(arn);
        return executor_->ResumeExecution(request,
                                          [](absl::StatusOr<v1::ResumeExecutionResponse>) {});
      }
      case 2: {
        if (scheduler_.Random(4) != 0) return;
        v1::StopExecutionRequest request;
        request.set_durable_execution_arn(arn);
        return executor_->StopExecution(request,
                                        [](absl::StatusOr<v1::StopExecutionResponse> response) {
                                          EXPECT_TRUE(response.ok()) << response.status();
                                        });
      }
      case 3: {
        workers_.AnswersMayExpire();
        v1::AdvanceTimeRequest request;
        request.mutable_duration()->set_seconds(1 + scheduler_.Random(10000));
        return executor_->AdvanceTime(request,
                                      [](absl::StatusOr<v1::AdvanceTimeResponse> response) {
                                        EXPECT_TRUE(response.ok()) << response.status();
                                      });
      }
      default: {
        if (workers_.callbacks().empty()) return;
        auto callback = workers_.callbacks().begin();
        std::advance(callback, scheduler_.Random(workers_.callbacks().size()));
        v1::SendCallbackSuccessRequest request;
        request.set_callback_id(callback->second);
        request.set_result("\"yes\"");
        executor_->SendCallbackSuccess(
            request, [](absl::StatusOr<v1::SendCallbackSuccessResponse> response) {
              EXPECT_TRUE(response.ok() ||
                          ErrorNameOf(response.status()) == "CallbackTimeoutException")
                  << response.status();
            });
      }
    }
  }

  void CheckExecution(const std::string& arn) {
    v1::GetExecutionRequest request;
    request.set_durable_execution_arn(arn);
    absl::optional<v1::GetExecutionResponse> response;
    executor_->GetExecution(request, [&](absl::StatusOr<v1::GetExecutionResponse> got) {
      ASSERT_TRUE(got.ok()) << got.status();
      response = *std::move(got);
    });
    scheduler_.RunUntilIdle();
    ASSERT_TRUE(response.has_value());
    const v1::ExecutionStatus status = response->execution().status();
    CheckHistory(arn, IsTerminal(status));
    if (IsTerminal(status) || status == v1::EXECUTION_STATUS_PAUSED) return;
    // Still open: on somebody outside only.
    ASSERT_GT(response->waiting_for_size(), 0) << "stuck: " << arn << "\n" << HistoryText(arn);
    for (const v1::WaitingFor& reason : response->waiting_for()) {
      EXPECT_TRUE(reason.kind() == v1::WaitingFor::KIND_CALLBACK)
          << arn << " waits for " << reason.text();
    }
  }

  std::string HistoryText(const std::string& arn) {
    std::string text;
    const auto events = store_.ReadEvents(arn, 1, 1000);
    for (const v1::Event& event : *events) {
      absl::StrAppend(&text, event.ShortDebugString(), "\n");
    }
    absl::StrAppend(&text, store_.LoadHeader(arn)->progress.ShortDebugString());
    return text;
  }

  void CheckHistory(const std::string& arn, bool closed) {
    const auto events = store_.ReadEvents(arn, 1, 100000);
    ASSERT_TRUE(events.ok()) << events.status();
    ASSERT_FALSE(events->empty());
    absl::Time last = absl::InfinitePast();
    for (size_t i = 0; i < events->size(); ++i) {
      const v1::Event& event = (*events)[i];
      EXPECT_EQ(event.event_id(), static_cast<int64_t>(i) + 1);
      EXPECT_GE(ToAbsl(event.event_timestamp()), last);
      last = ToAbsl(event.event_timestamp());
      const bool terminal = event.event_type() >= v1::EVENT_TYPE_EXECUTION_SUCCEEDED &&
                            event.event_type() <= v1::EVENT_TYPE_EXECUTION_STOPPED;
      EXPECT_EQ(terminal, closed && i + 1 == events->size()) << event.ShortDebugString();
    }
  }

  SeededScheduler scheduler_;
  SeededIds ids_;
  MemoryStore store_;
  SimulatedWorkers workers_;
  int outside_;
  ExecutorOptions options_;
  std::unique_ptr<Executor> executor_;
  std::vector<std::string> arns_;
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
