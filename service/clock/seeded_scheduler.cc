#include "service/clock/seeded_scheduler.h"

#include <algorithm>

namespace rehearse {
namespace {

// A step in this many creeps.
constexpr uint64_t kCreepOneIn = 8;

}  // namespace

SeededScheduler::SeededScheduler(uint64_t seed, int lane_count)
    : lane_count_(lane_count),
      random_(seed),
      now_(absl::FromUnixSeconds(1790000000)),
      lanes_(lane_count) {}

void SeededScheduler::Post(int lane, Task task) { lanes_[lane].push_back({std::move(task)}); }

void SeededScheduler::Enqueue(int lane, Task task) { Post(lane, std::move(task)); }

Scheduler::TimerId SeededScheduler::PostAt(int lane, absl::Time due, Task task) {
  const TimerId id = ++last_timer_;
  if (due <= now_) {
    lanes_[lane].push_back({std::move(task), id});
  } else {
    timers_.emplace(std::make_pair(due, id), Timer{lane, std::move(task)});
  }
  return id;
}

void SeededScheduler::Cancel(int lane, TimerId id) {
  std::deque<Entry>& queue = lanes_[lane];
  const auto queued = std::find_if(queue.begin(), queue.end(),
                                   [id](const Entry& entry) { return entry.timer == id; });
  if (queued != queue.end()) queue.erase(queued);
  const auto waiting = std::find_if(timers_.begin(), timers_.end(),
                                    [id](const auto& timer) { return timer.first.second == id; });
  if (waiting != timers_.end()) timers_.erase(waiting);
}

int SeededScheduler::AddLane() {
  lanes_.emplace_back();
  return static_cast<int>(lanes_.size()) - 1;
}

bool SeededScheduler::RunUntilIdle(int64_t max_steps) {
  for (int64_t steps = 0; steps < max_steps; ++steps) {
    if (!Step()) return true;
  }
  return false;
}

bool SeededScheduler::RunUntil(absl::FunctionRef<bool()> done, int64_t max_steps) {
  for (int64_t steps = 0; steps < max_steps; ++steps) {
    if (done()) return true;
    if (Step()) continue;
    if (timers_.empty()) return false;
    MoveWall(timers_.begin()->first.first);
  }
  return done();
}

bool SeededScheduler::AdvanceWall(absl::Duration duration, int64_t max_steps) {
  const absl::Time end = now_ + duration;
  while (now_ < end) {
    if (!RunUntilIdle(max_steps)) return false;
    MoveWall(timers_.empty() ? end : std::min(end, timers_.begin()->first.first));
  }
  return RunUntilIdle(max_steps);
}

bool SeededScheduler::HasTasks() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const std::deque<Entry>& lane) { return !lane.empty(); });
}

void SeededScheduler::DropTasks() {
  Timers timers;
  timers.swap(timers_);
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (std::deque<Entry>& lane : lanes_) {
      std::deque<Entry> tasks;
      tasks.swap(lane);
      dropped = dropped || !tasks.empty();
    }
  }
}

uint64_t SeededScheduler::Random(uint64_t bound) { return random_() % bound; }

bool SeededScheduler::Step() {
  if (creep_limit_ > absl::ZeroDuration() && Random(kCreepOneIn) == 0) {
    MoveWall(now_ + absl::Nanoseconds(Random(absl::ToInt64Nanoseconds(creep_limit_) + 1)));
  }
  std::vector<std::deque<Entry>*> runnable;
  for (std::deque<Entry>& lane : lanes_) {
    if (!lane.empty()) runnable.push_back(&lane);
  }
  if (runnable.empty()) return false;
  std::deque<Entry>& lane = *runnable[Random(runnable.size())];
  Entry entry = std::move(lane.front());
  lane.pop_front();
  entry.task();
  return true;
}

void SeededScheduler::MoveWall(absl::Time now) {
  now_ = std::max(now_, now);
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    const auto first = timers_.begin();
    lanes_[first->second.lane].push_back({std::move(first->second.task), first->first.second});
    timers_.erase(first);
  }
}

}  // namespace rehearse
