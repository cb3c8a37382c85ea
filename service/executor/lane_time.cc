// Lane: what is due, jumps of time, and advances.
#include <algorithm>
#include <utility>

#include "service/executor/lane.h"

namespace rehearse {
namespace {

// On the execution's clock, until a store that could not delete is asked again.
constexpr absl::Duration kPurgeRetryDelay = absl::Hours(1);

v1::FiredTimer::Kind FiredKind(Timer::Kind kind) {
  switch (kind) {
    case Timer::Kind::kWait:
      return v1::FiredTimer::KIND_WAIT;
    case Timer::Kind::kRetry:
      return v1::FiredTimer::KIND_RETRY;
    case Timer::Kind::kBackoff:
      return v1::FiredTimer::KIND_BACKOFF;
    case Timer::Kind::kCallbackTimeout:
      return v1::FiredTimer::KIND_CALLBACK_TIMEOUT;
    case Timer::Kind::kCallbackHeartbeat:
      return v1::FiredTimer::KIND_CALLBACK_HEARTBEAT;
    case Timer::Kind::kExecutionTimeout:
      return v1::FiredTimer::KIND_EXECUTION_TIMEOUT;
    case Timer::Kind::kRetention:
      return v1::FiredTimer::KIND_RETENTION;
    case Timer::Kind::kIdle:
      break;
  }
  return v1::FiredTimer::KIND_UNSPECIFIED;
}

bool Matches(Timer::Kind kind, OperationTimer::Kind operation) {
  switch (operation) {
    case OperationTimer::Kind::kWait:
      return kind == Timer::Kind::kWait;
    case OperationTimer::Kind::kRetry:
      return kind == Timer::Kind::kRetry;
    case OperationTimer::Kind::kCallbackTimeout:
      return kind == Timer::Kind::kCallbackTimeout;
    case OperationTimer::Kind::kCallbackHeartbeat:
      return kind == Timer::Kind::kCallbackHeartbeat;
  }
  return false;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

// The records say which timers are still wanted.
bool Lane::IsLive(const ExecutionTree& tree, const Timer& timer) const {
  const TreeMember* member = tree.members[timer.execution].get();
  if (member == nullptr) return false;
  if (timer.kind == Timer::Kind::kRetention) return member->retention_due == timer.due;
  if (member->execution == nullptr || member->execution->closed()) return false;
  if (timer.kind == Timer::Kind::kIdle) {
    return member->active != nullptr && member->active->idle.has_value() &&
           member->active->idle->until == timer.due;
  }
  const record::ExecutionProgress& progress = member->execution->progress();
  if (timer.kind == Timer::Kind::kExecutionTimeout) {
    return progress.has_timeout_deadline() && ToAbsl(progress.timeout_deadline()) == timer.due;
  }
  if (timer.kind == Timer::Kind::kBackoff) {
    return progress.has_backoff_until() && ToAbsl(progress.backoff_until()) == timer.due;
  }
  const absl::optional<OperationTimer> wanted =
      TimerOf(member->execution->operation(timer.operation));
  return wanted.has_value() && wanted->due == timer.due && Matches(timer.kind, wanted->kind);
}

void Lane::Settle(ExecutionTree& tree) {
  tree.settle_again = true;
  if (tree.settling || tree.committing || !WakeUp(tree)) return;
  if (tree.interrupted != nullptr) return TakeUpInterrupted(tree);
  tree.settling = true;
  while (tree.settle_again && !tree.committing && !tree.removed && tree.retries == nullptr) {
    tree.settle_again = SettleOnce(tree);
  }
  tree.settling = false;
  if (tree.committing) return;
  if (!tree.removed) {
    if (tree.retries != nullptr) return;
    ArmWake(tree);
    FallAsleep(tree);
    return ReleaseIfDone(tree);
  }
  absl::AnyInvocable<void()> removed = std::move(tree.removed);
  RemoveTree(tree);
  removed();
}

// Returns whether something has happened, so that there may be more to do.
bool Lane::SettleOnce(ExecutionTree& tree) {
  const absl::Time wall_now = context_.scheduler.Now();
  if (FireDue(tree, wall_now)) return true;
  if (tree.advances != nullptr && SpendAdvance(tree, wall_now)) return true;
  if (shut_down_ || tree.active_count > tree.idle_count) return false;
  return tree.clock.JumpToNext(wall_now, [&](const Timer& timer) { return IsLive(tree, timer); });
}

bool Lane::FireDue(ExecutionTree& tree, absl::Time wall_now) {
  const Moment moment = tree.clock.Read(wall_now);
  std::vector<std::pair<TreeMember*, std::unique_ptr<ExecutionChange>>> changes;
  auto change_of = [&](TreeMember* member) -> ExecutionChange& {
    for (auto& [changed, change] : changes) {
      if (changed == member) return *change;
    }
    changes.emplace_back(member,
                         std::make_unique<ExecutionChange>(*member->execution, moment,
                                                           ExecutionChange::Origin::kOutside));
    return *changes.back().second;
  };
  std::vector<Timer> fired;
  bool any = false;
  while (absl::optional<Timer> timer =
             tree.clock.PopDue(wall_now, [&](const Timer& timer) { return IsLive(tree, timer); })) {
    any = true;
    TreeMember* member = tree.members[timer->execution].get();
    switch (timer->kind) {
      case Timer::Kind::kIdle:
        EndIdle(*member);
        continue;
      case Timer::Kind::kRetention:
        Purge(*member);
        continue;
      default:
        fired.push_back(*timer);
    }
    ExecutionChange& change = change_of(member);
    // An earlier timer of the same moment may have closed the execution.
    if (IsTerminal(change.progress().status())) continue;
    switch (timer->kind) {
      case Timer::Kind::kExecutionTimeout:
        TimeOut(change);
        break;
      case Timer::Kind::kBackoff:
        change.progress().clear_backoff_until();
        break;
      default:
        CompleteIfDue(change, member->execution->operation(timer->operation).operation().id());
    }
  }
  if (changes.empty()) return any;

  std::vector<v1::FiredTimer> report = Report(tree, fired, moment);
  std::vector<ExecutionDelta> deltas;
  std::vector<TreeMember*> changed;
  for (auto& [member, change] : changes) {
    deltas.push_back(std::move(*change).Finish());
    changed.push_back(member);
  }
  Commit(tree, std::move(deltas),
         [this, &tree, changed = std::move(changed), fired = std::move(fired),
          report = std::move(report)](absl::Status status) mutable {
           if (!status.ok()) {
             // Nothing has happened: the timers are wanted as before, a little later.
             for (const Timer& timer : fired) tree.clock.Arm(timer);
             return RetryLater(*changed[0], [](TreeMember*) {});
           }
           if (tree.advances != nullptr) {
             std::move(report.begin(), report.end(),
                       std::back_inserter(tree.advances->front().fired));
           }
           for (TreeMember* member : changed) Trigger(*member);
         });
  return true;
}

std::vector<v1::FiredTimer> Lane::Report(const ExecutionTree& tree,
                                         const std::vector<Timer>& timers,
                                         const Moment& moment) const {
  std::vector<v1::FiredTimer> report;
  if (tree.advances == nullptr) return report;
  for (const Timer& timer : timers) {
    const TreeMember& member = *tree.members[timer.execution];
    v1::FiredTimer& entry = report.emplace_back();
    entry.set_kind(FiredKind(timer.kind));
    entry.set_durable_execution_arn(member.arn);
    const bool deadline = timer.kind >= Timer::Kind::kCallbackTimeout;
    SetTimestamp(deadline ? timer.due + (moment.time - moment.deadline_time) : timer.due,
                 entry.mutable_due());
    if (timer.kind != Timer::Kind::kBackoff && timer.kind < Timer::Kind::kExecutionTimeout) {
      entry.set_operation_id(member.execution->operation(timer.operation).operation().id());
    }
  }
  return report;
}

void Lane::Purge(TreeMember& member) {
  ExecutionTree& tree = *member.tree;
  const Timer timer{Timer::Kind::kRetention, member.retention_due, member.index, 0};
  if (!context_.store.Delete({member.arn}).ok()) {
    // Kept until the store can delete.
    member.retention_due += kPurgeRetryDelay;
    tree.clock.Arm({timer.kind, member.retention_due, timer.execution, 0});
    return;
  }
  if (tree.advances != nullptr) {
    std::vector<v1::FiredTimer> report = Report(tree, {timer}, Now(tree));
    std::move(report.begin(), report.end(), std::back_inserter(tree.advances->front().fired));
  }
  --tree.session->closed_executions;
  RemoveMember(member);
  RemoveIfEmpty(tree);
}

// The clock has arrived, or moves on to what is due next, unless something that the advance caused
// still runs.
bool Lane::SpendAdvance(ExecutionTree& tree, absl::Time wall_now) {
  rehearse::Advance& advance = tree.advances->front();
  if (!advance.remaining.has_value()) BeginAdvance(tree, advance, wall_now);
  if (BusyForAdvance(tree)) return false;
  if (*advance.remaining > absl::ZeroDuration()) {
    *advance.remaining -= tree.clock.AdvanceTowardsNext(
        wall_now, *advance.remaining, [&](const Timer& timer) { return IsLive(tree, timer); });
    return true;
  }
  if (!ClockIsStored(tree)) {
    StoreClock(tree);
    return true;
  }
  rehearse::Advance spent = std::move(advance);
  tree.advances->pop_front();
  if (tree.advances->empty()) tree.advances.reset();
  spent.done(std::move(spent.fired));
  return true;
}

bool Lane::ClockIsStored(const ExecutionTree& tree) const {
  record::ExecutionProgress now;
  if (!SetClock(tree.clock.state(), now)) return true;
  const std::string state = now.clock().SerializeAsString();
  bool any_open = false;
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->execution == nullptr) continue;
    if (member->execution->progress().clock().SerializeAsString() == state) return true;
    any_open = true;
  }
  // Of finished executions only the retention is left, which is kept as it was at their end.
  return !any_open;
}

void Lane::StoreClock(ExecutionTree& tree) {
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->execution == nullptr) continue;
    ExecutionChange change(*member->execution, Now(tree), ExecutionChange::Origin::kOutside);
    return Commit(*member, std::move(change), [this, member = member.get()](absl::Status status) {
      if (!status.ok()) RetryLater(*member, [](TreeMember*) {});
    });
  }
}

