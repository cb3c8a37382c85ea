#include "client/cpp/durable/internal/state_store.h"

#include <utility>

#include "absl/algorithm/container.h"

namespace durable {
namespace internal {

void StateStore::Merge(std::vector<Operation> operations) {
  absl::MutexLock lock(&mutex_);
  for (Operation& operation : operations) {
    std::string id = operation.id;
    operations_[std::move(id)] = std::make_shared<const Operation>(std::move(operation));
  }
}

std::shared_ptr<const Operation> StateStore::Find(absl::string_view id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = operations_.find(id);
  return found == operations_.end() ? nullptr : found->second;
}

bool StateStore::HasOperations() const {
  absl::MutexLock lock(&mutex_);
  return absl::c_any_of(operations_, [](const auto& entry) {
    return entry.second->type != OperationType::kExecution;
  });
}

}  // namespace internal
}  // namespace durable
