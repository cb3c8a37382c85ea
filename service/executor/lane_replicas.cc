// Lane: trees that come from other replicas, and go to them.
#include <utility>

#include "service/executor/lane.h"

namespace rehearse {
namespace {

// Wall time for which an invocation waits here for a place, which was free when it was asked for.
constexpr absl::Duration kPlacePatience = absl::Seconds(1);

// What this replica has in memory may not be true any more.
absl::Status LeaseIsOver() {
  return errors::StoreUnavailable("the lease of this replica has not been renewed in time");
}

}  // namespace

void Lane::EnterOwned(std::string execution_id, OnFound found) {
  auto member = members_.find(execution_id);
  if (member == members_.end() && context_.replicas != nullptr) {
    absl::StatusOr<TreeClaim> claim = context_.replicas->ClaimTree(execution_id);
    if (absl::IsNotFound(claim.status())) return found(Found{});
    if (!claim.ok()) return found(claim.status());
    if (!claim->owner.empty()) return found(Found{nullptr, claim->owner});
    const absl::Status adopted = Adopt(std::move(claim->executions));
    if (!adopted.ok()) return found(adopted);
    SettleSoon(execution_id);
    member = members_.find(execution_id);
  }
  if (member == members_.end()) return found(Found{});
  ExecutionTree& tree = *member->second->tree;
  if (tree.releasing) {
    return RunOrQueue(tree,
                      [this, id = std::move(execution_id), found = std::move(found)]() mutable {
                        EnterOwned(std::move(id), std::move(found));
                      });
  }
  if (context_.replicas != nullptr && !context_.replicas->HoldsLease()) return found(LeaseIsOver());
  Enter(std::move(execution_id),
        [found = std::move(found)](TreeMember* member) mutable { found(Found{member}); });
}

void Lane::EnterToRead(const std::string& arn, OnFound found) {
  const auto member = members_.find(ExecutionIdOf(arn));
  const bool owned = member != members_.end() && !member->second->tree->releasing;
  if (owned || context_.replicas == nullptr) {
    if (owned && context_.replicas != nullptr && !context_.replicas->HoldsLease()) {
      return found(LeaseIsOver());
    }
    return Enter(std::string(ExecutionIdOf(arn)),
                 [found = std::move(found)](TreeMember* member) mutable { found(Found{member}); });
  }
  const absl::StatusOr<StoredExecution> header = context_.store.LoadHeader(arn);
  if (absl::IsNotFound(header.status())) return found(Found{});
  if (!header.ok()) return found(header.status());
  absl::StatusOr<std::shared_ptr<Session>> session = FindSession(header->record.session());
  if (absl::IsNotFound(session.status())) return found(Found{});
  if (!session.ok()) return found(session.status());
  ExecutionTree tree(*std::move(session), context_.scheduler.Now());
  tree.detached = true;
  TreeMember copy;
  copy.tree = &tree;
  copy.arn = arn;
  record::ExecutionProgress progress = header->progress;
  if (!HasFinished(progress)) {
    absl::StatusOr<std::unique_ptr<Execution>> execution = context_.store.Load(arn);
    if (absl::IsNotFound(execution.status())) return found(Found{});
    if (!execution.ok()) return found(execution.status());
    copy.execution = *std::move(execution);
    progress = copy.execution->progress();
  }
  if (HasFinished(progress)) {
    copy.execution.reset();
    copy.retention_due = ToAbsl(progress.retention_deadline());
  }
  found(Found{&copy});
}

absl::Status Lane::Adopt(std::vector<RecoveredExecution> executions) {
  for (RecoveredExecution& execution : executions) {
    absl::StatusOr<std::shared_ptr<Session>> session = FindSession(execution.record.session());
    if (!session.ok()) return session.status();
    Recover(*std::move(session), std::move(execution));
  }
  FinishRecovery();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Session>> Lane::FindSession(const std::string& name) {
  absl::StatusOr<std::shared_ptr<Session>> session = context_.sessions.Find(name);
  if (session.ok()) return session;
  const absl::Status refreshed = context_.refresh_sessions();
  if (!refreshed.ok()) return refreshed;
  return context_.sessions.Find(name);
}

bool Lane::IsRegistered(Session& session, const std::string& function_name) {
  if (session.FindFunction(function_name).has_value()) return true;
  if (context_.replicas == nullptr) return false;
  // If the store cannot tell, a worker may well come for it.
  return !context_.refresh_sessions().ok() || session.FindFunction(function_name).has_value();
}

PlaceRequest Lane::RequestPlace(const FunctionKey& function, const std::string& execution_id) {
  PlaceRequest request;
  request.time = context_.scheduler.Now();
  request.parked = context_.replicas != nullptr && !context_.invoker.HasFreePlace(function);
  if (request.parked) SettleSoon(execution_id);
  return request;
}

void Lane::SettleSoon(std::string execution_id) {
  context_.scheduler.Post(index_, [this, id = std::move(execution_id)]() mutable {
    Enter(std::move(id), [this](TreeMember* member) {
      if (member != nullptr) Settle(*member->tree);
    });
  });
}

void Lane::OfferQueued() {
  std::vector<std::string> ids;
  for (const std::unique_ptr<ExecutionTree>& tree : trees_) {
    for (const std::unique_ptr<TreeMember>& member : tree->members) {
      if (member != nullptr && member->active != nullptr && member->active->lease == nullptr) {
        ids.emplace_back(ExecutionIdOf(member->arn));
      }
    }
    for (const std::unique_ptr<PlainInvocation>& plain : tree->plain) {
      if (plain->lease == nullptr) ids.emplace_back(ExecutionIdOf(plain->parent_arn));
    }
  }
  for (std::string& id : ids) {
    Enter(std::move(id), [this](TreeMember* member) {
      if (member != nullptr && member->execution != nullptr) OfferQueued(*member);
    });
  }
}

void Lane::OfferQueued(TreeMember& member) {
  const record::ExecutionRecord& record = member.execution->record();
  if (member.active != nullptr && member.active->lease == nullptr &&
      !member.active->result.has_value() &&
      AsksAgain({record.session(), record.registered_function_name()}, member.active->request)) {
    member.active->ticket = next_ticket_++;
    return AskForPlace(member);
  }
  for (const std::unique_ptr<PlainInvocation>& plain : member.tree->plain) {
    if (plain->parent_arn != member.arn || plain->lease != nullptr ||
        !AsksAgain(plain->function, plain->request)) {
      continue;
    }
    plain->ticket = next_ticket_++;
    AskForPlainPlace(*plain);
  }
}

bool Lane::AsksAgain(const FunctionKey& function, const PlaceRequest& request) const {
  const bool free = context_.invoker.HasFreePlace(function);
  if (request.parked) return free;
  // Long enough for a place that is on its way.
  return !free && context_.scheduler.Now() - request.time > kPlacePatience;
}

bool Lane::MayRelease(const ExecutionTree& tree) const {
  if (context_.replicas == nullptr || tree.committing || tree.removed || tree.retries != nullptr ||
      tree.advances != nullptr || tree.interrupted != nullptr || tree.waiting != nullptr ||
      shut_down_) {
    return false;
  }
  bool open = false;
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr) continue;
    open = open || member->execution != nullptr;
    if (member->active == nullptr) continue;
    if (!member->active->request.parked || !member->active->held_outcomes.empty()) return false;
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) {
    if (!plain->request.parked) return false;
  }
  // Awake without anything to run: it is about to wake up.
  return tree.active_count > 0 || !open;
}

