#include "service/executor/waiters.h"

#include <algorithm>
#include <utility>

namespace rehearse {

void Waiters::Add(int lane, absl::string_view arn, absl::Duration timeout, Condition condition,
                  Answer answer) {
  absl::MutexLock lock(&mutex_);
  if (shut_down_) return PostAnswer({0, lane, nullptr, std::move(answer), 0}, Verdict::kShutDown);
  const int64_t id = next_id_++;
  const Scheduler::TimerId timer = scheduler_.PostAt(
      lane, scheduler_.Now() + timeout, [this, arn = std::string(arn), id] { TimeOut(arn, id); });
  waiters_[arn].push_back({id, lane, std::move(condition), std::move(answer), timer});
}

void Waiters::OnChange(const ExecutionNotice& notice) {
  std::vector<Waiter> done;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiters_.find(notice.execution.arn());
    if (it == waiters_.end()) return;
    std::vector<Waiter>& waiting = it->second;
    const auto met = std::stable_partition(waiting.begin(), waiting.end(), [&](Waiter& waiter) {
      return !notice.removed && !waiter.condition(notice);
    });
    done.assign(std::make_move_iterator(met), std::make_move_iterator(waiting.end()));
    waiting.erase(met, waiting.end());
    if (waiting.empty()) waiters_.erase(it);
  }
  for (Waiter& waiter : done) {
    scheduler_.Cancel(waiter.lane, waiter.timer);
    PostAnswer(std::move(waiter), notice.removed ? Verdict::kRemoved : Verdict::kMet);
  }
}

void Waiters::AddWatched(absl::flat_hash_set<std::string>& arns) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [arn, waiting] : waiters_) arns.insert(arn);
}

void Waiters::Shutdown() {
  absl::flat_hash_map<std::string, std::vector<Waiter>> waiters;
  {
    absl::MutexLock lock(&mutex_);
    shut_down_ = true;
    waiters.swap(waiters_);
  }
  for (auto& [arn, waiting] : waiters) {
    for (Waiter& waiter : waiting) PostAnswer(std::move(waiter), Verdict::kShutDown);
  }
}

void Waiters::TimeOut(const std::string& arn, int64_t id) {
  Waiter waiter;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiters_.find(arn);
    if (it == waiters_.end()) return;
    std::vector<Waiter>& waiting = it->second;
    const auto found = std::find_if(waiting.begin(), waiting.end(),
                                    [id](const Waiter& waiter) { return waiter.id == id; });
    if (found == waiting.end()) return;
    waiter = std::move(*found);
    waiting.erase(found);
    if (waiting.empty()) waiters_.erase(it);
  }
  waiter.answer(Verdict::kTimedOut);
}

void Waiters::PostAnswer(Waiter waiter, Verdict verdict) {
  scheduler_.Post(waiter.lane,
                  [answer = std::move(waiter.answer), verdict]() mutable { answer(verdict); });
}

}  // namespace rehearse
