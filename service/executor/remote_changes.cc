#include "service/executor/remote_changes.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace rehearse {

bool RemoteChanges::Look() {
  absl::flat_hash_set<std::string> watched;
  context_.notifier.AddWatched(watched);
  context_.waiters.AddWatched(watched);
  absl::erase_if(watched, [&](const std::string& arn) { return context_.owned.Contains(arn); });
  absl::erase_if(told_, [&](const auto& told) { return !watched.contains(told.first); });
  if (watched.empty()) return false;
  const absl::StatusOr<std::vector<ReplicaGroup::Progress>> found =
      context_.replicas->ReadProgress({watched.begin(), watched.end()});
  if (!found.ok()) return true;
  for (const auto& [arn, progress] : *found) {
    watched.erase(arn);
    const auto told = told_.find(arn);
    if (told == told_.end() ||
        told->second->progress().SerializeAsString() != progress.SerializeAsString()) {
      Tell(arn);
    }
  }
  // Those that are left are not there any more.
  for (const std::string& arn : watched) {
    const auto told = told_.find(arn);
    if (told == told_.end()) continue;
    TellRemoved(*told->second);
    told_.erase(told);
  }
  return true;
}

void RemoteChanges::Tell(const std::string& arn) {
  absl::StatusOr<std::unique_ptr<Execution>> execution = context_.store.Load(arn);
  if (!execution.ok()) return;
  const absl::Time now = context_.scheduler.Now();
  ExecutionNotice notice{**execution, {now, now}};
  notice.finished = HasFinished((*execution)->progress());
  context_.notifier.Notify(notice);
  told_[arn] = *std::move(execution);
}

void RemoteChanges::TellRemoved(const Execution& execution) {
  const absl::Time now = context_.scheduler.Now();
  ExecutionNotice notice{execution, {now, now}};
  notice.removed = true;
  context_.notifier.Notify(notice);
}

}  // namespace rehearse