void Lane::BeginAdvance(ExecutionTree& tree, rehearse::Advance& advance, absl::Time wall_now) {
  const v1::AdvanceTimeRequest& request = advance.request;
  if (request.has_duration()) {
    advance.remaining = ToDuration(request.duration());
  } else if (request.has_until()) {
    advance.remaining = ToAbsl(request.until()) - tree.clock.Read(wall_now).time;
  } else {
    advance.remaining =
        tree.clock.UntilNext(wall_now, [&](const Timer& timer) { return IsLive(tree, timer); })
            .value_or(absl::ZeroDuration());
  }
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member != nullptr && member->active != nullptr)
      advance.bystanders.insert(member->active->ticket);
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) {
    advance.bystanders.insert(plain->ticket);
  }
}

bool Lane::BusyForAdvance(const ExecutionTree& tree) const {
  const absl::flat_hash_set<int64_t>& bystanders = tree.advances->front().bystanders;
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->active == nullptr || member->active->idle.has_value())
      continue;
    if (bystanders.contains(member->active->ticket)) continue;
    const InvocationOutlook outlook = OutlookOf(*member);
    if (outlook.running || outlook.has_place) return true;
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) {
    if (bystanders.contains(plain->ticket)) continue;
    if (plain->lease != nullptr || context_.invoker.HasPlace(plain->function)) return true;
  }
  return false;
}

