#include "client/cpp/durable/internal/branch_threads.h"

#include <system_error>
#include <thread>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/time/clock.h"

namespace durable {
namespace internal {

BranchThreads& BranchThreads::Shared() {
  static auto* const threads = new BranchThreads(absl::Seconds(60));
  return *threads;
}

bool BranchThreads::TryRun(Task task) {
  {
    absl::MutexLock lock(&mutex_);
    if (!free_.empty()) {
      FreeThread* thread = free_.back();
      free_.pop_back();
      thread->task = std::move(task);
      thread->given.Signal();
      return true;
    }
  }
  try {
    std::thread([this, task = std::move(task)]() mutable { Work(std::move(task)); }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void BranchThreads::Work(Task task) {
  FreeThread self;
  do {
    task.run();
    {
      absl::MutexLock lock(&mutex_);
      free_.push_back(&self);
    }
    task.done();
  } while (Await(self, task));
}

bool BranchThreads::Await(FreeThread& self, Task& task) {
  absl::MutexLock lock(&mutex_);
  const absl::Time deadline = absl::Now() + keep_;
  while (!self.task.has_value()) {
    if (self.given.WaitWithDeadline(&mutex_, deadline) && !self.task.has_value()) {
      free_.erase(absl::c_find(free_, &self));
      return false;
    }
  }
  task = *std::move(self.task);
  self.task.reset();
  return true;
}

}  // namespace internal
}  // namespace durable
