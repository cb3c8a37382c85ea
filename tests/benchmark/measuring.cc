#include "tests/benchmark/measuring.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include "absl/strings/str_cat.h"

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

std::string OutputOf(const std::string& command) {
  FILE* output = popen(command.c_str(), "r");
  Require(output != nullptr, absl::StrCat("cannot run ", command));
  std::string text;
  std::array<char, 4096> buffer;
  while (const size_t bytes = fread(buffer.data(), 1, buffer.size(), output)) {
    text.append(buffer.data(), bytes);
  }
  Require(pclose(output) == 0, absl::StrCat(command, " failed:\n", text));
  return text;
}

}  // namespace rehearse::benchmark
