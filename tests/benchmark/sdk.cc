// The C++ SDK: batches with the embedded service, and replay without any.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "client/cpp/durable/invocation.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/warm_runner.h"

namespace rehearse::benchmark {
namespace {

using durable::BatchOptions;
using durable::DurableContext;
using durable::StepContext;

constexpr char kArn[] =
    "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST/durable-execution/n/id";

// A step for each of `count` items, `concurrency` at a time.
durable::Handler Map(int concurrency) {
  return durable::Handler([concurrency](DurableContext& ctx,
                                        const int& count) -> absl::StatusOr<int> {
    DURABLE_ASSIGN_OR_RETURN(
        const auto batch, ctx.Map(
                              "items", std::vector<int>(count, 1),
                              [](DurableContext& branch, const int& item, int /*index*/) {
                                return branch.Step("work", [item](StepContext&) { return item; });
                              },
                              BatchOptions().set_max_concurrency(concurrency)));
    return batch.success_count();
  });
}

absl::StatusOr<int> Parallel(DurableContext& ctx, const int& count) {
  std::vector<durable::Branch<int>> branches;
  for (int i = 0; i < count; ++i) {
    branches.emplace_back("branch", [i](DurableContext& branch) {
      return branch.Step("work", [i](StepContext&) { return i; });
    });
  }
  DURABLE_ASSIGN_OR_RETURN(const auto batch, ctx.Parallel<int>("branches", branches));
  return batch.success_count();
}

void MeasureBatches(const Options& options, Values& values) {
  WarmRunner map_50(Map(50), 50);
  WarmRunner map_1000(Map(16), 1000);
  WarmRunner parallel_16(durable::Handler(Parallel), 16);
  for (int i = 0; i < options.Repeat(100, 2); ++i) {
    map_50.Sample();
    parallel_16.Sample();
    if (i % 10 == 0) map_1000.Sample();
  }
  values["map_50_embedded_ms"] = map_50.MedianMs();
  values["map_1000_concurrency_16_ms"] = map_1000.MedianMs();
  values["parallel_16_ms"] = parallel_16.MedianMs();
}

// Everything is recorded: nobody has to be called.
class NoService final : public durable::ServiceClient {
 public:
  absl::StatusOr<durable::CheckpointResponse> Checkpoint(
      const durable::CheckpointRequest&) override {
    Fail("a replay has sent a checkpoint");
  }
  absl::StatusOr<durable::StatePage> GetState(const durable::GetStateRequest&) override {
    Fail("a replay has asked for state");
  }
};

durable::InvocationInput RecordedSteps(int count) {
  durable::InvocationInput input;
  input.durable_execution_arn = kArn;
  input.checkpoint_token = "token";
  durable::Operation execution;
  execution.id = "id";
  execution.type = durable::OperationType::kExecution;
  execution.payload = std::to_string(count);
  input.initial_state.operations.push_back(std::move(execution));
  for (int i = 1; i <= count; ++i) {
    durable::Operation step;
    step.id = durable::internal::OperationId(durable::internal::OperationPath("", i));
    step.name = "step";
    step.sub_type = "Step";
    step.status = durable::OperationStatus::kSucceeded;
    step.attempt = 1;
    step.payload = std::to_string(i);
    input.initial_state.operations.push_back(std::move(step));
  }
  return input;
}

absl::StatusOr<int> Steps(DurableContext& ctx, const int& count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    DURABLE_ASSIGN_OR_RETURN(const int number, ctx.Step("step", [i](StepContext&) { return i; }));
    sum += number;
  }
  return sum;
}

void MeasureReplay(const Options& options, Values& values) {
  const durable::Handler handler(Steps);
  const durable::InvocationInput input = RecordedSteps(1000);
  NoService service;
  std::vector<double> samples;
  for (int i = 0; i < options.Repeat(300, 2); ++i) {
    durable::InvocationInput own_input = input;
    samples.push_back(Microseconds([&] {
      const durable::InvocationOutput output =
          durable::RunInvocation(handler, std::move(own_input), service, durable::RuntimeOptions());
      Require(output.status == durable::InvocationStatus::kSucceeded, "a replay did not succeed");
    }));
  }
  values["replay_1000_operations_ms"] = Median(samples) / 1000;
}

}  // namespace

Values MeasureSdk(const Options& options) {
  Values values;
  MeasureBatches(options, values);
  MeasureReplay(options, values);
  return values;
}

}  // namespace rehearse::benchmark
