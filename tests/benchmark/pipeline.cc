// The checkpoint pipeline by itself, without server, store or network: StepCheckpoint validated,
// applied on an overlay and answered with the next token, and its delta applied to the execution.
// The delta goes nowhere.
#include <memory>
#include <vector>

#include "service/checkpoint/test_execution.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/worker_script.h"

namespace rehearse::benchmark {
namespace {

// Batches per sample: one is too short for the clock.
constexpr int kBatches = 10;

// An execution that runs one step after the other.
class SteppingExecution {
 public:
  explicit SteppingExecution(int steps) { Advance(steps); }

  // Microseconds per checkpoint of kBatches steps, behind as many that make the caches warm.
  double Sample() {
    Advance(kBatches);
    double total = 0;
    for (int i = 0; i < kBatches; ++i) {
      const v1::CheckpointRequest request = NextRequest();
      total += Microseconds([&] { Run(request); });
    }
    return total / kBatches;
  }

 private:
  void Advance(int steps) {
    for (int i = 0; i < steps; ++i) Run(NextRequest());
  }

  v1::CheckpointRequest NextRequest() {
    return StepCheckpoint(test_.execution().arn(), test_.Token(), ++step_);
  }

  void Run(const v1::CheckpointRequest& request) {
    CheckpointOutcome outcome = Require(test_.Process(request));
    test_.Apply(*std::move(outcome.delta));
  }

  TestExecution test_;
  int step_ = 0;
};

constexpr int kLarge = 10000;

}  // namespace

Values MeasurePipeline(const Options& options) {
  std::vector<double> small;
  std::vector<double> large;
  SteppingExecution large_execution(kLarge);
  // Kept, so that each step takes memory that was not used before, as it does in a long execution.
  std::vector<std::unique_ptr<SteppingExecution>> small_executions;
  for (int i = 0; i < options.Repeat(1000, 20); ++i) {
    small_executions.push_back(std::make_unique<SteppingExecution>(0));
    small.push_back(small_executions.back()->Sample());
    large.push_back(large_execution.Sample());
  }
  return {{"pipeline_checkpoint_us", Median(small)},
          {"checkpoint_growth", Median(large) / Median(small)}};
}

}  // namespace rehearse::benchmark
