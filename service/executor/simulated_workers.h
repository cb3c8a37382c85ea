// SimulatedWorkers: functions that run on a SeededScheduler, with everything that can go wrong on
// the way.
//
// A function is a program: a list of operations that it performs in order, replaying what is
// recorded, as an SDK does. Where a worker may crash, hang, repeat a request or take its time, the
// seed decides. Or it is a script, which says for each invocation of an execution what the worker
// does.
//
//   SimulatedWorkers workers(scheduler, /*slots=*/3);
//   workers.AddFunction("orders", Program{{Op::kStep}, {Op::kWait, 86400}, {Op::kCallback}});
//   workers.AddFunction("prices", Script{{Checkpoint({wait}), Pending()}, {Succeed("17")}});
//   Executor executor(options, scheduler, store, workers, ids);
//   workers.Connect(&executor);
#ifndef REHEARSE_SERVICE_EXECUTOR_SIMULATED_WORKERS_H_
#define REHEARSE_SERVICE_EXECUTOR_SIMULATED_WORKERS_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/variant.h"
#include "service/clock/seeded_scheduler.h"
#include "service/executor/executor.h"
#include "service/invoker/invoker.h"

namespace rehearse {

struct Op {
  enum Kind { kStep, kRetriedStep, kWait, kCallback, kChainedInvoke };
  Kind kind;
  // kWait, and the delay of kRetriedStep's first retry.
  int seconds = 1;
  // kChainedInvoke.
  std::string target = "";
};
using Program = std::vector<Op>;

// Something a script's worker does.
struct Action {
  enum Kind { kCheckpoint, kIdle, kHold, kEnd };
  Kind kind;
  // kCheckpoint; none: a poll.
  std::vector<v1::OperationUpdate> updates = {};
  // kIdle: the wait or step that it waits for in its process.
  std::string operation_id = "";
  // kEnd.
  InvocationEnd end = {InvocationEnd::Kind::kAnswered, "", {}};
};
// By invocation of an execution; by invocation at all for a plain function.
using Script = std::vector<std::vector<Action>>;

Action Checkpoint(std::vector<v1::OperationUpdate> updates);
Action Poll();
Action Idle(std::string operation_id);
// Goes on when the test says Release.
Action Hold();
Action Answer(absl::string_view payload);
Action Pending();
// `result` as the text of a JSON string.
Action Succeed(absl::string_view result);
Action Fail(absl::string_view type, absl::string_view message);
// The runtime reports an error.
Action Throw(absl::string_view type, absl::string_view message);
// The process dies.
Action Crash();

// Chances, in percent, at each opportunity.
struct Trouble {
  int crash = 0;
  int hang = 0;
  int repeat_request = 0;
};

class SimulatedWorkers final : public Invoker {
 public:
  // One invocation on its worker.
  struct Run {
    v1::ServeResponse::Invocation invocation;
    InvocationLease::Ended ended;
    // The newest that the worker has.
    std::string token;
    absl::flat_hash_map<std::string, v1::Operation> state;
    // Of scripts: what is left to do, and what the service has said.
    std::deque<Action> actions;
    std::vector<absl::StatusOr<v1::CheckpointResponse>> answers;
    std::vector<absl::StatusOr<v1::ServeResponse::IdleEnded>> idles;
    std::vector<v1::ServeResponse::Abort::Reason> aborts;
    bool held = false;
    // The service or the worker is through with it; nothing more is sent.
    bool over = false;
    // Its service has died, and it has not noticed: it has no place any more.
    bool orphan = false;
    // The request that has not been answered.
    absl::optional<v1::CheckpointRequest> unanswered;

    const std::string& arn() const { return invocation.durable().durable_execution_arn(); }
  };

  SimulatedWorkers(SeededScheduler& scheduler, int slots)
      : scheduler_(scheduler), lane_(scheduler.AddLane()), slots_(slots), free_slots_(slots) {}

  // A function of several sessions is one function here. An empty program: a plain function that
  // answers "plain".
  void AddFunction(const std::string& name, absl::variant<Program, Script> code) {
    functions_[name] = std::move(code);
  }
  void Connect(Executor* executor);
  // Checkpoints go to what `executor` gives, as they do through a load balancer.
  void AskThrough(std::function<Executor*()> executor) { ask_through_ = std::move(executor); }
  // The service is about to die: invocations are over, and nothing is asked for. Of those that wait
  // for an answer, each with the chance of `orphans` percent goes on, and asks the next service
  // that is connected.
  void LoseService(int orphans = 0);
  void set_trouble(Trouble trouble) { trouble_ = trouble; }
  // The test has moved time while invocations run: a repeated request may come too late for its
  // kept answer.
  void AnswersMayExpire() { answers_may_expire_ = true; }
  // The test ends the session while invocations run: their executions may be gone.
  void ExecutionsMayBeGone() { executions_may_be_gone_ = true; }
  // Workers go on when they are told that their work is of no more use.
  void IgnoreAborts() { ignore_aborts_ = true; }
  // No invocation starts until another call of it. 0: nobody is there.
  void set_slots(int slots);
  // Lets the scripts that Hold go on; how many there were.
  int Release();

