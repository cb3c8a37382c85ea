// Whole runs with the embedded service, time skipped, on one warm runner unless said otherwise:
// from Run() to its result.
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/examples/quickstart/quickstart.h"
#include "client/cpp/testing/runner.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/warm_runner.h"

namespace rehearse::benchmark {
namespace {

using durable::testing::DurableFunctionTestRunner;

absl::StatusOr<int> Steps(durable::DurableContext& ctx, const int& count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    DURABLE_ASSIGN_OR_RETURN(int number,
                             ctx.Step("step", [i](durable::StepContext&) { return i; }));
    sum += number;
  }
  return sum;
}

absl::StatusOr<std::string> Sleep(durable::DurableContext& ctx, const int& days) {
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", days * absl::Hours(24)));
  return std::string("awake");
}

// What a runner of its own costs a test beside its runs: construction, connection and end.
double RunnerSetupMs() {
  return Microseconds([] {
           DurableFunctionTestRunner runner{durable::Handler(QuickStart)};
           Require(runner.session());
         }) /
         1000;
}

void MeasureQuickStart(const Options& options, Values& values) {
  WarmRunner warm(durable::Handler(QuickStart), "input");
  std::vector<double> setups;
  for (int i = 0; i < options.Repeat(300, 5); ++i) {
    warm.Sample();
    setups.push_back(RunnerSetupMs());
  }
  values["quickstart_embedded_ms"] = warm.MedianMs();
  values["runner_setup_ms"] = Median(setups);
}

void MeasureSteps(const Options& options, Values& values) {
  constexpr int kShortRunsPerLongRun = 20;
  WarmRunner ten(durable::Handler(Steps), 10);
  WarmRunner thousand(durable::Handler(Steps), 1000);
  for (int i = 0; i < options.Repeat(30, 1); ++i) {
    thousand.Sample();
    for (int j = 0; j < kShortRunsPerLongRun; ++j) ten.Sample();
  }
  values["steps_10_embedded_ms"] = ten.MedianMs();
  values["steps_1000_embedded_ms"] = thousand.MedianMs();
  values["steps_1000_vs_steps_10"] = thousand.MedianMs() / ten.MedianMs();
}

void MeasureWait(const Options& options, Values& values) {
  WarmRunner sleeper(durable::Handler(Sleep), 30);
  for (int i = 0; i < options.Repeat(1000, 5); ++i) sleeper.Sample();
  values["wait_30_days_ms"] = sleeper.MedianMs();
}

}  // namespace

Values MeasureEmbedded(const Options& options) {
  Values values;
  MeasureQuickStart(options, values);
  MeasureSteps(options, values);
  MeasureWait(options, values);
  return values;
}

}  // namespace rehearse::benchmark
