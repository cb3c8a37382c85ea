// ExecutionObserver: who hears about executions. Waiters, watch streams and counters hang on it.
//
// Observers are told on the execution's lane, after the commit, in order; of what another replica
// has done, on a thread of the store's, once it is seen there. They must not block: a slow one
// keeps a note of what it has heard and reads the store at its own pace.
//
//   class Printer : public ExecutionObserver {
//     void OnChange(const ExecutionNotice& notice) override {
//       ... notice.execution.progress().event_count() ...
//     }
//   };
//   notifier.AddObserver(&printer);
#ifndef REHEARSE_SERVICE_EXECUTOR_EXECUTION_OBSERVER_H_
#define REHEARSE_SERVICE_EXECUTOR_EXECUTION_OBSERVER_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "service/base/moment.h"
#include "service/checkpoint/execution.h"

namespace rehearse {

struct ExecutionNotice {
  const Execution& execution;
  // By the execution's clock.
  Moment now;
  // The change started the execution.
  bool started = false;
  // The change wrote the terminal event: the history is complete.
  bool finished = false;
  // The execution is gone with its session or was deleted; `execution` is its last state.
  bool removed = false;
};

class ExecutionObserver {
 public:
  virtual ~ExecutionObserver() = default;
  virtual void OnChange(const ExecutionNotice& notice) = 0;
};

// Thread-safe. Removing an observer waits for a call into it that is under way; an observer must
// not remove itself from within OnChange.
class ExecutionNotifier {
 public:
  void AddObserver(ExecutionObserver* observer);
  void RemoveObserver(ExecutionObserver* observer);

  // Of one execution only.
  void AddObserver(absl::string_view arn, ExecutionObserver* observer);
  void RemoveObserver(absl::string_view arn, ExecutionObserver* observer);

  void Notify(const ExecutionNotice& notice);

  // Adds the ARNs of executions that have observers of their own.
  void AddWatched(absl::flat_hash_set<std::string>& arns);

 private:
  absl::Mutex mutex_;
  std::vector<ExecutionObserver*> observers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::vector<ExecutionObserver*>> by_arn_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_EXECUTION_OBSERVER_H_
