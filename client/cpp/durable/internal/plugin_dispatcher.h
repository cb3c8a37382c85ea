// PluginDispatcher: the plugins of one invocation, and what they have been told.
//
//   dispatcher.Begin(options.plugins, info);          // creates them, calls OnInvocationStart
//   dispatcher.OperationStarts({operation, /*is_replayed=*/false});
//   ...
//   dispatcher.End(output);                           // what is still to be told, OnInvocationEnd
//
// Without plugins every method returns at once. Otherwise the methods may be called on any thread
// between Begin and End; none calls a hook with a lock held.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PLUGIN_DISPATCHER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PLUGIN_DISPATCHER_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/internal/state_store.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/plugin.h"

namespace durable {
namespace internal {

class PluginDispatcher {
 public:
  // Both outlive the dispatcher.
  PluginDispatcher(const StateStore& store, const Logger& diagnostics)
      : store_(store), diagnostics_(diagnostics) {}
  ~PluginDispatcher();
  PluginDispatcher(const PluginDispatcher&) = delete;
  PluginDispatcher& operator=(const PluginDispatcher&) = delete;

  // There are plugins.
  bool active() const { return !plugins_.empty(); }

  void Begin(const std::vector<PluginFactory>& factories, InvocationInfo info);
  // Nothing else runs any more.
  void End(const InvocationOutput& output) ABSL_LOCKS_EXCLUDED(mutex_);

  // An operation is about to be started.
  void OperationStarts(const OperationInfo& info) ABSL_LOCKS_EXCLUDED(mutex_);
  // An operation is recorded and open; told unless it was started or met before.
  void OperationIsMet(const OperationInfo& info) ABSL_LOCKS_EXCLUDED(mutex_);
  // The durable function is about to learn how the operation stands: if it has ended and nobody was
  // told, its hook runs here. Returns when the hook has run, here or on another thread; at once
  // inside a hook.
  void OperationIsObserved(absl::string_view id) ABSL_LOCKS_EXCLUDED(mutex_);
  // An operation ended without a checkpoint.
  void OperationEndsUnrecorded(const OperationInfo& info) ABSL_LOCKS_EXCLUDED(mutex_);
  // The answer to a checkpoint changed these.
  void OperationsChanged(std::vector<std::shared_ptr<const Operation>> changed)
      ABSL_LOCKS_EXCLUDED(mutex_);

  void UserFunctionStarts(const UserFunctionInfo& info);
  void UserFunctionEnds(const UserFunctionInfo& info, const UserFunctionEnd& end);

  // The trace header for an invoked function; empty for none.
  std::string TraceHeader(const PropagationInfo& info);

 private:
  enum class EndHook { kDue, kRunning };

  // Calls `hook` with each plugin, in order.
  void Dispatch(absl::string_view hook_name, absl::FunctionRef<void(Plugin&)> hook);
  // Runs the end hooks that are due of operations inside `ancestor`, or of all when it is empty.
  void EndDescendants(absl::string_view ancestor) ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsInside(absl::string_view id, absl::string_view ancestor) const;
  // Takes over the end hook of `id` if it is due; waits while another thread runs it.
  bool ClaimEnd(absl::string_view id) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndIsDue(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunChangeHooks() ABSL_LOCKS_EXCLUDED(mutex_);
  void StopChangeHooks() ABSL_LOCKS_EXCLUDED(mutex_);

  const StateStore& store_;
  const Logger& diagnostics_;
  InvocationInfo info_;
  std::vector<std::unique_ptr<Plugin>> plugins_;

  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> started_ ABSL_GUARDED_BY(mutex_);
  // Operations that have ended, by whether their end was told.
  absl::flat_hash_map<std::string, EndHook> untold_ends_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> told_ends_ ABSL_GUARDED_BY(mutex_);
  // Not told yet; ids are unique.
  std::vector<std::shared_ptr<const Operation>> changes_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Runs OnOperationChange. Started by the first change.
  std::thread change_thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PLUGIN_DISPATCHER_H_
