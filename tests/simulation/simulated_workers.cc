#include "tests/simulation/simulated_workers.h"

#include "absl/strings/str_cat.h"

namespace rehearse {

// One invocation on its worker.
struct SimulatedWorkers::Run {
  v1::ServeResponse::Invocation invocation;
  InvocationLease::Ended ended;
  std::string token;
  absl::flat_hash_map<std::string, v1::Operation> state;
  // The service or the worker is through with it; nothing more is sent.
  bool over = false;

  const std::string& arn() const { return invocation.durable().durable_execution_arn(); }
};

class SimulatedWorkers::Lease final : public InvocationLease {
 public:
  explicit Lease(SimulatedWorkers& workers) : workers_(workers) {}

  ~Lease() override {
    if (run_ == nullptr) {
      ++workers_.free_slots_;
      workers_.Dispatch();
    }
  }

  void Start(v1::ServeResponse::Invocation invocation, Ended ended) override {
    run_ = std::make_shared<Run>();
    run_->invocation = std::move(invocation);
    run_->ended = std::move(ended);
    workers_.scheduler_.Post(workers_.lane_,
                             [workers = &workers_, run = run_] { workers->Begin(run); });
  }

  void Abort(v1::ServeResponse::Abort::Reason) override {
    workers_.running_.erase(run_->arn());
    workers_.scheduler_.Post(workers_.lane_, [workers = &workers_, run = run_] {
      if (!run->over) workers->End(run, {InvocationEnd::Kind::kCrashed, "", {}});
    });
  }

