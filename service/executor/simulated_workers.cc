#include "service/executor/simulated_workers.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "service/base/check.h"
#include "service/base/errors.h"
#include "service/checkpoint/execution.h"

namespace rehearse {
namespace {

InvocationEnd Answered(absl::string_view status) {
  return {InvocationEnd::Kind::kAnswered, absl::StrCat("{\"Status\":\"", status, "\"}"), {}};
}

InvocationEnd Crashed() {
  InvocationEnd end{InvocationEnd::Kind::kCrashed, "", {}};
  end.error.set_error_type("Runtime.ExitError");
  return end;
}

Action EndWith(InvocationEnd end) {
  Action action{Action::kEnd};
  action.end = std::move(end);
  return action;
}

}  // namespace

Action Checkpoint(std::vector<v1::OperationUpdate> updates) {
  return {Action::kCheckpoint, std::move(updates)};
}

Action Poll() { return {Action::kCheckpoint}; }

Action Idle(std::string operation_id) { return {Action::kIdle, {}, std::move(operation_id)}; }

Action Hold() { return {Action::kHold}; }

Action Answer(absl::string_view payload) {
  return EndWith({InvocationEnd::Kind::kAnswered, std::string(payload), {}});
}

Action Pending() { return EndWith(Answered("PENDING")); }

Action Succeed(absl::string_view result) {
  return Answer(absl::StrCat("{\"Status\":\"SUCCEEDED\",\"Result\":\"", result, "\"}"));
}

Action Fail(absl::string_view type, absl::string_view message) {
  return Answer(absl::StrCat("{\"Status\":\"FAILED\",\"Error\":{\"ErrorType\":\"", type,
                             "\",\"ErrorMessage\":\"", message, "\"}}"));
}

Action Throw(absl::string_view type, absl::string_view message) {
  InvocationEnd end{InvocationEnd::Kind::kFunctionError, "", {}};
  end.error.set_error_type(std::string(type));
  end.error.set_error_message(std::string(message));
  return EndWith(std::move(end));
}

Action Crash() { return EndWith(Crashed()); }

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

  void Abort(v1::ServeResponse::Abort::Reason reason) override {
    REHEARSE_CHECK(run_ != nullptr);
    run_->aborts.push_back(reason);
    workers_.Leave(*run_);
    if (workers_.ignore_aborts_) return;
    workers_.scheduler_.Post(workers_.lane_, [workers = &workers_, run = run_] {
      if (!run->over) workers->End(run, {InvocationEnd::Kind::kCrashed, "", {}});
    });
  }

 private:
  SimulatedWorkers& workers_;
  std::shared_ptr<Run> run_;
};

void SimulatedWorkers::set_slots(int slots) {
  free_slots_ += slots - slots_;
  slots_ = slots;
  Dispatch();
}

int SimulatedWorkers::Release() {
  int released = 0;
  for (const std::shared_ptr<Run>& run : runs_) {
    if (!std::exchange(run->held, false)) continue;
    ++released;
    scheduler_.Post(lane_, [this, run] { Continue(run); });
  }
  return released;
}

void SimulatedWorkers::Connect(Executor* executor) {
  executor_ = executor;
  free_slots_ = slots_;
  for (std::shared_ptr<Run>& run : std::exchange(orphans_, {})) {
    scheduler_.Post(lane_, [this, run = std::move(run)] { Send(run, *run->unanswered); });
  }
}

void SimulatedWorkers::LoseService(int orphans) {
  queue_.clear();
  running_.clear();
  for (const std::weak_ptr<Run>& weak : std::exchange(all_runs_, {})) {
    std::shared_ptr<Run> run = weak.lock();
    if (run == nullptr || run->over) continue;
    run->orphan = true;
    run->over = !run->unanswered.has_value() || !Chance(orphans);
    if (!run->over) orphans_.push_back(std::move(run));
  }
}

void SimulatedWorkers::Acquire(const FunctionKey& function, Ready ready) {
  if (!functions_.contains(function.function_name)) {
    return ready(errors::FunctionNotFound(function.function_name));
  }
  queue_.push_back({function, std::move(ready)});
  Dispatch();
}

bool SimulatedWorkers::HasPlace(const FunctionKey& function) {
  return slots_ > 0 && functions_.contains(function.function_name);
}

