#include "service/clock/thread_scheduler.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

// Makes the lane busy until `release`, from a thread of its own.
class LaneHolder {
 public:
  LaneHolder(Scheduler& scheduler, int lane)
      : thread_([this, &scheduler, lane] {
          scheduler.Post(lane, [this] {
            held_.Notify();
            released_.WaitForNotification();
          });
        }) {
    held_.WaitForNotification();
  }
  ~LaneHolder() { Release(); }

  void Release() {
    if (!thread_.joinable()) return;
    released_.Notify();
    thread_.join();
  }

 private:
  absl::Notification held_;
  absl::Notification released_;
  std::thread thread_;
};

TEST(ThreadSchedulerTest, AnIdleLaneServesThePosterAtOnce) {
  ThreadScheduler scheduler(2);
  EXPECT_EQ(scheduler.lane_count(), 2);
  std::thread::id ran_on;
  scheduler.Post(1, [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(ThreadSchedulerTest, AnEnqueuedTaskRunsOnTheLanesOwnThread) {
  ThreadScheduler scheduler(1);
  std::thread::id ran_on;
  absl::Notification done;
  scheduler.Enqueue(0, [&] {
    ran_on = std::this_thread::get_id();
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ThreadSchedulerTest, WhatATaskPostsRunsAfterItInOrder) {
  ThreadScheduler scheduler(1);
  std::vector<int> order;
  scheduler.Post(0, [&] {
    scheduler.Post(0, [&] {
      order.push_back(2);
      scheduler.Post(0, [&] { order.push_back(4); });
    });
    scheduler.Post(0, [&] { order.push_back(3); });
    order.push_back(1);
  });
  scheduler.Shutdown();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(ThreadSchedulerTest, ATaskDoesNotRunAnotherLanesTaskInside) {
  ThreadScheduler scheduler(2);
  std::atomic<bool> inside{false};
  absl::Notification ran;
  scheduler.Post(0, [&] {
    inside = true;
    scheduler.Post(1, [&] { ran.Notify(); });
    inside = false;
  });
  ran.WaitForNotification();
  EXPECT_FALSE(inside);
}

TEST(ThreadSchedulerTest, ABusyLaneKeepsWhatIsPostedAndThePosterGoesOn) {
  ThreadScheduler scheduler(1);
  std::vector<int> order;
  LaneHolder holder(scheduler, 0);
  for (int i = 0; i < 100; ++i) scheduler.Post(0, [&, i] { order.push_back(i); });
  holder.Release();
  scheduler.Shutdown();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ThreadSchedulerTest, APosterWorksForOthersOnlyUpToABound) {
  ThreadScheduler scheduler(1);
  std::atomic<bool> stop{false};
  std::atomic<int> ran{0};
  std::function<void()> forever = [&] {
    ++ran;
    if (!stop) scheduler.Post(0, forever);
  };
  scheduler.Post(0, forever);  // Comes back although the lane never runs dry.
  EXPECT_GT(ran, 0);
  stop = true;
}

TEST(ThreadSchedulerTest, LanesUnderContentionRunOneTaskAtATimeInEachPostersOrder) {
  constexpr int kLanes = 3;
  constexpr int kPosters = 4;
  constexpr int kTasks = 5000;
  ThreadScheduler scheduler(kLanes);
  // Written by tasks of one lane only: a second task at the same time would be a data race.
  std::vector<std::vector<int>> last(kLanes, std::vector<int>(kPosters, -1));
  std::vector<int> ran(kLanes, 0);
  std::vector<std::thread> posters;
  for (int poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&, poster] {
      for (int i = 0; i < kTasks; ++i) {
        const int lane = i % kLanes;
        scheduler.Post(lane, [&, poster, lane, i] {
          EXPECT_LT(last[lane][poster], i);
          last[lane][poster] = i;
          ++ran[lane];
          if (i % 10 == 0) {
            const int next = (lane + 1) % kLanes;
            scheduler.Post(next, [&, next] { ++ran[next]; });
          }
          if (i % 16 == 0) {
            const Scheduler::TimerId timer =
                scheduler.PostAt(lane, scheduler.Now(), [&, lane] { ++ran[lane]; });
            if (i % 32 == 0) scheduler.Cancel(lane, timer);
          }
        });
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  scheduler.Shutdown();
  EXPECT_GE(ran[0] + ran[1] + ran[2], kPosters * kTasks * 11 / 10);
}

TEST(ThreadSchedulerTest, TimersRunInDueOrderAndNotEarly) {
  ThreadScheduler scheduler(1);
  std::vector<int> order;
  absl::Notification done;
  const absl::Time start = scheduler.Now();
  const auto arm = [&](int milliseconds, int name) {
    const absl::Time due = start + absl::Milliseconds(milliseconds);
    scheduler.PostAt(0, due, [&order, &scheduler, &done, due, name] {
      EXPECT_GE(scheduler.Now(), due);
      order.push_back(name);
      if (name == 4) done.Notify();
    });
  };
  scheduler.Post(0, [&] {
    arm(30, 4);
    arm(20, 2);
    arm(20, 3);
    arm(10, 1);
    arm(-5, 0);
  });
  done.WaitForNotification();
  scheduler.Shutdown();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(ThreadSchedulerTest, AnEarlierTimerWakesTheSleepingLane) {
  ThreadScheduler scheduler(1);
  absl::Notification done;
  scheduler.Post(0, [&] { scheduler.PostAt(0, scheduler.Now() + absl::Hours(1), [] { FAIL(); }); });
  scheduler.Post(0, [&] { scheduler.PostAt(0, scheduler.Now(), [&] { done.Notify(); }); });
  done.WaitForNotification();
}

TEST(ThreadSchedulerTest, ACancelledTimerDoesNotRunEvenWhenItHasFallenDue) {
  // Whether a due timer is queued already when it is cancelled is up to the threads: try both.
  for (int i = 0; i < 200; ++i) {
    ThreadScheduler scheduler(1);
    absl::Notification done;
    scheduler.Post(0, [&] {
      const Scheduler::TimerId timer = scheduler.PostAt(0, scheduler.Now(), [] { FAIL(); });
      EXPECT_NE(timer, 0);
      for (int j = 0; j < i; ++j) std::this_thread::yield();
      scheduler.Cancel(0, timer);
      scheduler.Cancel(0, timer);
      scheduler.Cancel(0, timer + 1000);
      scheduler.PostAt(0, scheduler.Now(), [&] { done.Notify(); });
    });
    done.WaitForNotification();
  }
}

TEST(ThreadSchedulerTest, CancellingDropsWhatTheTaskOwns) {
  ThreadScheduler scheduler(1);
  auto owned = std::make_shared<int>(1);
  scheduler.Post(0, [&] {
    const Scheduler::TimerId timer =
        scheduler.PostAt(0, scheduler.Now() + absl::Hours(1), [keep = owned] {});
    EXPECT_EQ(owned.use_count(), 2);
    scheduler.Cancel(0, timer);
    EXPECT_EQ(owned.use_count(), 1);
  });
}

TEST(ThreadSchedulerTest, NowNeverRunsBackwardsOnAnyThread) {
  ThreadScheduler scheduler(1);
  std::atomic<int64_t> latest{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int j = 0; j < 20000; ++j) {
        const int64_t before = latest.load();
        const int64_t now = absl::ToUnixNanos(scheduler.Now());
        ASSERT_GE(now, before);
        int64_t seen = latest.load();
        while (seen < now && !latest.compare_exchange_weak(seen, now)) {
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(ThreadSchedulerTest, ShutdownRunsWhatIsPostedAndDropsTimers) {
  auto owned = std::make_shared<int>(1);
  std::atomic<int> ran{0};
  ThreadScheduler scheduler(3);
  // A chain across the lanes, which is under way when Shutdown begins.
  std::function<void(int)> chain = [&](int left) {
    ++ran;
    if (left > 0) scheduler.Post(left % 3, [&, left] { chain(left - 1); });
  };
  scheduler.Post(0,
                 [&] { scheduler.PostAt(0, scheduler.Now() + absl::Hours(1), [keep = owned] {}); });
  scheduler.Post(0, [&] { chain(1000); });
  scheduler.Shutdown();
  EXPECT_EQ(ran, 1001);
  EXPECT_EQ(owned.use_count(), 1);
  scheduler.Post(0, [&, keep = owned] { ++ran; });
  EXPECT_EQ(ran, 1001);
  EXPECT_EQ(owned.use_count(), 1);
  scheduler.Shutdown();
}

TEST(ThreadSchedulerTest, ShutdownWaitsForATaskThatRunsOnItsPoster) {
  ThreadScheduler scheduler(1);
  std::atomic<bool> finished{false};
  absl::Notification started;
  std::thread poster([&] {
    scheduler.Post(0, [&] {
      started.Notify();
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      finished = true;
    });
  });
  started.WaitForNotification();
  scheduler.Shutdown();
  EXPECT_TRUE(finished);
  poster.join();
}

}  // namespace
}  // namespace rehearse
