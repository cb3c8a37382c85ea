// CheckpointRounds: one worker stream that runs executions of a number of checkpoints, and how long
// each checkpoint took.
//
//   CheckpointRounds rounds(executions, host, /*steps=*/250);
//   rounds.Run();
//   double p50 = rounds.P50();
#ifndef REHEARSE_TESTS_BENCHMARK_CHECKPOINT_ROUNDS_H_
#define REHEARSE_TESTS_BENCHMARK_CHECKPOINT_ROUNDS_H_

#include <chrono>
#include <vector>

#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/worker_script.h"

namespace rehearse::benchmark {

// Microseconds from each message sent to its answer.
class RoundTrips {
 public:
  void Sent() { sent_ = std::chrono::steady_clock::now(); }
  void Answered() {
    samples_.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - sent_)
            .count());
  }
  double P50() const { return Median(samples_); }

 private:
  std::chrono::steady_clock::time_point sent_;
  std::vector<double> samples_;
};

class CheckpointRounds {
 public:
  CheckpointRounds(v1::DurableExecutions::Stub& executions, v1::FunctionHost::Stub& host, int steps)
      : executions_(executions),
        script_(steps),
        stream_(OpenServe(host), Register("", "steps"),
                [this](v1::ServeResponse& response) { return Next(response); }) {
    ended_.Wait();
  }

  void Run() {
    grpc::ClientContext context;
    v1::StartExecutionRequest request;
    request.set_function_name("steps");
    v1::StartExecutionResponse response;
    Require(executions_.StartExecution(&context, request, &response));
    ended_.Wait();
  }
  double P50() const { return round_trips_.P50(); }

 private:
  absl::optional<v1::ServeRequest> Next(v1::ServeResponse& response) {
    if (response.has_checkpoint()) round_trips_.Answered();
    absl::optional<v1::ServeRequest> request = script_(response);
    if (!request.has_value() || request->has_outcome()) ended_.Notify();
    round_trips_.Sent();
    return request;
  }

  v1::DurableExecutions::Stub& executions_;
  StepsScript script_;
  RoundTrips round_trips_;
  Signal ended_;
  WorkerStream stream_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_CHECKPOINT_ROUNDS_H_
