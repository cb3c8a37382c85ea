// Lane: going on after a restart.
#include <algorithm>
#include <utility>

#include "service/executor/lane.h"
#include "service/executor/outcome.h"

namespace rehearse {
namespace {

ClockState ToClockState(const record::ClockState& clock) {
  ClockState state;
  state.offset = absl::Nanoseconds(clock.offset_nanos());
  state.skipped = absl::Nanoseconds(clock.skipped_nanos());
  if (clock.has_frozen()) state.frozen = ToAbsl(clock.frozen());
  return state;
}

// Whether something is to be taken up that no timer and no call will bring about.
bool WasInterrupted(const RecoveredExecution& execution) {
  return execution.progress.has_invocation() || AwaitsInvocation(execution.progress) ||
         std::any_of(execution.pending.begin(), execution.pending.end(),
                     [](const record::OperationRecord& operation) {
                       return operation.operation().type() == v1::OPERATION_TYPE_CHAINED_INVOKE;
                     });
}

}  // namespace

struct Lane::RecoveredTree {
  ExecutionTree* tree = nullptr;
  // Armed when the clock is known.
  std::vector<Timer> timers;
  // Indexes of members.
  std::vector<int64_t> interrupted;
};

Lane::Lane(int index, ExecutorContext& context) : index_(index), context_(context) {}
Lane::~Lane() = default;

void Lane::Recover(std::shared_ptr<Session> session, RecoveredExecution execution) {
  const record::ExecutionRecord& record = execution.record;
  const record::ExecutionProgress& progress = execution.progress;
  RecoveredTree& recovered =
      recovered_[record.root_arn().empty() ? record.arn() : record.root_arn()];
  if (recovered.tree == nullptr) recovered.tree = &AddTree(session);
  ExecutionTree& tree = *recovered.tree;
  tree.root_id =
      std::string(ExecutionIdOf(record.root_arn().empty() ? record.arn() : record.root_arn()));
  TreeMember& member = AddMember(tree, record.arn());
  if (progress.has_clock()) tree.clock.Restore(ToClockState(progress.clock()));
  if (HasFinished(progress)) {
    ++session->closed_executions;
    member.retention_due = ToAbsl(progress.retention_deadline());
    recovered.timers.push_back({Timer::Kind::kRetention, member.retention_due, member.index, 0});
    return;
  }
  ++session->open_executions;
  tree.asleep = true;
  for (const record::OperationRecord& operation : execution.pending) {
    const absl::optional<Timer> timer = TimerOfOperation(operation, member.index);
    if (timer.has_value()) recovered.timers.push_back(*timer);
  }
  if (progress.has_timeout_deadline()) {
    recovered.timers.push_back(
        {Timer::Kind::kExecutionTimeout, ToAbsl(progress.timeout_deadline()), member.index, 0});
  }
  if (progress.has_backoff_until()) {
    recovered.timers.push_back(
        {Timer::Kind::kBackoff, ToAbsl(progress.backoff_until()), member.index, 0});
  }
  if (WasInterrupted(execution)) recovered.interrupted.push_back(member.index);
}

void Lane::FinishRecovery() {
  const absl::Time now = context_.scheduler.Now();
  for (auto& [root_arn, recovered] : recovered_) {
    ExecutionTree& tree = *recovered.tree;
    for (const Timer& timer : recovered.timers) tree.clock.Arm(timer);
    // What is past comes in order of its due time; what was interrupted, or may be skipped, now.
    const bool now_at_last = !recovered.interrupted.empty() ||
                             (tree.asleep && tree.session->clock_config().mode == ClockMode::kSkip);
    if (!recovered.interrupted.empty()) {
      tree.interrupted = std::make_unique<std::vector<int64_t>>(std::move(recovered.interrupted));
    }
    const absl::Time due =
        tree.clock.NextWake([](const Timer&) { return true; }).value_or(absl::InfiniteFuture());
    WakeAt(tree, now_at_last ? std::min(now, due) : due);
  }
  recovered_.clear();
}

void Lane::TakeUpInterrupted(ExecutionTree& tree) {
  const std::unique_ptr<std::vector<int64_t>> interrupted = std::move(tree.interrupted);
  SettleAfter(tree, [&] {
    for (int64_t index : *interrupted) {
      if (tree.members[index] == nullptr) continue;
      Enter(std::string(ExecutionIdOf(tree.members[index]->arn)), [this](TreeMember* member) {
        if (member != nullptr && member->execution != nullptr) TakeUp(*member);
      });
    }
  });
}

void Lane::TakeUp(TreeMember& member) {
  const bool in_flight = member.execution->invocation_in_flight();
  if (in_flight) {
    // Its token is good until another invocation could begin, or its time is up.
    BeginActive(member);
    ArmInvocationTimeout(member, context_.scheduler.Now() + FunctionOf(member).timeout());
  }
  std::vector<std::string> invokes;
  for (int64_t i = 0; !member.execution->closed() && i < member.execution->operation_count(); ++i) {
    const v1::Operation& operation = member.execution->operation(i).operation();
    if (operation.type() == v1::OPERATION_TYPE_CHAINED_INVOKE && IsPending(operation)) {
      invokes.push_back(operation.id());
    }
  }
  for (const std::string& id : invokes) TakeUpChainedInvoke(member, id);
  if (in_flight) return AskForPlace(member);
  if (member.execution != nullptr && AwaitsInvocation(member.execution->progress())) {
    Trigger(member);
  }
}

void Lane::TakeUpChainedInvoke(TreeMember& parent, const std::string& operation_id) {
  if (parent.execution == nullptr) return;
  const record::OperationRecord& operation = *parent.execution->Find(operation_id);
  if (!IsPending(operation.operation())) return;
  const std::string child_arn = operation.chained_target().child_arn();
  if (child_arn.empty()) return StartPlain(parent, operation_id);
  const TreeMember* child = FindByArn(child_arn);
  if (child != nullptr && !child->finished()) return;
  // It has finished, and its parent has not been told.
  const absl::StatusOr<std::unique_ptr<Execution>> execution = context_.store.Load(child_arn);
  if (!execution.ok() && !absl::IsNotFound(execution.status())) {
    return RetryLater(parent, [this, operation_id](TreeMember* parent) {
      TakeUpChainedInvoke(*parent, operation_id);
    });
  }
  ChainedOutcome outcome{v1::OPERATION_STATUS_FAILED, absl::nullopt, v1::ErrorObject()};
  if (execution.ok()) {
    outcome = OutcomeOf(**execution);
  } else {
    outcome.error->set_error_type("ResourceNotFoundException");
    outcome.error->set_error_message("The execution of the target was deleted.");
  }
  DeliverOutcome(*parent.tree, parent.arn, operation_id, std::move(outcome));
}

}  // namespace rehearse
