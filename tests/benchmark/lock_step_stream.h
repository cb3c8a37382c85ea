// LockStepStream: the client's end of a bidirectional stream on which one message answers another,
// without a thread of its own. Worker streams and the bare echo are measured through it alike.
//
//   LockStepStream<Empty, Empty> echo(
//       [&](grpc::ClientContext* context, auto* reactor) { stub->async()->Echo(context, reactor);
//       }, Empty(), [](Empty&) { return Empty(); });
#ifndef REHEARSE_TESTS_BENCHMARK_LOCK_STEP_STREAM_H_
#define REHEARSE_TESTS_BENCHMARK_LOCK_STEP_STREAM_H_

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

namespace rehearse::benchmark {

template <typename Request, typename Response>
class LockStepStream final : public grpc::ClientBidiReactor<Request, Response> {
 public:
  // What to send after a message; nullopt: nothing, the other side has something to say first.
  // Called on gRPC's threads, one call at a time.
  using Next = std::function<absl::optional<Request>(Response&)>;
  using Open =
      std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*)>;

  // Opens the stream and sends `first`.
  LockStepStream(const Open& open, Request first, Next next) : next_(std::move(next)) {
    open(&context_, this);
    this->StartRead(&response_);
    Send(std::move(first));
    this->StartCall();
  }

  // Cancels the call and waits for its end.
  ~LockStepStream() {
    context_.TryCancel();
    done_.WaitForNotification();
  }

  // For whoever has the turn. An answer may be read before the end of the write that it answers:
  // the next message then waits.
  void Send(Request request) {
    absl::MutexLock lock(&mutex_);
    if (writing_) {
      waiting_ = std::move(request);
    } else {
      Write(std::move(request));
    }
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    absl::optional<Request> request = next_(response_);
    if (request.has_value()) Send(*std::move(request));
    this->StartRead(&response_);
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && waiting_.has_value()) Write(*std::exchange(waiting_, absl::nullopt));
  }

  void OnDone(const grpc::Status&) override { done_.Notify(); }

  void Write(Request request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_ = true;
    request_ = std::move(request);
    this->StartWrite(&request_);
  }

  grpc::ClientContext context_;
  const Next next_;
  Response response_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<Request> waiting_ ABSL_GUARDED_BY(mutex_);
  // gRPC's while it is written.
  Request request_;
  absl::Notification done_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_LOCK_STEP_STREAM_H_
