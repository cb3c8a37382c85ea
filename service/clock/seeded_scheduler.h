// SeededScheduler: every lane on one thread, in an order drawn from a seed, on a simulated wall
// clock. For tests.
//
// Each step runs the first task of a lane that is picked at random among those with work; the wall
// clock stands still while there is any, so the same seed repeats a run exactly.
//
//   SeededScheduler scheduler(seed, /*lane_count=*/2);
//   const int worker = scheduler.AddLane();                  // simulated work beside the lanes
//   under test scheduler.Post(worker, [&] { ... }); ASSERT_TRUE(scheduler.RunUntil([&] { return
//   done; }));   // moves the wall clock when there is nothing else to do
#ifndef REHEARSE_SERVICE_CLOCK_SEEDED_SCHEDULER_H_
#define REHEARSE_SERVICE_CLOCK_SEEDED_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "service/clock/scheduler.h"

namespace rehearse {

// Not thread-safe. The Run functions are not to be called from a task. What is left at the end is
// dropped.
class SeededScheduler final : public Scheduler {
 public:
  static constexpr int64_t kManySteps = 1000000;

  // The wall clock starts at a moment that is the same in every run.
  SeededScheduler(uint64_t seed, int lane_count);

  // As constructed: lanes added later are the test's.
  int lane_count() const override { return lane_count_; }
  absl::Time Now() const override { return now_; }
  void Post(int lane, Task task) override;
  void Enqueue(int lane, Task task) override;
  // The wall clock is never behind `due` when the task runs, but may be ahead of it.
  TimerId PostAt(int lane, absl::Time due, Task task) override;
  void Cancel(int lane, TimerId id) override;

  // Another lane, not counted by lane_count().
  int AddLane();

  // From now on the wall clock also creeps: before a step, now and then, by up to `limit`.
  void CreepBy(absl::Duration limit) { creep_limit_ = limit; }

  // Runs until nothing is left but tasks that wait for their time. Returns whether `max_steps` were
  // enough.
  bool RunUntilIdle(int64_t max_steps = kManySteps);
  // Runs until `done`, moving the wall clock to the next due task when nothing else is left.
  // Returns false when nothing at all is left, or after `max_steps`.
  bool RunUntil(absl::FunctionRef<bool()> done, int64_t max_steps = kManySteps);
  // Moves the wall clock on by `duration`, stopping for every task that falls due on the way, and
  // runs until idle.
  bool AdvanceWall(absl::Duration duration, int64_t max_steps = kManySteps);
  // Whether anything can run without moving the wall clock.
  bool HasTasks() const;
  // Drops what has not run, and what that posts as it goes.
  void DropTasks();

  // Number in [0, bound), from the seed; for what else a test wants to vary.
  uint64_t Random(uint64_t bound);

 private:
  struct Entry {
    Task task;
    TimerId timer = 0;  // 0: from Post.
  };
  struct Timer {
    int lane;
    Task task;
  };
  using Timers = std::map<std::pair<absl::Time, TimerId>, Timer>;

  // Runs one task; false: there is none.
  bool Step();
  // Moves the wall clock to `now`, or not at all when it is later; queues what has fallen due.
  void MoveWall(absl::Time now);

  const int lane_count_;
  std::mt19937_64 random_;
  absl::Time now_;
  absl::Duration creep_limit_ = absl::ZeroDuration();
  std::vector<std::deque<Entry>> lanes_;
  Timers timers_;
  TimerId last_timer_ = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLOCK_SEEDED_SCHEDULER_H_
