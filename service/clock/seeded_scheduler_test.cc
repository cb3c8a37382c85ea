#include "service/clock/seeded_scheduler.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

// Three lanes with ten tasks each, some of which post and arm more; the order in which they ran.
std::string Trace(uint64_t seed) {
  SeededScheduler scheduler(seed, 2);
  const int worker = scheduler.AddLane();
  std::string trace;
  for (int lane : {0, 1, worker}) {
    for (int i = 0; i < 10; ++i) {
      scheduler.Post(lane, [&, lane] {
        trace += static_cast<char>('a' + lane);
        scheduler.Post((lane + 1) % 3, [&] { trace += '.'; });
        scheduler.PostAt(lane, scheduler.Now() + absl::Seconds(lane), [&] { trace += '!'; });
      });
    }
  }
  EXPECT_TRUE(scheduler.AdvanceWall(absl::Minutes(1)));
  return trace;
}

TEST(SeededSchedulerTest, TheSameSeedRepeatsARun) {
  std::set<std::string> traces;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::string trace = Trace(seed);
    EXPECT_EQ(trace, Trace(seed));
    EXPECT_EQ(trace.size(), 90u);
    traces.insert(trace);
  }
  EXPECT_GT(traces.size(), 90u);
}

TEST(SeededSchedulerTest, ALaneKeepsItsOrder) {
  SeededScheduler scheduler(17, 3);
  std::vector<int> ran[3];
  for (int i = 0; i < 100; ++i) {
    scheduler.Post(i % 3, [&, i] { ran[i % 3].push_back(i); });
  }
  EXPECT_TRUE(scheduler.RunUntilIdle());
  for (const std::vector<int>& lane : ran) {
    EXPECT_GE(lane.size(), 33u);
    EXPECT_TRUE(std::is_sorted(lane.begin(), lane.end()));
  }
}

TEST(SeededSchedulerTest, LanesOfTheTestAreNotCounted) {
  SeededScheduler scheduler(1, 2);
  EXPECT_EQ(scheduler.AddLane(), 2);
  EXPECT_EQ(scheduler.AddLane(), 3);
  EXPECT_EQ(scheduler.lane_count(), 2);
}

TEST(SeededSchedulerTest, TheWallMovesOnlyWhenNothingElseIsLeft) {
  SeededScheduler scheduler(3, 1);
  const absl::Time start = scheduler.Now();
  bool fired = false;
  scheduler.PostAt(0, start + absl::Hours(24 * 30), [&] { fired = true; });
  int countdown = 1000;
  std::function<void()> work = [&] {
    EXPECT_EQ(scheduler.Now(), start);
    EXPECT_FALSE(fired);
    if (--countdown > 0) scheduler.Post(0, work);
  };
  scheduler.Post(0, work);
  EXPECT_TRUE(scheduler.RunUntilIdle());
  EXPECT_EQ(countdown, 0);
  EXPECT_EQ(scheduler.Now(), start);
  EXPECT_TRUE(scheduler.RunUntil([&] { return fired; }));
  EXPECT_EQ(scheduler.Now(), start + absl::Hours(24 * 30));
}

TEST(SeededSchedulerTest, AdvanceWallStopsForEachTimerOnTheWay) {
  SeededScheduler scheduler(4, 2);
  const absl::Time start = scheduler.Now();
  std::vector<absl::Duration> fired;
  std::function<void()> tick = [&] {
    fired.push_back(scheduler.Now() - start);
    scheduler.PostAt(0, scheduler.Now() + absl::Seconds(2), tick);
  };
  scheduler.PostAt(0, start + absl::Seconds(1), tick);
  EXPECT_TRUE(scheduler.AdvanceWall(absl::Seconds(6)));
  EXPECT_EQ(fired,
            (std::vector<absl::Duration>{absl::Seconds(1), absl::Seconds(3), absl::Seconds(5)}));
  EXPECT_EQ(scheduler.Now(), start + absl::Seconds(6));
}

TEST(SeededSchedulerTest, ACancelledTimerDoesNotRunEvenWhenItIsQueued) {
  SeededScheduler scheduler(5, 1);
  bool ran = false;
  const Scheduler::TimerId waiting =
      scheduler.PostAt(0, scheduler.Now() + absl::Seconds(1), [&] { ran = true; });
  const Scheduler::TimerId queued = scheduler.PostAt(0, scheduler.Now(), [&] { ran = true; });
  EXPECT_NE(waiting, 0);
  scheduler.Cancel(0, waiting);
  scheduler.Cancel(0, queued);
  scheduler.Cancel(0, queued);
  EXPECT_TRUE(scheduler.AdvanceWall(absl::Seconds(2)));
  EXPECT_FALSE(ran);
}

TEST(SeededSchedulerTest, RunUntilGivesUpWhenNothingIsLeftOrTheStepsAreSpent) {
  SeededScheduler scheduler(6, 1);
  EXPECT_FALSE(scheduler.RunUntil([] { return false; }));
  int ran = 0;
  std::function<void()> forever = [&] {
    ++ran;
    scheduler.Post(0, forever);
  };
  scheduler.Post(0, forever);
  EXPECT_FALSE(scheduler.RunUntil([] { return false; }, 100));
  EXPECT_EQ(ran, 100);
  EXPECT_FALSE(scheduler.RunUntilIdle(100));
}

TEST(SeededSchedulerTest, ACreepingWallLetsTimersOvertakeWork) {
  SeededScheduler scheduler(7, 2);
  scheduler.CreepBy(absl::Milliseconds(10));
  const absl::Time start = scheduler.Now();
  bool fired = false;
  int work_after = 0;
  scheduler.PostAt(0, start + absl::Milliseconds(50), [&] {
    EXPECT_GE(scheduler.Now(), start + absl::Milliseconds(50));
    fired = true;
  });
  for (int i = 0; i < 10000; ++i) scheduler.Post(1, [&] { work_after += fired; });
  EXPECT_TRUE(scheduler.RunUntilIdle());
  EXPECT_TRUE(fired);
  EXPECT_GT(work_after, 0);
}

}  // namespace
}  // namespace rehearse
