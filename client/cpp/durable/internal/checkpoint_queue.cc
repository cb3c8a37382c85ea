#include "client/cpp/durable/internal/checkpoint_queue.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/random/random.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/durable/internal/update_size.h"

namespace durable {
namespace internal {
namespace {

std::string RandomPrefix() {
  thread_local absl::BitGen generator;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(generator), absl::kZeroPad16),
                      absl::Hex(absl::Uniform<uint64_t>(generator), absl::kZeroPad16));
}

// The due time of an update that somebody waits for: its waiter sends it, the timer leaves it
// alone.
constexpr absl::Time kAwaited = absl::InfinitePast();

bool ClosesExecution(const OperationUpdate& update) {
  return update.type == OperationType::kExecution;
}

}  // namespace

CheckpointQueue::CheckpointQueue(ServiceClient& client, StateStore& store, std::string arn,
                                 std::string token, const CheckpointLimits& limits,
                                 ChangeListener on_change)
    : client_(client),
      store_(store),
      arn_(std::move(arn)),
      limits_(limits),
      on_change_(std::move(on_change)),
      client_token_prefix_(RandomPrefix()),
      token_(std::move(token)) {}

CheckpointResult CheckpointQueue::SendSync(OperationUpdate update, const ContextScope& scope) {
  absl::MutexLock lock(&mutex_);
  const CheckpointResult admission = Admit(scope);
  if (admission != CheckpointResult::kAccepted) return admission;
  const uint64_t number = Push(std::move(update), kAwaited);
  while (accepted_ < number && end_ == End::kOpen) {
    if (call_in_flight_) {
      call_ended_.Wait(&mutex_);
    } else {
      SendBatch();
    }
  }
  return accepted_ >= number ? CheckpointResult::kAccepted : Ended();
}

CheckpointResult CheckpointQueue::SendAsync(OperationUpdate update, const ContextScope& scope) {
  absl::MutexLock lock(&mutex_);
  const CheckpointResult admission = Admit(scope);
  if (admission != CheckpointResult::kAccepted) return admission;
  Push(std::move(update), absl::Now() + limits_.window);
  if (limits_.window > absl::ZeroDuration() || call_in_flight_) {
    ArmTimer();
    return CheckpointResult::kAccepted;
  }
  SendBatch();
  return end_ == End::kOpen ? CheckpointResult::kAccepted : Ended();
}

CheckpointResult CheckpointQueue::Refresh(const ContextScope& scope) {
  absl::MutexLock lock(&mutex_);
  const CheckpointResult admission = Admit(scope);
  if (admission != CheckpointResult::kAccepted) return admission;
  const uint64_t call = calls_ + 1;
  while (ended_calls_ < call && end_ == End::kOpen) {
    if (call_in_flight_) {
      call_ended_.Wait(&mutex_);
    } else {
      SendBatch();
    }
  }
  return end_ == End::kOpen ? CheckpointResult::kAccepted : Ended();
}

void CheckpointQueue::Settle() {
  absl::MutexLock lock(&mutex_);
  while (call_in_flight_) call_ended_.Wait(&mutex_);
  queue_.clear();
  accepted_ = pushed_;
}

void CheckpointQueue::Stop() {
  std::thread sender;
  {
    absl::MutexLock lock(&mutex_);
    if (end_ == End::kOpen) end_ = End::kStopped;
    while (call_in_flight_) call_ended_.Wait(&mutex_);
    sender = std::move(sender_);
  }
  if (sender.joinable()) sender.join();
}

bool CheckpointQueue::withdrawn() const {
  absl::MutexLock lock(&mutex_);
  return end_ == End::kWithdrawn;
}

absl::Status CheckpointQueue::failure() const {
  absl::MutexLock lock(&mutex_);
  return failure_;
}

