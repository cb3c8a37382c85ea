// FunctionCalls: invocations of plain functions that a caller from outside asked for. They belong
// to no execution; all of them live on lane 0.
//
//   calls.Start("default", "resize", resolved, std::move(request),
//               [](absl::StatusOr<v1::InvokeFunctionResponse> response) { ... });
#ifndef REHEARSE_SERVICE_EXECUTOR_FUNCTION_CALLS_H_
#define REHEARSE_SERVICE_EXECUTOR_FUNCTION_CALLS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "service/executor/lane.h"

namespace rehearse {

class FunctionCalls {
 public:
  using Done = Executor::Done<v1::InvokeFunctionResponse>;

  explicit FunctionCalls(ExecutorContext& context) : context_(context) {}

  // Waits for a free place, runs the function within its time limit, and answers. `name` is the
  // bare one. Any thread.
  void Start(std::string session, std::string name, ResolvedFunction function,
             v1::InvokeFunctionRequest request, Done done);

  // Where replicas share the store: has another replica answer what waits for a place of a function
  // that only that one serves. Any thread.
  using Forward = std::function<void(const std::string& address,
                                     const v1::InvokeFunctionRequest& request, Done)>;
  void OfferQueued(Forward forward);

  // Aborts what runs and answers with errors::ShuttingDown, now and from now on. Any thread.
  void Shutdown();

 private:
  struct Call {
    FunctionKey function;
    // Its payload goes into the invocation once there is a place.
    v1::InvokeFunctionRequest request;
    v1::ServeResponse::Invocation invocation;
    absl::Duration timeout;
    Done done;
    // Set while the invocation runs.
    std::unique_ptr<InvocationLease> lease;
    Scheduler::TimerId timeout_timer = 0;
  };

  // On lane 0.
  void Add(std::unique_ptr<Call> call);
  void OnPlace(int64_t id, absl::StatusOr<std::unique_ptr<InvocationLease>> lease);
  void OnTimeout(int64_t id);
  void OnEnded(int64_t id, InvocationEnd end);
  std::unique_ptr<Call> Remove(int64_t id);

  ExecutorContext& context_;
  int64_t next_id_ = 1;
  absl::flat_hash_map<int64_t, std::unique_ptr<Call>> calls_;
  bool shut_down_ = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_FUNCTION_CALLS_H_