bool SimulatedWorkers::HasFreePlace(const FunctionKey& function) {
  return HasPlace(function) && free_slots_ > 0;
}

std::vector<Invoker::ServedFunction> SimulatedWorkers::ServedFunctions() {
  std::vector<ServedFunction> served;
  if (slots_ == 0) return served;
  for (const auto& [name, code] : functions_) served.push_back({{"default", name}, free_slots_});
  return served;
}

template <typename Matches>
void SimulatedWorkers::FailQueued(Matches matches) {
  const auto left = std::stable_partition(
      queue_.begin(), queue_.end(), [&](const Request& request) { return !matches(request); });
  std::deque<Request> failed(std::make_move_iterator(left), std::make_move_iterator(queue_.end()));
  queue_.erase(left, queue_.end());
  for (Request& request : failed) {
    request.ready(errors::FunctionNotFound(request.function.function_name));
  }
}

void SimulatedWorkers::RemoveFunction(const FunctionKey& function) {
  functions_.erase(function.function_name);
  FailQueued([&](const Request& request) {
    return request.function.function_name == function.function_name;
  });
}

void SimulatedWorkers::RemoveSession(absl::string_view session) {
  FailQueued([&](const Request& request) { return request.function.session == session; });
}

void SimulatedWorkers::Dispatch() {
  while (free_slots_ > 0 && !queue_.empty()) {
    --free_slots_;
    Request request = std::move(queue_.front());
    queue_.pop_front();
    request.ready(std::make_unique<Lease>(*this));
  }
  if (free_slots_ > 0 && freed_ != nullptr) freed_();
}

void SimulatedWorkers::Begin(std::shared_ptr<Run> run) {
  all_runs_.push_back(run);
  const absl::variant<Program, Script>& code = functions_[run->invocation.function_name()];
  const Script* script = absl::get_if<Script>(&code);
  if (script != nullptr) BeginScript(run, *script);
  if (run->over) return;
  if (!run->invocation.has_durable()) {
    if (script != nullptr) return Continue(run);
    return End(run, Chance(trouble_.crash)
                        ? Crashed()
                        : InvocationEnd{InvocationEnd::Kind::kAnswered, "\"plain\"", {}});
  }
  if (!running_.emplace(run->arn(), run.get()).second) {
    Violation(absl::StrCat("two invocations in flight: ", run->arn()));
  }
  const v1::DurableExecutionInvocationInput& input = run->invocation.durable();
  run->token = input.checkpoint_token();
  for (const v1::Operation& operation : input.initial_execution_state().operations()) {
    run->state[operation.id()] = operation;
  }
  Continue(run);
}

void SimulatedWorkers::BeginScript(const std::shared_ptr<Run>& run, const Script& script) {
  runs_.push_back(run);
  const bool durable = run->invocation.has_durable();
  const size_t position =
      script_positions_[durable ? run->arn() : run->invocation.function_name()]++;
  if (position >= script.size()) {
    Violation(
        absl::StrCat("more invocations than the script has: ", run->invocation.ShortDebugString()));
    return;
  }
  run->actions.assign(script[position].begin(), script[position].end());
}

void SimulatedWorkers::Continue(std::shared_ptr<Run> run) {
  if (run->over) return;
  const absl::variant<Program, Script>& code = functions_[run->invocation.function_name()];
  const Program* program = absl::get_if<Program>(&code);
  if (program == nullptr) return ContinueScript(run);
  if (Chance(trouble_.crash)) return End(run, Crashed());
  if (Chance(trouble_.hang)) return;
  ContinueProgram(run, *program);
}

void SimulatedWorkers::ContinueScript(const std::shared_ptr<Run>& run) {
  // A script without an end hangs.
  if (run->actions.empty()) return;
  Action action = std::move(run->actions.front());
  run->actions.pop_front();
  switch (action.kind) {
    case Action::kCheckpoint:
      return Send(run, std::move(action.updates));
    case Action::kIdle:
      return BeIdle(run, action.operation_id);
    case Action::kHold:
      run->held = true;
      return;
    case Action::kEnd:
      return End(run, std::move(action.end));
  }
}

