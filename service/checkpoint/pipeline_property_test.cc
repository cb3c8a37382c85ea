// The pipeline under random sequences of updates, valid and invalid ones mixed, with timers,
// callbacks, pauses, ends of invocations and stops in between.
#include <algorithm>
#include <cctype>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/pipeline_model.h"
#include "service/checkpoint/rebuilt_operations.h"
#include "service/checkpoint/test_execution.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

// What an update is made of; its numbers are read modulo what they choose from.
struct UpdateSeed {
  int operation = 0;
  // Up to kNaturalActions: one that fits the operation's state.
  int action = 0;
  // Up to kPlain: nothing odd about it.
  int oddity = 0;
};

struct Move {
  int kind = 0;
  int amount = 0;
  bool flag = false;
  std::vector<UpdateSeed> updates;
};

std::ostream& operator<<(std::ostream& out, const UpdateSeed& seed) {
  return out << "{" << seed.operation << ", " << seed.action << ", " << seed.oddity << "}";
}

std::ostream& operator<<(std::ostream& out, const Move& move) {
  out << "{" << move.kind << ", " << move.amount << ", " << move.flag << ", {";
  for (const UpdateSeed& seed : move.updates) out << seed << " ";
  return out << "}}";
}

constexpr int kOperations = 30;
constexpr int kNaturalActions = 8;
constexpr int kPlain = 60;

// Kinds of moves; the number is up to which draw of 200.
enum Kind : int {
  kCheckpoint = 90,
  kPoll = 100,
  kRepeat = 112,
  kStale = 118,
  kAdvance = 144,
  kFire = 154,
  kCallback = 168,
  kChainedEnd = 173,
  kPause = 176,
  kResume = 182,
  kEndInvocation = 197,
  kStop = 198,
  kTimeOut = 199,
  kMoves = 200,
};

// ---- Updates ----

v1::OperationType TypeOf(int operation) {
  static constexpr v1::OperationType kTypes[] = {
      v1::OPERATION_TYPE_STEP,     v1::OPERATION_TYPE_CONTEXT, v1::OPERATION_TYPE_WAIT,
      v1::OPERATION_TYPE_CALLBACK, v1::OPERATION_TYPE_STEP,    v1::OPERATION_TYPE_CHAINED_INVOKE};
  return kTypes[operation % 6];
}

std::string IdOf(int operation) { return absl::StrCat("op-", operation); }

// Contexts are the operations 1, 7, 13, ...; every second operation lies in the one before it.
absl::optional<std::string> ParentOf(int operation) {
  if (operation < 2 || operation % 2 == 0) return absl::nullopt;
  const int parent = ((operation - 2) / 6) * 6 + 1;
  return parent == operation ? absl::nullopt : absl::make_optional(IdOf(parent));
}

v1::OperationAction NaturalAction(v1::OperationType type, v1::OperationStatus status, int number) {
  if (status == v1::OPERATION_STATUS_STARTED && type == v1::OPERATION_TYPE_WAIT) {
    return v1::OPERATION_ACTION_CANCEL;
  }
  const bool ends = type == v1::OPERATION_TYPE_STEP || type == v1::OPERATION_TYPE_CONTEXT;
  if (status != v1::OPERATION_STATUS_STARTED || !ends) return v1::OPERATION_ACTION_START;
  if (type == v1::OPERATION_TYPE_STEP && number % 2 == 0) return v1::OPERATION_ACTION_RETRY;
  return number % 3 == 0 ? v1::OPERATION_ACTION_FAIL : v1::OPERATION_ACTION_SUCCEED;
}