void Lane::ReleaseIfDone(ExecutionTree& tree) {
  if (!MayRelease(tree)) return;
  TreeRelease release{tree.root_id, tree.wake_due, {}};
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr || member->active == nullptr) continue;
    const record::ExecutionRecord& record = member->execution->record();
    release.awaited.push_back({record.session(), record.registered_function_name()});
  }
  for (const std::unique_ptr<PlainInvocation>& plain : tree.plain) {
    release.awaited.push_back(plain->function);
  }
  tree.committing = true;
  tree.releasing = true;
  const std::vector<FunctionKey> awaited = release.awaited;
  context_.replicas->ReleaseTree(std::move(release), [this, &tree, awaited](absl::Status status) {
    context_.scheduler.Enqueue(index_, [this, &tree, awaited, status] {
      // Deregistered meanwhile: whoever did that did not see yet that they are awaited.
      for (const FunctionKey& function : awaited) {
        if (tree.session->FindFunction(function.function_name).has_value()) continue;
        context_.replicas->WakeAwaiting(function).IgnoreError();
      }
      FinishRelease(tree, status);
    });
  });
}

void Lane::FinishRelease(ExecutionTree& tree, const absl::Status& status) {
  if (!status.ok()) {
    context_.scheduler.PostAt(index_, context_.scheduler.Now() + kStoreRetryDelay, [this, &tree] {
      tree.committing = false;
      tree.releasing = false;
      SettleAfter(tree, [] {});
    });
    return;
  }
  for (const std::unique_ptr<TreeMember>& member : tree.members) {
    if (member == nullptr) continue;
    --(member->finished() ? tree.session->closed_executions : tree.session->open_executions);
  }
  const std::unique_ptr<std::deque<Scheduler::Task>> waiting = std::move(tree.waiting);
  absl::AnyInvocable<void()> removed = std::move(tree.removed);
  ForgetTree(tree);
  if (removed) removed();
  if (waiting == nullptr) return;
  for (Scheduler::Task& task : *waiting) task();
}

}  // namespace rehearse
