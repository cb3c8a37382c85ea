#include "client/cpp/durable/internal/branch_threads.h"

#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::SizeIs;

// Never destroyed: its threads may outlive the test. Reachable, so it is no leak.
BranchThreads& Threads(absl::Duration keep) {
  static auto* const all = new std::vector<std::unique_ptr<BranchThreads>>();
  all->push_back(std::make_unique<BranchThreads>(keep));
  return *all->back();
}

TEST(BranchThreadsTest, TasksAtTheSameTimeHaveThreadsOfTheirOwn) {
  BranchThreads& threads = Threads(absl::Hours(1));
  constexpr int kTasks = 5;
  absl::Mutex mutex;
  std::set<std::thread::id> ids;
  auto* const barrier = new absl::Barrier(kTasks);
  absl::BlockingCounter done(kTasks);
  for (int i = 0; i < kTasks; ++i) {
    EXPECT_TRUE(threads.TryRun({[&] {
                                  if (barrier->Block()) delete barrier;
                                  absl::MutexLock lock(&mutex);
                                  ids.insert(std::this_thread::get_id());
                                },
                                [&] { done.DecrementCount(); }}));
  }
  done.Wait();
  EXPECT_THAT(ids, SizeIs(kTasks));
}

TEST(BranchThreadsTest, TaskHandedInWhenAnotherIsDoneGetsItsThread) {
  BranchThreads& threads = Threads(absl::Hours(1));
  std::set<std::thread::id> ids;
  for (int i = 0; i < 50; ++i) {
    absl::Notification done;
    threads.TryRun({[&] { ids.insert(std::this_thread::get_id()); }, [&] { done.Notify(); }});
    done.WaitForNotification();
  }
  EXPECT_THAT(ids, SizeIs(1));
  EXPECT_NE(*ids.begin(), std::this_thread::get_id());
}

TEST(BranchThreadsTest, ThreadThatIsNotNeededEndsAndAnotherTakesItsPlace) {
  BranchThreads& threads = Threads(absl::ZeroDuration());
  for (int i = 0; i < 50; ++i) {
    absl::Notification done;
    ASSERT_TRUE(threads.TryRun({[] {}, [&] { done.Notify(); }}));
    done.WaitForNotification();
  }
}

}  // namespace
}  // namespace internal
}  // namespace durable
