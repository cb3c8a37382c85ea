// Executions of ten steps, 64 in flight: the shipped binary in one process; workers and those who
// start executions and wait for their results in this one. Next to it as many bare echo streams in
// the same places.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
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

// How often per second `count` grows, from a little later than now on.
double Rate(const std::atomic<int64_t>& count, const Options& options) {
  absl::SleepFor(absl::Milliseconds(options.Repeat(300, 20)));
  const int64_t begin_count = count;
  const absl::Time begin = absl::Now();
  absl::SleepFor(absl::Milliseconds(options.Repeat(1500, 50)));
  return (count - begin_count) / absl::ToDoubleSeconds(absl::Now() - begin);
}

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
double ExecutionsPerSecond(RemoteService& service, const Options& options) {
  const std::string session = CreateSession(service);
  double rate = 0;
  {
    const Slots slots(service, kInFlight, session, "steps", [] { return StepsScript(kSteps); });
    std::atomic<int64_t> started{0};
    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<LoadClient>> clients;
    for (int i = 0; i < kInFlight; ++i) {
      clients.push_back(
          std::make_unique<LoadClient>(service.executions, service.sessions,
                                       LoadClient::Options{session, "steps", /*wait_for_end=*/true},
                                       [&] { return ++started, !stop; }));
    }
    rate = Rate(started, options);
    stop = true;
  }
  DeleteSession(service, session);
  return rate;
}

double EchoesPerSecond(BareService::Stub& stub, const Options& options) {
  std::atomic<int64_t> echoes{0};
  std::vector<std::unique_ptr<EchoStream>> streams;
  for (int i = 0; i < kInFlight; ++i) {
    streams.push_back(std::make_unique<EchoStream>(OpenEcho(stub), google::protobuf::Empty(),
                                                   [&](google::protobuf::Empty& message) {
                                                     ++echoes;
                                                     return message;
                                                   }));
  }
  return Rate(echoes, options);
}

Values Measure(const Options& options) {
  RemoteService service;
  ServerProcess bare({kReferenceServer});
  BareService::Stub echo(worker::CreateChannel(bare.Address("bare")));
  std::vector<double> executions;
  std::vector<double> echoed_executions;
  for (int i = 0; i < options.Repeat(7, 1); ++i) {
    echoed_executions.push_back(EchoesPerSecond(echo, options) / kRoundTripsPerExecution);
    executions.push_back(ExecutionsPerSecond(service, options));
  }
  return {{"executions_64_concurrent_per_s", Median(executions)},
          {"executions_64_vs_echo", Median(executions) / Median(echoed_executions)}};
}

}  // namespace

Group ConcurrencyFigures() {
  return {{{"executions_64_concurrent_per_s", "1/s", Bound::kAtLeast, 3500},
           {"executions_64_vs_echo", "ratio", Bound::kAtLeast, 0.7}},
          Measure};
}

}  // namespace rehearse::benchmark
