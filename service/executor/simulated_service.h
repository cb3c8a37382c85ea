// SimulatedService: an executor with everything around it, for tests: a seeded scheduler with its
// simulated wall clock, simulated workers, a memory store whose commits may fail.
//
//   SimulatedService service(v1::CLOCK_MODE_SKIP);
//   service.AddFunction("orders", Script{{Checkpoint({wait}), Pending()}, {Succeed("17")}});
//   const std::string arn = service.Start("orders");
//   EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
//   EXPECT_THAT(service.History(arn), ElementsAre(...));
#ifndef REHEARSE_SERVICE_EXECUTOR_SIMULATED_SERVICE_H_
#define REHEARSE_SERVICE_EXECUTOR_SIMULATED_SERVICE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "service/checkpoint/test_execution.h"
#include "service/clock/seeded_scheduler.h"
#include "service/executor/executor.h"
#include "service/executor/simulated_workers.h"
#include "service/store/fault_injecting_store.h"
#include "service/store/memory/memory_store.h"

namespace rehearse {

class SimulatedService {
 public:
  // Of the session `default`.
  explicit SimulatedService(v1::ClockMode mode, uint64_t seed = 1);
  explicit SimulatedService(const v1::SessionConfig& defaults, uint64_t seed = 1);
  // Drops what has not run.
  ~SimulatedService();

  // A durable function, whose settings may be given, in `default`.
  void AddFunction(const std::string& name, absl::variant<Program, Script> code,
                   v1::FunctionSpec spec = {});
  void AddPlainFunction(const std::string& name, absl::variant<Program, Script> code,
                        v1::FunctionSpec spec = {});

  // Makes the call and runs until it is answered; time may pass.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(void (Executor::*method)(Request, Executor::Done<Response>),
                                const Request& request) {
    auto answer = std::make_shared<absl::optional<absl::StatusOr<Response>>>();
    (executor().*method)(request,
                         [answer](absl::StatusOr<Response> got) { *answer = std::move(got); });
    if (!scheduler.RunUntil([&] { return answer->has_value(); })) {
      return absl::AbortedError("never answered");
    }
    return **std::move(answer);
  }
  absl::Status Checkpoint(const v1::CheckpointRequest& request);

  // Starts an execution with the input {}. Nothing has run yet.
  std::string Start(const std::string& function);
  absl::StatusOr<v1::StartExecutionResponse> Start(const v1::StartExecutionRequest& request) {
    return Call(&Executor::StartExecution, request);
  }
  // Runs what can run without moving the wall clock.
  void Run() { scheduler.RunUntilIdle(); }
  // Runs until the execution has closed, whatever time that takes.
  v1::Execution End(const std::string& arn);
  v1::Execution Get(const std::string& arn);
  v1::ExecutionStatus StatusOf(const std::string& arn) { return Get(arn).status(); }
  // What GetExecution says that it waits for.
  std::vector<std::string> WaitingFor(const std::string& arn);
  // Every operation, by InspectExecution.
  v1::InspectExecutionResponse Inspect(const std::string& arn);
  absl::Status Stop(const std::string& arn);
  absl::Status Pause(const std::string& arn);
  absl::Status Resume(const std::string& arn);
  // On the callback that the newest checkpoint answer of the execution shows.
  std::string CallbackId(const std::string& arn, const std::string& operation_id);
  absl::Status SendSuccess(const std::string& callback_id, const std::string& result = "\"yes\"");
  // AdvanceTime of `default`; what fired, as "WAIT a".
  std::vector<std::string> Advance(absl::Duration duration);

  // One line for each event: time since the start, id, type, operation, details. What differs in
  // every run - timestamps, generated ids - is left out:
  //   "+1s 4 WAIT_SUCCEEDED pause duration: 1"
  std::vector<std::string> History(const std::string& arn);
  // The types only, joined by spaces.
  std::string EventTypes(const std::string& arn);

  Executor& executor() { return *executor_; }

  // The service is killed: calls are never answered, commits that are late are lost, invocations
  // break. `down` later another one takes up what the store has. Functions stay known to the
  // workers, and are not registered again.
  void Restart(absl::Duration down = absl::ZeroDuration());

  SeededScheduler scheduler;
  MemoryStore memory;
  FaultInjectingStore store{memory};
  SimulatedWorkers workers;
  CountingIdSource ids;

 private:
  ExecutorOptions options_;
  std::unique_ptr<Executor> executor_;
};

// Updates, short.
v1::OperationUpdate StartStep(absl::string_view id);
v1::OperationUpdate SucceedStep(absl::string_view id, absl::string_view payload);
v1::OperationUpdate FailStep(absl::string_view id, absl::string_view message);
// With an error; without one (wait for condition) when `message` is empty.
v1::OperationUpdate RetryStep(absl::string_view id, int delay_seconds, absl::string_view message);
v1::OperationUpdate StartWait(absl::string_view id, int seconds);
v1::OperationUpdate StartCallback(absl::string_view id, int timeout_seconds = 0,
                                  int heartbeat_seconds = 0);
v1::OperationUpdate StartInvoke(absl::string_view id, absl::string_view function,
                                absl::string_view payload = "{}");
v1::OperationUpdate StartContext(absl::string_view id);
v1::OperationUpdate SucceedContext(absl::string_view id, absl::string_view payload,
                                   bool replay_children = false);
v1::OperationUpdate SucceedExecution(absl::string_view payload);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_SIMULATED_SERVICE_H_
