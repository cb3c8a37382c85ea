// RuntimePool: the runtimes of one function, each busy with at most one invocation.
//
//   RuntimePool pool(runtime_options, /*max_idle=*/4);
//   absl::StatusOr<std::shared_ptr<Runtime>> runtime = pool.Take("tenant-a");
//   (*runtime)->Invoke(invocation);
//   pool.GiveBack("tenant-a", *runtime);
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_POOL_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_POOL_H_

#include <list>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "service/lambda_host/runtime.h"

namespace rehearse::lambda_host {

class RuntimePool {
 public:
  // At most `max_idle` runtimes, at least 1, are kept for later.
  RuntimePool(Runtime::Options options, size_t max_idle);
  // Stops.
  ~RuntimePool();

  // Starts a runtime for whoever comes first, so that a command that cannot be run is noticed at
  // once.
  absl::Status Warm() ABSL_LOCKS_EXCLUDED(mutex_);

  // The runtime that the tenant used last and is idle, or one that nobody has used; else a new one.
  absl::StatusOr<std::shared_ptr<Runtime>> Take(const std::string& tenant)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Keeps `runtime` for later. For one that had got ready and has ended since, a new one is
  // started.
  void GiveBack(const std::string& tenant, std::shared_ptr<Runtime> runtime)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the idle runtimes, all at the same time, and waits for their end. Runtimes that are given
  // back later end, too.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Idle {
    std::string tenant;
    std::shared_ptr<Runtime> runtime;
  };

  void Keep(const std::string& tenant, std::shared_ptr<Runtime> runtime)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const Runtime::Options options_;
  const size_t max_idle_;
  absl::Mutex mutex_;
  // Used last comes last.
  std::list<Idle> idle_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_POOL_H_
