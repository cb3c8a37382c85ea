// Small tools of every measurement.
//
//   std::vector<double> samples;
//   for (int i = 0; i < 1000; ++i) samples.push_back(Microseconds([&] { Checkpoint(); }));
//   double p50 = Median(samples);
#ifndef REHEARSE_TESTS_BENCHMARK_MEASURING_H_
#define REHEARSE_TESTS_BENCHMARK_MEASURING_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/status.h"

namespace rehearse::benchmark {

// The sample below which `share` (0 to 1) of them lie; there must be one.
double Percentile(std::vector<double> samples, double share);
double Median(std::vector<double> samples);

// Steady time of one call.
template <typename F>
double Microseconds(F&& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

// Lets one thread wait for another, again and again.
class Signal {
 public:
  void Notify() {
    absl::MutexLock lock(&mutex_);
    notified_ = true;
  }
  // Returns once for each Notify; two that nobody waited between count as one.
  void Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&notified_));
    notified_ = false;
  }

 private:
  absl::Mutex mutex_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
};

// A measurement that goes wrong is worth nothing: these end the program with a message.
[[noreturn]] void Fail(absl::string_view message);
void Require(bool condition, absl::string_view message);
void Require(const grpc::Status& status);
template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) Fail(result.status().ToString());
  return *std::move(result);
}

// What a shell command writes to its standard output. It has to succeed.
std::string OutputOf(const std::string& command);

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_MEASURING_H_