void CheckpointQueue::OnWindow() {
  std::thread finished;
  {
    absl::MutexLock lock(&mutex_);
    timer_armed_ = false;
    if (end_ != End::kOpen || queue_.empty() || call_in_flight_) return;
    if (queue_.front().due == kAwaited) return;
    if (queue_.front().due > absl::Now()) {
      ArmTimer();
      return;
    }
    finished = std::move(sender_);
    sender_ = std::thread([this] { SendPending(); });
  }
  if (finished.joinable()) finished.join();
}

void CheckpointQueue::SendPending() {
  absl::MutexLock lock(&mutex_);
  if (end_ == End::kOpen && !queue_.empty() && !call_in_flight_) SendBatch();
}

CheckpointResult CheckpointQueue::Admit(const ContextScope& scope) const {
  if (end_ != End::kOpen) return Ended();
  return scope.closed() ? CheckpointResult::kOrphaned : CheckpointResult::kAccepted;
}

CheckpointResult CheckpointQueue::Ended() const {
  switch (end_) {
    case End::kWithdrawn:
      return CheckpointResult::kWithdrawn;
    case End::kFailed:
      return CheckpointResult::kFailed;
    default:
      return CheckpointResult::kOrphaned;
  }
}

uint64_t CheckpointQueue::Push(OperationUpdate update, absl::Time due) {
  const size_t bytes = UpdateBytes(update);
  queue_.push_back(Entry{std::move(update), bytes, due});
  return ++pushed_;
}

void CheckpointQueue::SendBatch() {
  const CheckpointRequest request = TakeBatch();
  call_in_flight_ = true;
  mutex_.Unlock();
  absl::StatusOr<std::string> token = Call(request);
  mutex_.Lock();
  call_in_flight_ = false;
  ++ended_calls_;
  Finish(request, std::move(token));
  call_ended_.SignalAll();
}

CheckpointRequest CheckpointQueue::TakeBatch() {
  CheckpointRequest request;
  request.durable_execution_arn = arn_;
  request.checkpoint_token = token_;
  request.client_token = absl::StrCat(client_token_prefix_, "-", ++calls_);
  size_t bytes = 0;
  while (!queue_.empty() && request.updates.size() < limits_.max_updates) {
    bytes += queue_.front().bytes;
    if (bytes > limits_.max_bytes && !request.updates.empty()) break;
    request.updates.push_back(std::move(queue_.front().update));
    queue_.pop_front();
  }
  return request;
}

absl::StatusOr<std::string> CheckpointQueue::Call(const CheckpointRequest& request) {
  absl::StatusOr<CheckpointResponse> response = client_.Checkpoint(request);
  if (!response.ok()) return std::move(response).status();
  on_change_(store_.Merge(std::move(response->new_state.operations)));
  std::string marker = std::move(response->new_state.next_marker);
  while (!marker.empty() && !response->checkpoint_token.empty()) {
    absl::StatusOr<StatePage> page = client_.GetState(
        {arn_, response->checkpoint_token, std::move(marker), limits_.state_page_size});
    if (!page.ok()) return std::move(page).status();
    on_change_(store_.Merge(std::move(page->operations)));
    marker = std::move(page->next_marker);
  }
  return std::move(response->checkpoint_token);
}

void CheckpointQueue::Finish(const CheckpointRequest& request, absl::StatusOr<std::string> token) {
  if (!token.ok()) {
    end_ = absl::IsCancelled(token.status()) ? End::kCancelled : End::kFailed;
    failure_ = std::move(token).status();
    return;
  }
  token_ = *std::move(token);
  const bool closes_execution = absl::c_any_of(request.updates, ClosesExecution);
  if (token_.empty() && !closes_execution) {
    end_ = End::kWithdrawn;
    return;
  }
  accepted_ += request.updates.size();
  if (token_.empty()) end_ = End::kExecutionClosed;
  if (end_ == End::kOpen && !queue_.empty()) ArmTimer();
}

void CheckpointQueue::ArmTimer() {
  if (timer_armed_ || queue_.front().due == kAwaited) return;
  timer_armed_ = true;
  WindowTimer::Shared().Arm(queue_.front().due, weak_from_this());
}

}  // namespace internal
}  // namespace durable
