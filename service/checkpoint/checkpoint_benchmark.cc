// What one checkpoint costs in the pure pipeline, and how that depends on the history.
//
//   bazel run --config=opt //service/checkpoint:checkpoint_benchmark
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "service/base/check.h"
#include "service/checkpoint/test_execution.h"

namespace rehearse {
namespace {

// Executions are made anew after so many checkpoints, to stay at the size that is measured.
constexpr int kCheckpointsPerExecution = 500;

std::string StepId(int64_t number) { return absl::StrCat("6b86b273ff34fce19d6b804e", number); }

void SetStep(int64_t number, v1::CheckpointRequest& request) {
  for (v1::OperationUpdate& update : *request.mutable_updates()) update.set_id(StepId(number));
}

v1::CheckpointRequest StepRequest(const TestExecution& test) {
  v1::OperationUpdate start = Update("STEP", "START", StepId(0));
  start.set_name("charge");
  start.set_sub_type("Step");
  v1::OperationUpdate succeed = Update("STEP", "SUCCEED", StepId(0));
  succeed.set_name("charge");
  succeed.set_sub_type("Step");
  succeed.set_payload("\"receipt-17\"");
  return test.Request({start, succeed});
}

// START and SUCCEED of one step in one batch, behind `state.range(0)` operations; the answer is
// applied.
void BM_StepCheckpoint(benchmark::State& state, bool with_client_token) {
  std::unique_ptr<TestExecution> test;
  v1::CheckpointRequest request;
  int64_t step = 0;
  int left = 0;
  for (auto _ : state) {
    if (left == 0) {
      state.PauseTiming();
      test = std::make_unique<TestExecution>();
      request = StepRequest(*test);
      for (step = 1; step < state.range(0); ++step) {
        SetStep(step, request);
        request.set_checkpoint_token(test->Token());
        REHEARSE_CHECK(test->Checkpoint(request).ok());
      }
      request.set_checkpoint_token(test->Token());
      left = kCheckpointsPerExecution;
      state.ResumeTiming();
    }
    --left;
    SetStep(step++, request);
    if (with_client_token) request.set_client_token(absl::StrCat("token-", step));
    absl::StatusOr<CheckpointOutcome> outcome = test->Process(request);
    REHEARSE_CHECK(outcome.ok());
    request.set_checkpoint_token(outcome->response.checkpoint_token());
    test->Apply(*std::move(outcome->delta));
  }
}
BENCHMARK_CAPTURE(BM_StepCheckpoint, plain, false)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK_CAPTURE(BM_StepCheckpoint, client_token, true)->Arg(10)->Arg(10000);

// A poll that finds nothing new.
void BM_Poll(benchmark::State& state) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({});
  for (auto _ : state) {
    absl::StatusOr<CheckpointOutcome> outcome = test.Process(request);
    REHEARSE_CHECK(outcome.ok());
    request.set_checkpoint_token(outcome->response.checkpoint_token());
    test.Apply(*std::move(outcome->delta));
  }
}
BENCHMARK(BM_Poll);

}  // namespace
}  // namespace rehearse

BENCHMARK_MAIN();
