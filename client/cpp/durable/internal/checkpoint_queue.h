// The updates of one invocation on their way to the service: one ordered queue, at most one call in
// flight.
//
//   auto queue = std::make_shared<internal::CheckpointQueue>(client, store, arn, token, limits);
//   queue->SendAsync(start, scope);                                 // rides with the next one
//   CheckpointResult result = queue->SendSync(succeed, scope);      // the service has it
//   queue->Stop();
//
// No thread stands behind the queue. Whoever needs an update accepted and finds no call in flight
// sends what is queued itself; others wait for it. Only updates that nobody waits for and whose
// window has passed are sent by a thread of their own, which Stop() joins.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CHECKPOINT_QUEUE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CHECKPOINT_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cpp/durable/internal/state_store.h"
#include "client/cpp/durable/internal/window_timer.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"

namespace durable {
namespace internal {

// Marks where updates come from. Once a scope is closed, those from it and from scopes inside it
// are rejected.
class ContextScope {
 public:
  // `parent` outlives the scope; null for the root.
  explicit ContextScope(const ContextScope* parent) : parent_(parent) {}

  void Close() { closed_.store(true, std::memory_order_release); }
  bool closed() const {
    return closed_.load(std::memory_order_acquire) || (parent_ != nullptr && parent_->closed());
  }

 private:
  const ContextScope* const parent_;
  std::atomic<bool> closed_{false};
};

enum class CheckpointResult {
  kAccepted,   // sync: the service has it, and the store knows what it answered; async: queued
  kWithdrawn,  // the service took the token back: the invocation ends as suspended
  kOrphaned,   // the scope is closed, or the execution is over
  kFailed,     // a call failed, see failure()
};

// See RuntimeOptions.
struct CheckpointLimits {
  size_t max_updates = 250;
  size_t max_bytes = 750 * 1024;
  absl::Duration window = absl::Milliseconds(10);
  int state_page_size = 1000;
};

class CheckpointQueue final : public WindowTimer::Target,
                              public std::enable_shared_from_this<CheckpointQueue> {
 public:
  // Told what the answer to a checkpoint changed, before anybody who waits for it goes on. Called
  // without a lock, one call at a time.
  using ChangeListener = std::function<void(std::vector<std::shared_ptr<const Operation>>)>;

  // `client`, `store` and `on_change` are used until Stop() returns. Held by shared_ptr.
  CheckpointQueue(
      ServiceClient& client, StateStore& store, std::string arn, std::string token,
      const CheckpointLimits& limits,
      ChangeListener on_change = [](std::vector<std::shared_ptr<const Operation>>) {});

  CheckpointResult SendSync(OperationUpdate update, const ContextScope& scope)
      ABSL_LOCKS_EXCLUDED(mutex_);
  CheckpointResult SendAsync(OperationUpdate update, const ContextScope& scope)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Reads what has changed outside: waits for a call that begins after this, and sends one with
  // whatever is queued, or with nothing, unless another thread does.
  CheckpointResult Refresh(const ContextScope& scope) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for the call in flight and drops what is queued and not awaited. No other thread uses the
  // queue meanwhile.
  void Settle() ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for the call in flight and drops what is still queued. To be called before the last
  // reference goes.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  bool withdrawn() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The error of the call that failed, CANCELLED included; OK while none has.
  absl::Status failure() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class End { kOpen, kStopped, kExecutionClosed, kCancelled, kWithdrawn, kFailed };

  struct Entry {
    OperationUpdate update;
    size_t bytes;
    absl::Time due;
  };

  void OnWindow() override ABSL_LOCKS_EXCLUDED(mutex_);
  void SendPending() ABSL_LOCKS_EXCLUDED(mutex_);

  // kAccepted when updates of this scope may be queued.
  CheckpointResult Admit(const ContextScope& scope) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is left to say once the queue is not open.
  CheckpointResult Ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the update's number; they count from 1.
  uint64_t Push(OperationUpdate update, absl::Time due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the longest prefix of the queue that fits one call. Releases the lock during the call.
  // Requires that no call is in flight.
  void SendBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  CheckpointRequest TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next token, empty when there is none. Merges all that the service answers.
  absl::StatusOr<std::string> Call(const CheckpointRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);
  void Finish(const CheckpointRequest& request, absl::StatusOr<std::string> token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes sure that the timer will look at a queue that has something in it.
  void ArmTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ServiceClient& client_;
  StateStore& store_;
  const std::string arn_;
  const CheckpointLimits limits_;
  const ChangeListener on_change_;
  const std::string client_token_prefix_;

  mutable absl::Mutex mutex_;
  absl::CondVar call_ended_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  std::deque<Entry> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t pushed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t accepted_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ended_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  bool call_in_flight_ ABSL_GUARDED_BY(mutex_) = false;
  bool timer_armed_ ABSL_GUARDED_BY(mutex_) = false;
  End end_ ABSL_GUARDED_BY(mutex_) = End::kOpen;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::thread sender_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CHECKPOINT_QUEUE_H_
