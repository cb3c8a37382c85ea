// Waiters: calls that are answered when an execution meets a condition, or time out.
//
//   waiters.Add(lane, arn, absl::Seconds(10),
//               [](const ExecutionNotice& notice) { return notice.finished; },  // met?
//               [](Waiters::Verdict verdict) { ... });                          // once, on the
//               lane
//
// Add, the answers and the time-outs run on the lane of the execution's id; the object itself is
// thread-safe.
#ifndef REHEARSE_SERVICE_EXECUTOR_WAITERS_H_
#define REHEARSE_SERVICE_EXECUTOR_WAITERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/clock/scheduler.h"
#include "service/executor/execution_observer.h"

namespace rehearse {

class Waiters final : public ExecutionObserver {
 public:
  enum class Verdict { kMet, kTimedOut, kRemoved, kShutDown };
  using Condition = absl::AnyInvocable<bool(const ExecutionNotice&)>;
  using Answer = absl::AnyInvocable<void(Verdict)>;

  explicit Waiters(Scheduler& scheduler) : scheduler_(scheduler) {}

  // The condition is looked at with every change from now on; whether it holds already is the
  // caller's to check.
  void Add(int lane, absl::string_view arn, absl::Duration timeout, Condition condition,
           Answer answer);

  void OnChange(const ExecutionNotice& notice) override;

  // Adds the ARNs of executions that are waited for.
  void AddWatched(absl::flat_hash_set<std::string>& arns);

  // Answers every waiter with kShutDown, those of later calls too.
  void Shutdown();

 private:
  struct Waiter {
    int64_t id;
    int lane;
    Condition condition;
    Answer answer;
    Scheduler::TimerId timer;
  };

  void TimeOut(const std::string& arn, int64_t id);
  void PostAnswer(Waiter waiter, Verdict verdict);

  Scheduler& scheduler_;
  absl::Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<std::string, std::vector<Waiter>> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_WAITERS_H_
