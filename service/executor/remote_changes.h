// RemoteChanges: tells observers here of what other replicas do to the executions they watch. The
// store is asked now and then: a change is seen once it is there, several may be seen as one.
//
//   RemoteChanges changes(context);
//   const bool any = changes.Look();             // notifies context.notifier
#ifndef REHEARSE_SERVICE_EXECUTOR_REMOTE_CHANGES_H_
#define REHEARSE_SERVICE_EXECUTOR_REMOTE_CHANGES_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "service/executor/lane.h"

namespace rehearse {

// Not thread-safe.
class RemoteChanges {
 public:
  explicit RemoteChanges(ExecutorContext& context) : context_(context) {}

  // Whether anything is watched that other replicas may change.
  bool Look();

 private:
  void Tell(const std::string& arn);
  void TellRemoved(const Execution& execution);

  ExecutorContext& context_;
  // As they were when observers were told last.
  absl::flat_hash_map<std::string, std::unique_ptr<Execution>> told_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_REMOTE_CHANGES_H_
