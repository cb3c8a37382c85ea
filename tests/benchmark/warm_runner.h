// WarmRunner: a durable function on a runner of its own with the embedded service, time skipped,
// that has run once.
//
//   WarmRunner warm(durable::Handler(QuickStart), "input");
//   for (int i = 0; i < 300; ++i) warm.Sample();
//   values["quickstart_embedded_ms"] = warm.MedianMs();
#ifndef REHEARSE_TESTS_BENCHMARK_WARM_RUNNER_H_
#define REHEARSE_TESTS_BENCHMARK_WARM_RUNNER_H_

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/runner.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {

class WarmRunner {
 public:
  WarmRunner(durable::Handler handler, durable::Json input)
      : runner_(std::move(handler)), input_(std::move(input)) {
    RunMs();
  }

  void Sample() { samples_.push_back(RunMs()); }
  // From Run() to its result.
  double MedianMs() const { return Median(samples_); }

 private:
  double RunMs() {
    return Microseconds([this] {
             Require(Require(runner_.Run(input_, absl::Seconds(60))).status() ==
                         durable::testing::ExecutionStatus::kSucceeded,
                     "a run did not succeed");
           }) /
           1000;
  }

  durable::testing::DurableFunctionTestRunner runner_;
  const durable::Json input_;
  std::vector<double> samples_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_WARM_RUNNER_H_