void SimulatedWorkers::BeIdle(const std::shared_ptr<Run>& run, const std::string& operation_id) {
  const absl::optional<absl::Time> due = WaitOrRetryDue(run->state[operation_id]);
  executor_->Idle(run->arn(), run->invocation.request_id(), due.value_or(absl::InfiniteFuture()),
                  [this, run](absl::StatusOr<v1::ServeResponse::IdleEnded> ended) {
                    run->idles.push_back(std::move(ended));
                    scheduler_.Post(lane_, [this, run] { Continue(run); });
                  });
}

void SimulatedWorkers::ContinueProgram(const std::shared_ptr<Run>& run, const Program& program) {
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
        return End(run, Answered("PENDING"));
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
    if (known != nullptr) return End(run, Answered("PENDING"));
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
  End(run, Answered("SUCCEEDED"));
}

void SimulatedWorkers::Send(std::shared_ptr<Run> run, std::vector<v1::OperationUpdate> updates) {
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(run->arn());
  request.set_checkpoint_token(run->token);
  request.set_client_token(absl::StrCat("client-", ++client_tokens_));
  for (v1::OperationUpdate& update : updates) *request.add_updates() = std::move(update);
  Send(std::move(run), std::move(request));
}

void SimulatedWorkers::Send(std::shared_ptr<Run> run, v1::CheckpointRequest request) {
  run->unanswered = request;
  ask_through_()->Checkpoint(
      request, StaleTokenSpelling::kReal,
      [this, run, request](absl::StatusOr<v1::CheckpointResponse> response) {
        scheduler_.Post(lane_, [this, run, request, response = std::move(response)]() mutable {
          OnAnswer(run, request, std::move(response));
        });
      });
}

bool SimulatedWorkers::IsOutlived(const absl::Status& status) const {
  return IsStaleCheckpointToken(status) ||
         (executions_may_be_gone_ && absl::IsInvalidArgument(status));
}

void SimulatedWorkers::OnAnswer(std::shared_ptr<Run> run, const v1::CheckpointRequest& request,
                                absl::StatusOr<v1::CheckpointResponse> response) {
  run->unanswered.reset();
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
  if (absl::holds_alternative<Script>(functions_[run->invocation.function_name()])) {
    run->answers.push_back(response);
    if (response.ok()) Take(run, *response);
    return Continue(run);
  }
  // An SDK tries again what the service could not do.
  if (absl::IsUnavailable(response.status())) return Send(std::move(run), request);
  if (!response.ok()) {
    if (!IsOutlived(response.status())) {
      Violation(
          absl::StrCat("refused: ", response.status().ToString(), " ", request.ShortDebugString()));
    }
    return End(run, Crashed());
  }
  const auto go_on = [this, run, response = *response] {
    if (run->over) return;
    Take(run, response);
    if (!response.has_checkpoint_token()) return End(run, Answered("PENDING"));
    Continue(run);
  };
  if (!Chance(trouble_.repeat_request)) return go_on();
  ask_through_()->Checkpoint(
      request, StaleTokenSpelling::kReal,
      [this, go_on,
       first = response->SerializeAsString()](absl::StatusOr<v1::CheckpointResponse> again) {
        // A service that is not there says nothing.
        const bool forgotten =
            absl::IsUnavailable(again.status()) ||
            ((answers_may_expire_ || executions_may_be_gone_) && IsOutlived(again.status()));
        if (!forgotten && (!again.ok() || again->SerializeAsString() != first)) {
          Violation(
              absl::StrCat("repeated request answered differently: ", again.status().ToString()));
        }
        scheduler_.Post(lane_, go_on);
      });
}

void SimulatedWorkers::Take(std::shared_ptr<Run> run, const v1::CheckpointResponse& response) {
  for (const v1::Operation& operation : response.new_execution_state().operations()) {
    run->state[operation.id()] = operation;
  }
  if (response.has_checkpoint_token()) run->token = response.checkpoint_token();
}

void SimulatedWorkers::Leave(const Run& run) {
  const auto it = running_.find(run.arn());
  if (it != running_.end() && it->second == &run) running_.erase(it);
}

void SimulatedWorkers::End(std::shared_ptr<Run> run, InvocationEnd end) {
  run->over = true;
  Leave(*run);
  if (run->orphan) return;
  ++free_slots_;
  run->ended(std::move(end));
  scheduler_.Post(lane_, [this] { Dispatch(); });
}

}  // namespace rehearse