 private:
  SimulatedWorkers& workers_;
  std::shared_ptr<Run> run_;
};

void SimulatedWorkers::Acquire(const FunctionKey& function, Ready ready) {
  if (!HasPlace(function)) return ready(absl::NotFoundError(function.function_name));
  queue_.push_back(std::move(ready));
  Dispatch();
}

bool SimulatedWorkers::HasPlace(const FunctionKey& function) {
  return programs_.contains(function.function_name) || plain_.contains(function.function_name);
}

void SimulatedWorkers::RemoveFunction(const FunctionKey& function) {
  programs_.erase(function.function_name);
}

void SimulatedWorkers::RemoveSession(absl::string_view) {}

void SimulatedWorkers::Dispatch() {
  while (free_slots_ > 0 && !queue_.empty()) {
    --free_slots_;
    Ready ready = std::move(queue_.front());
    queue_.pop_front();
    ready(std::make_unique<Lease>(*this));
  }
}

void SimulatedWorkers::Begin(std::shared_ptr<Run> run) {
  ++invocations_;
  if (!run->invocation.has_durable()) {
    if (Chance(trouble_.crash)) return End(run, {InvocationEnd::Kind::kCrashed, "", {}});
    return End(run, {InvocationEnd::Kind::kAnswered, "\"plain\"", {}});
  }
  if (!run->over && !running_.insert(run->arn()).second) {
    Violation(absl::StrCat("two invocations in flight: ", run->arn()));
  }
  const v1::DurableExecutionInvocationInput& input = run->invocation.durable();
  run->token = input.checkpoint_token();
  for (const v1::Operation& operation : input.initial_execution_state().operations()) {
    run->state[operation.id()] = operation;
  }
  Continue(run);
}

void SimulatedWorkers::Continue(std::shared_ptr<Run> run) {
  if (run->over) return;
  if (Chance(trouble_.crash)) return Crash(run);
  if (Chance(trouble_.hang)) return;
  const Program& program = programs_[run->invocation.function_name()];
  for (size_t i = 0; i < program.size(); ++i) {
    const Op& op = program[i];
    v1::OperationUpdate start;
    start.set_id(absl::StrCat("op-", i));
    start.set_action(v1::OPERATION_ACTION_START);
    const auto it = run->state.find(start.id());
    const v1::Operation* known = it == run->state.end() ? nullptr : &it->second;
    if (known != nullptr && known->has_end_timestamp()) continue;
    if (op.kind == Op::kStep || op.kind == Op::kRetriedStep) {
      start.set_type(v1::OPERATION_TYPE_STEP);
      if (known != nullptr && known->status() == v1::OPERATION_STATUS_PENDING)
        return Answer(run, "PENDING");
      v1::OperationUpdate close = start;
      const bool retry =
          op.kind == Op::kRetriedStep && (known == nullptr || known->step_details().attempt() == 0);
      close.set_action(retry ? v1::OPERATION_ACTION_RETRY : v1::OPERATION_ACTION_SUCCEED);
      if (retry) close.mutable_step_options()->set_next_attempt_delay_seconds(op.seconds);
      if (!retry) close.set_payload(absl::StrCat("\"", i, "\""));
      const bool started = known != nullptr && known->status() == v1::OPERATION_STATUS_STARTED;
      if (started) return Send(run, {close});
      return Send(run, {start, close});
    }
    if (known != nullptr) return Answer(run, "PENDING");
    switch (op.kind) {
      case Op::kWait:
        start.set_type(v1::OPERATION_TYPE_WAIT);
        start.mutable_wait_options()->set_wait_seconds(op.seconds);
        break;
      case Op::kCallback:
        start.set_type(v1::OPERATION_TYPE_CALLBACK);
        start.set_name("approval");
        break;
      default:
        start.set_type(v1::OPERATION_TYPE_CHAINED_INVOKE);
        start.mutable_chained_invoke_options()->set_function_name(op.target);
        start.set_payload("{}");
    }
    return Send(run, {start});
  }
  Answer(run, "SUCCEEDED");
}

void SimulatedWorkers::Send(std::shared_ptr<Run> run, std::vector<v1::OperationUpdate> updates) {
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(run->arn());
  request.set_checkpoint_token(run->token);
  request.set_client_token(absl::StrCat("client-", ++client_tokens_));
  for (v1::OperationUpdate& update : updates) *request.add_updates() = std::move(update);
  executor_->Checkpoint(
      request, StaleTokenSpelling::kReal,
      [this, run, request](absl::StatusOr<v1::CheckpointResponse> response) {
        scheduler_.Post(lane_, [this, run, request, response = std::move(response)]() mutable {
          OnAnswer(run, request, std::move(response));
        });
      });
}

void SimulatedWorkers::OnAnswer(std::shared_ptr<Run> run, const v1::CheckpointRequest& request,
                                absl::StatusOr<v1::CheckpointResponse> response) {
  if (response.ok()) {
    for (const v1::OperationUpdate& update : request.updates()) {
      if (update.action() == v1::OPERATION_ACTION_SUCCEED)
        acknowledged_.insert({run->arn(), update.id()});
    }
    for (const v1::Operation& operation : response->new_execution_state().operations()) {
      if (operation.type() == v1::OPERATION_TYPE_CALLBACK) {
        callbacks_.insert({run->arn(), operation.callback_details().callback_id()});
      }
    }
  }
  if (run->over) return;
  if (!response.ok()) {
    // A stale token is what an outlived handler gets; anything else was a correct request refused.
    if (!IsStaleCheckpointToken(response.status())) {
      Violation(
          absl::StrCat("refused: ", response.status().ToString(), " ", request.ShortDebugString()));
    }
    return Crash(run);
  }
  if (Chance(trouble_.repeat_request)) {
    const std::string first = response->SerializeAsString();
    return executor_->Checkpoint(
        request, StaleTokenSpelling::kReal,
        [this, run, first, response = *response](absl::StatusOr<v1::CheckpointResponse> again) {
          const bool forgotten = answers_may_expire_ && IsStaleCheckpointToken(again.status());
          if (!forgotten && (!again.ok() || again->SerializeAsString() != first)) {
            Violation(
                absl::StrCat("repeated request answered differently: ", again.status().ToString()));
          }
          scheduler_.Post(lane_, [this, run, response] { Take(run, response); });
        });
  }
  Take(run, *response);
}

void SimulatedWorkers::Take(std::shared_ptr<Run> run, const v1::CheckpointResponse& response) {
  if (run->over) return;
  for (const v1::Operation& operation : response.new_execution_state().operations()) {
    run->state[operation.id()] = operation;
  }
  if (!response.has_checkpoint_token()) return Answer(run, "PENDING");
  run->token = response.checkpoint_token();
  Continue(run);
}

void SimulatedWorkers::End(std::shared_ptr<Run> run, InvocationEnd end) {
  run->over = true;
  ++free_slots_;
  run->ended(std::move(end));
  scheduler_.Post(lane_, [this] { Dispatch(); });
}

void SimulatedWorkers::Answer(std::shared_ptr<Run> run, absl::string_view status) {
  running_.erase(run->arn());
  End(run, {InvocationEnd::Kind::kAnswered, absl::StrCat("{\"Status\":\"", status, "\"}"), {}});
}

void SimulatedWorkers::Crash(std::shared_ptr<Run> run) {
  running_.erase(run->arn());
  InvocationEnd end{InvocationEnd::Kind::kCrashed, "", {}};
  end.error.set_error_type("Runtime.ExitError");
  End(run, std::move(end));
}

}  // namespace rehearse
