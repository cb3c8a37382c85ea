// ServeStream: one FunctionHost.Serve stream from its registration to its end, with blocking
// methods.
//
//   ServeStream stream(*stub);
//   absl::Status registered = stream.Register(message);
//   absl::StatusOr<v1::ServeResponse::Invocation> invocation = stream.NextInvocation();
//   absl::StatusOr<v1::ServeResponse> answer = stream.Call(std::move(request));
//   stream.EndInvocation(outcome);
#ifndef REHEARSE_SERVICE_WORKER_SERVE_STREAM_H_
#define REHEARSE_SERVICE_WORKER_SERVE_STREAM_H_

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "rehearse/v1/function_host.grpc.pb.h"

namespace rehearse::worker {

// Thread-safe, but that Register, NextInvocation and EndInvocation belong to one thread. On an open
// stream exactly one read is outstanding and at most one write. A waiting thread is woken once, by
// the message it waits for: on a busy machine that is most of the cost of a round trip.
class ServeStream final : public grpc::ClientBidiReactor<v1::ServeRequest, v1::ServeResponse> {
 public:
  explicit ServeStream(v1::FunctionHost::Stub& stub);
  // Leaves - an idle stream by closing its half, which the service answers - and waits for the end.
  ~ServeStream() override;

  // OK, or why the service refused or went away.
  absl::Status Register(v1::ServeRequest::Register message);

  // Waits for an invocation. CANCELLED after StopWaiting; why the stream ended otherwise.
  absl::StatusOr<v1::ServeResponse::Invocation> NextInvocation();

  // Makes NextInvocation return, now or when it is called next.
  void StopWaiting();

  // Sends a request of the running invocation and waits for its answer. Errors as InvocationChannel
  // says.
  absl::StatusOr<v1::ServeResponse> Call(v1::ServeRequest request);

  // Sends the outcome, if the stream is still there. The abort callback is forgotten and does not
  // run any more.
  void EndInvocation(v1::ServeRequest::Outcome outcome);

  absl::Status abort_status() const;
  void OnAbort(absl::AnyInvocable<void(absl::Status)> aborted);

  // Breaks the stream; nothing more is sent.
  void Cancel();

 private:
  struct PendingCall {
    absl::optional<absl::StatusOr<v1::ServeResponse>> answer;
    absl::CondVar answered;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  // Sends unless the stream has ended. With `call`, queues it for an answer, which may be the
  // stream's end.
  void Send(v1::ServeRequest request, PendingCall* call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<v1::ServeResponse> Await(PendingCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Dispatch(v1::ServeResponse response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerOldest(absl::StatusOr<v1::ServeResponse> answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellAbort() ABSL_LOCKS_EXCLUDED(abort_mutex_, mutex_);
  absl::Status EndStatus() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  grpc::ClientContext context_;
  // Each belongs to gRPC while its read or write is outstanding.
  v1::ServeResponse incoming_;
  v1::ServeRequest outgoing_;

  // Held while the abort callback runs; before mutex_.
  absl::Mutex abort_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::AnyInvocable<void(absl::Status)> on_abort_ ABSL_GUARDED_BY(abort_mutex_);

  mutable absl::Mutex mutex_;
  // Only then may a write be started.
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_waiting_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<PendingCall*> calls_ ABSL_GUARDED_BY(mutex_);
  absl::optional<v1::ServeResponse::Invocation> invocation_ ABSL_GUARDED_BY(mutex_);
  absl::Status abort_status_ ABSL_GUARDED_BY(mutex_);
  // Set when the stream has ended and gRPC is done with this object.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  absl::CondVar written_;
  // An invocation, StopWaiting, or the end.
  absl::CondVar changed_;
};

}  // namespace rehearse::worker

#endif  // REHEARSE_SERVICE_WORKER_SERVE_STREAM_H_