void AddOptions(const UpdateSeed& seed, v1::OperationUpdate& update) {
  const int seconds = 1 + seed.oddity % 5;
  switch (update.type()) {
    case v1::OPERATION_TYPE_STEP:
      if (update.action() != v1::OPERATION_ACTION_RETRY) break;
      update.mutable_step_options()->set_next_attempt_delay_seconds(seconds);
      break;
    case v1::OPERATION_TYPE_WAIT:
      if (update.action() != v1::OPERATION_ACTION_START) break;
      update.mutable_wait_options()->set_wait_seconds(seconds);
      break;
    case v1::OPERATION_TYPE_CALLBACK:
      update.mutable_callback_options()->set_timeout_seconds(4 * (seed.oddity % 3));
      update.mutable_callback_options()->set_heartbeat_timeout_seconds(3 * (seed.oddity % 2));
      break;
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      update.mutable_chained_invoke_options()->set_function_name(seed.oddity % 4 == 0 ? "gone"
                                                                                      : "pay");
      break;
    default:
      break;
  }
}

void AddContent(const UpdateSeed& seed, v1::OperationUpdate& update) {
  const bool fails = update.action() == v1::OPERATION_ACTION_FAIL ||
                     (update.action() == v1::OPERATION_ACTION_RETRY && seed.oddity % 2 == 0);
  if (fails) {
    update.mutable_error()->set_error_type(absl::StrCat("E", seed.oddity));
  } else if (update.action() != v1::OPERATION_ACTION_CANCEL && seed.oddity % 3 > 0) {
    update.set_payload(std::string(static_cast<size_t>(seed.oddity), 'x'));
  }
}

void MakeOdd(int oddity, v1::OperationUpdate& update) {
  switch (oddity) {
    case 0:
      return update.set_type(static_cast<v1::OperationType>(2 + update.type() % 5));
    case 1:
      return update.set_name("another");
    case 2:
      return update.set_sub_type("Another");
    case 3:
      return update.set_parent_id(IdOf(7));
    case 4:
      return update.set_parent_id("unknown");
    case 5:
      update.set_payload("1");
      update.mutable_error();
      return;
    case 6:
      update.clear_step_options();
      update.clear_wait_options();
      return update.clear_chained_invoke_options();
    case 7:
      if (update.has_wait_options()) update.mutable_wait_options()->set_wait_seconds(0);
      return;
    case 8:
      return update.set_id("not an id");
    case 9:
      return update.mutable_context_options()->set_replay_children(true);
    default:
      // What the first update said need not be said again.
      update.clear_name();
      update.clear_sub_type();
      return update.clear_parent_id();
  }
}

v1::OperationUpdate UpdateFrom(const UpdateSeed& seed, const PipelineModel& model) {
  v1::OperationUpdate update;
  if (seed.operation == kOperations) {
    update.set_id("execution-result");
    update.set_type(v1::OPERATION_TYPE_EXECUTION);
    update.set_action(seed.action % 2 == 0 ? v1::OPERATION_ACTION_SUCCEED
                                           : v1::OPERATION_ACTION_FAIL);
  } else {
    const int number = seed.operation % kOperations;
    update.set_id(IdOf(number));
    update.set_type(TypeOf(number));
    update.set_name(absl::StrCat("name ", number));
    if (number % 3 > 0) update.set_sub_type("Label");
    if (ParentOf(number).has_value()) update.set_parent_id(*ParentOf(number));
    const auto current = model.operations().find(update.id());
    update.set_action(seed.action < kNaturalActions
                          ? NaturalAction(update.type(),
                                          current == model.operations().end()
                                              ? v1::OPERATION_STATUS_UNSPECIFIED
                                              : current->second.status,
                                          seed.action)
                          : static_cast<v1::OperationAction>(seed.action - kNaturalActions + 1));
  }
  AddOptions(seed, update);
  AddContent(seed, update);
  if (seed.oddity >= kPlain) MakeOdd(seed.oddity - kPlain, update);
  return update;
}

bool HasBadSyntax(const v1::CheckpointRequest& request) {
  return std::any_of(request.updates().begin(), request.updates().end(), [](const auto& update) {
    return update.id().find(' ') != std::string::npos ||
           (update.has_wait_options() && update.wait_options().wait_seconds() == 0);
  });
}

