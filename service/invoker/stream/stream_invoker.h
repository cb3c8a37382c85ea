// StreamInvoker: invocations over worker streams. One stream is one slot; slots serve a session's functions.
//
// The gRPC side implements WorkerSlot for each stream and reports what comes in on it:
//
//   absl::StatusOr<SlotId> id = invoker.AddSlot("default", functions, this);
//   ...                                   // invoker calls StartInvocation on the slot
//   invoker.EndInvocation(*id, {InvocationEnd::Kind::kAnswered, payload});   // the slot is free again
//   invoker.RemoveSlot(*id);              // broken or leaving; a running invocation has crashed
//
// Thread-safe. Calls into a slot and into callbacks are made without a lock held.
#ifndef REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_
#define REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "service/invoker/invoker.h"

namespace rehearse {

// One worker stream, as the invoker sees it. Methods must not block and must not call back into the invoker.
class WorkerSlot {
 public:
  virtual ~WorkerSlot() = default;
  virtual void StartInvocation(v1::ServeResponse::Invocation invocation) = 0;
  virtual void AbortInvocation(v1::ServeResponse::Abort::Reason reason) = 0;
};

class StreamInvoker final : public Invoker {
 public:
  using SlotId = int64_t;

  struct FunctionLoad {
    int slots = 0;
    int queued = 0;
    int running = 0;
  };

  void Acquire(const FunctionKey& function, Ready ready) override;
  bool HasPlace(const FunctionKey& function) override;

  // The slot is free from now on. It stays valid until RemoveSlot has returned.
  SlotId AddSlot(absl::string_view session, const std::vector<std::string>& function_names, std::shared_ptr<WorkerSlot> slot);
  void EndInvocation(SlotId id, InvocationEnd end);
  // A running invocation ends as kCrashed with `Runtime.ExitError`.
  void RemoveSlot(SlotId id);

  // Fails queued requests for the function with FunctionNotFound; slots no longer serve it.
  void RemoveFunction(const FunctionKey& function) override;
  // Aborts what runs and fails what is queued in the session.
  void RemoveSession(absl::string_view session) override;

  FunctionLoad Load(const FunctionKey& function);

 private:
  class Lease;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_
