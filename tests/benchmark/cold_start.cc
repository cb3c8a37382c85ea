// From the start of the shipped binary to its ready file, which it writes when it serves.
#include <memory>
#include <vector>

#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/server_process.h"

namespace rehearse::benchmark {
Values MeasureColdStart(const Options& options) {
  std::vector<double> starts;
  for (int i = 0; i < options.Repeat(31, 3); ++i) {
    std::unique_ptr<ServerProcess> server;
    starts.push_back(Microseconds([&] {
                       server = std::make_unique<ServerProcess>(ServerProcess::RehearseUp());
                     }) /
                     1000);
  }
  return {{"cold_start_ms", Median(starts)}};
}

}  // namespace rehearse::benchmark