// ---- Comparisons ----

std::map<std::string, v1::Operation> OperationsOf(const Execution& execution) {
  std::map<std::string, v1::Operation> operations;
  for (int64_t i = 0; i < execution.operation_count(); ++i) {
    const v1::Operation& operation = execution.operation(i).operation();
    operations[operation.id()] = operation;
  }
  return operations;
}

// Takes out what no event tells (see RebuiltOperations).
v1::Operation AsRebuilt(v1::Operation operation) {
  if (operation.has_context_details()) operation.mutable_context_details()->clear_replay_children();
  const auto without_empty_error = [](auto* details) {
    if (details->error().ByteSizeLong() == 0) details->clear_error();
  };
  if (operation.has_context_details()) without_empty_error(operation.mutable_context_details());
  if (operation.has_callback_details()) without_empty_error(operation.mutable_callback_details());
  if (operation.has_chained_invoke_details()) {
    without_empty_error(operation.mutable_chained_invoke_details());
  }
  if (operation.has_step_details()) {
    v1::StepDetails& step = *operation.mutable_step_details();
    without_empty_error(&step);
    step.clear_next_attempt_timestamp();
    if (operation.status() == v1::OPERATION_STATUS_READY) {
      operation.set_status(v1::OPERATION_STATUS_PENDING);
    }
  }
  return operation;
}

const google::protobuf::FieldDescriptor* DetailsOf(const v1::Event& event) {
  return event.GetReflection()->GetOneofFieldDescriptor(
      event, event.GetDescriptor()->FindOneofByName("details"));
}

std::string DetailsNameOf(v1::EventType type) {
  std::string name = v1::EventType_Name(type).substr(sizeof("EVENT_TYPE_") - 1);
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return name + "_details";
}

// ---- The walk ----

// Makes the moves on a real execution and on the model, and compares the two after each. What is
// wrong fails the property at once.
class Walk {
 public:
  explicit Walk(int64_t page_bytes) : test_(Record()), token_(test_.Token()) {
    test_.limits.state_page_bytes = page_bytes;
    test_.targets["pay"] = {absl::nullopt, "pay", "$LATEST", true};
    v1::ErrorObject unknown;
    unknown.set_error_type("ResourceNotFoundException");
    test_.targets["gone"] = {unknown, "", "", false};
    ReadInitialState();
  }

  void Make(const Move& move) {
    const std::string before = closed() ? test_.Bytes() : "";
    if (move.kind < kCheckpoint) {
      Checkpoint(move);
    } else if (move.kind < kPoll) {
      Checkpoint({move.kind, move.amount, move.flag, {}});
    } else if (move.kind < kRepeat) {
      Repeat(move.flag);
    } else if (move.kind < kStale) {
      UseAnOldToken();
    } else if (move.kind < kAdvance) {
      Advance(absl::Seconds(1 + move.amount % 4), move.flag);
    } else if (!closed()) {
      MoveFromOutside(move);
    }
    if (!before.empty() && !(move.kind >= kStale && move.kind < kAdvance)) {
      RC_ASSERT(test_.Bytes() == before);
    }
    CheckEverything();
  }

  // What is too slow to look at after every move.
  void CheckAtTheEnd() const {
    CheckIndexes();
    CheckRebuild();
  }

 private:
  static record::ExecutionRecord Record() {
    record::ExecutionRecord record = TestExecution::Record();
    record.mutable_durable_config()->set_execution_timeout(3600);
    return record;
  }

  const record::ExecutionProgress& progress() const { return test_.execution().progress(); }
  bool closed() const { return test_.execution().closed(); }
  bool MayCheckpoint() const {
    return !closed() && progress().has_invocation() && !progress().invocation().withdrawn();
  }

  // ---- Moves of the handler ----

