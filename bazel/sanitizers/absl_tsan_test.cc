// Runs under --config=tsan only. Any report of TSan makes the whole test fail; what must be
// reported is provoked in a process of its own.
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace {

// TSan's exit status of a process with reports.
constexpr int kReported = 66;
constexpr int kThreads = 8;

template <typename Function>
void RunInThreads(Function function) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([=] { function(i); });
  for (std::thread& thread : threads) thread.join();
}

struct Guarded {
  absl::Mutex mutex;
  absl::CondVar changed;
  int value = 0;

  absl::Condition NeverTrue() {
    return absl::Condition(
        +[](Guarded* guarded) { return guarded->value < 0; }, this);
  }
  absl::Condition AlwaysTrue() {
    return absl::Condition(
        +[](Guarded* guarded) { return guarded->value >= 0; }, this);
  }
};

TEST(AbslTsanTest, EveryWayToLockIsSeen) {
  Guarded guarded;
  RunInThreads([&guarded](int thread) {
    constexpr absl::Duration kBriefly = absl::Microseconds(50);
    for (int i = 0; i < 300; ++i) {
      switch ((i + thread) % 8) {
        case 0: {
          absl::MutexLock lock(&guarded.mutex);
          ++guarded.value;
          guarded.changed.SignalAll();
          break;
        }
        case 1: {
          absl::ReaderMutexLock lock(&guarded.mutex);
          EXPECT_GE(guarded.value, 0);
          break;
        }
        case 2: {
          absl::MutexLock lock(&guarded.mutex);
          EXPECT_FALSE(guarded.mutex.AwaitWithTimeout(guarded.NeverTrue(), kBriefly));
          ++guarded.value;
          break;
        }
        case 3: {
          absl::MutexLock lock(&guarded.mutex);
          guarded.changed.WaitWithTimeout(&guarded.mutex, kBriefly);
          ++guarded.value;
          break;
        }
        case 4: {
          absl::MutexLock lock(&guarded.mutex, guarded.AlwaysTrue());
          ++guarded.value;
          break;
        }
        case 5: {
          if (!guarded.mutex.TryLock()) break;
          ++guarded.value;
          guarded.mutex.Unlock();
          break;
        }
        case 6: {
          absl::ReaderMutexLock lock(&guarded.mutex, guarded.AlwaysTrue());
          EXPECT_GE(guarded.value, 0);
          break;
        }
        case 7: {
          guarded.mutex.LockWhenWithTimeout(guarded.NeverTrue(), kBriefly);
          ++guarded.value;
          guarded.mutex.Unlock();
          break;
        }
      }
    }
  });
  EXPECT_GT(guarded.value, 0);
}

TEST(AbslTsanTest, NotificationAndBlockingCounterPublish) {
  absl::Notification ready;
  absl::BlockingCounter done(kThreads);
  int input = 0;
  std::vector<int> outputs(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      if (i % 2 == 0) {
        ready.WaitForNotification();
      } else {
        while (!ready.HasBeenNotified()) std::this_thread::yield();
      }
      outputs[i] = input;
      done.DecrementCount();
    });
  }
  input = 42;
  ready.Notify();
  done.Wait();
  EXPECT_EQ(outputs, std::vector<int>(kThreads, 42));
  for (std::thread& thread : threads) thread.join();
}

[[noreturn]] void WriteUnguarded() {
  int value = 0;
  RunInThreads([&value](int) { ++value; });
  std::exit(0);
}

[[noreturn]] void LockInBothOrders() {
  absl::Mutex first;
  absl::Mutex second;
  std::thread([&] {
    absl::MutexLock outer(&first);
    absl::MutexLock inner(&second);
  }).join();
  std::thread([&] {
    absl::MutexLock outer(&second);
    absl::MutexLock inner(&first);
  }).join();
  std::exit(0);
}

TEST(AbslTsanDeathTest, UnguardedWriteIsReported) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(WriteUnguarded(), testing::ExitedWithCode(kReported), "data race");
}

TEST(AbslTsanDeathTest, LockOrderInversionIsReported) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(LockInBothOrders(), testing::ExitedWithCode(kReported), "lock-order-inversion");
}

}  // namespace
