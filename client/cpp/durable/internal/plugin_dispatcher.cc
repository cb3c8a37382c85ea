#include "client/cpp/durable/internal/plugin_dispatcher.h"

#include <cxxabi.h>

#include <exception>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace durable {
namespace internal {
namespace {

// The service's bound.
constexpr size_t kMaxTraceHeaderBytes = 8192;

// Set on a thread that is inside a hook.
thread_local bool in_hook = false;

class HookScope {
 public:
  HookScope() : outer_(in_hook) { in_hook = true; }
  ~HookScope() { in_hook = outer_; }
  HookScope(const HookScope&) = delete;
  HookScope& operator=(const HookScope&) = delete;

 private:
  const bool outer_;
};

// Calls code of a plugin. Whatever it throws ends here, but for the cancellation of the thread.
void CallPlugin(absl::string_view hook, const Logger& diagnostics, absl::FunctionRef<void()> call) {
  const HookScope scope;
  std::string what = "an object that is no std::exception";
  try {
    call();
    return;
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  diagnostics.Warning(absl::StrCat("a plugin's ", hook, " threw: ", what));
}

}  // namespace

PluginDispatcher::~PluginDispatcher() { StopChangeHooks(); }

void PluginDispatcher::Begin(const std::vector<PluginFactory>& factories, InvocationInfo info) {
  info_ = std::move(info);
  for (const PluginFactory& factory : factories) {
    std::unique_ptr<Plugin> plugin;
    CallPlugin("factory", diagnostics_, [&] { plugin = factory.create(info_); });
    if (plugin != nullptr) plugins_.push_back(std::move(plugin));
  }
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& operation : info_.updated_operations) {
      if (IsTerminal(operation->status)) EndIsDue(operation->id);
    }
  }
  Dispatch("OnInvocationStart", [&](Plugin& plugin) { plugin.OnInvocationStart(info_); });
}

void PluginDispatcher::End(const InvocationOutput& output) {
  if (!active()) return;
  EndDescendants("");
  StopChangeHooks();
  Dispatch("OnInvocationEnd", [&](Plugin& plugin) { plugin.OnInvocationEnd(info_, output); });
}

void PluginDispatcher::OperationStarts(const OperationInfo& info) {
  if (!active()) return;
  {
    absl::MutexLock lock(&mutex_);
    started_.insert(info.operation.id);
  }
  Dispatch("OnOperationStart", [&](Plugin& plugin) { plugin.OnOperationStart(info); });
}

void PluginDispatcher::OperationIsMet(const OperationInfo& info) {
  if (!active()) return;
  {
    absl::MutexLock lock(&mutex_);
    if (!started_.insert(info.operation.id).second) return;
  }
  Dispatch("OnOperationStart", [&](Plugin& plugin) { plugin.OnOperationStart(info); });
}

void PluginDispatcher::OperationIsObserved(absl::string_view id) {
  if (!active() || in_hook || !ClaimEnd(id)) return;
  const std::shared_ptr<const Operation> operation = store_.Find(id);
  if (operation->type == OperationType::kContext) EndDescendants(id);
  const OperationInfo info = {*operation};
  Dispatch("OnOperationEnd", [&](Plugin& plugin) { plugin.OnOperationEnd(info); });
  absl::MutexLock lock(&mutex_);
  untold_ends_.erase(id);
  told_ends_.emplace(id);
}

bool PluginDispatcher::ClaimEnd(absl::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = untold_ends_.find(id);
  if (found == untold_ends_.end()) return false;
  if (found->second == EndHook::kDue) {
    found->second = EndHook::kRunning;
    return true;
  }
  const auto told = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !untold_ends_.contains(id); };
  mutex_.Await(absl::Condition(&told));
  return false;
}

void PluginDispatcher::EndIsDue(const std::string& id) {
  if (!told_ends_.contains(id)) untold_ends_.emplace(id, EndHook::kDue);
}

