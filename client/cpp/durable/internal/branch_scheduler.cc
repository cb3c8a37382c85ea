#include "client/cpp/durable/internal/branch_scheduler.h"

#include <algorithm>
#include <string>

#include "absl/time/clock.h"
#include "client/cpp/durable/internal/branch_threads.h"
#include "client/cpp/durable/internal/invocation_state.h"

namespace durable {
namespace internal {
namespace {

// How long after a look that came too early the next one is taken.
constexpr absl::Duration kPollInterval = absl::Seconds(1);

}  // namespace

void BranchScheduler::Ends::Push(BranchEnd end) {
  absl::MutexLock lock(&mutex_);
  ends_.push_back(std::move(end));
  pushed_.Signal();
}

absl::optional<BranchEnd> BranchScheduler::Ends::Pop(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  while (ends_.empty()) {
    if (pushed_.WaitWithDeadline(&mutex_, deadline) && ends_.empty()) return absl::nullopt;
  }
  BranchEnd end = std::move(ends_.front());
  ends_.pop_front();
  return end;
}

BranchScheduler::BranchScheduler(Context& batch, CompletionPolicy& policy, int branches,
                                 int max_concurrency, RunBranch run_branch)
    : batch_(batch),
      policy_(policy),
      branches_(branches),
      max_concurrency_(max_concurrency),
      run_branch_(std::move(run_branch)) {}

BranchScheduler::~BranchScheduler() {
  batch_.scope().Close();
  for (; running_ > 0; --running_) ends_->Pop(absl::InfiniteFuture());
}

void BranchScheduler::Run() {
  while (!policy_.complete()) {
    batch_.RequireLive();
    StartPending();
    MakeDueReady();
    if (running_ == 0 && ready_.empty()) MakeUnblockedReady();
    ResumeReady();
    if (policy_.complete()) break;
    if (running_ == 0) SuspendBatch();
    ApplyNext();
  }
  reason_ = policy_.reason();
  // Branches that have ended by now count, but not for the reason.
  while (absl::optional<BranchEnd> end = ends_->Pop(absl::InfinitePast())) Apply(*std::move(end));
  batch_.RequireLive();
  batch_.scope().Close();
}

int BranchScheduler::on_their_way() const {
  return running_ + static_cast<int>(suspended_.size() + ready_.size());
}

void BranchScheduler::StartPending() {
  while (started() < branches_ && on_their_way() < max_concurrency_ && !policy_.complete() &&
         !batch_.invocation().queue().withdrawn()) {
    const int index = started();
    if (!Launch(index, /*again=*/false)) return;
    outcomes_.emplace_back();
    policy_.Start(index);
  }
}

void BranchScheduler::MakeDueReady() {
  const absl::Time now = batch_.invocation().store().Now();
  if (timers_.empty() || timers_.begin()->first > now) return;
  batch_.Refresh();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const int index = timers_.begin()->second;
    timers_.erase(timers_.begin());
    resumed_for_[index] = suspended_[index].blockage.resume_at;
    suspended_.erase(index);
    ready_.insert(index);
  }
}

void BranchScheduler::MakeUnblockedReady() {
  for (auto it = suspended_.begin(); it != suspended_.end();) {
    if (IsLifted(it->second.blockage, batch_.invocation().store())) {
      timers_.erase({it->second.look_at, it->first});
      ready_.insert(it->first);
      it = suspended_.erase(it);
    } else {
      ++it;
    }
  }
}

void BranchScheduler::ResumeReady() {
  while (!ready_.empty() && Launch(*ready_.begin(), /*again=*/true)) ready_.erase(ready_.begin());
}

bool BranchScheduler::Launch(int index, bool again) {
  const bool alone = max_concurrency_ == 1 || branches_ == 1;
  if (!alone && RunOnThread(index, again)) {
    ++running_;
    return true;
  }
  if (running_ > 0) return false;
  ++running_;
  ends_->Push(run_branch_(index, again));
  return true;
}

bool BranchScheduler::RunOnThread(int index, bool again) {
  Invocation& invocation = batch_.invocation();
  if (!invocation.TryTakeBranchThread()) return false;
  const auto end = std::make_shared<BranchEnd>();
  BranchThreads::Task task;
  task.run = [this, index, again, end] { *end = run_branch_(index, again); };
  // Once the end is pushed, the scheduler and the invocation may be gone.
  task.done = [&invocation, end, ends = ends_] {
    invocation.ReturnBranchThread();
    ends->Push(std::move(*end));
  };
  if (BranchThreads::Shared().TryRun(std::move(task))) return true;
  invocation.ReturnBranchThread();
  return false;
}

void BranchScheduler::SuspendBatch() {
  Blockage all;
  for (auto& [index, waiting] : suspended_) {
    all.resume_at = std::min(all.resume_at, waiting.blockage.resume_at);
    for (std::string& id : waiting.blockage.awaited) all.awaited.push_back(std::move(id));
  }
  batch_.Suspend(std::move(all));
}

void BranchScheduler::ApplyNext() {
  absl::Time deadline = absl::InfiniteFuture();
  if (!timers_.empty()) {
    deadline = absl::Now() + (timers_.begin()->first - batch_.invocation().store().Now());
  }
  absl::optional<BranchEnd> end = ends_->Pop(deadline);
  if (end.has_value()) Apply(*std::move(end));
}

void BranchScheduler::Apply(BranchEnd end) {
  --running_;
  switch (end.kind) {
    case BranchEnd::Kind::kSucceeded:
      outcomes_[end.index].status = ItemStatus::kSucceeded;
      return policy_.End(end.index, ItemStatus::kSucceeded);
    case BranchEnd::Kind::kFailed:
      outcomes_[end.index] = {ItemStatus::kFailed, std::move(end.error)};
      return policy_.End(end.index, ItemStatus::kFailed);
    case BranchEnd::Kind::kSuspended:
      return Suspended(end.index, std::move(end.blockage));
    case BranchEnd::Kind::kUnwound:
      throw Unwind(end.reason);
  }
}

void BranchScheduler::Suspended(int index, Blockage blockage) {
  Waiting waiting;
  waiting.look_at = blockage.resume_at;
  // The service has not said yet that the time has passed that the branch was resumed for.
  const auto resumed_for = resumed_for_.find(index);
  if (resumed_for != resumed_for_.end() && resumed_for->second == blockage.resume_at) {
    waiting.look_at = batch_.invocation().store().Now() + kPollInterval;
  }
  if (waiting.look_at < absl::InfiniteFuture()) timers_.insert({waiting.look_at, index});
  waiting.blockage = std::move(blockage);
  suspended_.insert_or_assign(index, std::move(waiting));
}

}  // namespace internal
}  // namespace durable
