#include "service/executor/lane.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/check.h"
#include "service/executor/outcome.h"

namespace rehearse {
namespace {

std::string NameKey(const record::ExecutionRecord& record) {
  return absl::StrCat(record.session(), "\n", record.function_name(), "\n", record.name());
}

}  // namespace

bool HasFinished(const record::ExecutionProgress& progress) {
  return IsTerminal(progress.status()) && !progress.terminal_event_pending();
}

absl::optional<Timer> TimerOfOperation(const record::OperationRecord& operation,
                                       int64_t execution) {
  const absl::optional<OperationTimer> timer = TimerOf(operation);
  if (!timer.has_value()) return absl::nullopt;
  Timer::Kind kind = Timer::Kind::kWait;
  switch (timer->kind) {
    case OperationTimer::Kind::kWait:
      break;
    case OperationTimer::Kind::kRetry:
      kind = Timer::Kind::kRetry;
      break;
    case OperationTimer::Kind::kCallbackTimeout:
      kind = Timer::Kind::kCallbackTimeout;
      break;
    case OperationTimer::Kind::kCallbackHeartbeat:
      kind = Timer::Kind::kCallbackHeartbeat;
      break;
  }
  return Timer{kind, timer->due, execution, operation.index()};
}

bool SetClock(const ClockState& state, record::ExecutionProgress& progress) {
  const bool stands_still = state.frozen != absl::InfinitePast();
  if (!stands_still && state.offset == absl::ZeroDuration()) return false;
  record::ClockState& clock = *progress.mutable_clock();
  clock.Clear();
  clock.set_offset_nanos(absl::ToInt64Nanoseconds(state.offset));
  clock.set_skipped_nanos(absl::ToInt64Nanoseconds(state.skipped));
  if (stands_still) SetTimestamp(state.frozen, clock.mutable_frozen());
  return true;
}

absl::string_view ExecutionIdOf(absl::string_view arn) { return arn.substr(arn.rfind('/') + 1); }

// A commit on its way. The store may call back on any thread, before or after Commit of the store
// has returned.
struct Lane::PendingCommit {
  ExecutionTree* tree;
  std::vector<ExecutionDelta> deltas;
  Committed then;
  absl::Status status;
  enum State { kInCall, kAnswered, kReturned };
  std::atomic<int> state{kInCall};
};

void Lane::Enter(std::string execution_id, Work work) {
  const auto it = members_.find(execution_id);
  if (it == members_.end()) return work(nullptr);
  TreeMember* member = it->second;
  ExecutionTree& tree = *member->tree;
  const bool slept = tree.asleep;
  if (!tree.committing && WakeUp(tree)) {
    if (tree.interrupted != nullptr) {
      // Behind what is taken up, and before the tree is settled.
      Queue(tree, [this, id = std::move(execution_id), work = std::move(work)]() mutable {
        Enter(std::move(id), std::move(work));
      });
      return TakeUpInterrupted(tree);
    }
    tree.session->Touch(context_.scheduler.Now());
    if (!slept) return work(member);
    // Goes back to sleep unless the work keeps it awake.
    return SettleAfter(tree, [&] { work(member); });
  }
  RunOrQueue(tree, [this, id = std::move(execution_id), work = std::move(work)]() mutable {
    Enter(std::move(id), std::move(work));
  });
}

void Lane::RunOrQueue(ExecutionTree& tree, Scheduler::Task task) {
  if (!tree.committing) return task();
  Queue(tree, std::move(task));
}

void Lane::Queue(ExecutionTree& tree, Scheduler::Task task) {
  if (tree.waiting == nullptr) tree.waiting = std::make_unique<std::deque<Scheduler::Task>>();
  tree.waiting->push_back(std::move(task));
}

ExecutionTree& Lane::AddTree(std::shared_ptr<Session> session) {
  auto owned = std::make_unique<ExecutionTree>(std::move(session), context_.scheduler.Now());
  ExecutionTree& tree = *owned;
  trees_.insert(std::move(owned));
  trees_by_session_[tree.session->name()].insert(&tree);
  return tree;
}

TreeMember& Lane::AddMember(ExecutionTree& tree, std::string arn) {
  auto member = std::make_unique<TreeMember>();
  member->tree = &tree;
  member->index = static_cast<int64_t>(tree.members.size());
  member->arn = std::move(arn);
  members_[ExecutionIdOf(member->arn)] = member.get();
  if (context_.replicas != nullptr) context_.owned.Add(member->arn);
  tree.members.push_back(std::move(member));
  return *tree.members.back();
}

void Lane::RemoveMember(TreeMember& member) {
  ExecutionTree& tree = *member.tree;
  // Nobody is left to hear of plain functions that it has started.
  for (auto it = tree.plain.begin(); it != tree.plain.end();) {
    if ((*it)->parent_arn != member.arn) {
      ++it;
      continue;
    }
    ReleasePlain(tree, **it);
    it = tree.plain.erase(it);
  }
  members_.erase(ExecutionIdOf(member.arn));
  if (context_.replicas != nullptr) context_.owned.Remove(member.arn);
  tree.members[member.index].reset();
}

void Lane::ReleasePlain(ExecutionTree& tree, const PlainInvocation& plain) {
  --tree.active_count;
  if (plain.timeout_timer != 0) context_.scheduler.Cancel(index_, plain.timeout_timer);
}

void Lane::RemoveIfEmpty(ExecutionTree& tree) {
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member != nullptr) return;
  }
  if (!tree.removed) tree.removed = [] {};
}