  void Checkpoint(const Move& move) {
    v1::CheckpointRequest request;
    request.set_durable_execution_arn(test_.execution().arn());
    request.set_checkpoint_token(token_);
    for (const UpdateSeed& seed : move.updates) *request.add_updates() = UpdateFrom(seed, model_);
    if (move.flag) request.set_client_token(absl::StrCat("client-", ++client_tokens_));
    const std::string before = test_.Bytes();
    const PipelineModel model_before = model_;
    const bool expected =
        MayCheckpoint() && model_.Checkpoint(request.updates(), test_.moment.time);
    const bool pausing = progress().status() == v1::EXECUTION_STATUS_PAUSING;
    const absl::StatusOr<CheckpointOutcome> outcome = test_.Checkpoint(request);
    RC_ASSERT(outcome.ok() == expected);
    if (!expected) {
      model_ = model_before;
      RC_ASSERT(test_.Bytes() == before);
      RC_ASSERT(ErrorNameOf(outcome.status()) == "InvalidParameterValueException");
      // Syntax is looked at before the token.
      const bool stale = IsStaleCheckpointToken(outcome.status());
      RC_ASSERT((MayCheckpoint() ? !stale : stale || HasBadSyntax(request)));
      return;
    }
    NoteUpdates(request);
    if (move.flag) last_ = {request, outcome->response.SerializeAsString()};
    CheckEffects(request, *outcome);
    CheckAnswer(outcome->response, pausing);
  }

  void NoteUpdates(const v1::CheckpointRequest& request) {
    for (const v1::OperationUpdate& update : request.updates()) {
      if (update.type() == v1::OPERATION_TYPE_EXECUTION) {
        changed_[execution_id()] = false;
        continue;
      }
      changed_[update.id()] = false;
      if (update.chained_invoke_options().function_name() == "gone") {
        model_.operation(update.id()).status = v1::OPERATION_STATUS_FAILED;
      }
    }
  }

  void CheckEffects(const v1::CheckpointRequest& request, const CheckpointOutcome& outcome) const {
    size_t expected = 0;
    for (const v1::OperationUpdate& update : request.updates()) {
      expected += update.type() == v1::OPERATION_TYPE_EXECUTION ||
                  update.chained_invoke_options().function_name() == "pay";
    }
    RC_ASSERT(outcome.effects.size() == expected);
  }

  void CheckAnswer(const v1::CheckpointResponse& response, bool pausing) {
    if (closed()) {
      RC_ASSERT(!response.has_checkpoint_token());
      RC_ASSERT(!response.new_execution_state().has_next_marker());
      changed_.clear();
      return;
    }
    if (pausing) {
      RC_ASSERT(!response.has_checkpoint_token());
      RC_ASSERT(response.new_execution_state().operations_size() == 0);
      RC_ASSERT(progress().status() == v1::EXECUTION_STATUS_PAUSED);
      RC_ASSERT(progress().invocation_owed());
      return;
    }
    for (const std::string& id : model_.Fire(test_.moment.time)) changed_[id] = false;
    RC_ASSERT(response.checkpoint_token() != token_);
    old_token_ = std::exchange(token_, response.checkpoint_token());
    RC_ASSERT(token_ == test_.Token());
    CheckDelta(ReadOn(response.new_execution_state()));
  }

  // The delta is what has changed since the handler was last told, each operation once; what the
  // handler has been told altogether is the state.
  void CheckDelta(const std::vector<v1::Operation>& delta) {
    std::set<std::string> ids;
    for (const v1::Operation& operation : delta) {
      RC_ASSERT(ids.insert(operation.id()).second);
      RC_ASSERT(changed_.count(operation.id()) == 1u);
      told_[operation.id()] = operation.SerializeAsString();
    }
    RC_ASSERT(ids.size() == changed_.size());
    changed_.clear();
    for (const auto& [id, operation] : OperationsOf(test_.execution())) {
      if (!model_.IsPruned(id)) RC_ASSERT(told_[id] == operation.SerializeAsString());
    }
  }

