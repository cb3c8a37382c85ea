// WorkerStream: one FunctionHost.Serve call, that is one slot of a worker.
//
// Keeps the conversation in lock step: register first and once, requests one at a time and only
// while an invocation runs, the outcome ends it. Whatever is out of order ends the call with a
// status that says what was expected, and a running invocation has then crashed. See
// function_host.proto.
//
//   grpc::ServerBidiReactor<v1::ServeRequest, v1::ServeResponse>*
//   Serve(grpc::CallbackServerContext* call) override {
//     return WorkerStream::Open(context_, *call);
//   }
#ifndef REHEARSE_SERVICE_RPC_WORKER_STREAM_H_
#define REHEARSE_SERVICE_RPC_WORKER_STREAM_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/invoker/stream/stream_invoker.h"
#include "service/rpc/open_streams.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class WorkerStream final : public grpc::ServerBidiReactor<v1::ServeRequest, v1::ServeResponse>,
                           public WorkerSlot,
                           public OpenStream,
                           public std::enable_shared_from_this<WorkerStream> {
 public:
  // The reactor owns itself until the call is done.
  static WorkerStream* Open(RpcContext& context, const grpc::CallbackServerContext& call);

  void StartInvocation(v1::ServeResponse::Invocation invocation) override;
  void AbortInvocation(v1::ServeResponse::Abort::Reason reason) override;
  void End(absl::Status status) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  enum class Phase {
    kUnregistered,
    kFree,     // no invocation runs
    kRunning,  // the worker's turn
    kAsking,   // a request has not been answered
    kIdle,     // Idle has not been answered
  };

  WorkerStream(RpcContext& context, StaleTokenSpelling spelling)
      : context_(context), spelling_(spelling) {}

  // The following return a violation of the protocol. They call the executor and the invoker, so no
  // lock is held.
  absl::Status Handle(v1::ServeRequest& request);
  absl::Status Register(v1::ServeRequest::Register& registration);
  absl::Status Checkpoint(v1::CheckpointRequest& request);
  absl::Status GetExecutionState(v1::GetExecutionStateRequest& request);
  absl::Status Idle(const v1::ServeRequest::Idle& request);
  absl::Status Outcome(v1::ServeRequest::Outcome& outcome);
  absl::Status EndOfRequests();

  // The slot takes no more invocations; one that runs has crashed. Calling it again is harmless.
  void RemoveSlot();

  // Checks that it is the worker's turn and goes on to `next`.
  absl::Status TakeTurn(absl::string_view message, Phase next);
  // True: Idle is unanswered; its end has been asked for, and `request` is kept until then.
  absl::StatusOr<bool> KeepWhileIdle(v1::ServeRequest& request);
  void IdleEnded(absl::StatusOr<v1::ServeResponse::IdleEnded> ended);

  // Answers the request of the worker and gives it the turn.
  void Answer(v1::ServeResponse response);

  void Write(v1::ServeResponse response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishIfWritten() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  RpcContext& context_;
  const StaleTokenSpelling spelling_;
  // Until OnDone.
  std::shared_ptr<WorkerStream> self_;

  // Of the one read that is under way.
  v1::ServeRequest request_;

  // Set while registering, before anything else can happen on the stream.
  std::string session_;
  bool holds_session_ = false;
  absl::optional<StreamInvoker::SlotId> slot_;

  absl::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kUnregistered;
  // Of the running invocation; the ARN is empty for a plain function.
  std::string request_id_ ABSL_GUARDED_BY(mutex_);
  std::string arn_ ABSL_GUARDED_BY(mutex_);
  // The message that ended an Idle, until that is answered.
  absl::optional<v1::ServeRequest> kept_ ABSL_GUARDED_BY(mutex_);

  // Of the one write that is under way, and what is written after it: at most an answer, an abort
  // and an invocation.
  v1::ServeResponse response_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<v1::ServeResponse> queue_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_WORKER_STREAM_H_