void Lane::RemoveTree(ExecutionTree& tree) {
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr) continue;
    if (member->active != nullptr && member->active->lease != nullptr) {
      member->active->lease->Abort(v1::ServeResponse::Abort::SESSION_ENDED);
    }
    if (member->execution != nullptr) {
      ExecutionNotice notice{*member->execution, Now(tree)};
      notice.removed = true;
      context_.notifier.Notify(notice);
    }
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) {
    if (plain->lease != nullptr) plain->lease->Abort(v1::ServeResponse::Abort::SESSION_ENDED);
  }
  if (tree.advances != nullptr) {
    for (rehearse::Advance& advance : *tree.advances) advance.done(std::move(advance.fired));
  }
  ForgetTree(tree);
}

void Lane::ForgetTree(ExecutionTree& tree) {
  if (tree.wake_timer != 0) context_.scheduler.Cancel(index_, tree.wake_timer);
  if (tree.retries != nullptr) context_.scheduler.Cancel(index_, tree.retries->timer);
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr) continue;
    if (member->active != nullptr) ReleaseActive(*member);
    members_.erase(ExecutionIdOf(member->arn));
    if (context_.replicas != nullptr) context_.owned.Remove(member->arn);
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) ReleasePlain(tree, *plain);
  const auto by_session = trees_by_session_.find(tree.session->name());
  by_session->second.erase(&tree);
  if (by_session->second.empty()) trees_by_session_.erase(by_session);
  trees_.erase(trees_.find(&tree));
}

TreeMember* Lane::FindByArn(absl::string_view arn) {
  const auto it = members_.find(ExecutionIdOf(arn));
  return it == members_.end() ? nullptr : it->second;
}

void Lane::StartExecution(StartPlan plan, Done<v1::StartExecutionResponse> done) {
  if (!plan.named) return StartNew(std::move(plan), std::move(done));
  const auto starting = starting_.find(NameKey(plan.record));
  if (starting != starting_.end()) {
    return RunOrQueue(*starting->second,
                      [this, plan = std::move(plan), done = std::move(done)]() mutable {
                        StartExecution(std::move(plan), std::move(done));
                      });
  }
  absl::StatusOr<absl::optional<std::string>> existing = context_.store.FindByName(
      plan.record.session(), plan.record.function_name(), plan.record.name());
  if (!existing.ok()) return done(existing.status());
  if (!existing->has_value()) return StartNew(std::move(plan), std::move(done));
  absl::StatusOr<StoredExecution> stored = context_.store.LoadHeader(**existing);
  if (!stored.ok()) return done(stored.status());
  if (stored->input != plan.input) return done(errors::ExecutionAlreadyStarted(plan.record.name()));
  v1::StartExecutionResponse response;
  response.set_durable_execution_arn(stored->record.arn());
  response.set_executed_version(stored->record.version());
  response.set_already_started(true);
  done(std::move(response));
}

