// Plugins watch executions, for traces, metrics or audit. They change nothing: what a hook throws
// is logged and forgotten.
//
//   class PrintsEnds final : public durable::Plugin {
//    public:
//     void OnOperationEnd(const durable::OperationInfo& info) override {
//       std::printf("%s has ended\n", info.operation.name.c_str());
//     }
//   };
//
//   durable::RuntimeOptions options;
//   options.plugins.push_back({[](const durable::InvocationInfo&) {
//     return std::make_unique<PrintsEnds>();
//   }});
//
// A plugin can also be linked into a program under a name, to be chosen from outside by
// DURABLE_EXECUTION_PLUGINS=name,name:
//
//   DURABLE_PLUGIN("print-ends",
//                  {[](const durable::InvocationInfo&) { return std::make_unique<PrintsEnds>();
//                  }});
#ifndef REHEARSE_CLIENT_CPP_DURABLE_PLUGIN_H_
#define REHEARSE_CLIENT_CPP_DURABLE_PLUGIN_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/operation.h"

namespace durable {

// The operations of an execution as they are known at the moment of a call. Thread-safe.
class RecordedOperations {
 public:
  virtual ~RecordedOperations() = default;

  // Null when there is no such operation.
  virtual std::shared_ptr<const Operation> Find(absl::string_view id) const = 0;
  // In no order; the execution itself is among them.
  virtual std::vector<std::shared_ptr<const Operation>> All() const = 0;
};

struct InvocationInfo {
  std::string request_id;
  std::string durable_execution_arn;
  // Nothing but the execution itself was recorded when the invocation began.
  bool is_first_invocation = true;
  absl::optional<absl::Time> execution_start_time;
  // As it was sent, JSON by custom; absent when the execution was started without one.
  absl::optional<std::string> input;
  // Valid as long as the plugin.
  const RecordedOperations* operations = nullptr;
  // Those that changed while no handler was told, as they were when the invocation began.
  std::vector<std::shared_ptr<const Operation>> updated_operations;
};

// Valid during the hook.
struct OperationInfo {
  // STARTED and without times when it has not been sent to the service yet.
  const Operation& operation;
  // It was recorded before this invocation came to it.
  bool is_replayed = false;
};

struct OperationChangeInfo {
  std::string durable_execution_arn;
  // Added, or with another status than before; each once, as it is now.
  std::vector<std::shared_ptr<const Operation>> changed_operations;
  const RecordedOperations& operations;
};

// The body of a step, a check, a context or a branch.
struct UserFunctionInfo {
  const Operation& operation;
  bool is_replayed = false;
  // Counts from 1; 1 for a context.
  int attempt = 1;
  // The body of a closed context runs over its recorded operations, because its result was too
  // large to keep.
  bool is_replay_children = false;
  absl::Time start_time;
};

struct UserFunctionEnd {
  enum class Outcome {
    kSucceeded,
    kFailed,
    kIncomplete,  // unwound: it will run again, or nobody waits for it
  };

  Outcome outcome = Outcome::kSucceeded;
  // kFailed.
  absl::optional<ErrorObject> error;
  absl::Time end_time;
};

// A function is about to be invoked by this one.
struct PropagationInfo {
  absl::string_view durable_execution_arn;
  const Operation& operation;
  absl::string_view function_name;
};

struct PropagationMetadata {
  // Empty: none. At most 8192 characters.
  std::string x_amzn_trace_id;
};

// One object serves one invocation. Hooks are called in the order in which the plugins were given,
// without any lock held. Those of one operation come in the order start, user function start, user
// function end, end, all before the operation returns to the durable function; on the thread that
// runs it. Hooks of different branches run at the same time, and OnOperationChange on a thread of
// its own: plugins are thread-safe.
class Plugin {
 public:
  virtual ~Plugin() = default;

  // On the thread of the handler; before it and before any checkpoint, and after all else.
  virtual void OnInvocationStart(const InvocationInfo&) {}
  virtual void OnInvocationEnd(const InvocationInfo&, const InvocationOutput&) {}

  // An operation starts, or is met during replay and still open.
  virtual void OnOperationStart(const OperationInfo&) {}
  // Once per operation and execution, in the invocation in which it ended or, when it ended between
  // two, in the next one. Those that nobody reads end just before OnInvocationEnd, inner ones
  // first.
  virtual void OnOperationEnd(const OperationInfo&) {}
  // A checkpoint's answer changed operations. What several answers changed may come as one.
  virtual void OnOperationChange(const OperationChangeInfo&) {}

  virtual void OnUserFunctionStart(const UserFunctionInfo&) {}
  virtual void OnUserFunctionEnd(const UserFunctionInfo&, const UserFunctionEnd&) {}

  // The trace header for a function that is about to be invoked, never during replay. The first
  // plugin that has one wins.
  virtual PropagationMetadata ProvidePropagationMetadata(const PropagationInfo&) { return {}; }
};

// Makes the plugin of one invocation, before any of its hooks. One that throws or returns null is
// skipped.
struct PluginFactory {
  std::function<std::unique_ptr<Plugin>(const InvocationInfo&)> create;
  // Of the plugins of one group only one may be chosen. Empty: no group. Initialized here so that
  // {create} is a whole one to compilers that warn about missing initializers.
  std::string exclusive_group = {};
};

// Links a plugin into the program; a name registered twice stops it. Returns true.
bool RegisterPlugin(absl::string_view name, PluginFactory factory);

// `chosen` and then those registered under `names`, a comma-separated list. INVALID_ARGUMENT for an
// unknown, empty or doubled name and for two plugins of one exclusive group.
absl::StatusOr<std::vector<PluginFactory>> ResolvePlugins(std::vector<PluginFactory> chosen,
                                                          absl::string_view names);

}  // namespace durable

#define DURABLE_INTERNAL_PLUGIN_2(line, name, ...)                      \
  [[maybe_unused]] static const bool durable_plugin_registered_##line = \
      ::durable::RegisterPlugin(name, __VA_ARGS__)
#define DURABLE_INTERNAL_PLUGIN(line, name, ...) DURABLE_INTERNAL_PLUGIN_2(line, name, __VA_ARGS__)
#define DURABLE_PLUGIN(name, ...) DURABLE_INTERNAL_PLUGIN(__LINE__, name, __VA_ARGS__)

#endif  // REHEARSE_CLIENT_CPP_DURABLE_PLUGIN_H_