  // All operations of a state and of the pages behind it, in creation order.
  std::vector<v1::Operation> ReadOn(const v1::ExecutionState& state) const {
    std::vector<v1::Operation> operations(state.operations().begin(), state.operations().end());
    v1::GetExecutionStateRequest request;
    request.set_checkpoint_token(token_);
    request.set_marker(state.next_marker());
    while (!request.marker().empty()) {
      const absl::StatusOr<v1::GetExecutionStateResponse> page =
          ReadState(test_.execution(), request, test_.limits, test_.spelling);
      RC_ASSERT(page.ok());
      RC_ASSERT(page->operations_size() > 0);
      operations.insert(operations.end(), page->operations().begin(), page->operations().end());
      request.set_marker(page->next_marker());
    }
    for (size_t i = 1; i < operations.size(); ++i) {
      RC_ASSERT(test_.RecordOf(operations[i - 1].id()).index() <
                test_.RecordOf(operations[i].id()).index());
    }
    return operations;
  }

  // The same request again: the same answer, byte for byte; other updates under its client token:
  // refused.
  void Repeat(bool with_other_updates) {
    if (last_.second.empty()) return;
    v1::CheckpointRequest request = last_.first;
    if (with_other_updates) request.add_updates()->CopyFrom(UpdateFrom({0, 0, 1}, model_));
    const std::string before = test_.Bytes();
    const absl::StatusOr<CheckpointOutcome> outcome = test_.Checkpoint(request);
    RC_ASSERT(test_.Bytes() == before);
    RC_ASSERT(outcome.ok() == !with_other_updates);
    if (with_other_updates) return;
    RC_ASSERT(!outcome->delta.has_value());
    RC_ASSERT(outcome->effects.empty());
    RC_ASSERT(outcome->response.SerializeAsString() == last_.second);
  }

  void UseAnOldToken() {
    if (old_token_.empty()) return;
    v1::CheckpointRequest request;
    request.set_checkpoint_token(old_token_);
    const std::string before = test_.Bytes();
    RC_ASSERT(IsStaleCheckpointToken(test_.Checkpoint(request).status()));
    RC_ASSERT(test_.Bytes() == before);
  }

  void EndInvocationNow(const Move& move) {
    using Outcome = InvocationResult::Outcome;
    static constexpr Outcome kOutcomes[] = {
        Outcome::kPending,   Outcome::kPending, Outcome::kPending,
        Outcome::kPending,   Outcome::kBroken,  Outcome::kBroken,
        Outcome::kSucceeded, Outcome::kFailed,  Outcome::kInvalidOutput};
    if (!progress().has_invocation()) {
      if (MayInvoke(progress())) Begin();
      return;
    }
    NextStep next = NextStep::kNothing;
    test_.Change([&](ExecutionChange& change) {
      next = EndInvocation(change, {kOutcomes[move.amount % 9], absl::nullopt, absl::nullopt},
                           FailurePolicy(), test_.limits);
    });
    RC_ASSERT((next == NextStep::kFinished) == closed());
    RC_ASSERT(next != NextStep::kInvoke || MayInvoke(progress()));
    if (next == NextStep::kInvoke || (move.flag && MayInvoke(progress()))) Begin();
  }

  void Begin() {
    std::vector<std::string> expected;
    for (const auto& [id, from_outside] : changed_) {
      if (from_outside) expected.push_back(id);
    }
    std::sort(expected.begin(), expected.end(), [this](const auto& a, const auto& b) {
      return test_.RecordOf(a).index() < test_.RecordOf(b).index();
    });
    test_.Change([&](ExecutionChange& change) {
      RC_ASSERT(BeginInvocation(change, NewUuid(test_.ids), NewSecret(test_.ids)) == expected);
    });
    changed_.clear();
    old_token_ = std::exchange(token_, test_.Token());
    ReadInitialState();
  }