void Lane::StartNew(StartPlan plan, Done<v1::StartExecutionResponse> done) {
  absl::optional<StartPlan> again;
  if (plan.named && context_.replicas != nullptr) again = plan;
  // Behind this lane's part in the end of the session nobody would end it.
  if (plan.session->ended) return done(errors::SessionNotFound(plan.session->name()));
  const int64_t max_open = plan.session->limits().open_executions;
  if (++plan.session->open_executions > max_open && max_open > 0) {
    --plan.session->open_executions;
    return done(
        errors::TooManyRequests(absl::StrCat("The session has ", max_open,
                                             " open executions, its limit; stop some or wait."),
                                "ConcurrentInvocationLimitExceeded", absl::Seconds(1)));
  }
  ExecutionTree& tree = AddTree(plan.session);
  tree.root_id = plan.record.execution_id();
  const std::string name_key = plan.named ? NameKey(plan.record) : "";
  if (plan.named) starting_[name_key] = &tree;

  std::vector<ExecutionDelta> deltas;
  deltas.push_back(
      rehearse::StartExecution(std::move(plan.record), std::move(plan.input), Now(tree)));
  AddMember(tree, deltas[0].arn);
  v1::StartExecutionResponse response;
  response.set_durable_execution_arn(deltas[0].arn);
  response.set_executed_version(deltas[0].created->version());
  Commit(tree, std::move(deltas),
         [this, &tree, name_key, response = std::move(response), again = std::move(again),
          done = std::move(done)](absl::Status status) mutable {
           if (!name_key.empty()) starting_.erase(name_key);
           if (!status.ok()) {
             --tree.session->open_executions;
             RemoveMember(*tree.members[0]);
             RemoveIfEmpty(tree);
             // Another replica was first: its execution is there now.
             if (again.has_value() && absl::IsAlreadyExists(status)) {
               return StartExecution(*std::move(again), std::move(done));
             }
             return done(std::move(status));
           }
           TreeMember& member = *tree.members[0];
           done(std::move(response));
           Trigger(member);
         });
}

void Lane::Commit(TreeMember& member, ExecutionChange change, Committed then) {
  std::vector<ExecutionDelta> deltas;
  deltas.push_back(std::move(change).Finish());
  Commit(*member.tree, std::move(deltas), std::move(then));
}

void Lane::Commit(ExecutionTree& tree, std::vector<ExecutionDelta> deltas, Committed then) {
  REHEARSE_CHECK(!tree.committing);
  tree.committing = true;
  auto commit = std::make_shared<PendingCommit>();
  commit->tree = &tree;
  commit->deltas = std::move(deltas);
  commit->then = std::move(then);
  for (ExecutionDelta& delta : commit->deltas) Stamp(tree, delta);
  std::vector<const ExecutionDelta*> pointers;
  pointers.reserve(commit->deltas.size());
  for (const ExecutionDelta& delta : commit->deltas) pointers.push_back(&delta);
  context_.store.Commit(std::move(pointers), [this, commit](absl::Status status) {
    commit->status = std::move(status);
    int expected = PendingCommit::kInCall;
    if (commit->state.compare_exchange_strong(expected, PendingCommit::kAnswered)) return;
    context_.scheduler.Enqueue(index_, [this, commit] { FinishCommit(commit, commit->status); });
  });
  int expected = PendingCommit::kInCall;
  if (commit->state.compare_exchange_strong(expected, PendingCommit::kReturned)) return;
  FinishCommit(commit, commit->status);
}

void Lane::Stamp(const ExecutionTree& tree, ExecutionDelta& delta) {
  SetClock(tree.clock.state(), delta.progress);
  if (!HasFinished(delta.progress)) return;
  const v1::DurableConfig& config = FindByArn(delta.arn)->execution->record().durable_config();
  const int days = config.has_retention_period_in_days() ? config.retention_period_in_days()
                                                         : kDefaultRetentionDays;
  SetTimestamp(Now(tree).deadline_time + absl::Hours(24) * days,
               delta.progress.mutable_retention_deadline());
}

