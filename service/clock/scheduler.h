// Scheduler: what runs next. The one seam for everything concurrent in the service.
//
// Work is posted to a *lane*: tasks of one lane run one at a time, in posting order; lanes run side
// by side. In production a lane is a thread (thread_scheduler.h); in tests one thread runs all
// lanes in an order drawn from a seed, on a simulated wall clock (seeded_scheduler.h), so that any
// interleaving can be explored and repeated.
//
//   scheduler.Post(lane, [] { ... });
//   scheduler.Enqueue(lane, [] { ... });
//   TimerId id = scheduler.PostAt(lane, scheduler.Now() + absl::Seconds(1), [] { ... });
//   scheduler.Cancel(lane, id);
#ifndef REHEARSE_SERVICE_CLOCK_SCHEDULER_H_
#define REHEARSE_SERVICE_CLOCK_SCHEDULER_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace rehearse {

class Scheduler {
 public:
  using Task = absl::AnyInvocable<void()>;
  using TimerId = int64_t;  // never 0

  virtual ~Scheduler() = default;

  virtual int lane_count() const = 0;

  // The wall clock. Never runs backwards.
  virtual absl::Time Now() const = 0;

  // Thread-safe. `lane` in [0, lane_count()). Called from outside all tasks it may run the task,
  // and others of the lane, before it returns: hold no lock that a task may take. Called from
  // within a task it only queues.
  virtual void Post(int lane, Task task) = 0;

  // As Post, but never runs anything before it returns: for threads that have something else to do.
  virtual void Enqueue(int lane, Task task) = 0;

  // Runs `task` on `lane` at `due` or soon after. Call it on that lane.
  virtual TimerId PostAt(int lane, absl::Time due, Task task) = 0;

  // Drops a task of PostAt that has not begun; harmless when it has. Call it on that lane.
  virtual void Cancel(int lane, TimerId id) = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLOCK_SCHEDULER_H_
