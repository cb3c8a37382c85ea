// A worker without an SDK: what one slot says in answer to the service, as cheap as a client can
// be, so that figures of the service are the service's.
//
//   WorkerStream stream(OpenServe(*stub), Register("default", "steps"), StepsScript(10));
#ifndef REHEARSE_TESTS_BENCHMARK_WORKER_SCRIPT_H_
#define REHEARSE_TESTS_BENCHMARK_WORKER_SCRIPT_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "tests/benchmark/lock_step_stream.h"

namespace rehearse::benchmark {

using WorkerStream = LockStepStream<v1::ServeRequest, v1::ServeResponse>;

WorkerStream::Open OpenServe(v1::FunctionHost::Stub& stub);
// The first message of a slot that serves a durable `function` of `session`.
v1::ServeRequest Register(absl::string_view session, absl::string_view function);

// START and SUCCEED of the step with this number in one batch, with a client token, as SDKs send
// them.
v1::CheckpointRequest StepCheckpoint(const std::string& arn, const std::string& token, int number);

// START of a wait.
v1::ServeRequest WaitCheckpoint(const v1::DurableExecutionInvocationInput& invocation, int seconds);

v1::ServeRequest SucceededOutcome();
v1::ServeRequest PendingOutcome();

// Runs `steps` steps per invocation, one checkpoint each, and succeeds.
class StepsScript {
 public:
  explicit StepsScript(int steps) : steps_(steps) {}
  // Ends the program on a message that has no place in the script.
  absl::optional<v1::ServeRequest> operator()(v1::ServeResponse& response);

 private:
  const int steps_;
  int step_ = 0;
  std::string arn_;
  std::string token_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_WORKER_SCRIPT_H_
