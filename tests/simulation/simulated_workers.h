// SimulatedWorkers: functions that run on a SeededScheduler, with everything that can go wrong on
// the way.
//
// A function is a program: a list of operations that it performs in order, replaying what is
// recorded, as an SDK does. Where a worker may crash, hang, repeat a request or take its time, the
// seed decides.
//
//   SimulatedWorkers workers(scheduler, /*slots=*/3);
//   workers.AddFunction("orders", {{Op::kStep}, {Op::kWait, 86400}, {Op::kCallback}});
//   Executor executor(options, scheduler, store, workers, ids);
//   workers.Connect(&executor);
#ifndef REHEARSE_TESTS_SIMULATION_SIMULATED_WORKERS_H_
#define REHEARSE_TESTS_SIMULATION_SIMULATED_WORKERS_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
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

// Chances, in percent, at each opportunity.
struct Trouble {
  int crash = 0;
  int hang = 0;
  int repeat_request = 0;
};

class SimulatedWorkers final : public Invoker {
 public:
  SimulatedWorkers(SeededScheduler& scheduler, int slots)
      : scheduler_(scheduler), lane_(scheduler.AddLane()), free_slots_(slots) {}

  void AddFunction(std::string name, Program program) {
    programs_[std::move(name)] = std::move(program);
  }
  void AddPlainFunction(std::string name) { plain_.insert(std::move(name)); }
  void Connect(Executor* executor) { executor_ = executor; }
  void set_trouble(Trouble trouble) { trouble_ = trouble; }
  // The test has moved time while invocations run: a repeated request may come too late for its
  // kept answer.
  void AnswersMayExpire() { answers_may_expire_ = true; }

  void Acquire(const FunctionKey& function, Ready ready) override;
  bool HasPlace(const FunctionKey& function) override;
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
  int invocations() const { return invocations_; }
  // What has been seen that must never be.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  class Lease;
  struct Run;

  void Violation(std::string text) { violations_.push_back(std::move(text)); }
  bool Chance(int percent) { return static_cast<int>(scheduler_.Random(100)) < percent; }
  void Dispatch();
  void Begin(std::shared_ptr<Run> run);
  void Continue(std::shared_ptr<Run> run);
  void Send(std::shared_ptr<Run> run, std::vector<v1::OperationUpdate> updates);
  void OnAnswer(std::shared_ptr<Run> run, const v1::CheckpointRequest& request,
                absl::StatusOr<v1::CheckpointResponse> response);
  void Take(std::shared_ptr<Run> run, const v1::CheckpointResponse& response);
  void End(std::shared_ptr<Run> run, InvocationEnd end);
  void Answer(std::shared_ptr<Run> run, absl::string_view status);
  void Crash(std::shared_ptr<Run> run);

  SeededScheduler& scheduler_;
  const int lane_;
  Executor* executor_ = nullptr;
  int free_slots_;
  Trouble trouble_;
  bool answers_may_expire_ = false;
  absl::flat_hash_map<std::string, Program> programs_;
  absl::flat_hash_set<std::string> plain_;
  std::deque<Ready> queue_;
  // ARN of each execution whose invocation runs, as far as its worker knows.
  absl::flat_hash_set<std::string> running_;
  absl::btree_set<std::pair<std::string, std::string>> callbacks_;
  absl::btree_set<std::pair<std::string, std::string>> acknowledged_;
  int invocations_ = 0;
  int client_tokens_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_SIMULATION_SIMULATED_WORKERS_H_
