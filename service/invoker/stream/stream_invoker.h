// StreamInvoker: invocations over worker streams. One stream is one slot; slots serve a session's
// functions.
//
// The gRPC side implements WorkerSlot for each stream and reports what comes in on it:
//
//   StreamInvoker::SlotId id = invoker.AddSlot("default", functions, slot);
//   ...                                   // invoker calls StartInvocation on the slot
//   invoker.EndInvocation(id, {InvocationEnd::Kind::kAnswered, payload});    // the slot is free
//   again invoker.RemoveSlot(id);               // broken or leaving; a running invocation has
//   crashed
//
// Requests of a function are served in order. A slot that becomes free takes the oldest request of
// all its functions.
#ifndef REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_
#define REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "service/invoker/invoker.h"

namespace rehearse {

// One worker stream, as the invoker sees it. Methods must not block and must not call back into the
// invoker. A call that has begun when the slot is removed may still arrive, and is then without
// effect.
class WorkerSlot {
 public:
  virtual ~WorkerSlot() = default;
  virtual void StartInvocation(v1::ServeResponse::Invocation invocation) = 0;
  virtual void AbortInvocation(v1::ServeResponse::Abort::Reason reason) = 0;
};

// Thread-safe. Calls into a slot and into callbacks are made without a lock held. Outlives its
// leases.
class StreamInvoker final : public Invoker {
 public:
  using SlotId = int64_t;

  struct FunctionLoad {
    int slots = 0;
    int queued = 0;
    int running = 0;
  };

  StreamInvoker();
  ~StreamInvoker() override;

  // A function that no slot serves is not an error here: the request waits.
  void Acquire(const FunctionKey& function, Ready ready) override;
  bool HasPlace(const FunctionKey& function) override;
  bool HasFreePlace(const FunctionKey& function) override;
  std::vector<ServedFunction> ServedFunctions() override;
  void SetFreedListener(absl::AnyInvocable<void()> freed) override;

  // The slot is free from now on: an invocation may start on it before the call returns.
  SlotId AddSlot(absl::string_view session, const std::vector<std::string>& function_names,
                 std::shared_ptr<WorkerSlot> slot);
  // Does nothing when no invocation runs on the slot.
  void EndInvocation(SlotId id, InvocationEnd end);
  // A running invocation ends as kCrashed with `Runtime.ExitError`; so does one that is yet to be
  // started on the slot's lease.
  void RemoveSlot(SlotId id);

  // Fails queued requests for the function with FunctionNotFound; slots no longer serve it.
  void RemoveFunction(const FunctionKey& function) override;
  // As RemoveFunction for all of the session's functions; aborts what runs.
  void RemoveSession(absl::string_view session) override;

  FunctionLoad Load(const FunctionKey& function);

 private:
  class Lease;
  struct Function;
  struct Pool;
  struct Slot;
  struct Session;

  // Something to be called once the lock is released: a request with its lease or its error.
  struct Delivery {
    Ready ready;
    absl::StatusOr<std::unique_ptr<InvocationLease>> lease;
  };
  static void Deliver(std::vector<Delivery> deliveries);

  // Of leases.
  void StartLease(SlotId id, v1::ServeResponse::Invocation invocation,
                  InvocationLease::Ended ended);
  void AbortLease(SlotId id, int64_t lease, v1::ServeResponse::Abort::Reason reason);
  void ReturnLease(SlotId id);
  void AbandonInvocation(SlotId id, int64_t lease);

  Function* FindFunction(const FunctionKey& function) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<Function>& FindOrAddFunction(const FunctionKey& function)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<InvocationLease> LeaseSlot(Slot& slot, std::shared_ptr<Function> function)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives the slot to the oldest request of its functions, or makes it free.
  void FreeSlot(Slot& slot, std::vector<Delivery>& deliveries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fails what is queued and takes the function from its pools.
  void DropFunction(Session& session, Function& function, std::vector<Delivery>& deliveries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Null: nobody listens. Set before there are slots.
  absl::AnyInvocable<void()> freed_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<SlotId, std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mutex_);
  SlotId last_slot_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_request_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_lease_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_INVOKER_STREAM_STREAM_INVOKER_H_
