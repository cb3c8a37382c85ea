#include "service/clock/thread_scheduler.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"

namespace rehearse {
namespace {

// Tasks that one thread runs in a row. Bounds how long a poster works for others, and how late a
// due timer is noticed.
constexpr int kMaxTasksInRow = 16;

// Whether this thread is inside a task: what it posts then is queued, never run on the spot.
thread_local bool inside_task = false;

void RunTask(Scheduler::Task task) {
  inside_task = true;
  task();
  task = nullptr;  // What it owns goes while it still counts as running.
  inside_task = false;
}

}  // namespace

// std::mutex, not absl::Mutex: it costs a quarter of it where Abseil's deadlock detector is on, and
// as much where not.
class ThreadScheduler::Lane {
 public:
  explicit Lane(const ThreadScheduler& scheduler)
      : scheduler_(scheduler), thread_([this] { Loop(); }) {}

  // Runs the task on this thread if it may and the lane is idle.
  void Post(Task task, bool may_run);
  TimerId PostAt(absl::Time due, Task task);
  void Cancel(TimerId id);

  // Drops timers, present and future.
  void DropTimers();
  // Blocks until nothing runs and nothing is queued. Returns how many tasks have run so far.
  int64_t WaitUntilIdle();
  // Drops what is still queued, and everything posted from now on. Blocks until nothing runs.
  void Close();

 private:
  struct Entry {
    Task task;
    TimerId timer = 0;  // 0: from Post.
  };
  using Lock = std::unique_lock<std::mutex>;

  void Loop();
  // Runs queued tasks, at most kMaxTasksInRow. The caller has set busy_.
  void RunQueue(Lock& lock);
  // Clears busy_ and hands on what is left.
  void Release();
  void QueueDueTimers();
  // Blocks the lane's thread until there may be something to do.
  void Sleep(Lock& lock);

  const ThreadScheduler& scheduler_;
  // Guards everything below, the thread excepted.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Entry> queue_;
  // Whether some thread runs the lane's tasks.
  bool busy_ = false;
  bool timers_dropped_ = false;
  bool closed_ = false;
  int64_t run_count_ = 0;
  absl::btree_map<std::pair<absl::Time, TimerId>, Task> timers_;
  absl::flat_hash_map<TimerId, absl::Time> due_by_timer_;
  // Timers whose task is queued: it runs unless its timer is gone from here by then.
  absl::flat_hash_set<TimerId> queued_timers_;
  TimerId last_timer_ = 0;
  // When the sleeping thread wakes by itself; InfinitePast while it is awake.
  absl::Time sleeps_until_ = absl::InfinitePast();
  std::thread thread_;
};

void ThreadScheduler::Lane::Post(Task task, bool may_run) {
  Lock lock(mutex_);
  if (closed_) return;
  const bool idle = !busy_ && queue_.empty();
  if (!idle || inside_task || !may_run) {
    queue_.push_back({std::move(task)});
    // The thread has been told already unless the lane was idle.
    if (idle) wake_.notify_one();
    return;
  }
  busy_ = true;
  ++run_count_;
  lock.unlock();
  RunTask(std::move(task));
  lock.lock();
  RunQueue(lock);
  Release();
}

Scheduler::TimerId ThreadScheduler::Lane::PostAt(absl::Time due, Task task) {
  Lock lock(mutex_);
  const TimerId id = ++last_timer_;
  if (timers_dropped_) return id;
  timers_.emplace(std::make_pair(due, id), std::move(task));
  due_by_timer_.emplace(id, due);
  if (due < sleeps_until_) wake_.notify_one();
  return id;
}

void ThreadScheduler::Lane::Cancel(TimerId id) {
  Task dropped;  // Destroyed after the lock.
  Lock lock(mutex_);
  queued_timers_.erase(id);
  const auto found = due_by_timer_.find(id);
  if (found == due_by_timer_.end()) return;
  const auto timer = timers_.find({found->second, id});
  dropped = std::move(timer->second);
  timers_.erase(timer);
  due_by_timer_.erase(found);
}

void ThreadScheduler::Lane::DropTimers() {
  decltype(timers_) dropped;  // Destroyed after the lock.
  Lock lock(mutex_);
  timers_dropped_ = true;
  dropped.swap(timers_);
  due_by_timer_.clear();
}

int64_t ThreadScheduler::Lane::WaitUntilIdle() {
  Lock lock(mutex_);
  idle_.wait(lock, [this] { return !busy_ && queue_.empty(); });
  return run_count_;
}

void ThreadScheduler::Lane::Close() {
  std::deque<Entry> dropped;  // Destroyed after the lock.
  {
    Lock lock(mutex_);
    closed_ = true;
    dropped.swap(queue_);
    idle_.wait(lock, [this] { return !busy_; });
    wake_.notify_one();
  }
  thread_.join();
}

void ThreadScheduler::Lane::Loop() {
  Lock lock(mutex_);
  while (true) {
    QueueDueTimers();
    if (busy_) {
      Sleep(lock);
    } else if (!queue_.empty()) {
      busy_ = true;
      RunQueue(lock);
      Release();
    } else if (closed_) {
      return;
    } else {
      Sleep(lock);
    }
  }
}

void ThreadScheduler::Lane::RunQueue(Lock& lock) {
  for (int i = 0; i < kMaxTasksInRow && !queue_.empty(); ++i) {
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    ++run_count_;
    const bool cancelled = entry.timer != 0 && queued_timers_.erase(entry.timer) == 0;
    lock.unlock();
    if (!cancelled) RunTask(std::move(entry.task));
    entry.task = nullptr;
    lock.lock();
  }
}

void ThreadScheduler::Lane::Release() {
  busy_ = false;
  if (!queue_.empty()) wake_.notify_one();
  // Somebody waits for this only at the end.
  if (timers_dropped_) idle_.notify_all();
}

void ThreadScheduler::Lane::QueueDueTimers() {
  if (timers_.empty()) return;
  const absl::Time now = scheduler_.Now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto first = timers_.begin();
    const TimerId id = first->first.second;
    queue_.push_back({std::move(first->second), id});
    queued_timers_.insert(id);
    due_by_timer_.erase(id);
    timers_.erase(first);
  }
}