void Lane::FinishCommit(std::shared_ptr<PendingCommit> commit, absl::Status status) {
  ExecutionTree& tree = *commit->tree;
  tree.committing = false;
  std::vector<TreeMember*> finished;
  if (status.ok()) {
    for (ExecutionDelta& delta : commit->deltas) {
      TreeMember* member = FindByArn(delta.arn);
      const bool live = !HasFinished(delta.progress);
      Apply(tree, std::move(delta));
      if (!live) finished.push_back(member);
    }
  }
  SettleAfter(tree, [&] {
    commit->then(std::move(status));
    for (TreeMember* member : finished) FinishExecution(*member);
  });
}

void Lane::SettleAfter(ExecutionTree& tree, absl::FunctionRef<void()> work) {
  // The tree settles once, when all that follows from the first work has been done.
  const bool outermost = !tree.settling;
  tree.settling = true;
  work();
  tree.settle_again = true;
  if (!outermost) return;
  while (!tree.committing && tree.waiting != nullptr) {
    Scheduler::Task task = std::move(tree.waiting->front());
    tree.waiting->pop_front();
    if (tree.waiting->empty()) tree.waiting.reset();
    task();
  }
  tree.settling = false;
  Settle(tree);
}

void Lane::Apply(ExecutionTree& tree, ExecutionDelta delta) {
  TreeMember& member = *FindByArn(delta.arn);
  const bool started = delta.created.has_value();
  std::vector<int64_t> touched;
  touched.reserve(delta.operations.size());
  for (const record::OperationRecord& operation : delta.operations)
    touched.push_back(operation.index());
  record::ExecutionProgress before;
  if (started) {
    member.execution = std::make_unique<Execution>(std::move(delta));
  } else {
    before = member.execution->progress();
    member.execution->Apply(std::move(delta));
  }
  ArmTimers(member, touched);
  ArmExecutionTimers(member, before);
  ExecutionNotice notice{*member.execution, Now(tree)};
  notice.started = started;
  notice.finished = HasFinished(member.execution->progress());
  context_.notifier.Notify(notice);
  if (member.active != nullptr && member.active->idle.has_value() &&
      member.execution->AnyTouchedAfter(member.execution->progress().seen_sequence())) {
    EndIdle(member);
  }
}

void Lane::ArmTimers(TreeMember& member, const std::vector<int64_t>& operations) {
  for (int64_t index : operations) {
    const absl::optional<Timer> timer =
        TimerOfOperation(member.execution->operation(index), member.index);
    if (timer.has_value()) member.tree->clock.Arm(*timer);
  }
}

void Lane::ArmExecutionTimers(TreeMember& member, const record::ExecutionProgress& before) {
  const record::ExecutionProgress& progress = member.execution->progress();
  if (progress.has_timeout_deadline() &&
      ToAbsl(progress.timeout_deadline()) != ToAbsl(before.timeout_deadline())) {
    member.tree->clock.Arm(
        {Timer::Kind::kExecutionTimeout, ToAbsl(progress.timeout_deadline()), member.index, 0});
  }
  if (progress.has_backoff_until() &&
      ToAbsl(progress.backoff_until()) != ToAbsl(before.backoff_until())) {
    member.tree->clock.Arm(
        {Timer::Kind::kBackoff, ToAbsl(progress.backoff_until()), member.index, 0});
  }
}

void Lane::FinishExecution(TreeMember& member) {
  ExecutionTree& tree = *member.tree;
  const std::unique_ptr<Execution> execution = std::move(member.execution);
  --tree.session->open_executions;
  ++tree.session->closed_executions;
  if (member.active != nullptr) {
    // Closed from outside while it ran.
    if (member.active->lease != nullptr) {
      member.active->lease->Abort(execution->progress().status() == v1::EXECUTION_STATUS_TIMED_OUT
                                      ? v1::ServeResponse::Abort::EXECUTION_TIMED_OUT
                                      : v1::ServeResponse::Abort::EXECUTION_STOPPED);
    }
    ReleaseActive(member);
  }
  member.retention_due = ToAbsl(execution->progress().retention_deadline());
  tree.clock.Arm({Timer::Kind::kRetention, member.retention_due, member.index, 0});
  if (!execution->record().has_parent()) return;
  DeliverOutcome(tree, execution->record().parent().arn(),
                 execution->record().parent().operation_id(), OutcomeOf(*execution));
}

