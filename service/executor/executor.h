// Executor: the life of executions. Every face of the service ends in its methods.
//
// An execution tree - an execution and its chained children - belongs to one lane; everything that
// happens to it happens there, in order. A call is posted to the lane, runs the pure code, hands
// the delta to the store and answers when that has committed. Requests and answers are the
// contract's messages.
//
// Where replicas share the store, an executor works on the trees that it owns. A request that
// changes an execution of another replica's is answered by that one; a request that reads it, from
// the store.
//
//   Executor executor(options, scheduler, store, invoker, RandomIdSource());
//   executor.StartExecution(request, [](absl::StatusOr<v1::StartExecutionResponse> response) { ...
//   });
//
// Thread-safe. `done` is called exactly once, on a lane or on the calling thread; it must not
// block.
#ifndef REHEARSE_SERVICE_EXECUTOR_EXECUTOR_H_
#define REHEARSE_SERVICE_EXECUTOR_EXECUTOR_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/base/arn.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/clock/scheduler.h"
#include "service/executor/execution_observer.h"
#include "service/executor/replica_peers.h"
#include "service/executor/session.h"
#include "service/invoker/invoker.h"
#include "service/store/execution_store.h"

namespace rehearse {

struct ExecutorOptions {
  Location location;
  // Of the `default` session, and of sessions whose config leaves a member unset.
  v1::SessionConfig session_defaults;
  // Wall time without a call or an open stream after which a session is deleted. `default` never
  // is.
  absl::Duration session_idle_limit = absl::Minutes(10);
  // How long a chained invoke's result is held back while its caller's invocation still runs, on
  // the wall clock.
  absl::Duration settle_limit = absl::Seconds(1);
  // Where replicas share the store: the others. Outlives the executor.
  ReplicaPeers* peers = nullptr;
  // Then: another replica has deleted the session.
  std::function<void(const std::string& name)> session_deleted = [](const std::string&) {};
};

class Executor {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // The arguments outlive the executor.
  Executor(ExecutorOptions options, Scheduler& scheduler, ExecutionStore& store, Invoker& invoker,
           IdSource& ids);
  ~Executor();

  // Takes up what the store has: sessions, and executions where they stood. Call it before anything
  // else, if at all. What the store could not read, or Internal when it makes no sense.
  absl::Status Recover();
  // Where replicas share the store (ExecutionStore::replicas): takes part in their work from now
  // on, reached by the others at `address`, as HOST:PORT.
  absl::Status Join(absl::string_view address);

  // DurableExecutions.
  void StartExecution(v1::StartExecutionRequest request, Done<v1::StartExecutionResponse> done);
  void InvokeFunction(v1::InvokeFunctionRequest request, Done<v1::InvokeFunctionResponse> done);
  void Checkpoint(v1::CheckpointRequest request, StaleTokenSpelling spelling,
                  Done<v1::CheckpointResponse> done);
  void GetExecutionState(v1::GetExecutionStateRequest request, StaleTokenSpelling spelling,
                         Done<v1::GetExecutionStateResponse> done);
  void GetExecution(v1::GetExecutionRequest request, Done<v1::GetExecutionResponse> done);
  void GetExecutionHistory(v1::GetExecutionHistoryRequest request,
                           Done<v1::GetExecutionHistoryResponse> done);
  void ListExecutions(v1::ListExecutionsRequest request, Done<v1::ListExecutionsResponse> done);
  void StopExecution(v1::StopExecutionRequest request, Done<v1::StopExecutionResponse> done);
  void PauseExecution(v1::PauseExecutionRequest request, Done<v1::PauseExecutionResponse> done);
  void ResumeExecution(v1::ResumeExecutionRequest request, Done<v1::ResumeExecutionResponse> done);
  void DeleteExecution(v1::DeleteExecutionRequest request, Done<v1::DeleteExecutionResponse> done);
  void SendCallbackSuccess(v1::SendCallbackSuccessRequest request,
                           Done<v1::SendCallbackSuccessResponse> done);
  void SendCallbackFailure(v1::SendCallbackFailureRequest request,
                           Done<v1::SendCallbackFailureResponse> done);
  void SendCallbackHeartbeat(v1::SendCallbackHeartbeatRequest request,
                             Done<v1::SendCallbackHeartbeatResponse> done);

  // WatchExecution is built from these: be told of changes, read events from the store
  // (thread-safe, without the lane).
  ExecutionNotifier& notifier();
  // Events with ids in [first_id, first_id + max_items), oldest first; ExecutionNotFound when there
  // is no such execution, or it is of another session than the one named.
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(const absl::optional<std::string>& session,
                                                    absl::string_view arn, int64_t first_id,
                                                    int max_items, bool include_execution_data);

  // FunctionHost. Registers what a worker serves, all or nothing.
  absl::Status RegisterFunctions(absl::string_view session,
                                 const std::vector<v1::FunctionSpec>& functions);
  // Forgets the function, here and at the invoker.
  absl::Status DeregisterFunction(absl::string_view session, absl::string_view function_name);
  // What `function_name` and `qualifier` lead to; FunctionNotFound, InvalidParameter,
  // SessionNotFound.
  absl::StatusOr<ResolvedFunction> ResolveFunction(absl::string_view session,
                                                   absl::string_view function_name,
                                                   const absl::optional<std::string>& qualifier);
  // In order of name; InvalidParameter, SessionNotFound. Loads are filled in by the caller.
  absl::StatusOr<v1::ListFunctionsResponse> ListFunctions(const v1::ListFunctionsRequest& request);
  // A worker's Idle: `done` is called when the execution's clock has reached `until`, an operation
  // of the execution has changed from outside, the invocation has ended, or EndIdle is called.
  void Idle(absl::string_view arn, absl::string_view request_id, absl::Time until,
            Done<v1::ServeResponse::IdleEnded> done);
  void EndIdle(absl::string_view arn, absl::string_view request_id);

  // TestSessions.
  absl::StatusOr<v1::CreateSessionResponse> CreateSession(const v1::CreateSessionRequest& request);
  absl::StatusOr<v1::GetSessionResponse> GetSession(const v1::GetSessionRequest& request);
  absl::StatusOr<v1::ListSessionsResponse> ListSessions(const v1::ListSessionsRequest& request);
  void DeleteSession(v1::DeleteSessionRequest request, Done<v1::DeleteSessionResponse> done);
  // An open stream of the session: while one is held the session is not idle. Its name;
  // SessionNotFound.
  absl::StatusOr<std::string> HoldSession(absl::string_view session);
  void ReleaseSession(absl::string_view session);
  void AdvanceTime(v1::AdvanceTimeRequest request, Done<v1::AdvanceTimeResponse> done);
  void WaitForExecution(v1::WaitForExecutionRequest request,
                        Done<v1::WaitForExecutionResponse> done);
  void WaitForOperation(v1::WaitForOperationRequest request,
                        Done<v1::WaitForOperationResponse> done);
  void InvokeNext(v1::InvokeNextRequest request, Done<v1::InvokeNextResponse> done);
  void InspectExecution(v1::InspectExecutionRequest request,
                        Done<v1::InspectExecutionResponse> done);

  // Aborts what runs and answers what waits with errors::ShuttingDown. Returns at once; lanes
  // finish what they have.
  void Shutdown();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_EXECUTOR_H_