  // A replay sees every operation once, but for those below a context that closed without its
  // children.
  void ReadInitialState() {
    told_.clear();
    for (const v1::Operation& operation : ReadOn(InitialState(test_.execution(), test_.limits))) {
      RC_ASSERT(told_.emplace(operation.id(), operation.SerializeAsString()).second);
    }
    for (const auto& [id, operation] : OperationsOf(test_.execution())) {
      RC_ASSERT((told_.count(id) == 1u) == !model_.IsPruned(id));
      if (told_.count(id) == 1u) RC_ASSERT(told_[id] == operation.SerializeAsString());
    }
  }

  // ---- Moves from outside ----

  void Advance(absl::Duration duration, bool skip) {
    test_.moment.time += duration;
    if (!skip) test_.moment.deadline_time += duration;
  }

  void MoveFromOutside(const Move& move) {
    if (move.kind < kFire) {
      FireTimers();
    } else if (move.kind < kCallback) {
      AnswerCallback(move);
    } else if (move.kind < kChainedEnd) {
      EndChained(move);
    } else if (move.kind < kPause) {
      const bool running = progress().status() == v1::EXECUTION_STATUS_RUNNING;
      test_.Change([&](ExecutionChange& change) { RC_ASSERT(Pause(change, {}).ok() == running); });
    } else if (move.kind < kResume) {
      ResumeNow();
    } else if (move.kind < kEndInvocation) {
      EndInvocationNow(move);
    } else {
      Close(move.kind < kStop);
    }
  }

  void FireTimers() {
    for (const std::string& id : model_.Fire(test_.moment.time)) changed_[id] = true;
    for (int64_t i = 0; i < test_.execution().operation_count(); ++i) {
      const record::OperationRecord& record = test_.execution().operation(i);
      const std::string id = record.operation().id();
      bool due = false;
      test_.Change([&](ExecutionChange& change) { due = CompleteIfDue(change, id); });
      if (!due || record.operation().type() != v1::OPERATION_TYPE_CALLBACK) continue;
      model_.operation(id).status = v1::OPERATION_STATUS_TIMED_OUT;
      changed_[id] = true;
    }
  }

  // The `number`th operation of a type that is open; empty: none.
  std::string OpenOperation(v1::OperationType type, int number) const {
    std::vector<std::string> open;
    for (const auto& [id, operation] : model_.operations()) {
      if (operation.type == type && operation.status == v1::OPERATION_STATUS_STARTED) {
        open.push_back(id);
      }
    }
    return open.empty() ? "" : open[static_cast<size_t>(number) % open.size()];
  }

  void AnswerCallback(const Move& move) {
    const std::string id = OpenOperation(v1::OPERATION_TYPE_CALLBACK, move.amount);
    if (id.empty()) return;
    const int64_t index = test_.RecordOf(id).index();
    const std::string callback_id = test_.Operation(id).callback_details().callback_id();
    const std::string before = test_.Bytes();
    test_.Change([&](ExecutionChange& change) {
      RC_ASSERT(!HeartbeatCallback(change, index, callback_id + "x").ok());
    });
    RC_ASSERT(test_.Bytes() == before);
    test_.Change([&](ExecutionChange& change) {
      if (move.amount % 3 == 0) {
        RC_ASSERT(HeartbeatCallback(change, index, callback_id).ok());
      } else if (move.flag) {
        RC_ASSERT(
            CompleteCallback(change, index, callback_id, std::string("1"), test_.limits).ok());
      } else {
        RC_ASSERT(FailCallback(change, index, callback_id, {}, test_.limits).ok());
      }
    });
    if (move.amount % 3 == 0) return;
    model_.operation(id).status =
        move.flag ? v1::OPERATION_STATUS_SUCCEEDED : v1::OPERATION_STATUS_FAILED;
    changed_[id] = true;
  }