  void Acquire(const FunctionKey& function, Ready ready) override;
  bool HasPlace(const FunctionKey& function) override;
  bool HasFreePlace(const FunctionKey& function) override;
  // As functions of the session `default`.
  std::vector<ServedFunction> ServedFunctions() override;
  void SetFreedListener(absl::AnyInvocable<void()> freed) override { freed_ = std::move(freed); }
  void RemoveFunction(const FunctionKey& function) override;
  void RemoveSession(absl::string_view session) override;

  // Callbacks that are open as far as the workers have been told, as (ARN, callback id).
  const absl::btree_set<std::pair<std::string, std::string>>& callbacks() const {
    return callbacks_;
  }
  // Operations whose success the service has acknowledged, as (ARN, operation id).
  const absl::btree_set<std::pair<std::string, std::string>>& acknowledged() const {
    return acknowledged_;
  }
  // Invocations of scripts, in the order in which they began.
  const std::vector<std::shared_ptr<Run>>& runs() const { return runs_; }
  int free_slots() const { return free_slots_; }
  int queued() const { return static_cast<int>(queue_.size()); }
  // What has been seen that must never be.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  class Lease;
  struct Request {
    FunctionKey function;
    Ready ready;
  };

  void Violation(std::string text) { violations_.push_back(std::move(text)); }
  // Whether the error is what a correct request of an outlived handler gets.
  bool IsOutlived(const absl::Status& status) const;
  bool Chance(int percent) { return static_cast<int>(scheduler_.Random(100)) < percent; }
  void Dispatch();
  // Fails the queued requests that `matches` names.
  template <typename Matches>
  void FailQueued(Matches matches);
  void Begin(std::shared_ptr<Run> run);
  void BeginScript(const std::shared_ptr<Run>& run, const Script& script);
  // Does the next thing of a script, or of a program.
  void Continue(std::shared_ptr<Run> run);
  void ContinueScript(const std::shared_ptr<Run>& run);
  void ContinueProgram(const std::shared_ptr<Run>& run, const Program& program);
  void BeIdle(const std::shared_ptr<Run>& run, const std::string& operation_id);
  void Send(std::shared_ptr<Run> run, std::vector<v1::OperationUpdate> updates);
  void Send(std::shared_ptr<Run> run, v1::CheckpointRequest request);
  void OnAnswer(std::shared_ptr<Run> run, const v1::CheckpointRequest& request,
                absl::StatusOr<v1::CheckpointResponse> response);
  void Take(std::shared_ptr<Run> run, const v1::CheckpointResponse& response);
  // The run does not count as one of its execution any more.
  void Leave(const Run& run);
  void End(std::shared_ptr<Run> run, InvocationEnd end);

  SeededScheduler& scheduler_;
  const int lane_;
  Executor* executor_ = nullptr;
  std::function<Executor*()> ask_through_ = [this] { return executor_; };
  absl::AnyInvocable<void()> freed_;
  int slots_;
  int free_slots_;
  Trouble trouble_;
  bool answers_may_expire_ = false;
  bool executions_may_be_gone_ = false;
  bool ignore_aborts_ = false;
  absl::flat_hash_map<std::string, absl::variant<Program, Script>> functions_;
  std::deque<Request> queue_;
  // By ARN of the execution: the invocation that runs, as far as its worker knows.
  absl::flat_hash_map<std::string, const Run*> running_;
  // How many invocations of a script there have been, by execution or plain function.
  absl::flat_hash_map<std::string, size_t> script_positions_;
  std::vector<std::shared_ptr<Run>> runs_;
  std::vector<std::shared_ptr<Run>> orphans_;
  // Since the service came up, programs as well.
  std::vector<std::weak_ptr<Run>> all_runs_;
  absl::btree_set<std::pair<std::string, std::string>> callbacks_;
  absl::btree_set<std::pair<std::string, std::string>> acknowledged_;
  int client_tokens_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_SIMULATED_WORKERS_H_