void Lane::RetryLater(const TreeMember& member, Work work) {
  ExecutionTree& tree = *member.tree;
  if (tree.retries == nullptr) {
    tree.retries = std::make_unique<Retries>();
    tree.retries->timer = context_.scheduler.PostAt(
        index_, context_.scheduler.Now() + kStoreRetryDelay, [this, &tree] { Retry(tree); });
  }
  tree.retries->work.emplace_back(ExecutionIdOf(member.arn), std::move(work));
}

void Lane::Retry(ExecutionTree& tree) {
  if (tree.committing) return RunOrQueue(tree, [this, &tree] { Retry(tree); });
  const std::unique_ptr<Retries> retries = std::move(tree.retries);
  SettleAfter(tree, [&] {
    for (auto& [id, work] : retries->work) {
      Enter(std::move(id), [work = std::move(work)](TreeMember* member) mutable {
        if (member != nullptr && member->execution != nullptr) work(member);
      });
    }
  });
}

void Lane::Checkpoint(TreeMember& member, v1::CheckpointRequest request,
                      StaleTokenSpelling spelling, Done<v1::CheckpointResponse> done) {
  if (request.updates().empty() && member.active != nullptr &&
      !member.active->held_outcomes.empty()) {
    // A poll asks for news: what was held back for the history's sake is news.
    std::string id(ExecutionIdOf(member.arn));
    return ReleaseHeldOutcomes(member, [this, id = std::move(id), request = std::move(request),
                                        spelling, done = std::move(done)]() mutable {
      Enter(std::move(id), [this, request = std::move(request), spelling,
                            done = std::move(done)](TreeMember* member) mutable {
        if (member == nullptr || member->execution == nullptr) {
          return done(errors::StaleCheckpointToken(spelling));
        }
        Checkpoint(*member, std::move(request), spelling, std::move(done));
      });
    });
  }
  const ChainedTargets targets = ResolveTargets(member, request);
  absl::StatusOr<CheckpointOutcome> outcome = ProcessCheckpoint(
      *member.execution, {request, Now(*member.tree), member.tree->session->limits(), context_.ids,
                          targets, spelling});
  if (!outcome.ok()) return done(outcome.status());
  if (!outcome->delta.has_value()) return done(std::move(outcome->response));

  std::vector<ExecutionDelta> deltas;
  std::vector<std::string> plain;
  for (const Effect& effect : outcome->effects) {
    if (effect.kind != Effect::Kind::kStartChainedInvoke) continue;
    for (const record::OperationRecord& operation : outcome->delta->operations) {
      if (operation.operation().id() != effect.operation_id) continue;
      if (operation.chained_target().child_arn().empty()) {
        plain.push_back(effect.operation_id);
      } else {
        deltas.push_back(ChildOf(member, operation));
      }
    }
  }
  for (const ExecutionDelta& child : deltas) AddMember(*member.tree, child.arn);
  const size_t children = deltas.size();
  deltas.push_back(*std::move(outcome->delta));
  Commit(
      *member.tree, std::move(deltas),
      [this, &member, children, plain = std::move(plain), response = std::move(outcome->response),
       done = std::move(done)](absl::Status status) mutable {
        ExecutionTree& tree = *member.tree;
        const size_t first_child = tree.members.size() - children;
        if (!status.ok()) {
          for (size_t i = first_child; i < tree.members.size(); ++i) RemoveMember(*tree.members[i]);
          return done(std::move(status));
        }
        tree.session->open_executions += static_cast<int64_t>(children);
        done(std::move(response));
        for (size_t i = first_child; i < first_child + children; ++i) Trigger(*tree.members[i]);
        for (const std::string& operation_id : plain) StartPlain(member, operation_id);
      });
}

void Lane::Stop(TreeMember& member, const v1::ErrorObject& error,
                Done<v1::StopExecutionResponse> done) {
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  rehearse::Stop(change, error);
  v1::StopExecutionResponse response;
  *response.mutable_stop_timestamp() = change.progress().end_time();
  Commit(member, std::move(change),
         [response = std::move(response), done = std::move(done)](absl::Status status) mutable {
           if (!status.ok()) return done(std::move(status));
           done(std::move(response));
         });
}

