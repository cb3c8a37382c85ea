// ThreadScheduler: lanes as threads.
//
// A lane is a strand with a thread of its own. A task posted to an idle lane from outside all lanes
// runs on the posting thread before Post returns, which saves two thread switches; so do the tasks
// that others post meanwhile, up to a bound, behind which the lane's thread takes over. Tasks
// posted from within a task never run nested. Therefore: hold no lock that a task might take while
// calling Post.
//
//   ThreadScheduler scheduler(/*lane_count=*/2);
//   scheduler.Post(0, [] { ... });
//   scheduler.Shutdown();
#ifndef REHEARSE_SERVICE_CLOCK_THREAD_SCHEDULER_H_
#define REHEARSE_SERVICE_CLOCK_THREAD_SCHEDULER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "service/clock/scheduler.h"

namespace rehearse {

class ThreadScheduler final : public Scheduler {
 public:
  // `lane_count` is at least 1.
  explicit ThreadScheduler(int lane_count);
  ~ThreadScheduler() override;

  int lane_count() const override { return static_cast<int>(lanes_.size()); }
  absl::Time Now() const override;
  void Post(int lane, Task task) override;
  void Enqueue(int lane, Task task) override;
  TimerId PostAt(int lane, absl::Time due, Task task) override;
  void Cancel(int lane, TimerId id) override;

  // Runs what has been posted, and what that posts, to its end; drops what waits for its time, and
  // whatever is posted afterwards. Returns when no task runs any more. Not to be called from a
  // task. Later calls do nothing.
  void Shutdown();

 private:
  class Lane;

  std::vector<std::unique_ptr<Lane>> lanes_;
  // Nanoseconds since the epoch; the latest moment that Now has returned.
  mutable std::atomic<int64_t> latest_nanos_;
  bool shut_down_ = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLOCK_THREAD_SCHEDULER_H_
