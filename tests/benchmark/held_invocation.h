// HeldInvocation: a slot that keeps the one invocation it gets running, and leaves its checkpoints
// to calls of other kinds.
//
//   HeldInvocation invocation(executions, host);
//   StepCheckpoint(invocation.arn(), invocation.token(), 0);
#ifndef REHEARSE_TESTS_BENCHMARK_HELD_INVOCATION_H_
#define REHEARSE_TESTS_BENCHMARK_HELD_INVOCATION_H_

#include <string>

#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/worker_script.h"

namespace rehearse::benchmark {

class HeldInvocation {
 public:
  // Ready when constructed.
  HeldInvocation(v1::DurableExecutions::Stub& executions, v1::FunctionHost::Stub& host)
      : stream_(OpenServe(host), Register("", "held"), [this](v1::ServeResponse& response) {
          if (response.has_invocation()) invocation_ = response.invocation().durable();
          event_.Notify();
          return absl::nullopt;
        }) {
    event_.Wait();
    grpc::ClientContext context;
    v1::StartExecutionRequest request;
    request.set_function_name("held");
    v1::StartExecutionResponse response;
    Require(executions.StartExecution(&context, request, &response));
    event_.Wait();
  }

  const std::string& arn() const { return invocation_.durable_execution_arn(); }
  const std::string& token() const { return invocation_.checkpoint_token(); }

 private:
  v1::DurableExecutionInvocationInput invocation_;
  Signal event_;
  WorkerStream stream_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_HELD_INVOCATION_H_