  void EndChained(const Move& move) {
    const std::string id = OpenOperation(v1::OPERATION_TYPE_CHAINED_INVOKE, move.amount);
    if (id.empty()) return;
    static constexpr v1::OperationStatus kEnds[] = {
        v1::OPERATION_STATUS_SUCCEEDED, v1::OPERATION_STATUS_FAILED, v1::OPERATION_STATUS_TIMED_OUT,
        v1::OPERATION_STATUS_STOPPED};
    const v1::OperationStatus status = kEnds[move.amount % 4];
    test_.Change([&](ExecutionChange& change) {
      CompleteChainedInvoke(change, id, {status, absl::nullopt, absl::nullopt});
    });
    model_.operation(id).status = status;
    changed_[id] = true;
  }

  void ResumeNow() {
    const bool held = progress().status() == v1::EXECUTION_STATUS_PAUSING ||
                      progress().status() == v1::EXECUTION_STATUS_PAUSED;
    bool invoke = false;
    test_.Change([&](ExecutionChange& change) {
      const absl::StatusOr<NextStep> next = Resume(change, {});
      RC_ASSERT(next.ok() == held);
      invoke = next.ok() && *next == NextStep::kInvoke;
    });
    RC_ASSERT(!invoke || MayInvoke(progress()));
    if (invoke) Begin();
  }

  void Close(bool stop) {
    test_.Change([stop](ExecutionChange& change) {
      if (stop) {
        Stop(change, {});
      } else {
        TimeOut(change);
      }
    });
    RC_ASSERT(closed());
    RC_ASSERT(IsExecutionTerminal(test_.events().back().event_type()));
  }

  // ---- What holds after every move ----

  void CheckEverything() {
    CheckOperations();
    CheckEvents();
    if (++moves_ % 8 == 0) CheckIndexes();
  }

  void CheckOperations() const {
    RC_ASSERT(test_.execution().operation_count() ==
              static_cast<int64_t>(model_.operations().size()) + 1);
    for (const auto& [id, expected] : model_.operations()) {
      const v1::Operation& operation = test_.Operation(id);
      RC_ASSERT(operation.type() == expected.type);
      RC_ASSERT(operation.status() == expected.status);
      RC_ASSERT(operation.has_end_timestamp() == IsTerminal(operation.status()));
      RC_ASSERT(operation.parent_id() == expected.parent_id);
      RC_ASSERT(operation.name() == expected.name);
      RC_ASSERT(operation.sub_type() == expected.sub_type);
      RC_ASSERT(operation.step_details().attempt() == expected.attempt);
    }
  }

  void CheckEvents() {
    for (; checked_events_ < test_.events().size(); ++checked_events_) {
      const v1::Event& event = test_.events()[checked_events_];
      RC_ASSERT(event.event_id() == static_cast<int64_t>(checked_events_) + 1);
      RC_ASSERT(DetailsOf(event) != nullptr);
      RC_ASSERT(DetailsOf(event)->name() == DetailsNameOf(event.event_type()));
      RC_ASSERT(event.has_id() == (event.event_type() != v1::EVENT_TYPE_INVOCATION_COMPLETED));
      if (event.has_id()) {
        const v1::Operation& operation = test_.Operation(event.id());
        RC_ASSERT(event.name() == operation.name());
        RC_ASSERT(event.parent_id() == operation.parent_id());
        RC_ASSERT(event.sub_type() == operation.sub_type());
      }
      if (checked_events_ == 0) continue;
      const v1::Event& previous = test_.events()[checked_events_ - 1];
      RC_ASSERT(ToAbsl(event.event_timestamp()) >= ToAbsl(previous.event_timestamp()));
      RC_ASSERT(!IsExecutionTerminal(previous.event_type()));
    }
    RC_ASSERT(progress().event_count() == static_cast<int64_t>(test_.events().size()));
    RC_ASSERT(IsExecutionTerminal(test_.events().back().event_type()) ==
              (closed() && !progress().terminal_event_pending()));
  }

