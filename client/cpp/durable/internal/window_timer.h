// Tells queues that their checkpoint window may have passed. One thread for the process, asleep
// while nothing is armed; it only calls, it never sends.
//
//   internal::WindowTimer::Shared().Arm(absl::Now() + window, weak_from_this());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_WINDOW_TIMER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_WINDOW_TIMER_H_

#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace durable {
namespace internal {

class WindowTimer {
 public:
  class Target {
   public:
    virtual ~Target() = default;
    // Called once per Arm, on the timer's thread; returns soon.
    virtual void OnWindow() = 0;
  };

  // Never destroyed.
  static WindowTimer& Shared();

  // Calls target->OnWindow() at `due`, or not at all when the target is gone by then.
  void Arm(absl::Time due, std::weak_ptr<Target> target) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  WindowTimer();
  [[noreturn]] void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Blocks until the earliest entry is due, and removes it.
  std::weak_ptr<Target> NextDue() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  absl::CondVar earlier_entry_;
  std::multimap<absl::Time, std::weak_ptr<Target>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_WINDOW_TIMER_H_
