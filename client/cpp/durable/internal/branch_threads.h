// The threads of branches: as many as are needed at the same time, kept for a while after they were
// needed and then ended. One pool serves the whole process.
//
//   bool taken = internal::BranchThreads::Shared().TryRun(
//       {[&] { event = RunBranch(3); }, [events] { events->Push(event); }});
//
// There is no bound, because a branch may wait for branches of its own; callers keep to theirs.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_THREADS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_THREADS_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace durable {
namespace internal {

class BranchThreads {
 public:
  struct Task {
    // Neither throws.
    absl::AnyInvocable<void()> run;
    // Called after `run`, when the thread is free again: a task that is handed in now may get it.
    // So tasks that are handed in one `done` after the other need no second thread.
    absl::AnyInvocable<void()> done;
  };

  // Never destroyed.
  static BranchThreads& Shared();

  // A thread that had nothing to do for `keep` ends. Outlives its threads.
  explicit BranchThreads(absl::Duration keep) : keep_(keep) {}
  BranchThreads(const BranchThreads&) = delete;
  BranchThreads& operator=(const BranchThreads&) = delete;

  // Runs the task on a free thread or a new one. False when the system gives no new one; the task
  // is lost then.
  bool TryRun(Task task) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // A free thread, on whose stack it is.
  struct FreeThread {
    absl::CondVar given;
    absl::optional<Task> task;
  };

  void Work(Task task) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for a task; false when it is time to end.
  bool Await(FreeThread& self, Task& task) ABSL_LOCKS_EXCLUDED(mutex_);

  const absl::Duration keep_;
  absl::Mutex mutex_;
  std::vector<FreeThread*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_THREADS_H_
