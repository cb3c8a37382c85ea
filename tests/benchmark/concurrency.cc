// Executions of ten steps, 64 in flight: the shipped binary in one process; workers and those who
// start executions and wait for their results in this one. Next to it as many bare echo streams in
// the same places.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bare_service.grpc.pb.h"
#include "service/worker/channel.h"
#include "tests/benchmark/bare_client.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/load_client.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr int kInFlight = 64;
constexpr int kSteps = 10;
// Start and wait by the client, the invocation with its outcome, and a checkpoint per step.
constexpr int kRoundTripsPerExecution = kSteps + 3;

// What is counted, and what goes before while everything warms up, in executions. Those in flight
// tend to advance in step: an interval must hold many rounds of them, whatever time they take.
struct Interval {
  explicit Interval(const Options& options)
      : skipped(kInFlight * options.Repeat(8, 1)), counted(kInFlight * options.Repeat(30, 2)) {}

  int64_t skipped;
  int64_t counted;
};

// Thread-safe.
class Pace {
 public:
  Pace(int64_t skipped, int64_t counted) : skipped_(skipped), counted_(counted) {}

  void Add() {
    absl::MutexLock lock(&mutex_);
    ++seen_;
    if (seen_ == skipped_) begin_ = absl::Now();
    if (seen_ != skipped_ + counted_) return;
    duration_ = absl::Now() - begin_;
    over_.Notify();
  }

  // Waits for the end of the interval.
  double PerSecond() {
    over_.WaitForNotification();
    absl::MutexLock lock(&mutex_);
    return counted_ / absl::ToDoubleSeconds(duration_);
  }

 private:
  const int64_t skipped_;
  const int64_t counted_;
  absl::Mutex mutex_;
  int64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time begin_ ABSL_GUARDED_BY(mutex_);
  absl::Duration duration_ ABSL_GUARDED_BY(mutex_);
  absl::Notification over_;
};

std::string CreateSession(RemoteService& service) {
  grpc::ClientContext context;
  v1::CreateSessionRequest request;
  request.mutable_config()->set_clock_mode(v1::CLOCK_MODE_REAL);
  v1::CreateSessionResponse response;
  Require(service.sessions.CreateSession(&context, request, &response));
  return response.session().name();
}

void DeleteSession(RemoteService& service, const std::string& name) {
  grpc::ClientContext context;
  v1::DeleteSessionRequest request;
  request.set_name(name);
  v1::DeleteSessionResponse response;
  Require(service.sessions.DeleteSession(&context, request, &response));
}

// In a session of its own, so that what an earlier round has left behind costs nothing.
double ExecutionsPerSecond(RemoteService& service, const Interval& interval) {
  const std::string session = CreateSession(service);
  Pace pace(interval.skipped, interval.counted);
  std::atomic<bool> stop{false};
  double rate = 0;
  {
    const Slots slots(service, kInFlight, session, "steps", [] { return StepsScript(kSteps); });
    std::vector<std::unique_ptr<LoadClient>> clients;
    for (int i = 0; i < kInFlight; ++i) {
      clients.push_back(
          std::make_unique<LoadClient>(service.executions, service.sessions,
                                       LoadClient::Options{session, "steps", /*wait_for_end=*/true},
                                       [&] { return pace.Add(), !stop; }));
    }
    rate = pace.PerSecond();
    stop = true;
  }
  DeleteSession(service, session);
  return rate;
}

// Executions that the echoes of as many streams would make.
double EchoedExecutionsPerSecond(BareService::Stub& stub, const Interval& interval) {
  Pace pace(interval.skipped * kRoundTripsPerExecution, interval.counted * kRoundTripsPerExecution);
  std::vector<std::unique_ptr<EchoStream>> streams;
  for (int i = 0; i < kInFlight; ++i) {
    streams.push_back(std::make_unique<EchoStream>(OpenEcho(stub), google::protobuf::Empty(),
                                                   [&](google::protobuf::Empty& message) {
                                                     pace.Add();
                                                     return message;
                                                   }));
  }
  return pace.PerSecond() / kRoundTripsPerExecution;
}

}  // namespace

Values MeasureConcurrency(const Options& options) {
  RemoteService service;
  ServerProcess bare({kReferenceServer});
  BareService::Stub echo(worker::CreateChannel(bare.Address("bare")));
  const Interval interval(options);
  std::vector<double> executions;
  std::vector<double> shares;
  for (int i = 0; i < options.Repeat(15, 1); ++i) {
    const double echoed = EchoedExecutionsPerSecond(echo, interval);
    executions.push_back(ExecutionsPerSecond(service, interval));
    shares.push_back(executions.back() / echoed);
  }
  return {{"executions_64_concurrent_per_s", Median(executions)},
          {"executions_64_vs_echo", Median(shares)}};
}

}  // namespace rehearse::benchmark
