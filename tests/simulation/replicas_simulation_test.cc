// Replicas that share a store under the seeded scheduler: any interleaving of starts, claims,
// releases and forwarded requests, with replicas that lose their lease and go on not knowing, whose
// workers serve different functions. A failure names its seed; `--test_env=REHEARSE_SEED=N` repeats
// it.
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/executor/simulated_workers.h"
#include "tests/simulation/history_checks.h"
#include "tests/simulation/simulated_database.h"

namespace rehearse {
namespace {

const char* const kFunctions[] = {"main", "child", "quick", "plain"};

class Simulation final : public ReplicaPeers {
 public:
  explicit Simulation(uint64_t seed)
      : scheduler_(seed, /*lane_count=*/2), ids_(seed), database_(scheduler_) {
    outside_ = scheduler_.AddLane();
    program_ = RandomProgram();
    if (scheduler_.Random(2) == 0) database_.set_write_failures(scheduler_.Random(20));
    const uint64_t replicas = 1 + scheduler_.Random(3);
    for (uint64_t i = 0; i < replicas; ++i) AddProcess(/*all_functions=*/false);
  }
  ~Simulation() override { scheduler_.DropTasks(); }

  void Run() {
    const uint64_t actions = 2 + scheduler_.Random(12);
    for (uint64_t i = 0; i < actions; ++i) {
      scheduler_.Post(outside_, [this] { Act(); });
      if (scheduler_.Random(3) == 0) scheduler_.RunUntilIdle(scheduler_.Random(200));
      if (scheduler_.Random(4) == 0) scheduler_.AdvanceWall(absl::Seconds(scheduler_.Random(9000)));
    }
    scheduler_.RunUntilIdle();
    database_.set_write_failures(0);
    AddProcess(/*all_functions=*/true);
    scheduler_.AdvanceWall(absl::Hours(24 * 12));
  }

  void Check() {
    EXPECT_THAT(database_.violations(), testing::IsEmpty());
    for (const auto& process : processes_) {
      EXPECT_THAT(process->workers->violations(), testing::IsEmpty());
      if (!process->replica.ended()) {
        EXPECT_EQ(process->open_calls, 0) << "calls without an answer";
      }
      for (const auto& [arn, id] : process->workers->acknowledged())
        CheckKept(database_.store(), arn, id);
    }
    const absl::Status visited = database_.store().VisitExecutions(
        [this](RecoveredExecution execution) { arns_.insert(execution.record.arn()); });
    ASSERT_EQ(visited, absl::OkStatus());
    for (const std::string& arn : arns_) CheckExecution(arn);
  }

  void Call(const std::string& address, const google::protobuf::Message& request,
            std::unique_ptr<google::protobuf::Message> response, Answered answered) override {
    Process* peer = nullptr;
    for (const auto& process : processes_) {
      if (process->replica.address() == address && !process->replica.ended()) peer = process.get();
    }
    if (peer == nullptr) return answered(errors::StoreUnavailable("gone"), std::move(response));
    auto call = std::make_shared<PeerCall>(PeerCall{std::move(response), std::move(answered)});
    peer->calls.push_back(call);
    Executor& executor = *peer->executor;
    const bool known =
        Pass<v1::CheckpointRequest, v1::CheckpointResponse>(
            request, call,
            [&](const v1::CheckpointRequest& checkpoint, auto done) {
              executor.Checkpoint(checkpoint, StaleTokenSpelling::kReal, std::move(done));
            }) ||
        PassTo(executor, &Executor::StopExecution, request, call) ||
        PassTo(executor, &Executor::PauseExecution, request, call) ||
        PassTo(executor, &Executor::ResumeExecution, request, call) ||
        PassTo(executor, &Executor::SendCallbackSuccess, request, call);
    EXPECT_TRUE(known) << request.GetTypeName();
  }

 private:
  struct PeerCall {
    std::unique_ptr<google::protobuf::Message> response;
    // Null once it is answered.
    Answered answered;

    void Answer(absl::Status status) {
      if (Answered answer = std::exchange(answered, nullptr)) {
        answer(std::move(status), std::move(response));
      }
    }
  };
  struct Process {
    explicit Process(SimulatedReplica& replica) : replica(replica) {}
    SimulatedReplica& replica;
    std::unique_ptr<SimulatedWorkers> workers;
    std::unique_ptr<Executor> executor;
    int open_calls = 0;
    // Of other replicas.
    std::vector<std::shared_ptr<PeerCall>> calls;
  };

