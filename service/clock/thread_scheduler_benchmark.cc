// What a hand-over to a lane costs: time from Post to the end of the task, as the poster sees it.
#include <condition_variable>
#include <mutex>

#include "benchmark/benchmark.h"
#include "service/clock/thread_scheduler.h"

namespace rehearse {
namespace {

// Waits, as an SDK's thread does, until its task has run.
class Waiter {
 public:
  void Done() {
    std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
    condition_.notify_one();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait(lock, [this] { return done_; });
    done_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool done_ = false;
};

ThreadScheduler& SharedScheduler() {
  static auto* scheduler = new ThreadScheduler(2);
  return *scheduler;
}

void BM_PostAndWait(benchmark::State& state) {
  Waiter waiter;
  for (auto _ : state) {
    SharedScheduler().Post(state.thread_index() % 2, [&] { waiter.Done(); });
    waiter.Wait();
  }
}
BENCHMARK(BM_PostAndWait)->ThreadRange(1, 16)->UseRealTime();

// The same from within a task, where the other lane's thread has to take over.
void BM_HandOverAndWait(benchmark::State& state) {
  Waiter waiter;
  for (auto _ : state) {
    SharedScheduler().Post(0, [&] { SharedScheduler().Post(1, [&] { waiter.Done(); }); });
    waiter.Wait();
  }
}
BENCHMARK(BM_HandOverAndWait)->UseRealTime();

void BM_Now(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(SharedScheduler().Now());
}
BENCHMARK(BM_Now)->ThreadRange(1, 2);

}  // namespace
}  // namespace rehearse

BENCHMARK_MAIN();