void Lane::Advance(absl::string_view session, const v1::AdvanceTimeRequest& request,
                   absl::AnyInvocable<void(std::vector<v1::FiredTimer>)> done) {
  struct Gathered {
    size_t left = 1;
    std::vector<v1::FiredTimer> fired;
    absl::AnyInvocable<void(std::vector<v1::FiredTimer>)> done;
    void Add(std::vector<v1::FiredTimer> more) {
      std::move(more.begin(), more.end(), std::back_inserter(fired));
      if (--left == 0) done(std::move(fired));
    }
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->done = std::move(done);
  std::vector<ExecutionTree*> trees;
  const auto it = trees_by_session_.find(session);
  if (it != trees_by_session_.end()) trees.assign(it->second.begin(), it->second.end());
  if (shut_down_) trees.clear();
  for (ExecutionTree* tree : trees) {
    rehearse::Advance advance;
    advance.request = request;
    ++gathered->left;
    advance.done = [gathered](std::vector<v1::FiredTimer> fired) {
      gathered->Add(std::move(fired));
    };
    if (tree->advances == nullptr)
      tree->advances = std::make_unique<std::deque<rehearse::Advance>>();
    tree->advances->push_back(std::move(advance));
    if (!tree->committing) Settle(*tree);
  }
  gathered->Add({});
}

void Lane::ArmWake(ExecutionTree& tree) {
  const absl::optional<absl::Time> due =
      tree.clock.NextWake([&](const Timer& timer) { return IsLive(tree, timer); });
  WakeAt(tree, due.value_or(absl::InfiniteFuture()));
}

void Lane::WakeAt(ExecutionTree& tree, absl::Time due) {
  if (due == tree.wake_due) return;
  if (tree.wake_timer != 0) context_.scheduler.Cancel(index_, tree.wake_timer);
  tree.wake_timer = 0;
  tree.wake_due = due;
  if (due == absl::InfiniteFuture()) return;
  tree.wake_timer = context_.scheduler.PostAt(index_, due, [this, &tree] {
    tree.wake_timer = 0;
    tree.wake_due = absl::InfiniteFuture();
    if (!tree.committing) Settle(tree);
  });
}

void Lane::FallAsleep(ExecutionTree& tree) {
  if (tree.active_count > 0 || tree.advances != nullptr ||
      tree.wake_due - context_.scheduler.Now() < kShortestSleep) {
    return;
  }
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->execution == nullptr) continue;
    member->execution.reset();
    tree.asleep = true;
  }
}

bool Lane::WakeUp(ExecutionTree& tree) {
  if (!tree.asleep) return true;
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->finished() || member->execution != nullptr) continue;
    absl::StatusOr<std::unique_ptr<Execution>> execution = context_.store.Load(member->arn);
    if (!execution.ok()) {
      tree.committing = true;
      context_.scheduler.PostAt(index_, context_.scheduler.Now() + kStoreRetryDelay, [this, &tree] {
        tree.committing = false;
        SettleAfter(tree, [] {});
      });
      return false;
    }
    member->execution = *std::move(execution);
  }
  tree.asleep = false;
  return true;
}

}  // namespace rehearse