  // Whether the request is of this type.
  template <typename Request, typename Response, typename Function>
  static bool Pass(const google::protobuf::Message& request, std::shared_ptr<PeerCall> call,
                   Function function) {
    const auto* typed = dynamic_cast<const Request*>(&request);
    if (typed == nullptr) return false;
    function(*typed, [call = std::move(call)](absl::StatusOr<Response> response) {
      if (response.ok() && call->answered) call->response->CopyFrom(*response);
      call->Answer(response.status());
    });
    return true;
  }
  template <typename Request, typename Response>
  static bool PassTo(Executor& executor,
                     void (Executor::*method)(Request, Executor::Done<Response>),
                     const google::protobuf::Message& request, std::shared_ptr<PeerCall> call) {
    return Pass<Request, Response>(request, std::move(call), [&](const Request& typed, auto done) {
      (executor.*method)(typed, std::move(done));
    });
  }

  void AddProcess(bool all_functions) {
    processes_.push_back(std::make_unique<Process>(database_.AddReplica()));
    Process& process = *processes_.back();
    process.workers = std::make_unique<SimulatedWorkers>(
        scheduler_, all_functions ? 4 : static_cast<int>(scheduler_.Random(3)));
    ExecutorOptions options;
    options.peers = this;
    process.executor =
        std::make_unique<Executor>(options, scheduler_, process.replica, *process.workers, ids_);
    process.workers->Connect(process.executor.get());
    // As through a load balancer.
    process.workers->AskThrough([this, &process]() -> Executor* {
      return scheduler_.Random(2) == 0 ? process.executor.get() : RandomProcess().executor.get();
    });
    if (scheduler_.Random(2) == 0) {
      process.workers->set_trouble(
          {static_cast<int>(scheduler_.Random(8)), 0, static_cast<int>(scheduler_.Random(20))});
    }
    ASSERT_EQ(process.executor->Recover(), absl::OkStatus());
    std::vector<v1::FunctionSpec> specs;
    for (const char* name : kFunctions) {
      v1::FunctionSpec& spec = specs.emplace_back();
      spec.set_function_name(name);
      spec.set_durable(absl::string_view(name) != "plain");
    }
    ASSERT_EQ(process.executor->RegisterFunctions("default", specs), absl::OkStatus());
    const Program programs[] = {
        program_, {{Op::kStep}, {Op::kWait, 5}, {Op::kStep}}, {{Op::kStep}}, {}};
    for (int i = 0; i < 4; ++i) {
      if (all_functions || scheduler_.Random(2) == 0) {
        process.workers->AddFunction(kFunctions[i], programs[i]);
      }
    }
    ASSERT_EQ(process.executor->Join(absl::StrCat("replica-", process.replica.token())),
              absl::OkStatus());
  }

  // One whose lease runs.
  Process& RandomProcess() {
    std::vector<Process*> running;
    for (const auto& process : processes_) {
      if (!process->replica.ended()) running.push_back(process.get());
    }
    return *running[scheduler_.Random(running.size())];
  }

  Program RandomProgram() {
    Program program;
    const uint64_t length = 1 + scheduler_.Random(5);
    for (uint64_t i = 0; i < length; ++i) {
      Op op{static_cast<Op::Kind>(scheduler_.Random(5))};
      op.seconds = 1 + scheduler_.Random(scheduler_.Random(2) == 0 ? 3 : 86400);
      const char* const targets[] = {"child", "quick", "plain", "missing"};
      op.target = targets[scheduler_.Random(4)];
      program.push_back(std::move(op));
    }
    return program;
  }

  // An answer that has to come unless the process is given up; `check` sees those that are not due
  // to a store or a replica that is away.
  template <typename Response>
  Executor::Done<Response> Expect(Process& process,
                                  std::function<void(absl::StatusOr<Response>)> check) {
    ++process.open_calls;
    return [&process, check = std::move(check)](absl::StatusOr<Response> response) {
      --process.open_calls;
      if (!absl::IsUnavailable(response.status())) check(std::move(response));
    };
  }
  template <typename Response>
  Executor::Done<Response> ExpectAny(Process& process) {
    return Expect<Response>(process, [](const absl::StatusOr<Response>&) {});
  }
  template <typename Request>
  Request Of(const std::string& arn) {
    Request request;
    request.set_durable_execution_arn(arn);
    return request;
  }

  void Act() {
    const uint64_t action = scheduler_.Random(10);
    Process& process = RandomProcess();
    Executor& executor = *process.executor;
    if (action < 3 || arns_.empty()) return Start(process);
    auto chosen = arns_.begin();
    std::advance(chosen, scheduler_.Random(arns_.size()));
    const std::string& arn = *chosen;
    switch (action) {
      case 3:
        return executor.PauseExecution(Of<v1::PauseExecutionRequest>(arn),
                                       ExpectAny<v1::PauseExecutionResponse>(process));
      case 4:
        return executor.ResumeExecution(Of<v1::ResumeExecutionRequest>(arn),
                                        ExpectAny<v1::ResumeExecutionResponse>(process));
      case 5:
        return Stop(process, arn);
      case 6:
        return Wait(process, arn);
      case 7:
      case 8:
        return SendCallback(process);
      default:
        return LoseReplica(process);
    }
  }