void ThreadScheduler::Lane::Sleep(Lock& lock) {
  sleeps_until_ = timers_.empty() ? absl::InfiniteFuture() : timers_.begin()->first.first;
  if (sleeps_until_ == absl::InfiniteFuture()) {
    wake_.wait(lock);
  } else {
    wake_.wait_until(lock, absl::ToChronoTime(sleeps_until_));
  }
  sleeps_until_ = absl::InfinitePast();
}

ThreadScheduler::ThreadScheduler(int lane_count) : latest_nanos_(absl::GetCurrentTimeNanos()) {
  lanes_.reserve(lane_count);
  for (int i = 0; i < lane_count; ++i) lanes_.push_back(std::make_unique<Lane>(*this));
}

ThreadScheduler::~ThreadScheduler() { Shutdown(); }

absl::Time ThreadScheduler::Now() const {
  const int64_t now = absl::GetCurrentTimeNanos();
  int64_t latest = latest_nanos_.load(std::memory_order_relaxed);
  while (latest < now &&
         !latest_nanos_.compare_exchange_weak(latest, now, std::memory_order_relaxed)) {
  }
  return absl::FromUnixNanos(std::max(latest, now));
}

void ThreadScheduler::Post(int lane, Task task) { lanes_[lane]->Post(std::move(task), true); }

void ThreadScheduler::Enqueue(int lane, Task task) { lanes_[lane]->Post(std::move(task), false); }

Scheduler::TimerId ThreadScheduler::PostAt(int lane, absl::Time due, Task task) {
  return lanes_[lane]->PostAt(due, std::move(task));
}

void ThreadScheduler::Cancel(int lane, TimerId id) { lanes_[lane]->Cancel(id); }

void ThreadScheduler::Shutdown() {
  if (shut_down_) return;
  shut_down_ = true;
  for (auto& lane : lanes_) lane->DropTimers();
  // Lanes post to each other: they are at rest when no task has run since each of them was last
  // seen idle.
  int64_t before = -1;
  int64_t run_count = 0;
  while (run_count != before) {
    before = run_count;
    run_count = 0;
    for (auto& lane : lanes_) run_count += lane->WaitUntilIdle();
  }
  for (auto& lane : lanes_) lane->Close();
}

}  // namespace rehearse