void PluginDispatcher::OperationEndsUnrecorded(const OperationInfo& info) {
  if (!active()) return;
  {
    absl::MutexLock lock(&mutex_);
    if (!told_ends_.insert(info.operation.id).second) return;
  }
  EndDescendants(info.operation.id);
  Dispatch("OnOperationEnd", [&](Plugin& plugin) { plugin.OnOperationEnd(info); });
}

void PluginDispatcher::OperationsChanged(std::vector<std::shared_ptr<const Operation>> changed) {
  if (!active() || changed.empty()) return;
  absl::MutexLock lock(&mutex_);
  for (auto& operation : changed) {
    if (IsTerminal(operation->status)) EndIsDue(operation->id);
    const auto same = absl::c_find_if(
        changes_, [&](const auto& earlier) { return earlier->id == operation->id; });
    if (same == changes_.end()) {
      changes_.push_back(std::move(operation));
    } else {
      *same = std::move(operation);
    }
  }
  if (!change_thread_.joinable()) change_thread_ = std::thread([this] { RunChangeHooks(); });
}

void PluginDispatcher::RunChangeHooks() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return stopping_ || !changes_.empty();
    };
    mutex_.Await(absl::Condition(&due));
    if (changes_.empty()) return;
    const OperationChangeInfo info = {info_.durable_execution_arn, std::exchange(changes_, {}),
                                      store_};
    mutex_.Unlock();
    Dispatch("OnOperationChange", [&](Plugin& plugin) { plugin.OnOperationChange(info); });
    mutex_.Lock();
  }
}

void PluginDispatcher::StopChangeHooks() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    thread = std::move(change_thread_);
  }
  if (thread.joinable()) thread.join();
}

void PluginDispatcher::UserFunctionStarts(const UserFunctionInfo& info) {
  Dispatch("OnUserFunctionStart", [&](Plugin& plugin) { plugin.OnUserFunctionStart(info); });
}

void PluginDispatcher::UserFunctionEnds(const UserFunctionInfo& info, const UserFunctionEnd& end) {
  Dispatch("OnUserFunctionEnd", [&](Plugin& plugin) { plugin.OnUserFunctionEnd(info, end); });
}

std::string PluginDispatcher::TraceHeader(const PropagationInfo& info) {
  std::string chosen;
  Dispatch("ProvidePropagationMetadata", [&](Plugin& plugin) {
    std::string header = plugin.ProvidePropagationMetadata(info).x_amzn_trace_id;
    if (absl::StripAsciiWhitespace(header).empty() || header == chosen) return;
    if (header.size() > kMaxTraceHeaderBytes) {
      diagnostics_.Warning("a plugin's trace header is longer than 8192 characters; it is ignored");
    } else if (!chosen.empty()) {
      diagnostics_.Warning(absl::StrCat("plugins give different trace headers; \"", chosen,
                                        "\" is used, \"", header, "\" is not"));
    } else {
      chosen = std::move(header);
    }
  });
  return chosen;
}

void PluginDispatcher::Dispatch(absl::string_view hook_name,
                                absl::FunctionRef<void(Plugin&)> hook) {
  for (const auto& plugin : plugins_) {
    CallPlugin(hook_name, diagnostics_, [&] { hook(*plugin); });
  }
}

void PluginDispatcher::EndDescendants(absl::string_view ancestor) {
  std::vector<std::string> due;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, hook] : untold_ends_) {
      if (id != ancestor) due.push_back(id);
    }
  }
  for (const std::string& id : due) {
    if (ancestor.empty() || IsInside(id, ancestor)) OperationIsObserved(id);
  }
}

bool PluginDispatcher::IsInside(absl::string_view id, absl::string_view ancestor) const {
  for (auto operation = store_.Find(id); operation != nullptr;
       operation = store_.Find(operation->parent_id)) {
    if (operation->parent_id == ancestor) return true;
  }
  return false;
}

}  // namespace internal
}  // namespace durable
