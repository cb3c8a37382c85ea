#include "service/lambda_host/runtime_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rehearse::lambda_host {

RuntimePool::RuntimePool(Runtime::Options options, size_t max_idle)
    : options_(std::move(options)), max_idle_(max_idle) {}

RuntimePool::~RuntimePool() { Stop(); }

absl::Status RuntimePool::Warm() {
  absl::StatusOr<std::unique_ptr<Runtime>> runtime = Runtime::Start(options_);
  if (!runtime.ok()) return runtime.status();
  Keep("", *std::move(runtime));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Runtime>> RuntimePool::Take(const std::string& tenant) {
  // Dropped without the lock: that may wait.
  std::list<Idle> ended;
  {
    absl::MutexLock lock(&mutex_);
    for (auto it = idle_.begin(); it != idle_.end();) {
      const auto next = std::next(it);
      if (it->runtime->ended()) ended.splice(ended.end(), idle_, it);
      it = next;
    }
    const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&tenant](const Idle& idle) {
      return idle.tenant == tenant || idle.tenant.empty();
    });
    if (found != idle_.rend()) {
      std::shared_ptr<Runtime> runtime = std::move(found->runtime);
      idle_.erase(std::next(found).base());
      return runtime;
    }
  }
  absl::StatusOr<std::unique_ptr<Runtime>> runtime = Runtime::Start(options_);
  if (!runtime.ok()) return runtime.status();
  return std::shared_ptr<Runtime>(*std::move(runtime));
}

void RuntimePool::GiveBack(const std::string& tenant, std::shared_ptr<Runtime> runtime) {
  if (!runtime->ended()) return Keep(tenant, std::move(runtime));
  if (!runtime->initialized()) return;
  absl::StatusOr<std::unique_ptr<Runtime>> successor = Runtime::Start(options_);
  // Otherwise the next invocation tries again, and fails with the reason.
  if (successor.ok()) Keep(tenant, *std::move(successor));
}

void RuntimePool::Keep(const std::string& tenant, std::shared_ptr<Runtime> runtime) {
  // Ends without the lock: that may wait.
  std::list<Idle> surplus;
  absl::MutexLock lock(&mutex_);
  idle_.push_back({tenant, std::move(runtime)});
  if (stopped_ || idle_.size() > max_idle_) surplus.splice(surplus.end(), idle_, idle_.begin());
}

void RuntimePool::Stop() {
  std::list<Idle> idle;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    idle.swap(idle_);
  }
  for (const Idle& entry : idle) entry.runtime->Terminate();
}

}  // namespace rehearse::lambda_host
