#include "client/cpp/durable/internal/state_store.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/time/clock.h"

namespace durable {
namespace internal {

std::vector<std::shared_ptr<const Operation>> StateStore::Merge(std::vector<Operation> operations) {
  std::vector<std::shared_ptr<const Operation>> changed;
  absl::MutexLock lock(&mutex_);
  absl::Time latest = latest_;
  for (Operation& operation : operations) {
    latest = std::max(
        {latest, operation.start_time.value_or(latest), operation.end_time.value_or(latest)});
    std::shared_ptr<const Operation>& record = operations_[operation.id];
    const bool is_change = record == nullptr || record->status != operation.status;
    record = std::make_shared<const Operation>(std::move(operation));
    if (is_change) changed.push_back(record);
  }
  if (latest > latest_) {
    latest_ = latest;
    told_at_ = absl::Now();
  }
  return changed;
}

absl::Time StateStore::Now() const {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = absl::Now();
  return std::max(now, latest_ + (now - told_at_));
}

std::shared_ptr<const Operation> StateStore::Find(absl::string_view id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = operations_.find(id);
  return found == operations_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Operation>> StateStore::All() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<const Operation>> all;
  all.reserve(operations_.size());
  for (const auto& [id, operation] : operations_) all.push_back(operation);
  return all;
}

bool StateStore::HasOperations() const {
  absl::MutexLock lock(&mutex_);
  return absl::c_any_of(operations_, [](const auto& entry) {
    return entry.second->type != OperationType::kExecution;
  });
}

}  // namespace internal
}  // namespace durable