  void Start(Process& process) {
    v1::StartExecutionRequest request;
    request.set_function_name("main");
    request.set_input("{}");
    // Some starts share a name: they are one execution.
    const bool same = scheduler_.Random(3) == 0;
    if (same) request.set_durable_execution_name("same");
    process.executor->StartExecution(
        request, Expect<v1::StartExecutionResponse>(
                     process, [this, same](absl::StatusOr<v1::StartExecutionResponse> response) {
                       ASSERT_TRUE(response.ok()) << response.status();
                       const std::string& arn = response->durable_execution_arn();
                       arns_.insert(arn);
                       if (!same) return;
                       if (same_.empty()) same_ = arn;
                       EXPECT_EQ(arn, same_);
                     }));
  }

  void Stop(Process& process, const std::string& arn) {
    if (scheduler_.Random(3) > 0) return;
    process.executor->StopExecution(
        Of<v1::StopExecutionRequest>(arn),
        Expect<v1::StopExecutionResponse>(
            process, [this, arn](const absl::StatusOr<v1::StopExecutionResponse>& response) {
              EXPECT_TRUE(response.ok()) << response.status();
              const auto header = database_.store().LoadHeader(arn);
              EXPECT_TRUE(header.ok() && IsTerminal(header->progress.status()))
                  << "stopped, but not closed: " << arn;
            }));
  }

  void Wait(Process& process, const std::string& arn) {
    auto request = Of<v1::WaitForExecutionRequest>(arn);
    request.mutable_timeout()->set_seconds(1 + scheduler_.Random(3000));
    process.executor->WaitForExecution(
        request, Expect<v1::WaitForExecutionResponse>(
                     process, [](const absl::StatusOr<v1::WaitForExecutionResponse>& response) {
                       if (response.ok()) {
                         EXPECT_TRUE(IsTerminal(response->execution().status()));
                       } else {
                         EXPECT_EQ(ErrorNameOf(response.status()), "WaitTimedOut");
                       }
                     }));
  }

  void SendCallback(Process& process) {
    std::vector<std::string> callbacks;
    for (const auto& other : processes_) {
      for (const auto& callback : other->workers->callbacks()) callbacks.push_back(callback.second);
    }
    if (callbacks.empty()) return;
    v1::SendCallbackSuccessRequest request;
    request.set_callback_id(callbacks[scheduler_.Random(callbacks.size())]);
    process.executor->SendCallbackSuccess(
        request, Expect<v1::SendCallbackSuccessResponse>(
                     process, [](const absl::StatusOr<v1::SendCallbackSuccessResponse>& response) {
                       EXPECT_TRUE(response.ok() ||
                                   ErrorNameOf(response.status()) == "CallbackTimeoutException")
                           << response.status();
                     }));
  }

  // It was silent for too long, and goes on.
  void LoseReplica(Process& process) {
    AddProcess(/*all_functions=*/false);
    process.workers->LoseService();
    database_.EndLease(process.replica);
    for (const std::shared_ptr<PeerCall>& call : process.calls) {
      call->Answer(errors::StoreUnavailable("gone"));
    }
  }

  void CheckExecution(const std::string& arn) {
    absl::optional<v1::GetExecutionResponse> response;
    processes_.back()->executor->GetExecution(Of<v1::GetExecutionRequest>(arn),
                                              [&](absl::StatusOr<v1::GetExecutionResponse> got) {
                                                ASSERT_TRUE(got.ok()) << got.status();
                                                response = *std::move(got);
                                              });
    scheduler_.RunUntilIdle();
    ASSERT_TRUE(response.has_value());
    const v1::ExecutionStatus status = response->execution().status();
    CheckHistory(database_.store(), arn, IsTerminal(status));
    if (IsTerminal(status) || status == v1::EXECUTION_STATUS_PAUSED) return;
    ASSERT_GT(response->waiting_for_size(), 0) << "stuck: " << arn << "\n"
                                               << HistoryText(database_.store(), arn);
    for (const v1::WaitingFor& reason : response->waiting_for()) {
      const bool outside = reason.kind() == v1::WaitingFor::KIND_CALLBACK;
      EXPECT_TRUE(outside || ChildIsHeld(database_.store(), arns_, arn))
          << arn << " waits for " << reason.text() << "\n"
          << HistoryText(database_.store(), arn);
    }
  }

  SeededScheduler scheduler_;
  SeededIds ids_;
  SimulatedDatabase database_;
  int outside_;
  Program program_;
  std::vector<std::unique_ptr<Process>> processes_;
  absl::btree_set<std::string> arns_;
  // The execution of that name.
  std::string same_;
};

TEST(ReplicasSimulationTest, EveryExecutionEndsOrWaitsOnSomethingNamed) {
  const char* const only = std::getenv("REHEARSE_SEED");
  const char* const many = std::getenv("REHEARSE_SEEDS");
  uint64_t seed = 0;
  uint64_t end = 1000;
  if (many != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(many, &end));
  }
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

}  // namespace
}  // namespace rehearse