  // What is kept for speed says what the operations say.
  void CheckIndexes() const {
    const Execution& execution = test_.execution();
    std::vector<record::OperationRecord> operations;
    bool pending = false;
    for (int64_t i = 0; i < execution.operation_count(); ++i) {
      operations.push_back(execution.operation(i));
      pending = pending || IsPending(execution.operation(i).operation());
      RC_ASSERT(execution.IsPruned(operations.back()) ==
                model_.IsPruned(operations.back().operation().id()));
    }
    RC_ASSERT(execution.AnythingPending() == pending);
    const Execution loaded(execution.record(), execution.progress(), operations,
                           execution.replies());
    const int64_t seen = progress().seen_sequence();
    RC_ASSERT(loaded.TouchedAfter(seen) == execution.TouchedAfter(seen));
    RC_ASSERT(loaded.DueAt(test_.moment.time) == execution.DueAt(test_.moment.time));
  }

  // The history alone gives the operations.
  void CheckRebuild() const {
    std::map<std::string, v1::Operation> rebuilt = RebuiltOperations(test_.events());
    std::map<std::string, v1::Operation> operations = OperationsOf(test_.execution());
    RC_ASSERT(rebuilt.size() == operations.size());
    for (const auto& [id, operation] : operations) {
      // The event that closes the execution may still be to come.
      if (operation.type() == v1::OPERATION_TYPE_EXECUTION && progress().terminal_event_pending()) {
        continue;
      }
      RC_ASSERT(AsRebuilt(rebuilt[id]).DebugString() == AsRebuilt(operation).DebugString());
    }
  }

  std::string execution_id() const { return test_.execution().record().execution_id(); }

  TestExecution test_;
  PipelineModel model_;
  std::string token_;
  std::string old_token_;
  int client_tokens_ = 0;
  // The newest accepted request with a client token, and its answer.
  std::pair<v1::CheckpointRequest, std::string> last_;
  // What the handler knows: operations by id, serialized.
  std::map<std::string, std::string> told_;
  // What it has not been told of, and whether that changed outside a checkpoint.
  std::map<std::string, bool> changed_;
  size_t checked_events_ = 0;
  int moves_ = 0;
};

}  // namespace
}  // namespace rehearse

namespace rc {

template <>
struct Arbitrary<rehearse::UpdateSeed> {
  static Gen<rehearse::UpdateSeed> arbitrary() {
    using rehearse::UpdateSeed;
    return gen::build<UpdateSeed>(
        gen::set(&UpdateSeed::operation, gen::inRange(0, rehearse::kOperations + 1)),
        gen::set(&UpdateSeed::action, gen::inRange(0, rehearse::kNaturalActions + 5)),
        gen::set(&UpdateSeed::oddity, gen::inRange(0, rehearse::kPlain + 12)));
  }
};

template <>
struct Arbitrary<rehearse::Move> {
  static Gen<rehearse::Move> arbitrary() {
    using rehearse::Move;
    return gen::build<Move>(
        gen::set(&Move::kind, gen::inRange<int>(0, rehearse::kMoves)),
        gen::set(&Move::amount, gen::inRange(0, 36)), gen::set(&Move::flag),
        gen::set(&Move::updates, gen::mapcat(gen::inRange<size_t>(1, 5), [](size_t count) {
          return gen::container<std::vector<rehearse::UpdateSeed>>(
              count, gen::arbitrary<rehearse::UpdateSeed>());
        })));
  }
};

}  // namespace rc

namespace rehearse {
namespace {

RC_GTEST_PROP(PipelineProperty, EveryWalkKeepsTheRules, (const std::vector<Move>& moves)) {
  Walk walk(*rc::gen::element<int64_t>(1, 200, 5 * 1024 * 1024));
  for (const Move& move : moves) walk.Make(move);
  walk.CheckAtTheEnd();
}

}  // namespace
}  // namespace rehearse
