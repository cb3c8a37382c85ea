// Acknowledged: what clients have been told is kept, and whether it is.
//
//   Acknowledged log;
//   log.Started(name, arn);
//   log.Checkpointed(arn, request, response);            // after the answer
//   ... the service is killed, and comes back ...
//   log.ExpectKept(executions);
#ifndef REHEARSE_TESTS_CRASH_ACKNOWLEDGED_H_
#define REHEARSE_TESTS_CRASH_ACKNOWLEDGED_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"

namespace rehearse::crash {

// Thread-safe.
class Acknowledged {
 public:
  // The execution of this name; fails the test when it was another one before.
  void Started(const std::string& name, const std::string& arn);
  // `newest`: nobody can have gone on with the execution before this answer came.
  void Checkpointed(const std::string& arn, const v1::CheckpointRequest& request,
                    const v1::CheckpointResponse& response, bool newest);
  // As GetExecution said it.
  void Ended(const std::string& arn);

  // Answers so far; and waits for one more than `count` of them, or for `stop`.
  int64_t count() const;
  void AwaitCount(int64_t count) const;

  // The operations of the execution that were acknowledged as succeeded, with their results.
  std::map<std::string, std::string> OperationsOf(const std::string& arn) const;

  // On a service that has just come back: every update is there, once, every history is dense, and
  // a repeated request gets the answer that it got. Executions that have ended are looked at once
  // more and then left out.
  void ExpectKept(v1::DurableExecutions::Stub& executions);

 private:
  struct Log {
    std::map<std::string, std::string> operations;
    std::deque<std::pair<v1::CheckpointRequest, v1::CheckpointResponse>> last;
    bool ended = false;
  };
  static void ExpectKept(v1::DurableExecutions::Stub& executions, const std::string& arn,
                         const Log& log);

  mutable absl::Mutex mutex_;
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> arns_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Log> logs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse::crash

#endif  // REHEARSE_TESTS_CRASH_ACKNOWLEDGED_H_