void Lane::Pause(TreeMember& member, const v1::PauseExecutionRequest& request,
                 Done<v1::PauseExecutionResponse> done) {
  const absl::StatusOr<bool> repeated =
      IsRepeated(*member.execution, request, Now(*member.tree).time);
  if (!repeated.ok()) return done(repeated.status());
  if (*repeated) return done(v1::PauseExecutionResponse());
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  const bool queued = member.active != nullptr && !member.execution->invocation_in_flight();
  if (queued) OweInvocation(change);
  absl::Status status = rehearse::Pause(change, request);
  if (!status.ok()) return done(std::move(status));
  Commit(member, std::move(change),
         [this, &member, queued, done = std::move(done)](absl::Status status) mutable {
           if (!status.ok()) return done(std::move(status));
           if (queued) ReleaseActive(member);
           done(v1::PauseExecutionResponse());
         });
}

void Lane::Resume(TreeMember& member, const v1::ResumeExecutionRequest& request,
                  Done<v1::ResumeExecutionResponse> done) {
  const absl::StatusOr<bool> repeated =
      IsRepeated(*member.execution, request, Now(*member.tree).time);
  if (!repeated.ok()) return done(repeated.status());
  if (*repeated) return done(v1::ResumeExecutionResponse());
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  absl::StatusOr<NextStep> next = rehearse::Resume(change, request);
  if (!next.ok()) return done(next.status());
  Commit(member, std::move(change),
         [this, &member, next = *next, done = std::move(done)](absl::Status status) mutable {
           if (!status.ok()) return done(std::move(status));
           done(v1::ResumeExecutionResponse());
           if (next == NextStep::kInvoke) Trigger(member);
         });
}

void Lane::ChangeCallback(TreeMember& member, CallbackChange stage,
                          absl::AnyInvocable<void(absl::Status)> done) {
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  const int64_t before = change.progress().change_sequence();
  absl::Status status = stage(change);
  if (!status.ok()) return done(std::move(status));
  const bool completed = change.progress().change_sequence() != before;
  Commit(member, std::move(change),
         [this, &member, completed, done = std::move(done)](absl::Status status) mutable {
           const bool ok = status.ok();
           done(std::move(status));
           if (ok && completed) Trigger(member);
         });
}

absl::Status Lane::Delete(TreeMember& member) {
  absl::Status status = context_.store.Delete({member.arn});
  if (!status.ok()) return status;
  ExecutionTree& tree = *member.tree;
  --tree.session->closed_executions;
  RemoveMember(member);
  RemoveIfEmpty(tree);
  Settle(tree);
  return absl::OkStatus();
}

void Lane::RemoveSession(absl::string_view session, absl::AnyInvocable<void()> done) {
  const auto it = trees_by_session_.find(session);
  if (it == trees_by_session_.end()) return done();
  auto left = std::make_shared<size_t>(it->second.size());
  auto all_removed = std::make_shared<absl::AnyInvocable<void()>>(std::move(done));
  const std::vector<ExecutionTree*> trees(it->second.begin(), it->second.end());
  for (ExecutionTree* tree : trees) {
    tree->removed = [left, all_removed] {
      if (--*left == 0) (*all_removed)();
    };
    // A tree with a commit on its way goes when that has come back.
    if (!tree->committing) Settle(*tree);
  }
}

void Lane::Shutdown() {
  shut_down_ = true;
  for (const std::unique_ptr<ExecutionTree>& tree : trees_) {
    for (const std::unique_ptr<TreeMember>& member : tree->members) {
      if (member == nullptr || member->active == nullptr) continue;
      EndIdle(*member);
      if (member->active->lease != nullptr) {
        member->active->lease->Abort(v1::ServeResponse::Abort::SESSION_ENDED);
      }
    }
    if (tree->advances == nullptr) continue;
    for (rehearse::Advance& advance : *tree->advances) advance.done(std::move(advance.fired));
    tree->advances.reset();
  }
}

}  // namespace rehearse
