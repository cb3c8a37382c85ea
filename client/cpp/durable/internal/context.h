// Context: the engine behind a DurableContext. It numbers operations, knows whether it is
// replaying, and whether it may go on.
//
//   DURABLE_RETURN_IF_ERROR(context.Enter("step \"charge\""));   // unwinds where nothing may run
//   std::string path = context.TakePath();
//
// A context belongs to the thread that runs its body; what other threads may call says so.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CONTEXT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CONTEXT_H_

#include <atomic>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/internal/checkpoint_queue.h"
#include "client/cpp/durable/internal/invocation_state.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/logger.h"

namespace durable {
namespace internal {

// What a context that cannot go on waits for.
struct Blockage {
  // When something will have happened, as far as known.
  absl::Time resume_at = absl::InfiniteFuture();
  // The operations of which one has to end or get ready. Empty: nothing helps in this invocation.
  std::vector<std::string> awaited;
};

// One of the awaited operations has ended or got ready, as far as this invocation was told.
bool IsLifted(const Blockage& blockage, const StateStore& store);

class Context {
 public:
  struct ChildTraits {
    std::string path;
    std::string operation_id;
    absl::string_view name;
    bool is_virtual = false;
    // The body runs over the records of a closed context; see replays_closed().
    bool replays_closed = false;
    // Of the first operation.
    int first_number = 1;
    // The body starts over its records although its parent has passed them.
    bool replaying = false;
  };

  // The root of an invocation whose state is loaded.
  explicit Context(Invocation& invocation);
  // A context inside `parent`, which outlives it.
  Context(Context& parent, const ChildTraits& traits);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  DurableContext& facade() { return facade_; }
  Invocation& invocation() const { return invocation_; }
  const Logger& logger() const { return logger_; }
  // For MakeLogger.
  const std::atomic<bool>& replaying_flag() const { return replaying_; }
  ContextScope& scope() { return scope_; }
  // Any thread.
  bool orphaned() const { return scope_.closed(); }

  // Every operation begins with this, before it takes a number. Unwinds when the invocation has
  // failed, the context is orphaned or blocked, or is not the one that may be used here (which is
  // fatal). Returns Cancelled instead of throwing where an exception could not pass: during
  // unwinding and on foreign threads. `operation` is for messages.
  absl::Status Enter(absl::string_view operation);

  // The path of the next operation.
  std::string TakePath();
  // The path that TakePath() would return.
  std::string PeekPath() const;

  // The id that operations of this context report as their parent: that of the nearest context with
  // a record, empty at the root.
  const std::string& parent_id() const { return parent_id_; }
  // A name for messages.
  const std::string& path() const { return path_; }

  bool replaying() const { return replaying_.load(std::memory_order_relaxed); }
  void StopReplaying() { replaying_.store(replays_closed_, std::memory_order_relaxed); }

  // True inside a closed context whose result was too large to keep: everything that its body
  // reaches must be recorded, and all of it is replay.
  bool replays_closed() const { return replays_closed_; }

  // A blocked context waits for something outside.
  bool blocked() const { return blockage_.has_value(); }
  // Requires a blocked context.
  const Blockage& blockage() const { return *blockage_; }
  void Block(Blockage blockage) { blockage_ = std::move(blockage); }
  // Block, then unwind.
  [[noreturn]] void Suspend(Blockage blockage);

  // Fails the invocation, unless the context is orphaned, and unwinds.
  [[noreturn]] void FailAndUnwind(FatalError fatal) const;

  // After user code that ran below this context has ended: unwinds when its outcome does not count
  // any more, because the invocation has failed or the context is orphaned.
  void RequireLive() const;

  // Sends, and unwinds unless accepted.
  void SendSync(OperationUpdate update) {
    UnwindUnlessAccepted(queue().SendSync(std::move(update), scope_));
  }
  void SendAsync(OperationUpdate update) {
    UnwindUnlessAccepted(queue().SendAsync(std::move(update), scope_));
  }
  // Reads what has changed outside; unwinds as SendSync does.
  void Refresh() { UnwindUnlessAccepted(queue().Refresh(scope_)); }

 private:
  CheckpointQueue& queue() { return invocation_.queue(); }
  void UnwindUnlessAccepted(CheckpointResult result);

  Invocation& invocation_;
  const std::string path_;
  const std::string parent_id_;
  const bool replays_closed_;
  ContextScope scope_;
  std::atomic<bool> replaying_;
  const Logger logger_;
  DurableContext facade_;
  int next_number_;
  absl::optional<Blockage> blockage_;
};

// Calls an operation for user code: the way in for all of them. With suspend_by_status its
// unwinding ends here.
template <typename Operation>
std::invoke_result_t<Operation&> CallForUser(const Invocation& invocation, Operation operation) {
  if (!invocation.options().suspend_by_status) return operation();
  try {
    return operation();
  } catch (const Unwind&) {
    return SuspendedError("the durable function cannot go on in this invocation");
  }
}

// Declares what user code runs on this thread while it lives: the body of `context` or, with
// `step`, the body of a step in it. Frames nest; only the innermost context may be used, and none
// inside a step.
class ActiveFrame {
 public:
  enum class Kind { kContextBody, kStepBody };

  ActiveFrame(Context& context, Kind kind);
  ~ActiveFrame();
  ActiveFrame(const ActiveFrame&) = delete;
  ActiveFrame& operator=(const ActiveFrame&) = delete;

  // Null on a thread that runs no durable code.
  static const ActiveFrame* Current();

  Context& context() const { return context_; }
  Kind kind() const { return kind_; }
  // An exception is in flight that was thrown since the frame began.
  bool unwinding() const;

 private:
  Context& context_;
  const Kind kind_;
  const int exceptions_at_entry_;
  const ActiveFrame* const outer_;
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CONTEXT_H_
