#include "service/executor/execution_observer.h"

#include <algorithm>

namespace rehearse {

void ExecutionNotifier::AddObserver(ExecutionObserver* observer) {
  absl::MutexLock lock(&mutex_);
  observers_.push_back(observer);
}

void ExecutionNotifier::RemoveObserver(ExecutionObserver* observer) {
  absl::MutexLock lock(&mutex_);
  observers_.erase(std::remove(observers_.begin(), observers_.end(), observer), observers_.end());
}

void ExecutionNotifier::AddObserver(absl::string_view arn, ExecutionObserver* observer) {
  absl::MutexLock lock(&mutex_);
  by_arn_[arn].push_back(observer);
}

void ExecutionNotifier::RemoveObserver(absl::string_view arn, ExecutionObserver* observer) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_arn_.find(arn);
  if (it == by_arn_.end()) return;
  std::vector<ExecutionObserver*>& observers = it->second;
  observers.erase(std::remove(observers.begin(), observers.end(), observer), observers.end());
  if (observers.empty()) by_arn_.erase(it);
}

void ExecutionNotifier::Notify(const ExecutionNotice& notice) {
  absl::ReaderMutexLock lock(&mutex_);
  for (ExecutionObserver* observer : observers_) observer->OnChange(notice);
  const auto it = by_arn_.find(notice.execution.arn());
  if (it == by_arn_.end()) return;
  for (ExecutionObserver* observer : it->second) observer->OnChange(notice);
}

void ExecutionNotifier::AddWatched(absl::flat_hash_set<std::string>& arns) {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [arn, observers] : by_arn_) arns.insert(arn);
}

}  // namespace rehearse
