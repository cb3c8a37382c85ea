// WorkerPool: the worker's end of FunctionHost.Serve. It opens streams - one stream is one slot -
// and runs a callback for every invocation that arrives on one.
//
//   WorkerOptions options;
//   options.session = "default";
//   options.slots = 4;
//   options.functions = {spec};                         // rehearse.v1.FunctionSpec
//   WorkerPool pool(CreateChannel("127.0.0.1:9013"), options, [](InvocationChannel& channel) {
//     v1::CheckpointRequest request = FirstCheckpoint(channel.invocation());
//     absl::StatusOr<v1::CheckpointResponse> response = channel.Checkpoint(std::move(request));
//     v1::ServeRequest::Outcome outcome;
//     outcome.set_payload(R"({"Status":"PENDING"})");
//     return outcome;
//   });
//   absl::Status serving = pool.WaitUntilServing(absl::Seconds(5));
//   ...
//   pool.Shutdown(absl::Seconds(10));
//
// Threads: each slot has one, on which its invocations run one after the other; waiting for an
// answer wakes it once. When the service goes away a slot connects again: at once after a stream
// that served, then with growing, jittered pauses of at most 2 s. A refusal that trying again
// cannot mend (unknown session, invalid function) ends the slot.
#ifndef REHEARSE_SERVICE_WORKER_WORKER_POOL_H_
#define REHEARSE_SERVICE_WORKER_WORKER_POOL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "rehearse/v1/function_host.pb.h"

namespace rehearse::worker {

class ServeStream;

// A running invocation's line to the service. Valid while the invocation's callback runs;
// thread-safe. Requests are answered in the order in which they are sent.
//
// Errors: what the service refuses arrives with its code, its message and its details as payloads
// under their type URLs (ErrorInfo: `type.googleapis.com/google.rpc.ErrorInfo`); the invocation
// goes on. Once the invocation is of no more use every method returns why: CANCELLED after an abort
// by the service, UNAVAILABLE after the stream broke.
class InvocationChannel {
 public:
  InvocationChannel(ServeStream& stream, const v1::ServeResponse::Invocation& invocation)
      : stream_(stream), invocation_(invocation) {}
  InvocationChannel(const InvocationChannel&) = delete;
  InvocationChannel& operator=(const InvocationChannel&) = delete;

  const v1::ServeResponse::Invocation& invocation() const { return invocation_; }

  // Each blocks until the answer is there.
  absl::StatusOr<v1::CheckpointResponse> Checkpoint(v1::CheckpointRequest request);
  absl::StatusOr<v1::GetExecutionStateResponse> GetExecutionState(
      v1::GetExecutionStateRequest request);
  // Tells the service that nothing runs until `until`. Returns the execution's clock when that
  // moment has come, when an operation has changed from outside, or when another thread has sent a
  // request.
  absl::StatusOr<absl::Time> Idle(absl::Time until);

  // OK while the invocation is of use.
  absl::Status abort_status() const;

  // Calls `aborted` with abort_status() when it is no longer OK: at most once, on a thread of gRPC
  // that it must not block, or at once on this thread. Not called after the invocation's callback
  // has returned.
  void OnAbort(absl::AnyInvocable<void(absl::Status)> aborted);

  // Drops the stream, as the death of a process would: for the service this invocation has crashed.
  // What the invocation's callback returns afterwards is not sent.
  void Break();

 private:
  ServeStream& stream_;
  const v1::ServeResponse::Invocation& invocation_;
};

struct WorkerOptions {
  // Empty: `default`.
  std::string session;
  // Tells workers apart in listings; at most 256 characters.
  std::string worker_name;
  // Streams, that is, invocations at a time. At least 1.
  int slots = 1;
  // 1-1000.
  std::vector<v1::FunctionSpec> functions;
  // Told, in a line, when the connection is lost, when it is back, and of refusals. Called on the
  // slots' threads, one call at a time.
  std::function<void(absl::string_view)> log = [](absl::string_view) {};
};

class WorkerPool {
 public:
  // Runs one invocation and returns its outcome. Called on the slots' threads; must not throw.
  using Function = std::function<v1::ServeRequest::Outcome(InvocationChannel&)>;

  // Starts to connect.
  WorkerPool(std::shared_ptr<grpc::Channel> channel, WorkerOptions options, Function function);
  // Shuts down, without grace.
  ~WorkerPool();

  // Returns when every slot is registered, or why the service refused one. DEADLINE_EXCEEDED, with
  // the last failure, after `timeout`.
  absl::Status WaitUntilServing(absl::Duration timeout);

  // Blocks until Shutdown was called (OK) or the service refused every slot for good (why).
  absl::Status Wait();

  // Takes no more invocations and returns when those that run have ended; those that still run
  // after `grace` lose their stream, which is a crash to the service and an abort to the callback.
  // Calling it again is harmless.
  void Shutdown(absl::Duration grace);

 private:
  class Slot;
  class State;

  std::unique_ptr<State> state_;
};

}  // namespace rehearse::worker

#endif  // REHEARSE_SERVICE_WORKER_WORKER_POOL_H_
