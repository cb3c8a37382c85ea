// One checkpoint over TCP, one outstanding, next to what gRPC takes for nothing at all. Both
// servers are in one process (reference_server); the client is the same for both.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bare_service.grpc.pb.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "service/worker/channel.h"
#include "tests/benchmark/bare_client.h"
#include "tests/benchmark/checkpoint_rounds.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/held_invocation.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/server_process.h"
#include "tests/benchmark/worker_script.h"

namespace rehearse::benchmark {
namespace {

using google::protobuf::Empty;

struct Stubs {
  explicit Stubs(const ServerProcess& server)
      : channel(worker::CreateChannel(server.Address("grpc"))),
        bare_channel(worker::CreateChannel(server.Address("bare"))) {}

  std::shared_ptr<grpc::Channel> channel;
  std::shared_ptr<grpc::Channel> bare_channel;
  v1::DurableExecutions::Stub executions{channel};
  v1::FunctionHost::Stub host{channel};
  BareService::Stub bare{bare_channel};
};

void Checkpoint(Stubs& stubs, const v1::CheckpointRequest& request,
                v1::CheckpointResponse& response) {
  grpc::ClientContext context;
  Require(stubs.executions.Checkpoint(&context, request, &response));
}

void Ping(Stubs& stubs) {
  grpc::ClientContext context;
  Empty response;
  Require(stubs.bare.Ping(&context, Empty(), &response));
}

double MeasureUnary(Stubs& stubs, const Options& options) {
  HeldInvocation invocation(stubs.executions, stubs.host);
  v1::CheckpointResponse last;
  last.set_checkpoint_token(invocation.token());
  std::vector<double> pings;
  std::vector<double> checkpoints;
  for (int i = 0; i < options.Repeat(5000, 50); ++i) {
    pings.push_back(Microseconds([&] { Ping(stubs); }));
    const v1::CheckpointRequest request =
        StepCheckpoint(invocation.arn(), last.checkpoint_token(), i);
    checkpoints.push_back(Microseconds([&] { Checkpoint(stubs, request, last); }));
  }
  return Median(checkpoints) / Median(pings);
}

class EchoRounds {
 public:
  EchoRounds(Stubs& stubs, int messages)
      : messages_(messages),
        stream_(OpenEcho(stubs.bare), Empty(), [this](Empty&) { return Next(); }) {
    ended_.Wait();
  }

  void Run() {
    left_ = messages_;
    round_trips_.Sent();
    stream_.Send(Empty());
    ended_.Wait();
  }
  double P50() const { return round_trips_.P50(); }

 private:
  absl::optional<Empty> Next() {
    // The first message only opens the stream.
    if (left_ > 0) round_trips_.Answered();
    if (--left_ <= 0) {
      ended_.Notify();
      return absl::nullopt;
    }
    round_trips_.Sent();
    return Empty();
  }

  const int messages_;
  int left_ = 0;
  RoundTrips round_trips_;
  Signal ended_;
  EchoStream stream_;
};

double MeasureStream(Stubs& stubs, const Options& options) {
  constexpr int kRoundTrips = 250;
  CheckpointRounds checkpoints(stubs.executions, stubs.host, kRoundTrips);
  EchoRounds echoes(stubs, kRoundTrips);
  for (int i = 0; i < options.Repeat(40, 1); ++i) {
    echoes.Run();
    checkpoints.Run();
  }
  return checkpoints.P50() / echoes.P50();
}

}  // namespace

Values MeasureRpc(const Options& options) {
  ServerProcess server({kReferenceServer});
  Stubs stubs(server);
  return {{"checkpoint_vs_empty_rpc", MeasureUnary(stubs, options)},
          {"stream_checkpoint_vs_echo", MeasureStream(stubs, options)}};
}

}  // namespace rehearse::benchmark
