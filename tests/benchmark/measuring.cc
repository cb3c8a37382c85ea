#include "tests/benchmark/measuring.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace rehearse::benchmark {

double Percentile(std::vector<double> samples, double share) {
  Require(!samples.empty(), "nothing was measured");
  const size_t rank = std::min(samples.size() - 1, static_cast<size_t>(share * samples.size()));
  std::nth_element(samples.begin(), samples.begin() + rank, samples.end());
  return samples[rank];
}

double Median(std::vector<double> samples) { return Percentile(std::move(samples), 0.5); }

void Fail(absl::string_view message) {
  std::cerr << "benchmark: " << message << std::endl;
  // Threads of streams and servers still run: nothing is torn down. Child processes see the end of
  // their input.
  _exit(1);
}

void Require(bool condition, absl::string_view message) {
  if (!condition) Fail(message);
}

void Require(const grpc::Status& status) {
  if (!status.ok()) Fail(status.error_message());
}

}  // namespace rehearse::benchmark
