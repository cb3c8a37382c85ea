// Invocation: what all contexts of one invocation share.
//
//   internal::Invocation invocation(input, client, options);
//   invocation.Fail(fatal);      // latched: beats whatever the handler returns
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_INVOCATION_STATE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_INVOCATION_STATE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/internal/checkpoint_queue.h"
#include "client/cpp/durable/internal/plugin_dispatcher.h"
#include "client/cpp/durable/internal/state_store.h"
#include "client/cpp/durable/invocation.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/operation.h"

namespace durable {
namespace internal {

// Why an invocation cannot end with what its handler returned.
struct FatalError {
  ErrorObject error;
  // The invocation fails and runs again, rather than the execution.
  bool retry = false;
};

// Thread-safe.
class Invocation {
 public:
  // All outlive the invocation.
  Invocation(const InvocationInput& input, ServiceClient& client, const RuntimeOptions& options);
  ~Invocation();

  const std::string& arn() const { return arn_; }
  const std::string& request_id() const { return request_id_; }
  const RuntimeOptions& options() const { return options_; }
  StateStore& store() { return store_; }
  CheckpointQueue& queue() { return *queue_; }
  PluginDispatcher& plugins() { return plugins_; }
  // Nobody will use what user code still does. Any thread.
  bool abandoned() const { return has_failed() || client_.cancelled(); }
  // Branches on threads of their own, as many as the options allow. Any thread.
  bool TryTakeBranchThread();
  void ReturnBranchThread() { branch_threads_.fetch_sub(1, std::memory_order_relaxed); }
  // The SDK's own lines.
  const Logger& diagnostics() const { return diagnostics_; }

  // Latches the first fatal error.
  void Fail(FatalError fatal) ABSL_LOCKS_EXCLUDED(mutex_);
  // Fail, then unwind.
  [[noreturn]] void FailAndUnwind(FatalError fatal);
  bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }
  absl::optional<FatalError> fatal() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A logger for user code. Lines are dropped while `replaying`, unless the options ask for them.
  Logger MakeLogger(const std::atomic<bool>& replaying, std::vector<LogField> fields) const;

 private:
  ServiceClient& client_;
  const std::string arn_;
  const std::string request_id_;
  const RuntimeOptions& options_;
  const Logger diagnostics_;
  StateStore store_;
  PluginDispatcher plugins_;
  const std::shared_ptr<CheckpointQueue> queue_;

  std::atomic<int> branch_threads_{0};
  std::atomic<bool> has_failed_{false};
  mutable absl::Mutex mutex_;
  absl::optional<FatalError> fatal_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_INVOCATION_STATE_H_
